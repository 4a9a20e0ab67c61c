import PosixSupport

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

/// An agent that OpenCode's configuration doesn't have, asked for together with a preset: whether that holds for it can't be known.
package struct AgentUnknown: Error, CustomStringConvertible, Sendable, Equatable {
  package let name: String
  package let isDisabled: Bool
  /// Those that the configuration has.
  package let known: [String]

  package var description: String { "\"agent\" is \"\(name)\", which OpenCode's configuration \(isDisabled ? "disables" : "doesn't name")" }
}

/// What a run is started with.
package struct PreparedRun: Sendable {
  package let arguments: [String]
  package let environment: [String: String]
  /// Whether OpenCode itself confirmed that the preset holds; nil: no preset was asked for, or OpenCode couldn't be asked.
  package let presetHolds: Bool?
  /// What about the preset isn't known, or had to be left out.
  package var remark: String?
}

extension OpenCodeClient {
  /// Command line and environment of a run, the marker and the prompt excepted. With a preset OpenCode is asked (2 s a time, mostly once):
  /// 1.x for the rules that result, 2.x for its documents. Agents are learned from its answer, and the preset is written out for them.
  /// - Parameter deadline: for all that is asked
  /// - Throws: `UnsupportedOption`, `BrokenConfigContent`, `PresetNotHeld`, `AgentUnknown`
  package func prepare(_ options: RunOptions, deadline: Deadline = .after(25)) throws -> PreparedRun {
    if let preset = options.permissions, line is OpenCode2 { return try prepareTwo(options, preset, deadline) }
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

  private func listed(_ environment: [String: String], _ preset: PermissionPreset, _ deadline: Deadline) throws -> [AgentListing] {
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
