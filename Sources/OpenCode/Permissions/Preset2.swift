import Foundation
import JSON
import PosixSupport

/// A preset as 2.x is told it: ordered rules for all, and the same ones for each agent by name, since rules of single agents in any document beat those
/// for all. Rests on `docs/facts/opencode-cli.md`, "OpenCode 2", "Permissions".
struct Preset2: Sendable {
  let preset: PermissionPreset
  /// Agents that get the rules. Naming one that there isn't, or that is disabled, would make it.
  let names: Set<String>
  /// Those of them that may start subagents.
  let starters: Set<String>
  /// OpenCode's folders of outputs that were cut.
  private let outputs: [String]

  init(_ preset: PermissionPreset, names: Set<String>, starters: Set<String>, environment: [String: String]) {
    self.preset = preset
    self.names = names
    self.starters = starters
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
    let data = (environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.local/share") + "/opencode"
    outputs = Set([data, PrivateFiles.resolved(data) ?? data]).sorted().flatMap { ["\($0)/shell/**", "\($0)/tool-output/**"] }
  }

  /// The rules of one agent, in order.
  /// - Parameter agent: nil: those for all
  func rules(of agent: String?) -> PermissionRules {
    var rules = preset.rules
    // The model is sent to these files when an output was too long for it.
    if rules.action("external_directory", on: "/x") == .deny { rules.rules += outputs.map { PermissionRule("external_directory", $0, .allow) } }
    guard rules.action("subagent", on: PermissionPreset.anything) == .allow else { return rules }
    rules.rules.append(PermissionRule("subagent", "*", .deny))
    if agent.map(starters.contains) ?? true {
      // A name that is a pattern would let in others.
      rules.rules += names.sorted().filter { !$0.contains { "*?".contains($0) } }.map { PermissionRule("subagent", $0, .allow) }
    }
    return rules
  }

  /// The user's own settings with the preset in them.
  func content(over own: JSONObject) -> JSONValue {
    var content = own
    for key in ["permission", "tools", "agent", "mode"] { content[key] = nil }
    content["permissions"] = rules(of: nil).native
    var agents = Preset2.agents(own)
    for name in names.sorted() {
      var agent = agents[name]?.object ?? JSONObject()
      for key in ["permission", "tools"] { agent[key] = nil }
      agent["permissions"] = rules(of: name).native
      agents[name] = .object(agent)
    }
    content["agents"] = .object(agents)
    return .object(content)
  }

  // MARK: - The user's own

  /// The user's own settings as a document.
  static func document(_ own: JSONObject) -> ConfigDocuments.Document {
    ConfigDocuments.Document(
      defaultAgent: own["default_agent"]?.string, rules: PermissionRules(native: own["permissions"]).rules,
      agents: ConfigDocuments.Agent.all(.object(agents(own))))
  }

  /// All agents in 2.x's words. Of two of one name 2.x takes `agents` before `mode` before `agent`, whole.
  private static func agents(_ own: JSONObject) -> JSONObject {
    var agents = JSONObject()
    for key in ["agent", "mode"] {
      for (name, agent) in own[key]?.object?.members ?? [] {
        guard var translated = agent.object.map(translated) else { continue }
        if key == "mode" { translated["mode"] = "primary" }
        agents[name] = .object(translated)
      }
    }
    agents.merge(own["agents"]?.object ?? JSONObject())
    return agents
  }

  /// An agent of 1.x's in 2.x's words, its rules excepted; what 1.x doesn't know either goes to the model's provider.
  private static func translated(_ agent: JSONObject) -> JSONObject {
    var (result, body) = (JSONObject(), agent["options"]?.object ?? JSONObject())
    for (key, value) in agent.members {
      switch key {
      case "model", "variant", "description", "mode", "hidden", "color", "steps": result[key] = value
      case "prompt": result["system"] = value
      case "disable": result["disabled"] = value
      case "maxSteps": result["steps"] = agent["steps"] ?? value
      case "permission", "tools", "options", "name": break
      default: body[key] = value
      }
    }
    if !body.isEmpty { result["request"] = ["body": .object(body)] }
    return result
  }
}
