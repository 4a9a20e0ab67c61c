import JSON
import Text

/// What is asked of `opencode stats`.
package struct StatsQuery: Sendable, Equatable {
  /// 0 is today; nil: since ever.
  package var days: Int?
  /// OpenCode's project id, "" for the folder's own; nil: all.
  package var project: String?
  package var models = false

  package init() {}

  var sharedArguments: [String] { (days.map { ["--days=\($0)"] } ?? []) + (project.map { ["--project=\($0)"] } ?? []) }
}

/// OpenCode's own totals. An absent figure is one that it didn't print.
/// Recordings: `1.18.34/stats`, `1.18.34/stats-days-models`. The form of 2.x is only known from its source.
package struct Stats: Sendable, Equatable {
  /// A figure, and whether it was printed rounded (`1.4K`, `$0.01`).
  package struct Figure: Sendable, Equatable {
    package let value: Double
    package let rounded: Bool
  }

  package struct ModelRow: Sendable, Equatable {
    /// `provider/model`.
    package let model: String
    package var messages: Figure?
    package var steps: Figure?
    package var input: Figure?
    package var output: Figure?
    package var cacheRead: Figure?
    package var cacheWrite: Figure?
    /// USD.
    package var cost: Figure?
  }

  package var sessions: Figure?
  package var messages: Figure?
  package var days: Figure?
  /// 2.x counts these instead of messages and days: what users asked, requests to models, days on which something was done.
  package var prompts: Figure?
  package var steps: Figure?
  package var activeDays: Figure?
  /// USD.
  package var cost: Figure?
  package var costPerDay: Figure?
  package var input: Figure?
  package var output: Figure?
  package var reasoning: Figure?
  package var cacheRead: Figure?
  package var cacheWrite: Figure?
  package var models: [ModelRow] = []
}

// MARK: - 1.x: boxes

extension Stats {
  /// Reads the boxes that `stats` draws.
  static func parseBoxes(_ output: String) throws -> Stats {
    var (stats, section, opening) = (Stats(), "", false)
    for line in TerminalText.plain(output).split(whereSeparator: \.isNewline) {
      let trimmed = line.drop(while: \.isWhitespace)
      if trimmed.hasPrefix("┌") {
        opening = true
      } else if trimmed.hasPrefix("│"), trimmed.hasSuffix("│"), trimmed.count > 2 {
        let text = trimmed.dropFirst().dropLast()
        if opening {
          section = words(text).joined(separator: " ")
          opening = false
        } else {
          stats.take(text, in: section)
        }
      }
    }
    guard stats.sessions != nil || stats.cost != nil else { throw OpenCodeCommandError.unreadable(command: "stats", why: "it holds no box with totals") }
    return stats
  }

  private static func words(_ text: Substring) -> [Substring] { text.split(separator: " ") }

  private mutating func take(_ text: Substring, in section: String) {
    let parts = Stats.words(text)
    guard let last = parts.last else { return }
    let (label, figure) = (parts.dropLast().joined(separator: " "), Figure(printed: last))
    switch (section, label) {
    case ("OVERVIEW", "Sessions"): sessions = figure
    case ("OVERVIEW", "Messages"): messages = figure
    case ("OVERVIEW", "Days"): days = figure
    case ("COST & TOKENS", "Total Cost"): cost = figure
    case ("COST & TOKENS", "Avg Cost/Day"): costPerDay = figure
    case ("COST & TOKENS", "Input"): input = figure
    case ("COST & TOKENS", "Output"): output = figure
    case ("COST & TOKENS", "Reasoning"): reasoning = figure
    case ("COST & TOKENS", "Cache Read"): cacheRead = figure
    case ("COST & TOKENS", "Cache Write"): cacheWrite = figure
    case ("MODEL USAGE", _): takeModel(text, label, figure)
    default: break
    }
  }

  /// A model's name is indented by one, its figures by two.
  private mutating func takeModel(_ text: Substring, _ label: String, _ figure: Figure?) {
    guard text.hasPrefix("  ") else {
      models.append(ModelRow(model: Stats.words(text).joined(separator: " ")))
      return
    }
    guard let row = models.indices.last else { return }
    switch label {
    case "Messages": models[row].messages = figure
    case "Input Tokens": models[row].input = figure
    case "Output Tokens": models[row].output = figure
    case "Cache Read": models[row].cacheRead = figure
    case "Cache Write": models[row].cacheWrite = figure
    case "Cost": models[row].cost = figure
    default: break
    }
  }
}

extension Stats.Figure {
  /// `1.4K`, `$0.01`, `800`.
  init?(printed: Substring) {
    let isMoney = printed.hasPrefix("$")
    var digits = isMoney ? printed.dropFirst() : printed
    let scales: [Character: Double] = ["K": 1e3, "M": 1e6, "B": 1e9]
    let scale = digits.last.flatMap { scales[$0] }
    if scale != nil { digits = digits.dropLast() }
    guard digits.first?.isASCIIDigit == true, let number = Double(digits.filter { $0 != "," }), number.isFinite else { return nil }
    self.init(value: number * (scale ?? 1), rounded: scale != nil || isMoney)
  }
}

// MARK: - 2.x: JSON

extension Stats {
  /// Reads totals under the names that either generation is known to use. Nothing is rounded there.
  static func parseJSON(_ output: String) throws -> Stats {
    guard let start = output.firstIndex(of: "{"), let json = try? ConfigText.parse(String(output[start...])) else {
      throw OpenCodeCommandError.unreadable(command: "stats", why: "not JSON")
    }
    let root = json["data"]?.object == nil ? json : json["data"] ?? json
    func figure(_ value: JSONValue?) -> Figure? { value?.double.map { Figure(value: $0, rounded: false) } }
    let tokens = root["totalTokens"] ?? root["tokens"]
    var stats = Stats()
    stats.sessions = figure(root["totalSessions"] ?? root["sessions"])
    stats.messages = figure(root["totalMessages"] ?? root["messages"])
    stats.days = figure(root["days"])
    (stats.prompts, stats.steps, stats.activeDays) = (figure(root["prompts"]), figure(root["steps"]), figure(root["activeDays"]))
    stats.cost = figure(root["totalCost"] ?? root["cost"])
    stats.costPerDay = figure(root["costPerDay"])
    stats.input = figure(tokens?["input"])
    stats.output = figure(tokens?["output"])
    stats.reasoning = figure(tokens?["reasoning"])
    stats.cacheRead = figure(tokens?["cache"]?["read"])
    stats.cacheWrite = figure(tokens?["cache"]?["write"])
    let usage = root["modelUsage"] ?? root["models"]
    let rows =
      usage?.object?.members.map { ($0.key, $0.value) }
      ?? usage?.array?.compactMap { row in (name(row["model"]) ?? row["id"]?.string).map { ($0, row) } } ?? []
    stats.models = rows.map { name, row in
      ModelRow(
        model: name, messages: figure(row["messages"]), steps: figure(row["steps"]), input: figure(row["tokens"]?["input"]),
        output: figure(row["tokens"]?["output"]),
        cacheRead: figure(row["tokens"]?["cache"]?["read"]), cacheWrite: figure(row["tokens"]?["cache"]?["write"]), cost: figure(row["cost"]))
    }
    guard stats.sessions != nil || stats.cost != nil else { throw OpenCodeCommandError.unreadable(command: "stats", why: "it holds no totals") }
    return stats
  }

  /// `provider/model#variant` of `{providerID, id, variant?}`.
  private static func name(_ model: JSONValue?) -> String? {
    guard let id = model?["id"]?.string, let provider = model?["providerID"]?.string else { return model?.string }
    return "\(provider)/\(id)" + (model?["variant"]?.string.map { "#\($0)" } ?? "")
  }
}
