import Text

/// What is asked of `opencode models`.
package struct ModelsQuery: Sendable, Equatable {
  package var provider: String?
  /// Names, limits and prices too (1.x only).
  package var verbose = false
  /// Have OpenCode fetch its catalogue anew (1.x only).
  package var refresh = false

  package init() {}

  /// Why a provider's name can't be one; nil: it may. It becomes a word of a command line, where a dash in front makes an option of it.
  package static func problem(withProvider name: String) -> String? {
    if name.isEmpty { return "it is empty" }
    if name.hasPrefix("-") { return "it begins with a dash" }
    if name.utf8.count > 100 { return "it is longer than 100 bytes" }
    let isOdd = { (scalar: Unicode.Scalar) in
      scalar.value <= 0x20 || scalar.value == 0x7F || scalar.properties.isWhitespace || "/#:\"'".unicodeScalars.contains(scalar)
    }
    return name.unicodeScalars.contains(where: isOdd) ? "a provider's name holds no spaces, slashes or control characters" : nil
  }
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
  /// The providers whose models these are, in alphabetical order.
  package var providers: [String] { Set(models.map(\.provider)).sorted() }

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

/// A model's name as people mean it: `Claude-Sonnet-4.5` is `claude-sonnet-4-5@20250929`.
private struct PlainName {
  /// Its words and numbers, without dates, `latest` and what a cloud adds behind a colon or as `v1`.
  let words: [String]
  var text: String { words.joined(separator: "-") }
  /// The same in any order, without the seams: `gpt5` is `gpt-5`, `claude-4.5-sonnet` is `claude-sonnet-4-5`.
  var letters: String { words.joined() }
  var anyOrder: [String] { words.sorted() }

  init(_ name: String) {
    var words = name.lowercased().prefix(200).prefix { $0 != ":" && $0 != "#" }.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    while let last = words.last, words.count > 1 {
      let isDate = last.wholeMatch(of: /20\d{6}|\d{6}/) != nil
      let isDay = words.count > 3 && words.suffix(3).joined(separator: "-").wholeMatch(of: /20\d\d-\d\d-\d\d/) != nil
      if isDay {
        words.removeLast(3)
      } else if isDate || last == "latest" || last.wholeMatch(of: /v\d/) != nil {
        words.removeLast()
      } else {
        break
      }
    }
    self.words = words
  }
}

/// The ids most like one that doesn't exist, at most three, the same provider's first. Nothing that differs in more than a third,
/// unless what was asked for is a part of it. Case, dots for dashes, and a date that stands in one of them only make no difference.
package func closestModels(to wanted: String, in models: [String]) -> [String] {
  let target = Array(wanted.lowercased().prefix(200))
  let provider = wanted.prefix { $0 != "/" }.lowercased()
  let asked = wanted.contains("/") ? String(wanted.drop { $0 != "/" }.dropFirst()) : wanted
  let tail = Array(asked.lowercased().prefix(200))
  let plain = PlainName(asked)
  struct Candidate {
    let id: String
    let sameProvider: Bool
    let distance: Int
  }
  let candidates = Set(models).compactMap { id -> Candidate? in
    let lower = id.lowercased()
    let rest = String(id.drop { $0 != "/" }.dropFirst())
    let name = Array(rest.lowercased().prefix(200))
    let same = wanted.contains("/") && lower.prefix { $0 != "/" } == provider
    // A router's models have their maker's name in front: `openrouter/anthropic/claude-sonnet-4.5`.
    let names = [PlainName(rest)] + (rest.contains("/") ? [PlainName(rest.split(separator: "/").last.map(String.init) ?? rest)] : [])
    if !plain.words.isEmpty, let twin = names.first(where: { $0.letters == plain.letters || $0.anyOrder == plain.anyOrder }) {
      return Candidate(id: id, sameProvider: same, distance: (lower == wanted.lowercased() ? 0 : twin.text == plain.text ? 1 : 2) - 2)
    }
    let whole = EditDistance.between(target, Array(lower.prefix(200)))
    // The right name under the wrong provider, or without one, is a near miss too; so is one that was only begun.
    var distance = min(whole, EditDistance.between(tail, name) + (same ? 0 : 1))
    let begun = tail.count >= 3 && String(name).contains(String(tail))
    if begun { distance = min(distance, 1 + (name.count - tail.count) / 8) }
    // Some of its words: `haiku-4.5`.
    let part = plain.letters.count >= 3 ? names.filter { Set(plain.words).isSubset(of: $0.words) }.map { $0.words.count - plain.words.count }.min() : nil
    if let part { distance = min(distance, 1 + part) }
    // A typing error in a name whose date the caller doesn't know.
    let near = names.map { EditDistance.between(Array(plain.text), Array($0.text)) + (same ? 0 : 1) }.min() ?? distance
    distance = min(distance, near)
    return begun || part != nil || distance * 3 <= max(tail.count, 3) || whole * 3 <= target.count
      ? Candidate(id: id, sameProvider: same, distance: distance) : nil
  }
  return candidates.sorted {
    ($0.sameProvider ? 0 : 1, $0.distance, $0.id) < ($1.sameProvider ? 0 : 1, $1.distance, $1.id)
  }.prefix(3).map(\.id)
}
