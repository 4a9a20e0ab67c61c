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
    /// Codex would start the same bytes as this program's; nil: not compared.
    package var isSameBinary: Bool?
    /// OPENCODE_BIN of the shell.
    package var openCode: String?
    /// Whether our tools are offered directly in code mode; nil: not known.
    package var namespace: DirectNamespace.Presence?
    /// Whether hooks are set up; nil: not known.
    package var hooks: Bool?
    /// Codex's daemon is alive with another environment than this one's; the variables that differ.
    package var daemon: Daemon?
  }

  /// What the TUI's servers get: the environment of the shell that first started Codex's daemon.
  package struct Daemon: Sendable, Equatable {
    package var pid: Int32
    package var differing: [String]

    package init(pid: Int32, differing: [String]) { (self.pid, self.differing) = (pid, differing) }
  }

  /// - Parameter executable: this program, with which Codex's is compared
  package static func facts(environment: [String: String], executable: String = OwnProcess.executable) -> Facts {
    var facts = Facts()
    facts.openCode = environment[CodexSettings.openCodeVariable].flatMap { $0.isEmpty ? nil : $0 }
    if let places = try? CodexPlaces(environment: environment) {
      facts.folderVersion = PluginFolder(path: places.pluginFolder).version
      if let bytes = try? PrivateFiles.read(places.marketplace), let removal = try? MarketplaceFile.removing(from: bytes) { facts.marketplace = removal.name }
      if PrivateFiles.exists(places.config) {
        let bytes = try? PrivateFiles.read(places.config)
        facts.entry = bytes.flatMap { try? CodexConfig.presence(in: $0) }
        facts.namespace = bytes.flatMap { try? DirectNamespace.presence(in: $0) }
        facts.hooks = bytes.flatMap { try? HookSettings.isPresent(in: $0) }
      }
      if PluginFolder(path: places.pluginFolder).extras.hooks { facts.hooks = true }
    }
    facts.daemon = daemonFacts(environment)
    guard let codex = CodexProgram(environment: environment) else { return facts }
    facts.program = codex.path
    facts.version = codex.version
    let list = codex.run(["mcp", "list", "--json"], deadline: .after(20))
    guard list.succeeded else {
      facts.complaint = list.complaint
      return facts
    }
    facts.server = codex.server()
    // Codex 0.133 can't list them as JSON.
    facts.installedFrom = codex.installedMarketplaces() ?? (try? CodexPlaces(environment: environment))?.pluginCopies ?? []
    if let server = facts.server {
      let file = place(of: server, environment: environment)
      facts.commandExists = file.map(PrivateFiles.isExecutable) ?? false
      facts.isSameBinary = file.flatMap { FileContent.isSame($0, executable) }
      if !server.command.hasPrefix("/"), let folder = server.folder { facts.copyVersion = PluginFolder(path: folder).version }
    }
    return facts
  }

  /// Codex's daemon for the same CODEX_HOME, if one is alive, and which variables that our server gets are others there.
  private static func daemonFacts(_ environment: [String: String]) -> Daemon? {
    func home(_ environment: [String: String]) -> String? {
      let set = environment["CODEX_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["HOME"].map { $0 + "/.codex" }
      return set.flatMap(PrivateFiles.resolved)
    }
    guard let own = home(environment) else { return nil }
    let daemons = ProcessTable.environments(ofCommandsWith: "--managed-daemon")
    guard let daemon = daemons.first(where: { home($0.environment) == own }) else { return nil }
    let names = ["PATH"] + CodexSettings.passedVariables.filter { $0 != CodexSettings.homeVariable }
    return Daemon(pid: daemon.pid, differing: names.filter { environment[$0] != daemon.environment[$0] })
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
      return [.problem("codex", "\(version) can't read its configuration: \(complaint)", mend: "codex mcp list", detail: program)]
    }
    return [.ok("codex", version, detail: program)] + unknownVersion(facts) + setUp(facts) + comfort(facts) + daemon(facts)
  }

  private static func unknownVersion(_ facts: Facts) -> [Check] {
    guard let version = CodexVersion.numbers(facts.version) else { return [] }
    let tried = "tried: \(CodexVersion.tried.joined(separator: ", "))"
    if CodexVersion.isNewer(version, than: CodexVersion.newestTried) {
      let text = "\(facts.version ?? "") is newer than \(CodexVersion.newestTried), the newest version that was tried"
      return [.warning("codex", text, mend: "update opencode-worker if something is odd", detail: tried)]
    }
    if let oldest = CodexVersion.tried.first, let limit = CodexVersion.numbers(oldest), version.lexicographicallyPrecedes(limit) {
      return [.warning("codex", "\(facts.version ?? "") is older than \(oldest), the oldest version that was tried", mend: "update Codex", detail: tried)]
    }
    return []
  }

  /// What makes waiting cheap and brings Codex back to its runs. None of it is needed.
  private static func comfort(_ facts: Facts) -> [Check] {
    guard let server = facts.server else { return [] }
    let install = facts.entry == .ours ? "opencode-worker install --direct" : "opencode-worker install --enable"
    var checks: [Check] = []
    if let namespace = facts.namespace, CodexVersion.takesNamespaces(CodexVersion.numbers(facts.version)) {
      checks.append(
        namespace == .absent
          ? .warning("code mode", "a wait costs a model request every few seconds: \(DirectNamespace.key) doesn't name our tools", mend: install)
          : .ok("code mode", "the tools are offered directly: a wait is one model request"))
    }
    if let hooks = facts.hooks {
      checks.append(.ok("hooks", hooks ? "set up; Codex runs them once they are trusted in /hooks" : "not set up: \(install) --hooks"))
      checks.append(.ok("wake", server.wakes ? "a run's end that nobody waits for begins a turn" : "not set up: \(install) --wake"))
    }
    return checks
  }

  private static func daemon(_ facts: Facts) -> [Check] {
    guard let daemon = facts.daemon else { return [] }
    if daemon.differing.isEmpty { return [.ok("daemon", "Codex's daemon (pid \(daemon.pid)) has this shell's environment")] }
    let names = daemon.differing.prefix(12).joined(separator: ", ") + (daemon.differing.count > 12 ? " and \(daemon.differing.count - 12) more" : "")
    return [
      .warning(
        "daemon", "Codex's daemon (pid \(daemon.pid)) keeps the environment of the shell that first started it; different or missing there: \(names)",
        mend: "codex app-server daemon restart")
    ]
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
    let place = server.folder.map { "\($0)/\(server.command)" } ?? server.command
    let isPlugin = server.folder != nil && facts.entry == CodexConfig.Presence.none
    let repair = isPlugin ? "opencode-worker install --enable" : "opencode-worker install --direct"
    if !server.enabled {
      checks.append(.problem("set-up", "the server is switched off in Codex's configuration", mend: "remove enabled = false from config.toml"))
    } else if !facts.commandExists {
      checks.append(.problem("set-up", "the binary is gone: \(server.command)", mend: repair))
    } else if isPlugin, let copy = facts.copyVersion, copy != ServerInfo.version {
      checks.append(.warning("set-up", "Codex runs its copy of version \(copy); this is \(ServerInfo.version)", mend: repair, detail: place))
    } else if facts.isSameBinary == false {
      let other = isPlugin ? "its own copy" : server.command
      checks.append(.warning("set-up", "Codex runs another build than this one: \(other)", mend: repair, detail: place))
    } else {
      checks.append(.ok("set-up", isPlugin ? "as a plugin" : "as an entry in config.toml", detail: place))
    }
    if let set = facts.openCode, server.openCode != set, isPlugin || facts.entry == .ours {
      let now = server.openCode.map { "Codex's server has \($0)" } ?? "a Codex that a desktop starts doesn't get it"
      checks.append(.warning(CodexSettings.openCodeVariable, "set in this shell only: \(now)", mend: "\(repair) writes it down", detail: set))
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
