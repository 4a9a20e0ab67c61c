import JSON
import Text

/// What OpenCode does when a tool asks for permission. Without anybody to ask, `ask` is a rejection that may end the run.
package enum PermissionAction: String, Sendable, Codable, Comparable {
  case deny, ask, allow

  private var rank: Int { [.deny: 0, .ask: 1, .allow: 2][self] ?? 0 }
  package static func < (left: PermissionAction, right: PermissionAction) -> Bool { left.rank < right.rank }
}

/// One rule: for which permission (`bash`, `edit`, `*`), on what (a command, a path), what is done.
package struct PermissionRule: Sendable, Equatable, Codable {
  package let permission: String
  package let pattern: String
  package let action: PermissionAction

  package init(_ permission: String, _ pattern: String, _ action: PermissionAction) {
    self.permission = permission
    self.pattern = pattern
    self.action = action
  }
}

/// Rules in order. The last one that matches wins.
/// Rests on `docs/facts/opencode-cli.md`, "Permissions".
package struct PermissionRules: Sendable, Equatable {
  package var rules: [PermissionRule]

  package init(_ rules: [PermissionRule]) { self.rules = rules }

  /// 2.x's `permissions`, a list of `{action, resource, effect}`; what isn't a rule is dropped, as OpenCode does.
  init(native permissions: JSONValue?) {
    rules = (permissions?.array ?? []).compactMap { row in
      guard let action = row["action"]?.string, let resource = row["resource"]?.string, let effect = row["effect"]?.string.flatMap(PermissionAction.init)
      else { return nil }
      return PermissionRule(action, resource, effect)
    }
  }

  /// As 2.x has them.
  var native: JSONValue {
    .array(rules.map { ["action": .string($0.permission), "resource": .string($0.pattern), "effect": .string($0.action.rawValue)] })
  }

  package func action(_ permission: String, on target: String) -> PermissionAction {
    rules.last { Wildcard.matches(permission, $0.permission) && Wildcard.matches(target, $0.pattern) }?.action ?? .ask
  }
}

/// An agent as `opencode agent list` prints it.
/// Recording: `1.18.34/agent-list`; with rules of the user's own: `Tests/Fixtures/opencode/agent-list-user-rules.txt`.
package struct AgentListing: Sendable, Equatable {
  package let name: String
  /// `primary`, `subagent` or `all`.
  package let mode: String
  package let rules: PermissionRules

  package init(name: String, mode: String, rules: PermissionRules) {
    self.name = name
    self.mode = mode
    self.rules = rules
  }

  /// It may be the agent of a run.
  package var canLead: Bool { ["primary", "all"].contains(mode) }

  /// Reads `NAME (primary)` lines, each followed by its rules in JSON.
  /// - Throws: `OpenCodeCommandError.unreadable`
  package static func parse(_ output: String) throws -> [AgentListing] {
    let lines = TerminalText.plain(output).split(whereSeparator: \.isNewline)
    var (found, index): ([AgentListing], Int) = ([], 0)
    while index < lines.count {
      defer { index += 1 }
      guard let (name, mode) = heading(lines[index]) else { continue }
      let body = lines[(index + 1)...].prefix { heading($0) == nil }.joined(separator: "\n")
      guard let rules = try? rules(body) else {
        throw OpenCodeCommandError.unreadable(command: "agent list", why: "the rules of agent \"\(name)\" are no JSON")
      }
      found.append(AgentListing(name: name, mode: mode, rules: rules))
    }
    guard !found.isEmpty else { throw OpenCodeCommandError.unreadable(command: "agent list", why: "it names no agent") }
    return found
  }

  private static func heading(_ line: Substring) -> (name: String, mode: String)? {
    guard line.first?.isWhitespace == false, line.hasSuffix(")"), let open = line.range(of: " (", options: .backwards) else { return nil }
    let mode = line[open.upperBound...].dropLast()
    guard ["primary", "subagent", "all"].contains(mode) else { return nil }
    return (String(line[..<open.lowerBound]), String(mode))
  }

  private static func rules(_ body: String) throws -> PermissionRules {
    guard let rows = try ConfigText.parse(body).array else { throw JSONSyntaxError(reason: "not a list") }
    return PermissionRules(
      rows.compactMap { row in
        guard let permission = row["permission"]?.string, let action = row["action"]?.string.flatMap(PermissionAction.init) else { return nil }
        return PermissionRule(permission, row["pattern"]?.string ?? "*", action)
      })
  }
}

/// OpenCode's patterns: `*` is any text, `?` any character, and ` *` at the end may be missing altogether.
enum Wildcard {
  static func matches(_ text: String, _ pattern: String) -> Bool {
    if pattern == "*" { return true }
    if pattern.hasSuffix(" *"), matches(Array(text), Array(pattern.dropLast(2))) { return true }
    return matches(Array(text), Array(pattern))
  }

  private static func matches(_ text: [Character], _ pattern: [Character]) -> Bool {
    var (t, p) = (0, 0)
    var lastStar: (p: Int, t: Int)?
    while t < text.count {
      if p < pattern.count, pattern[p] == "*" {
        lastStar = (p, t)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
        (t, p) = (t + 1, p + 1)
      } else if let star = lastStar {
        lastStar = (star.p, star.t + 1)
        (t, p) = (star.t + 1, star.p + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
