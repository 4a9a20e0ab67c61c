import JSON
import PosixSupport

extension OpenCodeClient {
  /// With a preset on 2.x: laid over the documents that OpenCode lists, and looked for in that list. Where OpenCode can't be asked the preset is written
  /// for its own agents, one of which runs; no other can be started.
  func prepareTwo(_ options: RunOptions, _ preset: PermissionPreset, _ deadline: Deadline) throws -> PreparedRun {
    var options = options
    let own = try BrokenConfigContent.read(environment)
    let content = Preset2.document(own)
    var agents = ConfiguredAgents(content: content)
    for again in [false, true, true] {
      let laid = try lay(preset, agents, options, over: own)
      let documents: ConfigDocuments
      do {
        documents = try configuration(laid.environment, deadline: deadline.share(2 / 5))
      } catch let error as OpenCodeCommandError {
        if again { return try prepared(options, laid, holds: nil, remarks: ["OpenCode did not confirm its rules (\(error))"]) }
        return try preparedUnasked(options, preset, agents, over: own, why: "\(error)")
      }
      let place = documents.place(of: laid.preset)
      let found = ConfiguredAgents(documents, own: place, content: content)
      if let name = options.agent, !found.names.contains(name) {
        throw AgentUnknown(name: name, isDisabled: found.disabled.contains(name), known: found.workers.sorted())
      }
      // What OpenCode makes of a default that there isn't is its own affair: named, it is one that gets the rules.
      if options.agent == nil, let wanted = found.defaultAgent, !found.names.contains(wanted) { options.agent = found.standard }
      if found != agents {
        agents = found
        continue
      }
      guard let place else { throw PresetNotHeld(preset: preset, problems: [], unchecked: "OpenCode doesn't read \(BrokenConfigContent.variable)") }
      if let name = documents.missing(from: laid.preset, at: place) {
        let why = "OpenCode drops agent \"\(name)\" of \(BrokenConfigContent.variable): something in it is not valid"
        throw PresetNotHeld(preset: preset, problems: [], unchecked: why)
      }
      let problems = documents.problems(with: laid.preset, at: place)
      guard problems.isEmpty else { throw PresetNotHeld(preset: preset, problems: problems, unchecked: nil) }
      let unseen = agents.isCut ? ["not all .md agents were looked at: the others can't be started as subagents"] : []
      return try prepared(options, laid, holds: true, remarks: unseen)
    }
    throw PresetNotHeld(preset: preset, problems: [], unchecked: "OpenCode's configuration changes all the time")
  }

  /// A preset in a run's environment.
  private struct Laid {
    let preset: Preset2
    let environment: [String: String]
    /// What found no room.
    let remark: String?
  }

  private func preparedUnasked(_ options: RunOptions, _ preset: PermissionPreset, _ agents: ConfiguredAgents, over own: JSONObject, why: String) throws
    -> PreparedRun
  {
    var options = options
    options.agent = options.agent ?? agents.standard ?? "build"
    let laid = try lay(preset, agents, options, over: own)
    let names = laid.preset.names.sorted().joined(separator: ", ")
    return try prepared(
      options, laid, holds: nil, remarks: ["OpenCode could not be asked for its agents (\(why)): it was written for \(names), and no other can be started"])
  }

  private func prepared(_ options: RunOptions, _ laid: Laid, holds: Bool?, remarks: [String]) throws -> PreparedRun {
    let all = remarks + [laid.remark].compactMap { $0 }
    return PreparedRun(
      arguments: try line.runArguments(options), environment: laid.environment, presetHolds: holds, remark: all.isEmpty ? nil : all.joined(separator: "; "))
  }

  /// Bytes of a variable; Linux takes 128 KiB at most.
  private static let room = 120_000

  private func lay(_ preset: PermissionPreset, _ agents: ConfiguredAgents, _ options: RunOptions, over own: JSONObject) throws -> Laid {
    var result = environment
    result["PWD"] = options.cwd
    let runs = Set([options.agent ?? agents.standard].compactMap { $0 })
    let (all, few) = (agents.workers.union(runs), ConfiguredAgents.builtIn.intersection(agents.names).union(runs))
    let ways: [(names: Set<String>, starters: Set<String>, remark: String?)] = [
      (all, all, nil), (all, few, "so many agents are configured that only some of them may start subagents"),
      (few, few, "so many agents are configured that its rules found no room for all: only \(few.sorted().joined(separator: ", ")) can be started"),
    ]
    for way in ways {
      let laid = Preset2(preset, names: way.names, starters: way.starters, environment: result)
      let text = laid.content(over: own).text
      guard text.utf8.count <= OpenCodeClient.room else { continue }
      result[BrokenConfigContent.variable] = text
      return Laid(preset: laid, environment: result, remark: way.remark)
    }
    throw BrokenConfigContent(reason: "it leaves no room for the preset")
  }
}

extension ConfigDocuments {
  /// Where the document stands that holds the preset.
  func place(of preset: Preset2) -> Int? {
    let rules = preset.rules(of: nil).rules
    return entries.lastIndex { entry in
      if case .document(let document) = entry { document.path == nil && document.rules == rules } else { false }
    }
  }

  /// An agent of a preset that its own document doesn't have.
  func missing(from preset: Preset2, at place: Int) -> String? {
    guard case .document(let document) = entries[place] else { return nil }
    return preset.names.subtracting(document.agents.map(\.name)).min()
  }

  /// Where the rules that result for the agents of a preset are weaker than it is: those of its own document, then those of documents after it.
  func problems(with preset: Preset2, at place: Int) -> [PresetProblem] {
    preset.names.sorted().flatMap { name in
      var given: [PermissionRule] = []
      for case .document(let document) in entries[place...] {
        for agent in document.agents where agent.name == name { given = agent.isDisabled ? [] : given + agent.rules }
      }
      return PermissionPreset.problems(with: AgentListing(name: name, mode: "all", rules: PermissionRules(given)), wanted: preset.rules(of: name))
    }
  }
}
