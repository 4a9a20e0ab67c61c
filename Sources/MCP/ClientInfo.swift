import JSON

/// The program at the other end.
package struct ClientInfo: Sendable, Equatable {
  package var name: String?
  package var version: String?

  package init(_ json: JSONValue? = nil) {
    name = json?["name"]?.string
    version = json?["version"]?.string
  }

  /// Clients whose ways were measured. Any other is treated as one of which nothing is known.
  package enum Kind: Sendable {
    case codex
    case openCode
    case claudeCode
    case gemini
    case qwen
  }

  /// By the names with which these programs introduce themselves; nil for any other.
  package var kind: Kind? {
    guard let name else { return nil }
    if name.hasPrefix("codex") { return .codex }
    if name == "opencode" { return .openCode }
    if name.hasPrefix("claude-code") { return .claudeCode }
    if name.hasPrefix("gemini-cli") { return .gemini }
    if name.hasPrefix("qwen-cli") || name.hasPrefix("qwen-code") { return .qwen }
    return nil
  }

  /// Codex's own version, as numbers; nil for other clients.
  package var codexVersion: [Int]? {
    guard kind == .codex, let version else { return nil }
    let numbers = version.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? -1 }
    return numbers.count == 2 && !numbers.contains(-1) ? numbers : nil
  }
}

/// What the client offers to answer while a call is under way.
package struct ClientCapabilities: Sendable, Equatable {
  /// `roots/list`.
  package var roots = false
  /// `elicitation/create` with a form. A client that says nothing of modes has forms.
  package var forms = false
  /// The client tells modes apart, so it must be told which is meant.
  package var namesModes = false

  package init(_ json: JSONValue? = nil) {
    roots = json?["roots"]?.object != nil
    guard let elicitation = json?["elicitation"]?.object else { return }
    namesModes = elicitation["form"] != nil || elicitation["url"] != nil
    forms = elicitation["form"] != nil || !namesModes
  }
}
