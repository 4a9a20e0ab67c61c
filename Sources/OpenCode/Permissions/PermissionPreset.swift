import JSON

/// A set of rules without any "ask", which nobody could answer. None of them sandboxes `bash`.
/// The rules were tried with the real program: `docs/facts/opencode-cli.md`, "Permissions"; recording `1.18.34/preset-read-only`.
package enum PermissionPreset: String, Sendable, Codable, CaseIterable {
  case readOnly = "read-only"
  case workspace
  case full

  /// OpenCode's `permission` setting. `question` and the plan mode's switches wait for a person, so they are denied.
  var setting: JSONObject {
    let noSecrets: JSONValue = ["*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow"]
    let nobodyThere: JSONObject = ["question": "deny", "plan_enter": "deny", "plan_exit": "deny"]
    var result: JSONObject
    switch self {
    case .full: result = ["*": "allow", "external_directory": "allow", "doom_loop": "allow", "read": "allow"]
    case .workspace: result = ["*": "allow", "external_directory": "deny", "doom_loop": "deny", "read": noSecrets]
    case .readOnly:
      result = ["*": "deny", "read": noSecrets, "glob": "allow", "grep": "allow", "list": "allow", "external_directory": "deny", "doom_loop": "deny"]
    }
    result.merge(nobodyThere)
    return result
  }

  package var rules: PermissionRules {
    PermissionRules(
      setting.members.flatMap { key, value in
        if let patterns = value.object {
          return patterns.members.map { PermissionRule(key, $0.key, PermissionPreset.action($0.value)) }
        }
        return [PermissionRule(key, "*", PermissionPreset.action(value))]
      })
  }

  /// The preset for an agent that may have rules of its own. OpenCode merges them key by key and a user's keys keep their place before ours,
  /// so `"*"` alone would come too late or too early: each permission is written out. Patterns are merged in the same way, and a plain action
  /// doesn't replace them; `**` means what `*` means, but no user has it: it comes after theirs.
  /// - Parameter keys: permissions that rules of this agent name, wildcards included
  func writtenOut(_ keys: [String]) -> JSONObject {
    let setting = self.setting
    var result = JSONObject()
    for key in keys + PermissionPreset.knownPermissions {
      let action = JSONValue.string(rules.action(PermissionPreset.sample(of: key), on: PermissionPreset.anything).rawValue)
      if let patterns = setting[key]?.object {
        result[key] = .object(JSONObject(patterns.members.map { (key: "*" + $0.key, value: $0.value) }))
      } else if keys.isEmpty || PermissionPreset.withoutPatterns.contains(key) {
        result[key] = action
      } else {
        // A tool whose last rule denies `*` isn't even offered to the model.
        result[key] = action == "deny" ? ["**": action, "*": action] : ["**": action]
      }
    }
    return result
  }

  private static func action(_ value: JSONValue) -> PermissionAction { value.string.flatMap(PermissionAction.init) ?? .deny }

  /// What OpenCode's own tools ask for (1.x; `shell` and `subagent` are the names in 2.x).
  static let knownPermissions = [
    "read", "edit", "glob", "grep", "list", "bash", "task", "external_directory", "todowrite", "todoread", "question", "webfetch", "websearch",
    "codesearch", "lsp", "doom_loop", "skill", "plan_enter", "plan_exit", "shell", "subagent",
  ]
  /// Those for which OpenCode's settings take an action only.
  static let withoutPatterns: Set<String> = ["todowrite", "todoread", "question", "webfetch", "websearch", "codesearch", "doom_loop"]
  static let anything = "anything"

  /// A text that a pattern matches.
  static func sample(of pattern: String) -> String { String(pattern.map { $0 == "*" || $0 == "?" ? "x" : $0 }) }
}

/// A rule that beats a preset: the agent would allow, or ask about, what the preset forbids or decides.
/// Seen: `Tests/Fixtures/opencode/agent-list-beaten.txt`.
package struct PresetProblem: Sendable, Equatable, CustomStringConvertible {
  package let agent: String
  package let permission: String
  package let target: String
  package let action: PermissionAction

  /// `agent "build": bash is allow`
  package var description: String {
    let on = target == PermissionPreset.anything ? "" : " (\(target))"
    return "agent \"\(agent)\": \(permission)\(on) is \(action.rawValue)"
  }
}

extension PermissionPreset {
  package func holds(_ agent: AgentListing) -> Bool { problems(with: agent).isEmpty }

  /// Where an agent's resulting rules are weaker than the preset. Tried on each permission and each pattern that any rule names.
  package func problems(with agent: AgentListing) -> [PresetProblem] { PermissionPreset.problems(with: agent, wanted: rules) }

  static func problems(with agent: AgentListing, wanted: PermissionRules) -> [PresetProblem] {
    let given = agent.rules
    let names = PermissionPreset.knownPermissions + (wanted.rules + given.rules).map { PermissionPreset.sample(of: $0.permission) } + ["some_other_tool"]
    var (seen, problems): (Set<String>, [PresetProblem]) = ([], [])
    for name in names where seen.insert(name).inserted {
      let patterns = (wanted.rules + given.rules).filter { Wildcard.matches(name, $0.permission) && $0.pattern != "*" }.map(\.pattern)
      for target in [PermissionPreset.anything] + patterns.map(PermissionPreset.sample) {
        let (want, got) = (wanted.action(name, on: target), given.action(name, on: target))
        guard got > want || got == .ask, !PermissionPreset.isOpenCodesOwn(name, target) else { continue }
        problems.append(PresetProblem(agent: agent.name, permission: name, target: target, action: got))
        break
      }
    }
    return problems
  }

  /// OpenCode always lets its agents read what it put aside itself: the tail of long outputs.
  private static func isOpenCodesOwn(_ permission: String, _ target: String) -> Bool {
    permission == "external_directory" && target.contains("/opencode/tool-output/")
  }
}
