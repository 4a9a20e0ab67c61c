import Foundation
import JSON

/// What tools may do: the last rule that fits decides. The words are 2.x's; 1.x calls them permission, pattern and action.
struct Rules {
  enum Effect: String { case allow, ask, deny }

  struct Rule {
    let action: String
    let resource: String
    let effect: Effect

    init(_ action: String, _ resource: String, _ effect: Effect) {
      self.action = action
      self.resource = resource
      self.effect = effect
    }
  }

  var list: [Rule] = []

  /// - Parameter absolute: the same file's whole path, for rules that name one
  func effect(_ action: String, _ resource: String, absolute: String? = nil) -> Effect {
    let fitting = list.last {
      Rules.matches(action, $0.action) && Rules.matches($0.resource.hasPrefix("/") ? absolute ?? resource : resource, $0.resource)
    }
    return fitting?.effect ?? .ask
  }

  /// A tool that is denied altogether isn't offered to the model.
  func offers(_ action: String) -> Bool {
    guard let rule = list.last(where: { Rules.matches(action, $0.action) }) else { return true }
    return !(rule.resource == "*" && rule.effect == .deny)
  }

  func concerning(_ action: String) -> [Rule] { list.filter { Rules.matches(action, $0.action) } }

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

  // MARK: As they are written

  /// 1.x's `permission`: one word for all, or actions with a word or with patterns. `tools` are switches from before that.
  static func legacy(_ permission: JSONValue?, tools: JSONValue? = nil, sorted: Bool, renamed: [String: String] = [:]) -> [Rule] {
    func members(_ value: JSONValue?) -> [(key: String, value: JSONValue)] {
      let members = value?.object?.members ?? []
      // 1.x goes through them in alphabetical order, which puts `*` before what refines it.
      return sorted ? members.sorted { $0.key < $1.key } : members
    }
    func action(_ name: String) -> String { renamed[name] ?? (["write", "patch", "multiedit"].contains(name) ? "edit" : name) }
    var rules = members(tools).compactMap { name, on in on.bool.map { Rule(action(name), "*", $0 ? .allow : .deny) } }
    if let effect = permission?.string.flatMap(Effect.init) { rules.append(Rule("*", "*", effect)) }
    for (name, rule) in members(permission) {
      if let effect = rule.string.flatMap(Effect.init) { rules.append(Rule(action(name), "*", effect)) }
      rules += members(rule).compactMap { pattern, effect in effect.string.flatMap(Effect.init).map { Rule(action(name), pattern, $0) } }
    }
    return rules
  }

  /// 2.x's `permissions`; what isn't a rule is dropped.
  static func native(_ permissions: JSONValue?) -> [Rule] {
    (permissions?.array ?? []).compactMap { rule in
      guard let action = rule["action"]?.string, let resource = rule["resource"]?.string, let effect = rule["effect"]?.string.flatMap(Effect.init) else {
        return nil
      }
      return Rule(action, resource, effect)
    }
  }

  static func json(_ rules: [Rule]) -> JSONValue {
    .array(rules.map { ["action": .string($0.action), "resource": .string($0.resource), "effect": .string($0.effect.rawValue)] })
  }

  /// As 1.x prints them.
  static func legacyJSON(_ rules: [Rule], patternFirst: Bool = true) -> JSONValue {
    .array(
      rules.map {
        let (pattern, action) = (JSONValue.string($0.resource), JSONValue.string($0.effect.rawValue))
        return patternFirst
          ? ["permission": .string($0.action), "pattern": pattern, "action": action]
          : ["permission": .string($0.action), "action": action, "pattern": pattern]
      })
  }
}
