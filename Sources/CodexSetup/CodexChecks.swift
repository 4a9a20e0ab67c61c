import MCP
import PosixSupport

/// The checks of Codex: is it there, does it know this server, do the two times fit together.
package enum CodexChecks {
  package struct Facts: Sendable, Equatable {
    /// nil: not on PATH.
    package var program: String?
    /// `0.163.0`
    package var version: String?
    /// What Codex itself says of our server.
    package var server: CodexProgram.Server?
    /// Whether Codex could be asked at all, and its words if not.
    package var complaint: String?
    /// The marketplaces from which Codex has the plugin.
    package var installedFrom: [String] = []
    /// The version in the plugin folder that `install` writes; nil: no such folder.
    package var folderVersion: String?
    /// The name behind `@` in the marketplace that lists the plugin.
    package var marketplace: String?
    /// Our entry in `config.toml`; nil: the file can't be read.
    package var entry: CodexConfig.Presence? = CodexConfig.Presence.none
    /// The server's binary is where Codex would start it, and in which version it came (a plugin's manifest).
    package var commandExists = true
    package var copyVersion: String?
  }

  package static func facts(environment: [String: String]) -> Facts {
    var facts = Facts()
    if let places = try? CodexPlaces(environment: environment) {
      facts.folderVersion = PluginFolder(path: places.pluginFolder).version
      if let bytes = try? PrivateFiles.read(places.marketplace), let removal = try? MarketplaceFile.removing(from: bytes) { facts.marketplace = removal.name }
      if PrivateFiles.exists(places.config) {
        facts.entry = (try? PrivateFiles.read(places.config)).flatMap { try? CodexConfig.presence(in: $0) }
      }
    }
    guard let codex = CodexProgram(environment: environment) else { return facts }
    facts.program = codex.path
    let words = String(decoding: codex.run(["--version"], deadline: 20).output.prefix(200), as: UTF8.self).split(whereSeparator: \.isWhitespace)
    facts.version = words.last.map(String.init)
    let list = codex.run(["mcp", "list", "--json"], deadline: 20)
    guard list.succeeded else {
      facts.complaint = list.complaint
      return facts
    }
    facts.server = codex.server()
    facts.installedFrom = codex.installedMarketplaces() ?? []
    if let server = facts.server {
      facts.commandExists = place(of: server, environment: environment).map(PrivateFiles.isExecutable) ?? false
      if !server.command.hasPrefix("/"), let folder = server.folder { facts.copyVersion = PluginFolder(path: folder).version }
    }
    return facts
  }

  /// The file that Codex would start.
  private static func place(of server: CodexProgram.Server, environment: [String: String]) -> String? {
    if server.command.hasPrefix("/") { return server.command }
    if server.command.contains("/") { return server.folder.map { "\($0)/\(server.command)" } }
    return ProgramFinder.locate(server.command, path: environment["PATH"] ?? "", workspace: nil)
  }

  package static func checks(_ facts: Facts) -> [Check] {
    guard let program = facts.program else { return [.warning("codex", "not on PATH", mend: "npm install -g @openai/codex")] + setUp(facts) }
    let version = facts.version ?? "of unknown version"
    if let complaint = facts.complaint {
      return [.problem("codex", "\(program) \(version) can't read its configuration: \(complaint)", mend: "codex mcp list")]
    }
    return [.ok("codex", "\(program) \(version)")] + setUp(facts)
  }

  private static func setUp(_ facts: Facts) -> [Check] {
    let add = "codex plugin add \(CodexSettings.name)@\(facts.marketplace ?? CodexSettings.marketplaceName)"
    guard facts.program != nil, let server = facts.server else {
      if facts.entry == nil { return [.problem("set-up", "Codex's config.toml can't be read", mend: "codex mcp list")] }
      if facts.program == nil, facts.entry == .ours || facts.folderVersion != nil {
        return [.ok("set-up", facts.entry == .ours ? "an entry in config.toml" : "a plugin folder, version \(facts.folderVersion ?? "?")")]
      }
      if facts.folderVersion != nil, facts.marketplace != nil { return [.problem("set-up", "the plugin is in place, but not added to Codex", mend: add)] }
      return [.problem("set-up", "Codex doesn't know this server", mend: "opencode-worker install --enable")]
    }
    var checks: [Check] = []
    let isPlugin = server.folder != nil && facts.entry == CodexConfig.Presence.none
    let repair = isPlugin ? "opencode-worker install --enable" : "opencode-worker install --direct"
    if !server.enabled {
      checks.append(.problem("set-up", "the server is switched off in Codex's configuration", mend: "remove enabled = false from config.toml"))
    } else if !facts.commandExists {
      checks.append(.problem("set-up", "the binary is gone: \(server.command)", mend: repair))
    } else if isPlugin, let copy = facts.copyVersion, copy != ServerInfo.version {
      checks.append(.warning("set-up", "Codex runs its copy of version \(copy); this is \(ServerInfo.version)", mend: repair))
    } else {
      checks.append(.ok("set-up", isPlugin ? "as a plugin" : "as an entry in config.toml, \(server.command)"))
    }
    if facts.entry != CodexConfig.Presence.none, !facts.installedFrom.isEmpty {
      checks.append(
        .warning(
          "set-up", "the entry in config.toml hides the plugin of the same name",
          mend: "codex plugin remove \(CodexSettings.name)@\(facts.installedFrom[0])"))
    }
    checks.append(times(server, version: facts.version, isOurs: isPlugin || facts.entry == .ours, repair: repair))
    return checks
  }

  private static func times(_ server: CodexProgram.Server, version: String?, isOurs: Bool, repair: String) -> Check {
    let client = ClientInfo(["name": "codex", "version": .string(version ?? "")])
    let timeout = server.toolTimeout ?? WaitSlice.toolTimeout(of: client)
    let wait = server.waitSeconds ?? WaitSlice.standard(for: client)
    if CodexSettings.belongTogether(wait: wait, timeout: timeout) { return .ok("timeout", "a wait takes at most \(wait) s, Codex's limit is \(timeout) s") }
    return .problem(
      "timeout", "a wait takes up to \(wait) s, but Codex gives up after \(timeout) s",
      mend: isOurs ? repair : "set tool_timeout_sec = \(CodexSettings.toolTimeout) and \(CodexSettings.waitVariable) = \"\(CodexSettings.waitSeconds)\"")
  }
}
