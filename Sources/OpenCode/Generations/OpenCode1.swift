import JSON

/// OpenCode 1.x.
/// Options: `docs/facts/opencode-cli.md`, "Starting a run"; recordings `1.18.34/run-help`, `1.3.2/external-dir-auto`. Companions: "Other commands".
package struct OpenCode1: OpenCodeCommandLine {
  package let version: OpenCodeVersion

  package init(version: OpenCodeVersion) { self.version = version }

  package func runArguments(_ options: RunOptions) throws -> [String] {
    try options.checkConsistency()
    let (model, variant) = try options.modelAndVariant()
    var arguments = ["run", "--format", "json", "--dir", options.cwd, "--print-logs", "--log-level=ERROR"]
    if let model { arguments.append("--model=\(model)") }
    if let variant { arguments.append("--variant=\(variant)") }
    arguments += options.sharedArguments
    if options.skipPermissions, let option = autoApproval { arguments.append(option) }
    return arguments
  }

  /// nil: this version has no such option, configuration stands in for it.
  private var autoApproval: String? {
    if version >= OpenCodeVersion(1, 17, 12) { return "--auto" }
    return version >= OpenCodeVersion(1, 4, 0) ? "--dangerously-skip-permissions" : nil
  }

  package func environment(_ options: RunOptions, base: [String: String], agents: AgentPermissions) throws -> [String: String] {
    var content = try BrokenConfigContent.read(base)
    let preset = options.permissions ?? (options.skipPermissions && autoApproval == nil ? .full : nil)
    guard let preset else { return base }
    content["permission"] = .object(preset.setting)
    var configured = content["agent"]?.object ?? JSONObject()
    for name in Set(OpenCode1.builtInAgents + agents.keys + configured.keys).sorted() {
      var agent = configured[name]?.object ?? JSONObject()
      agent["permission"] = .object(preset.writtenOut(agents[name] ?? []))
      configured[name] = .object(agent)
    }
    content["agent"] = .object(configured)
    var result = base
    result[BrokenConfigContent.variable] = JSONValue.object(content).text
    // Replaces a setting of the user's in the same place, and reaches agents that aren't known.
    result["OPENCODE_PERMISSION"] = JSONValue.object(preset.setting).text
    return result
  }

  /// Those that do the work; the others (title, summary, compaction) are offered no tools.
  static let builtInAgents = ["build", "plan", "general", "explore"]

  package var agentListArguments: [String]? { ["agent", "list"] }

  package func interfaceArguments(_ session: String) -> [String] { ["--session=\(session)"] }

  package func modelsArguments(_ query: ModelsQuery) -> [String] {
    ["models"] + (query.provider.map { [$0] } ?? []) + (query.verbose ? ["--verbose"] : []) + (query.refresh ? ["--refresh"] : [])
  }

  package func parseModels(_ output: String, _ query: ModelsQuery) throws -> ModelList { try ModelList.parse(output, emptyIsUnknown: false) }

  package func exportArguments(_ session: String) -> [[String]] { [["export", session]] }

  package func parseExport(_ output: [UInt8]) throws -> SessionExport { try SessionExport.parseOpenCode1(output) }

  /// One query of OpenCode's store (0.85 s, in any folder) against an export for each session (1.1 s, and large).
  package func sessionArguments(_ session: String) -> [String] {
    let quoted = "'" + session.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    let below = "with recursive tree(id) as (select id from session where id = \(quoted) union select s.id from session s join tree t on s.parent_id = t.id)"
    return ["db", "\(below) select * from session where id in (select id from tree)", "--format", "json"]
  }

  package func parseSession(_ output: [UInt8], _ session: String) throws -> [SessionInfo] { try SessionInfo.parseRows(output, root: session) }

  package var tellsChildren: Bool { true }

  package func statsArguments(_ query: StatsQuery) throws -> [String] {
    ["stats"] + query.sharedArguments + (query.models ? ["--models"] : [])
  }

  package func parseStats(_ output: String) throws -> Stats { try Stats.parseBoxes(output) }

  /// A word behind `login` is a URL here (`opencode auth login --help` of 1.18.34).
  package func signIn(_ provider: String?) -> String {
    "opencode auth login" + (provider.map { version >= OpenCodeVersion(1, 18, 0) ? " --provider \($0)" : " (choose \($0))" } ?? "")
  }

  package var signedInArguments: [String] { ["auth", "list"] }

  package func parseSignedIn(_ output: String) throws -> [SignedInProvider] { try SignedInProvider.parseDrawing(output) }
}
