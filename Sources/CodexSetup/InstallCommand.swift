import Foundation
import MCP
import PosixSupport

/// `install`: the plugin folder and its marketplace entry, or with `--direct` the entry in Codex's `config.toml`.
package enum InstallCommand {
  package static let usage = """
    usage: opencode-worker install [--enable] [--hooks] [--wake] [--approve] [--dry-run]
           opencode-worker install --direct [--hooks] [--wake] [--approve] [--dry-run]

      (nothing)  writes a Codex plugin to ~/.agents/plugins/opencode-worker and lists it in ~/.agents/plugins/marketplace.json
      --enable   then adds it to Codex by `codex plugin add`, and offers its tools directly in code mode (features.code_mode in
                 $CODEX_HOME/config.toml, default ~/.codex): a call that waits is then one model request, however long the run
      --direct   adds [mcp_servers.opencode-worker] to config.toml instead, with the same setting
      --hooks    with either: hooks that bring Codex back to a run it has not reviewed; trust them once in /hooks
      --wake     with either: a run's end that nobody waits for begins a turn of Codex's (`codex queue`)
      --approve  with either: Codex doesn't ask before the two tools that start a run. `codex exec`, which can't ask, needs it
      --dry-run  only says what would happen

    Recommended: opencode-worker install --enable --hooks --wake

    Running it again upgrades, and keeps what you have put into the plugin's folder or changed in its .mcp.json or in the entry.
    Where OPENCODE_BIN is set, its value is written into the server's environment. `opencode-worker uninstall` takes it all back.
    """

  /// - Parameters:
  ///   - environment: HOME, CODEX_HOME and PATH decide
  ///   - executable: the binary that Codex is to run
  ///   - output: for stdout
  ///   - problem: for stderr; nil: as `output`
  /// - Returns: 0 done, 1 refused or failed, 2 wrong arguments
  package static func run(
    arguments: [String], environment: [String: String], executable: String = OwnProcess.executable, output: @escaping (String) -> Void,
    problem: ((String) -> Void)? = nil
  ) -> Int32 {
    let problem = problem ?? output
    let options: SetupOptions
    do {
      options = try SetupOptions(arguments, allowed: ["--direct", "--enable", "--hooks", "--wake", "--approve", "--dry-run"])
      if options.approve, !options.direct, !options.enable { throw SetupRefusal("--approve needs --enable or --direct: it is written into config.toml") }
      if options.direct, options.enable { throw SetupRefusal("--direct needs no --enable: the entry is active as soon as it is written") }
    } catch {
      problem("opencode-worker: install: \(error)\("\(error)".hasSuffix("?") ? "" : ".") `opencode-worker install --help` says more.")
      return ExitCode.usage
    }
    if options.help {
      output(usage)
      return ExitCode.success
    }
    do {
      let places = try CodexPlaces(environment: environment)
      let planner = InstallPlanner(
        places: places, codex: CodexProgram(environment: environment), environment: environment, executable: executable, output: output)
      let (steps, after) = options.direct ? try planner.direct(options) : try planner.plugin(options)
      for step in steps {
        output(options.dryRun ? "would \(step.text)" : step.text)
        if !options.dryRun { try step.perform() }
      }
      if !options.dryRun { after.forEach(output) }
      return ExitCode.success
    } catch {
      problem("opencode-worker: install: not done: \(error)")
      return ExitCode.failure
    }
  }
}

private struct InstallPlanner {
  let places: CodexPlaces
  let codex: CodexProgram?
  let environment: [String: String]
  let executable: String
  let output: (String) -> Void

  typealias Plan = (steps: [SetupStep], after: [String])

  // MARK: - The plugin

  func plugin(_ options: SetupOptions) throws -> Plan {
    let enable = options.enable
    if enable, codex == nil { throw SetupRefusal("codex is not on PATH: install it, or leave out --enable") }
    let folder = PluginFolder(path: places.pluginFolder)
    if PrivateFiles.exists(folder.path), !folder.isOurs {
      throw SetupRefusal("\(folder.path) exists and is not this plugin: move it away first")
    }
    let file = try GuardedFile(reading: places.marketplace, modeWhenNew: 0o644)
    let addition = try naming(places.marketplace) { try MarketplaceFile.adding(to: file.bytes) }
    let selector = "\(CodexSettings.name)@\(addition.name)"
    let known = folder.version.map { "replace the plugin (version \($0))" } ?? "write the plugin"

    let had = folder.extras
    let extras = PluginFolder.Extras(hooks: options.hooks || had.hooks, wake: options.wake || had.wake, openCode: openCode ?? had.openCode)
    let with = [extras.hooks ? "hooks" : nil, extras.wake ? "wake-up" : nil].compactMap { $0 }.joined(separator: " and ")
    let text = "\(known) at \(folder.path), version \(ServerInfo.version)\(with.isEmpty ? "" : ", with \(with)")"
    let home = (places.config as NSString).deletingLastPathComponent
    var steps = [
      SetupStep(text: text) {
        try folder.write(binary: executable, extras: extras, marketplace: addition.name, codexHome: enable ? home : nil).forEach(output)
      }
    ]
    if let bytes = addition.bytes {
      let verb = file.bytes == nil ? "make \(places.marketplace) with it (marketplace \"\(addition.name)\")" : "list it in \(places.marketplace)"
      steps.append(
        SetupStep(text: verb) {
          try file.backUp()
          try file.replace(with: bytes)
        })
    }
    if enable, let codex {
      steps.append(
        SetupStep(text: "run codex plugin add \(selector)") {
          let answer = codex.runForJSON(["plugin", "add", selector])
          guard answer.succeeded else { throw SetupRefusal("the plugin is in place, but Codex did not add it: \(answer.complaint)") }
          guard codex.server()?.enabled == true else { throw SetupRefusal("Codex added the plugin, but doesn't list its server: see codex mcp list") }
        })
    }
    var after: [String] = []
    if enable, let codex {
      if CodexVersion.takesNamespaces(CodexVersion.numbers(codex.version)) {
        steps.append(
          SetupStep(text: "offer the tools directly in code mode: \(DirectNamespace.key) in \(places.config)") {
            try edit(codex, what: DirectNamespace.key) { try DirectNamespace.adding(to: $0) }
          })
      } else {
        after.append(tooOld)
      }
      if options.approve {
        let place = Approvals.Place.plugin(marketplace: addition.name)
        steps.append(
          SetupStep(text: approval) { try edit(codex, what: "the approvals") { try Approvals.adding(place, to: $0) } })
      }
    } else if !enable {
      after.append("A plugin alone can't make a wait one model request in code mode; --enable does, or write into \(places.config):\n\(DirectNamespace.byHand)")
    }
    after += notes(hooks: extras.hooks, wake: extras.wake) + variables(in: (try? PrivateFiles.read(folder.path + "/" + PluginFolder.serverFile)) ?? [])
    if hidesPlugin { after.append("note: \(places.config) has an entry of the same name, which Codex prefers to the plugin's") }
    if !enable { after.append("Now run: codex plugin add \(selector)   (again after each upgrade; or choose it under /plugins in Codex)") }
    after.append("Then start a new thread and say, for example: \"Delegate this to OpenCode and review the result.\"")
    if !options.approve {
      after.append("`codex exec` never asks for approval, and refuses to start a run without: install with --approve gives it beforehand.")
    }
    after.append("Check with: opencode-worker doctor")
    return (steps, after)
  }

  private let tooOld =
    "note: this Codex is older than 0.144.4 or doesn't tell its version, so \(DirectNamespace.key) was not set: older ones refuse the file with it"

  private func notes(hooks: Bool, wake: Bool) -> [String] {
    var notes: [String] = []
    if hooks { notes.append("Hooks: Codex skips them until you trust them once; open /hooks in Codex. (Again after an upgrade that changes them.)") }
    if wake, let codex, !codex.canQueue { notes.append("note: this Codex has no `codex queue`, by which the wake-up works (0.163 has)") }
    return notes
  }

  private var approval: String { "approve \(Approvals.tools.joined(separator: " and ")) in \(places.config)" }

  /// Edits `config.toml` after Codex has written it: it is read again. Where it can't be edited, it says what to write by hand; that is no failure.
  private func edit(_ codex: CodexProgram, what: String, _ adding: ([UInt8]) throws -> [UInt8]?) throws {
    do {
      let file = try GuardedFile(reading: places.config, modeWhenNew: 0o600)
      guard let bytes = try naming(places.config, { try adding(file.bytes ?? []) }) else { return }
      try file.replace(with: bytes)
      let answer = codex.run(["mcp", "list", "--json"])
      if answer.succeeded { return }
      try restore(file)
      throw SetupRefusal("Codex does not accept \(what), so \(places.config) is as it was before. Codex says: \(answer.complaint)")
    } catch let refusal as SetupRefusal {
      output("note: \(refusal)")
    }
  }

  /// What OPENCODE_BIN names, where a server can use it.
  private var openCode: String? { environment[CodexSettings.openCodeVariable].flatMap { $0.hasPrefix("/") && PrivateFiles.isExecutable($0) ? $0 : nil } }

  /// What of this shell's environment reaches the server.
  /// - Parameter settings: the file that names the variables, as it is
  private func variables(in settings: [UInt8]) -> [String] {
    let passed = CodexSettings.passedVariables.filter { environment[$0] != nil && $0 != CodexSettings.openCodeVariable }
    var notes = [
      "Variables that Codex passes on to the server, of those set here: \(passed.isEmpty ? "none" : passed.joined(separator: ", ")) (env_vars has them all)"
    ]
    if let openCode { notes.append("OPENCODE_BIN is written down as \(openCode); install again when it moves") }
    let missing = CodexSettings.notPassed(environment, besides: String(decoding: settings, as: UTF8.self))
    if !missing.isEmpty { notes.append("note: set here, and not passed on: \(PluginFolder.list(missing)). Add a name to env_vars if OpenCode needs it") }
    return notes
  }

  private func restore(_ file: GuardedFile) throws {
    let written = try GuardedFile(reading: file.path, modeWhenNew: file.mode)
    if let old = file.bytes {
      try written.replace(with: old)
    } else {
      try written.remove()
    }
  }

  private var hidesPlugin: Bool {
    guard let bytes = try? PrivateFiles.read(places.config), let presence = try? CodexConfig.presence(in: bytes) else { return false }
    return presence != .none
  }

  // MARK: - The direct entry

  func direct(_ options: SetupOptions) throws -> Plan {
    let file = try GuardedFile(reading: places.config, modeWhenNew: 0o600)
    let command = stableExecutable
    var after: [String] = []
    var bytes = try naming(places.config) { try CodexConfig.adding(command: command, wake: options.wake, openCode: openCode, to: file.bytes) }
    if CodexVersion.takesNamespaces(CodexVersion.numbers(codex?.version)) {
      do {
        bytes = try DirectNamespace.adding(to: bytes) ?? bytes
      } catch {
        after.append("note: \(places.config): \(error)")
      }
    } else {
      after.append(codex == nil ? "note: codex is not on PATH, so \(DirectNamespace.key) was not set. By hand:\n\(DirectNamespace.byHand)" : tooOld)
    }
    if options.approve {
      do {
        bytes = try Approvals.adding(.entry, to: bytes) ?? bytes
      } catch {
        after.append("note: \(places.config): \(error)")
      }
    }
    // Hooks are written anew, at the end, each time.
    let hooks = try naming(places.config) { try options.hooks || HookSettings.isPresent(in: bytes) }
    if hooks { bytes = try naming(places.config) { try HookSettings.adding(executable: command, to: bytes) } }
    after += notes(hooks: options.hooks, wake: options.wake) + variables(in: bytes)
    let isUpgrade = try file.bytes.map { try CodexConfig.presence(in: $0) } == .ours
    if bytes == file.bytes {
      return ([SetupStep(text: "leave \(places.config) as it is: its entry is up to date") {}], after)
    }
    let verb = isUpgrade ? "upgrade the entry in" : file.bytes == nil ? "make" : "add [mcp_servers.\(CodexSettings.name)] to"
    let step = SetupStep(text: "\(verb) \(places.config) (command \(command))") {
      // A backup from before our entry is worth more than one with it.
      if !isUpgrade || !PrivateFiles.exists(file.backupPath) {
        if let backup = try file.backUp() { output("backup: \(backup)") }
      }
      try file.replace(with: bytes)
      try check(command: command, orRestore: file, written: bytes)
    }
    if !options.approve {
      after.append("`codex exec` never asks for approval, and refuses to start a run without: install with --approve gives it beforehand.")
    }
    after += ["Start a new Codex thread and say, for example: \"Delegate this to OpenCode and review the result.\""]
    if codex == nil { after.append("codex is not on PATH, so the result was not checked with it") }
    if command.contains("/.build/") { after.append("note: \(command) is in a build folder; move the binary to a lasting place and install again") }
    return ([step], after)
  }

  /// Codex must see the entry as it was meant, or the file becomes what it was.
  private func check(command: String, orRestore file: GuardedFile, written: [UInt8]) throws {
    guard let codex else { return }
    let answer = codex.run(["mcp", "get", CodexSettings.name, "--json"])
    if answer.succeeded, answer.json?["transport"]?["command"]?.string == command { return }
    try restore(file)
    let why = answer.succeeded ? "it doesn't show this command for the entry" : answer.complaint
    throw SetupRefusal("Codex does not accept \(places.config) with the entry, so it is as it was before. Codex says: \(why)")
  }

  /// Homebrew and others put a lasting symlink on PATH; the real path behind it changes with each version.
  private var stableExecutable: String {
    guard let found = ProgramFinder.locate(CodexSettings.name, path: environment["PATH"] ?? "", workspace: nil),
      PrivateFiles.resolved(found) == PrivateFiles.resolved(executable)
    else { return executable }
    return found
  }
}

/// Says in front of a refusal which file it is about.
package func naming<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let refusal as SetupRefusal {
    throw SetupRefusal("\(path): \(refusal)")
  }
}
