/// A preset that the user's own agent rules would beat: nothing may be started.
package struct PresetNotHeld: Error, CustomStringConvertible, Sendable {
  package let preset: PermissionPreset
  package let problems: [PresetProblem]
  /// Why it couldn't be checked at all.
  package let unchecked: String?

  package var description: String {
    if let unchecked { return "whether \"\(preset.rawValue)\" holds could not be checked: \(unchecked)" }
    let shown = problems.prefix(5).map(\.description).joined(separator: "; ")
    let more = problems.count > 5 ? "; and \(problems.count - 5) more" : ""
    return "\"\(preset.rawValue)\" does not hold against the configured rules: \(shown)\(more)"
  }
}

/// What a run is started with.
package struct PreparedRun: Sendable {
  package let arguments: [String]
  package let environment: [String: String]
  /// Whether OpenCode itself confirmed that the preset holds; nil: no preset was asked for, or this generation can't tell.
  package let presetHolds: Bool?
}

extension OpenCodeClient {
  /// Command line and environment of a run, the marker and the prompt excepted. With a preset on 1.x OpenCode is asked for the rules that
  /// result (2 s a time, mostly once): agents with rules of their own are learned from its answer, and the preset is written out for them.
  /// - Parameter deadline: seconds for each time
  /// - Throws: `UnsupportedOption`, `BrokenConfigContent`, `PresetNotHeld`
  package func prepare(_ options: RunOptions, deadline: Double = 10) throws -> PreparedRun {
    let arguments = try line.runArguments(options)
    var environment = try line.environment(options, base: self.environment, agents: [:])
    guard let preset = options.permissions, line.agentListArguments != nil else {
      return PreparedRun(arguments: arguments, environment: environment, presetHolds: nil)
    }
    var agents = try listed(environment, preset, deadline)
    var known: AgentPermissions = [:]
    for again in [false, true] {
      // What rules name is overridden by name; `*` only where names alone left a tool open, for it may also come after one of ours.
      let open = agents.filter { agent in preset.problems(with: agent).contains { !again || !PermissionPreset.knownPermissions.contains($0.permission) } }
      if open.isEmpty { break }
      for agent in open { known[agent.name] = preset.namesToWrite(for: agent, withStar: again) }
      environment = try line.environment(options, base: self.environment, agents: known)
      agents = try listed(environment, preset, deadline)
    }
    let problems = agents.flatMap(preset.problems)
    guard problems.isEmpty else { throw PresetNotHeld(preset: preset, problems: problems, unchecked: nil) }
    return PreparedRun(arguments: arguments, environment: environment, presetHolds: true)
  }

  private func listed(_ environment: [String: String], _ preset: PermissionPreset, _ deadline: Double) throws -> [AgentListing] {
    do {
      return try agents(environment, deadline: deadline) ?? []
    } catch let error as OpenCodeCommandError {
      throw PresetNotHeld(preset: preset, problems: [], unchecked: error.description)
    }
  }
}

extension PermissionPreset {
  func namesToWrite(for agent: AgentListing, withStar: Bool) -> [String] {
    var seen: Set<String> = []
    return agent.rules.rules.map(\.permission).filter { ($0 != "*" || withStar) && seen.insert($0).inserted }
  }
}
