import Foundation
import OpenCode
import PosixSupport

/// A start in its folder, with the OpenCode that will carry it out: what has to be asked of the system and of OpenCode itself.
/// All of it blocks.
package struct StartPlan {
  private let asked: StartArguments
  private let state: StateFolder
  private let environment: [String: String]
  private let cwd: String
  private let installation: Installation
  private var session: String?

  /// Finds the folder and OpenCode.
  /// - Throws: `RunRefusal`
  package init(_ asked: StartArguments, workspace: String?, state: StateFolder, environment: [String: String]) throws {
    self.asked = asked
    self.state = state
    self.environment = environment
    session = asked.session
    var known: String?
    if let given = asked.cwd {
      known = try StartPlan.resolve(given, workspace: workspace)
    } else if let session = asked.session {
      known = StartPlan.folder(of: session, state: state)
    } else {
      guard let workspace else { throw StartPlan.cwdNeeded() }
      known = try StartPlan.resolve(workspace, workspace: nil)
    }
    let installation = try StartPlan.findOpenCode(environment, workspace: known ?? workspace, cache: state.cache)
    self.installation = installation
    if let known {
      cwd = known
    } else {
      // A session that isn't one of ours: OpenCode knows its folder.
      let session = asked.session ?? ""
      let info = try StartPlan.ask { try OpenCodeClient(installation, folder: "/", environment: environment).session(session) }
      guard let info else { throw StartPlan.unknownSession(session) }
      guard let directory = info.directory else { throw StartPlan.cwdNeeded() }
      cwd = try StartPlan.resolve(directory, workspace: nil)
    }
  }

  /// The session's own folder, if a run of ours used it.
  private static func folder(of session: String, state: StateFolder) -> String? {
    for run in state.runFolders() {
      guard let record = run.loadRecord() else { continue }
      if record.request.session == session || run.session == session { return record.request.cwd }
    }
    return nil
  }

  /// - Parameter why: what is known instead, a sentence
  package static func cwdNeeded(_ why: String? = nil) -> RunRefusal {
    RunRefusal(
      code: .cwdNeeded, message: "It isn't known which folder OpenCode should work in." + (why.map { " \($0)" } ?? ""),
      hint: "Pass \"cwd\", an absolute path.")
  }

  private static func unknownSession(_ session: String) -> RunRefusal {
    .badArgument("OpenCode has no session \"\(session)\".", hint: "Pass the session of an earlier run's reply, or leave it out for a new one.")
  }

  /// Seconds for a folder to be looked at.
  private static let folderSeconds = 10.0

  package static func resolve(_ path: String, workspace: String?) throws -> String {
    var absolute = FileURL.path(path) ?? path
    if path == "~" || path.hasPrefix("~/") {
      throw RunRefusal.badArgument("\"cwd\" is \"\(path)\".", hint: "~ isn't expanded here: pass an absolute path.")
    }
    if !absolute.hasPrefix("/") {
      guard let workspace else {
        throw RunRefusal.badArgument("\"cwd\" is the relative path \"\(path)\".", hint: "The client didn't say its workspace: pass an absolute path.")
      }
      absolute = workspace + "/" + path
    }
    let asked = absolute
    let looked = Begun { PrivateFiles.resolved(asked).flatMap { PrivateFiles.isFolder($0) ? $0 : nil } }.value(deadline: .after(folderSeconds))
    guard let looked else {
      throw RunRefusal.badArgument(
        "\"cwd\" is \"\(path)\", on a file system that hasn't answered for \(Int(folderSeconds)) s.",
        hint: "Look whether what is mounted there is still connected, then start again.")
    }
    guard !absolute.contains("\0"), let real = looked else {
      throw RunRefusal.badArgument("\"cwd\" is \"\(path)\", which is not a folder.", hint: "Pass the absolute path of an existing folder.")
    }
    return real
  }

  package static func findOpenCode(_ environment: [String: String], workspace: String?, cache: String) throws -> Installation {
    do {
      return try OpenCodeFinder.find(environment: environment, workspace: workspace, cache: cache)
    } catch {
      let hint = (error as? OpenCodeNotFound)?.remedy ?? OpenCodeNotFound.install
      throw RunRefusal(
        code: .opencodeNotFound, message: "\(error)", hint: "For the user, in a terminal: \(hint). `opencode-worker doctor --verbose` names the places.")
    }
  }

  /// OpenCode's own answers, with errors as this server names them.
  private static func ask<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as OpenCodeCommandError { throw RunRefusal(error) }
  }

  // MARK: - The session

  /// Finds the session that is to be continued, and makes sure that OpenCode will: in another folder than its own it hangs silently,
  /// and OpenCode 2 makes a new session of an unknown one.
  /// - Throws: `RunRefusal`
  package mutating func settleSession() throws {
    var isOurs = false
    if asked.continueLast {
      session = state.runFolders().first { $0.loadRecord()?.request.cwd == cwd && $0.session != nil }?.session
      isOurs = true
    }
    guard let session, !(isOurs && installation.version.generation == .v1) else { return }
    let client = OpenCodeClient(installation, folder: cwd, environment: environment)
    guard let info = try StartPlan.ask({ try client.session(session) }) else {
      throw StartPlan.unknownSession(session)
    }
    if let directory = info.directory, let own = PrivateFiles.resolved(directory) ?? Optional(directory), own != cwd {
      throw RunRefusal.badArgument(
        "The session \(session) belongs to the folder \(own), not to \(cwd).", hint: "Pass \"cwd\": \"\(own)\", or leave \"session\" out.")
    }
  }

  // MARK: - The agent

  /// An agent that OpenCode doesn't know, or one for subagents, would be paid for and run as the default one (in 2.x it fails by itself); and what
  /// OpenCode's own rules keep its shell from isn't run by the worker either.
  /// - Throws: `RunRefusal`
  private func checkAgents(_ asked: StartArguments, _ environment: [String: String]) throws {
    if asked.verify, environment["OPENCODE_WORKER_VERIFY"] == "off" || self.environment["OPENCODE_WORKER_VERIFY"] == "off" {
      throw RunRefusal.badArgument("\"verify\" is switched off here (OPENCODE_WORKER_VERIFY).", hint: "Run the commands yourself after the review.")
    }
    if installation.version.generation == .v2 {
      if asked.verify { try checkShell(asked, environment) }
      return
    }
    guard asked.agent != nil || asked.verify else { return }
    let agents: [AgentListing]
    do {
      guard let listed = try OpenCodeClient(installation, folder: cwd, environment: self.environment).agents(environment) else { return }
      agents = listed
    } catch let error as OpenCodeCommandError {
      // Whether the shell is allowed must be known; an agent that isn't checked is told afterwards.
      if asked.verify { throw RunRefusal(error) }
      return
    }
    let agent = agents.first { $0.name == asked.agent ?? "build" }
    if let name = asked.agent, agent?.canLead != true {
      let known = agents.filter(\.canLead).map(\.name).joined(separator: ", ")
      throw RunRefusal.badArgument(
        "\"agent\" is \"\(name)\", \(agent == nil ? "which OpenCode doesn't know" : "which is a subagent").", hint: "These can lead a run: \(known).")
    }
    guard asked.verify, let agent else { return }
    try check(asked, agent.rules, "bash")
  }

  /// The same of 2.x, whose documents tell.
  private func checkShell(_ asked: StartArguments, _ environment: [String: String]) throws {
    do {
      let client = OpenCodeClient(installation, folder: cwd, environment: self.environment)
      try check(asked, try client.shellRules(of: asked.agent, environment: environment), "shell")
    } catch let error as OpenCodeCommandError {
      throw RunRefusal(error)
    } catch let error as RulesUnknown {
      throw RunRefusal.badArgument(
        "\"verify\" runs only what OpenCode's own rules allow, and \(error).", hint: "Leave \"verify\" out, or pass \"permissions\": \"workspace\".")
    }
  }

  private func check(_ asked: StartArguments, _ rules: PermissionRules, _ shell: String) throws {
    for command in asked.verificationCommands {
      let action = rules.action(shell, on: command)
      guard action == .deny || (action == .ask && !asked.dangerouslySkipPermissions) else { continue }
      throw RunRefusal.badArgument(
        "\"verify\" would run \"\(command.prefix(200))\", which OpenCode's own rules \(action == .deny ? "deny" : "ask about").",
        hint: "Leave \"verify\" out, or let the user allow it in OpenCode's configuration.")
    }
  }

  // MARK: - The files

  /// OpenCode 2 takes at most so many attachments of so many bytes (`docs/facts/opencode-cli.md`, "OpenCode 2").
  private static let attachments = (count: 100, bytes: 10 << 20)

  /// - Throws: `RunRefusal`
  private func checkFiles() throws {
    let isTwo = installation.version.generation == .v2
    if isTwo, asked.files.count > StartPlan.attachments.count {
      throw RunRefusal.badArgument(
        "\"files\" names \(asked.files.count) files, and OpenCode 2 takes \(StartPlan.attachments.count) at most.",
        hint: "Name those in the message that it should read itself.")
    }
    for file in asked.files {
      let path = file.hasPrefix("/") ? file : cwd + "/" + file
      guard PrivateFiles.exists(path), !file.contains("\0") else {
        throw RunRefusal.badArgument("\"files\" names \"\(file.prefix(300))\", which doesn't exist.", hint: "Paths are relative to \(cwd).")
      }
      guard isTwo else { continue }
      let facts = PrivateFiles.resolved(path).flatMap { FileFacts.of(Array($0.utf8)) }
      guard let facts, facts.kind == .file, facts.size <= StartPlan.attachments.bytes else {
        let what = facts?.kind == .file ? "larger than 10 MiB" : facts?.kind == .folder ? "a folder" : "no plain file"
        throw RunRefusal.badArgument(
          "\"files\" names \"\(file.prefix(300))\", which is \(what): OpenCode 2 can't attach it.", hint: "Name it in the message, so that it reads it itself.")
      }
    }
  }

  // MARK: - The request

  /// Everything that a supervisor needs, and OpenCode's environment.
  /// - Throws: `RunRefusal`
  package func request(from caller: StartCaller, sandboxIsReadOnly: Bool) throws -> (RunRequest, environment: [String: String]) {
    try checkFiles()
    var settled = asked
    settled.cwd = cwd
    settled.session = session
    var run = RunOptions(cwd: cwd)
    run.model = settled.model
    run.variant = settled.variant
    run.agent = settled.agent
    run.title = settled.title
    run.session = session
    run.continueLast = settled.continueLast && session == nil
    run.fork = settled.fork
    run.files = settled.files
    run.skipPermissions = settled.dangerouslySkipPermissions
    run.permissions = settled.preset
    let prepared: PreparedRun
    do {
      prepared = try OpenCodeClient(installation, folder: cwd, environment: environment).prepare(run)
    } catch let error as UnsupportedOption {
      throw RunRefusal.badArgument("OpenCode \(installation.version) can't do this: \(error).", hint: "Leave it out, or upgrade OpenCode.")
    } catch let error as PresetNotHeld {
      throw RunRefusal.badArgument(
        "The permissions preset was not used: \(error). Nothing was started.",
        hint: "Change those rules in OpenCode's configuration, or leave \"permissions\" out.")
    } catch let error as AgentUnknown {
      throw RunRefusal.badArgument("\(error).", hint: "It has these: \(error.known.joined(separator: ", ")).")
    } catch let error as OpenCodeCommandError {
      throw RunRefusal(error)
    } catch {
      throw RunRefusal(code: .opencodeFailed, message: "OpenCode's configuration can't be used: \(error).", hint: "Mend it, then start again.")
    }
    try checkAgents(settled, prepared.environment)
    let ignored = installation.version.generation == .v1 ? [] : IgnoredConfiguration.find(folder: cwd, environment: environment).map(\.description)
    let request = RunRequest(
      start: settled, sandboxIsReadOnly: sandboxIsReadOnly ? true : nil, presetHolds: prepared.presetHolds, presetRemark: prepared.remark,
      ignoredConfiguration: ignored.isEmpty ? nil : ignored, threadID: caller.threadID, sessionID: caller.sessionID,
      wake: WakeCall(for: caller, environment: environment),
      installation: InstalledOpenCode(installation), arguments: prepared.arguments,
      git: ProgramFinder.locate("git", path: environment["PATH"], workspace: cwd),
      unreadShell: CommandShell.unread(prepared.environment))
    return (request, prepared.environment)
  }
}

/// Who asks for a start: Codex's conversation, as far as it says so.
package struct StartCaller: Sendable {
  package var threadID: String?
  package var sessionID: String?
  /// The Codex that asks.
  package var codex: String?

  package init(threadID: String? = nil, sessionID: String? = nil, codex: String? = nil) {
    (self.threadID, self.sessionID, self.codex) = (threadID, sessionID, codex)
  }
}
