import Text

/// What is asked of `opencode models`.
package struct ModelsQuery: Sendable, Equatable {
  package var provider: String?
  /// Names, limits and prices too (1.x only).
  package var verbose = false
  /// Have OpenCode fetch its catalogue anew (1.x only).
  package var refresh = false

  package init() {}
}

/// What it answered. Recordings: `1.18.34/models`, `1.18.34/models-verbose`; empty without meaning it: `2.0-preview-20260807/models-standalone`.
package struct ModelList: Sendable, Equatable {
  package var models: [Model]
  /// false: the list was empty where OpenCode 2 is known to leave it out; what models there are is unknown.
  package var isKnown: Bool

  package init(models: [Model], isKnown: Bool) {
    self.models = models
    self.isKnown = isKnown
  }
}

/// A model that OpenCode offers. Details are nil unless asked for.
package struct Model: Sendable, Equatable {
  /// `provider/model`; the model's part may hold `/` and `:`.
  package let id: String
  package var name: String?
  /// Tokens.
  package var contextLimit: Int?
  package var outputLimit: Int?
  package var prices: Prices?
  package var variants: [String] = []

  /// USD for a million tokens.
  package struct Prices: Sendable, Equatable {
    package let input: Double
    package let output: Double
    package let cacheRead: Double?
    package let cacheWrite: Double?

    /// Both 0 is how OpenCode shows a model whose price it doesn't know.
    package var isUnknown: Bool { input == 0 && output == 0 }
  }

  package init(id: String) { self.id = id }

  package var provider: String { String(id.prefix { $0 != "/" }) }
  package var model: String { String(id.dropFirst(provider.count + 1)) }
}

extension ModelList {
  /// Reads one id a line, each followed by a JSON object when details were asked for.
  static func parse(_ output: String, emptyIsUnknown: Bool) throws -> ModelList {
    let lines = TerminalText.plain(output).split(whereSeparator: \.isNewline)
    var (models, details): ([Model], [Substring]?) = ([], nil)
    for line in lines {
      if details != nil {
        details?.append(line)
        guard line == "}" else { continue }
        if let last = models.indices.last { models[last].fill(from: (details ?? []).joined(separator: "\n")) }
        details = nil
      } else if line == "{" {
        details = [line]
      } else if isModelID(line) {
        models.append(Model(id: String(line)))
      }
    }
    if models.isEmpty, lines.contains(where: { !$0.allSatisfy(\.isWhitespace) }) {
      throw OpenCodeCommandError.unreadable(command: "models", why: "no line of it is provider/model")
    }
    return ModelList(models: models, isKnown: !(models.isEmpty && emptyIsUnknown))
  }

  private static func isModelID(_ line: Substring) -> Bool {
    guard let slash = line.firstIndex(of: "/"), slash != line.startIndex, line.index(after: slash) != line.endIndex else { return false }
    return !line.contains(where: { $0.isWhitespace || "{}<>\"│".contains($0) })
  }
}

extension Model {
  /// Takes what is there; anything else stays unknown.
  fileprivate mutating func fill(from json: String) {
    guard let details = try? ConfigText.parse(json) else { return }
    name = details["name"]?.string
    contextLimit = details["limit"]?["context"]?.int
    outputLimit = details["limit"]?["output"]?.int
    variants = details["variants"]?.object?.keys ?? []
    if let cost = details["cost"], let input = cost["input"]?.double, let output = cost["output"]?.double {
      prices = Prices(input: input, output: output, cacheRead: cost["cache"]?["read"]?.double, cacheWrite: cost["cache"]?["write"]?.double)
    }
  }
}

/// The ids most like one that doesn't exist, at most three, the same provider's first. Nothing that differs in more than a third,
/// unless what was asked for is a part of it.
package func closestModels(to wanted: String, in models: [String]) -> [String] {
  let target = Array(wanted.lowercased().prefix(200))
  let provider = wanted.prefix { $0 != "/" }.lowercased()
  let tail = Array((wanted.contains("/") ? String(wanted.drop { $0 != "/" }.dropFirst()) : wanted).lowercased().prefix(200))
  struct Candidate {
    let id: String
    let sameProvider: Bool
    let distance: Int
  }
  let candidates = Set(models).compactMap { id -> Candidate? in
    let lower = id.lowercased()
    let name = Array(lower.drop { $0 != "/" }.dropFirst().prefix(200))
    let whole = EditDistance.between(target, Array(lower.prefix(200)))
    let same = wanted.contains("/") && lower.prefix { $0 != "/" } == provider
    // The right name under the wrong provider, or without one, is a near miss too; so is one that was only begun.
    var distance = min(whole, EditDistance.between(tail, name) + (same ? 0 : 1))
    let begun = tail.count >= 3 && String(name).contains(String(tail))
    if begun { distance = min(distance, 1 + (name.count - tail.count) / 8) }
    return begun || distance * 3 <= max(tail.count, 3) || whole * 3 <= target.count ? Candidate(id: id, sameProvider: same, distance: distance) : nil
  }
  return candidates.sorted {
    ($0.sameProvider ? 0 : 1, $0.distance, $0.id) < ($1.sameProvider ? 0 : 1, $1.distance, $1.id)
  }.prefix(3).map(\.id)
}
