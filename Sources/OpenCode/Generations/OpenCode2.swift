import JSON

/// OpenCode 2.x. `--standalone` everywhere: without it a background service with an environment of its own does the work.
/// Options: `docs/facts/opencode-cli.md`, "OpenCode 2"; recordings `2.0-preview-20260807/run-help`, `2.0-preview-20260807/stale-pwd`,
/// `2.0-preview-20260807/model-variant`.
package struct OpenCode2: OpenCodeCommandLine {
  package let version: OpenCodeVersion

  package init(version: OpenCodeVersion) { self.version = version }

  package func runArguments(_ options: RunOptions) throws -> [String] {
    try options.checkConsistency()
    let (model, variant) = try options.modelAndVariant()
    var arguments = ["run", "--standalone", "--format", "json"]
    if let model {
      arguments.append("--model=\(model)" + (variant.map { "#\($0)" } ?? ""))
    } else if variant != nil {
      throw UnsupportedOption(option: "variant", reason: "OpenCode \(version) takes a variant only together with a model")
    }
    arguments += options.sharedArguments
    if options.skipPermissions { arguments.append("--auto") }
    return arguments
  }

  /// The folder is PWD alone. A preset is laid over the user's own `OPENCODE_CONFIG_CONTENT`, the last of all documents.
  package func environment(_ options: RunOptions, base: [String: String], agents: AgentPermissions) throws -> [String: String] {
    var result = base
    result["PWD"] = options.cwd
    let content = try BrokenConfigContent.read(base)
    guard let preset = options.permissions else { return result }
    let names = ConfiguredAgents(content: Preset2.document(content)).workers.union(agents.keys)
    let laid = Preset2(preset, names: names, starters: names, environment: result)
    result[BrokenConfigContent.variable] = laid.content(over: content).text
    return result
  }

  package var agentListArguments: [String]? { nil }

  /// Without a private server it starts the service, which goes on with every session that a killed run left.
  package func interfaceArguments(_ session: String) -> [String] { ["--standalone", "--session=\(session)"] }

  /// Filtering by provider is left to the parser; details and refreshing this generation doesn't offer.
  package func modelsArguments(_ query: ModelsQuery) -> [String] { ["models", "--standalone"] }

  package func parseModels(_ output: String, _ query: ModelsQuery) throws -> ModelList {
    var list = try ModelList.parse(output, emptyIsUnknown: true)
    if let provider = query.provider { list.models.removeAll { $0.provider != provider } }
    return list
  }

  package func exportArguments(_ session: String) -> [[String]] {
    [["session", "export", "--standalone", session], ["export", "--standalone", "--session", session]]
  }

  package func parseExport(_ output: [UInt8]) throws -> SessionExport { try SessionExport.parseOpenCode2(output) }

  package func sessionArguments(_ session: String) -> [String] { ["api", "--standalone", "GET", "/api/session/\(session)"] }

  package func parseSession(_ output: [UInt8], _ session: String) throws -> [SessionInfo] { try SessionInfo.parseReply(output).map { [$0] } ?? [] }

  package var tellsChildren: Bool { false }

  /// Without `--all` it counts this calendar year only; the folder's own project is `.`.
  package func statsArguments(_ query: StatsQuery) throws -> [String] {
    var query = query
    if query.project == "" { query.project = "." }
    return ["stats", "--json", "--standalone"] + (query.days == nil ? ["--all"] : []) + query.sharedArguments
  }

  package func parseStats(_ output: String) throws -> Stats { try Stats.parseJSON(output) }

  /// Without `--standalone` it would start the background service (src).
  package func signIn(_ provider: String?) -> String { "opencode auth login --standalone" + (provider.map { " \($0)" } ?? "") }

  package var signedInArguments: [String] { ["auth", "list", "--format", "json", "--standalone"] }

  package func parseSignedIn(_ output: String) throws -> [SignedInProvider] { try SignedInProvider.parseJSON(output) }
}
