import Foundation
import JSONRPC
import OpenCode
import PosixSupport

/// A start in its folder, with the OpenCode that will carry it out: what has to be asked of the system and of OpenCode itself.
/// All of it blocks.
struct StartPlan {
  private let options: StartOptions
  private let state: StateFolder
  private let environment: [String: String]
  private let cwd: String
  private let installation: Installation
  private var session: String?

  /// Finds the folder and OpenCode.
  /// - Throws: `ToolError`
  init(_ options: StartOptions, workspace: String?, state: StateFolder, environment: [String: String]) throws {
    self.options = options
    self.state = state
    self.environment = environment
    session = options.session
    var known: String?
    if let given = options.cwd {
      known = try StartPlan.resolve(given, workspace: workspace)
    } else if let session = options.session {
      known = StartPlan.folder(of: session, state: state)
    } else {
      guard let workspace else { throw StartPlan.cwdNeeded }
      known = try StartPlan.resolve(workspace, workspace: nil)
    }
    let installation = try StartPlan.findOpenCode(environment, workspace: known ?? workspace, cache: state.cache)
    self.installation = installation
    if let known {
      cwd = known
    } else {
      // A session that isn't one of ours: OpenCode knows its folder.
      let session = options.session ?? ""
      let info = try StartPlan.ask { try OpenCodeClient(installation, folder: "/", environment: environment).session(session) }
      guard let info else { throw StartPlan.unknownSession(session) }
      guard let directory = info.directory else { throw StartPlan.cwdNeeded }
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

  private static let cwdNeeded = ToolError(
    code: .cwdNeeded, message: "It isn't known which folder OpenCode should work in.", hint: "Pass \"cwd\", an absolute path.")

  private static func unknownSession(_ session: String) -> ToolError {
    .badArgument("OpenCode has no session \"\(session)\".", hint: "Pass the session of an earlier run's reply, or leave it out for a new one.")
  }

  static func resolve(_ path: String, workspace: String?) throws -> String {
    var absolute = path
    if !path.hasPrefix("/") {
      guard let workspace else {
        throw ToolError.badArgument("\"cwd\" is the relative path \"\(path)\".", hint: "Codex's workspace isn't known here: pass an absolute path.")
      }
      absolute = workspace + "/" + path
    }
    guard !absolute.contains("\0"), let real = PrivateFiles.resolved(absolute), PrivateFiles.isFolder(real) else {
      throw ToolError.badArgument("\"cwd\" is \"\(path)\", which is not a folder.", hint: "Pass the absolute path of an existing folder.")
    }
    return real
  }

  static func findOpenCode(_ environment: [String: String], workspace: String?, cache: String) throws -> Installation {
    do {
      return try OpenCodeFinder.find(environment: environment, workspace: workspace, cache: cache)
    } catch {
      throw ToolError(
        code: .opencodeNotFound, message: "\(error)", hint: "Install OpenCode, or set OPENCODE_BIN to its path in the server's environment.")
    }
  }

  /// OpenCode's own answers, with errors as this server names them.
  private static func ask<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as OpenCodeCommandError { throw ToolError(error) }
  }

  // MARK: - The session

  /// Finds the session that is to be continued, and makes sure that OpenCode will: in another folder than its own it hangs silently,
  /// and OpenCode 2 makes a new session of an unknown one.
  /// - Throws: `ToolError`
  mutating func settleSession() throws {
    var isOurs = false
    if options.continueLast {
      session = state.runFolders().first { $0.loadRecord()?.request.cwd == cwd && $0.session != nil }?.session
      isOurs = true
    }
    guard let session, !(isOurs && installation.version.line == .v1) else { return }
    let client = OpenCodeClient(installation, folder: cwd, environment: environment)
    guard let info = try StartPlan.ask({ try client.session(session) }) else {
      throw StartPlan.unknownSession(session)
    }
    if let directory = info.directory, let own = PrivateFiles.resolved(directory) ?? Optional(directory), own != cwd {
      throw ToolError.badArgument(
        "The session \(session) belongs to the folder \(own), not to \(cwd).", hint: "Pass \"cwd\": \"\(own)\", or leave \"session\" out.")
    }
  }

  // MARK: - The request

  /// Everything that a supervisor needs, and OpenCode's environment.
  /// - Throws: `ToolError`
  func request(threadID: String?) throws -> (RunRequest, environment: [String: String]) {
    for file in options.files {
      let path = file.hasPrefix("/") ? file : cwd + "/" + file
      guard PrivateFiles.exists(path), !file.contains("\0") else {
        throw ToolError.badArgument("\"files\" names \"\(file.prefix(300))\", which doesn't exist.", hint: "Paths are relative to \(cwd).")
      }
    }
    var run = RunOptions(cwd: cwd)
    run.model = options.model
    run.variant = options.variant
    run.agent = options.agent
    run.title = options.title
    run.session = session
    run.continueLast = options.continueLast && session == nil
    run.fork = options.fork
    run.files = options.files
    run.skipPermissions = options.skipPermissions
    run.permissions = options.permissions
    let prepared: PreparedRun
    do {
      prepared = try OpenCodeClient(installation, folder: cwd, environment: environment).prepare(run)
    } catch let error as UnsupportedOption {
      throw ToolError.badArgument("OpenCode \(installation.version) can't do this: \(error).", hint: "Leave it out, or upgrade OpenCode.")
    } catch let error as PresetNotHeld {
      throw ToolError.badArgument(
        "The permissions preset was not used: \(error). Nothing was started.",
        hint: "Change those rules in OpenCode's configuration, or leave \"permissions\" out.")
    } catch let error as OpenCodeCommandError {
      throw ToolError(error)
    } catch {
      throw ToolError(code: .opencodeFailed, message: "OpenCode's configuration can't be used: \(error).", hint: "Mend it, then start again.")
    }
    let request = RunRequest(
      message: options.message, cwd: cwd, title: options.title, model: options.model, variant: options.variant, agent: options.agent, session: session,
      continueLast: options.continueLast, fork: options.fork, files: options.files, skipPermissions: options.skipPermissions,
      permissions: options.permissions?.rawValue, sandboxIsReadOnly: options.sandboxIsReadOnly ? true : nil, presetHolds: prepared.presetHolds,
      acceptanceCriteria: options.acceptanceCriteria, verificationCommands: options.verificationCommands,
      threadID: threadID, installation: InstalledOpenCode(installation), arguments: prepared.arguments,
      git: ProgramFinder.locate("git", path: environment["PATH"], workspace: cwd))
    return (request, prepared.environment)
  }
}

extension RunFolder {
  /// The session that this run worked in.
  var session: String? { Stored.load(SessionOnly.self, from: digest)?.session }

  /// The one member of the digest that is wanted here.
  private struct SessionOnly: Decodable { let session: String? }
}

extension ToolError {
  init(_ error: OpenCodeCommandError) {
    if case .timedOut = error {
      self.init(code: .opencodeTimeout, message: "\(error).", hint: "Try again; `opencode-worker doctor` shows whether OpenCode answers at all.")
    } else {
      self.init(code: .opencodeFailed, message: "\(error).", hint: "Run the same command in a terminal to see more.")
    }
  }
}
