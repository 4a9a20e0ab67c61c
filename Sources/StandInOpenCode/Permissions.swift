import Foundation
import JSON

/// What tools may do. The last rule that matches decides.
struct Permissions {
  enum Action: String { case allow, ask, deny }
  struct Rule {
    let permission: String
    let pattern: String
    let action: Action
  }
  var rules: [Rule]

  /// - Parameters:
  ///   - configuration: the merged configuration
  ///   - override: the value of `OPENCODE_PERMISSION`, which OpenCode 2 doesn't read
  init(line: Line, agent: String, configuration: JSONValue, override: JSONValue?) {
    rules = [
      Rule(permission: "*", pattern: "*", action: .allow), Rule(permission: "doom_loop", pattern: "*", action: .ask),
      Rule(permission: "external_directory", pattern: "*", action: .ask), Rule(permission: "external_directory", pattern: "/tmp/opencode/*", action: .allow),
      Rule(permission: "read", pattern: "*", action: .allow), Rule(permission: "read", pattern: "*.env", action: .ask),
      Rule(permission: "read", pattern: "*.env.*", action: .ask), Rule(permission: "read", pattern: "*.env.example", action: .allow),
    ]
    switch agent {
    case "plan": rules.append(Rule(permission: "edit", pattern: "*", action: .deny))
    case "explore":
      rules.append(Rule(permission: "*", pattern: "*", action: .deny))
      for name in ["grep", "glob", "list", "bash", "webfetch", "websearch", "read"] { rules.append(Rule(permission: name, pattern: "*", action: .allow)) }
    case "general": rules.append(Rule(permission: "todowrite", pattern: "*", action: .deny))
    default: break
    }
    add(configuration["permission"])
    if line == .one { add(override) }
    add(configuration["agent"]?[agent]?["permission"])
    // A run without a person doesn't offer these in 1.x.
    if line == .one { for name in ["question", "plan_enter", "plan_exit"] { rules.append(Rule(permission: name, pattern: "*", action: .deny)) } }
  }

  /// Members are taken in alphabetical order, which puts `*` before what refines it.
  private mutating func add(_ value: JSONValue?) {
    if let action = value?.string.flatMap(Action.init) { rules.append(Rule(permission: "*", pattern: "*", action: action)) }
    for (permission, rule) in (value?.object?.members ?? []).sorted(by: { $0.key < $1.key }) {
      let permission = permission == "shell" ? "bash" : permission
      if let action = rule.string.flatMap(Action.init) { rules.append(Rule(permission: permission, pattern: "*", action: action)) }
      for (pattern, action) in (rule.object?.members ?? []).sorted(by: { $0.key < $1.key }) {
        if let action = action.string.flatMap(Action.init) { rules.append(Rule(permission: permission, pattern: pattern, action: action)) }
      }
    }
  }

  func action(_ permission: String, _ value: String) -> Action {
    rules.last { Permissions.matches(permission, $0.permission) && Permissions.matches(value, $0.pattern) }?.action ?? .ask
  }

  /// A tool that is denied altogether isn't offered to the model.
  func offers(_ permission: String) -> Bool {
    guard let rule = rules.last(where: { Permissions.matches(permission, $0.permission) }) else { return true }
    return !(rule.pattern == "*" && rule.action == .deny)
  }

  /// `*` stands for any text, `?` for one character.
  static func matches(_ text: String, _ pattern: String) -> Bool {
    let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
    var (at, star, mark, index) = (0, -1, 0, 0)
    while at < text.count {
      if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
        (star, mark) = (index, at)
        index += 1
      } else if index < pattern.count, pattern[index] == UInt8(ascii: "?") || pattern[index] == text[at] {
        index += 1
        at += 1
      } else if star >= 0 {
        mark += 1
        (index, at) = (star + 1, mark)
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
