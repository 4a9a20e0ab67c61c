import JSON
import PosixSupport

/// An agent with the rules that result for it.
struct Agent {
  let name: String
  var mode: String
  var model: String?
  var rules: Rules

  var isSubagent: Bool { mode == "subagent" }

  /// All of them, OpenCode's own first.
  /// - Parameter override: the value of `OPENCODE_PERMISSION`, which 2.x doesn't read
  static func all(_ configuration: Configuration, override: JSONValue?) -> [Agent] {
    configuration.build.isTwo ? two(configuration) : one(configuration, override)
  }

  // MARK: 1.x: one merged document

  private static func one(_ configuration: Configuration, _ override: JSONValue?) -> [Agent] {
    let merged = configuration.merged
    let own = merged["agent"]?.object ?? [:]
    let builtIn = ["build", "plan", "general", "explore"]
    return (builtIn + own.keys.filter { !builtIn.contains($0) }).compactMap { name in
      if own[name]?["disable"]?.bool ?? false { return nil }
      var rules = builtInRules(name, configuration)
      rules += Rules.legacy(merged["permission"], tools: merged["tools"], sorted: true)
      rules += Rules.legacy(override, sorted: true)
      rules += Rules.legacy(own[name]?["permission"], tools: own[name]?["tools"], sorted: true)
      // A run without a person doesn't offer these.
      rules += ["question", "plan_enter", "plan_exit"].map { Rules.Rule($0, "*", .deny) }
      return Agent(name: name, mode: own[name]?["mode"]?.string ?? mode(of: name), model: own[name]?["model"]?.string, rules: Rules(list: rules))
    }
  }

  private static func mode(of name: String) -> String {
    ["build", "plan"].contains(name) ? "primary" : ["general", "explore"].contains(name) ? "subagent" : "all"
  }

  // MARK: 2.x: document after document

  /// Built-in rules, then all documents' top-level ones, then each document's of single agents. Naming an agent makes it, one that an earlier
  /// document disabled too.
  private static func two(_ configuration: Configuration) -> [Agent] {
    let documents = configuration.documents
    func expanded(_ rules: [Rules.Rule]) -> [Rules.Rule] {
      rules.map { rule in
        guard ["external_directory", "read", "edit"].contains(rule.action) else { return rule }
        for prefix in ["~", "$HOME"] where rule.resource == prefix || rule.resource.hasPrefix(prefix + "/") {
          return Rules.Rule(rule.action, configuration.home + rule.resource.dropFirst(prefix.count), rule.effect)
        }
        return rule
      }
    }
    let shared = expanded(documents.flatMap { Rules.native($0["permissions"]) })
    func made(_ name: String) -> Agent { Agent(name: name, mode: mode(of: name), rules: Rules(list: builtInRules(name, configuration) + shared)) }
    var agents = ["build", "plan", "general", "explore"].map(made)
    for document in documents {
      for (name, settings) in document["agents"]?.object?.members ?? [] {
        if settings["disabled"]?.bool ?? false {
          agents.removeAll { $0.name == name }
          continue
        }
        if !agents.contains(where: { $0.name == name }) { agents.append(made(name)) }
        guard let index = agents.firstIndex(where: { $0.name == name }) else { continue }
        if let mode = settings["mode"]?.string { agents[index].mode = mode }
        if let model = settings["model"]?.string { agents[index].model = model }
        agents[index].rules.list += expanded(Rules.native(settings["permissions"]))
      }
    }
    return agents
  }

  // MARK: Built in

  private static func builtInRules(_ name: String, _ configuration: Configuration) -> [Rules.Rule] {
    let isTwo = configuration.build.isTwo
    var rules: [Rules.Rule] = [.init("*", "*", .allow)]
    if !isTwo { rules.append(.init("doom_loop", "*", .ask)) }
    rules += [
      .init("external_directory", "*", .ask), .init("external_directory", "/tmp/opencode/*", .allow),
      .init("external_directory", configuration.data + "/tool-output/*", .allow),
    ]
    if isTwo { rules.append(.init("external_directory", configuration.data + "/shell/*", .allow)) }
    rules += [
      .init("read", "*", .allow), .init("read", "*.env", .ask), .init("read", "*.env.*", .ask), .init("read", "*.env.example", .allow),
    ]
    switch name {
    case "plan":
      rules.append(.init("edit", "*", .deny))
      if !isTwo { rules.append(.init("edit", ".opencode/plans/*.md", .allow)) }
    case "explore":
      rules.append(.init("*", "*", .deny))
      let allowed = ["grep", "glob", "list", "webfetch", "websearch", "read"] + (isTwo ? [] : ["bash"])
      rules += allowed.map { .init($0, "*", .allow) }
    case "general": rules.append(.init("todowrite", "*", .deny))
    default: break
    }
    return rules
  }
}
