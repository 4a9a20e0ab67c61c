import PosixSupport

/// OpenCode's companion commands. Each blocks the calling thread until its answer or its deadline, and throws
/// `OpenCodeCommandError`.
package struct OpenCodeClient: Sendable {
  package let installation: Installation
  /// Where commands run: what OpenCode knows (models, agents) depends on the folder's configuration.
  package let folder: String
  package let environment: [String: String]
  /// What ends its commands before their time.
  package var leash: Leash?

  package var line: any OpenCodeCommandLine { installation.version.commandLine }

  /// - Parameter environment: ours; what OpenCode gets is derived from it
  package init(_ installation: Installation, folder: String, environment: [String: String]) {
    self.installation = installation
    self.folder = folder
    self.environment = ChildEnvironment.make(environment, for: installation, folder: folder)
  }

  package func models(_ query: ModelsQuery = ModelsQuery(), deadline: Deadline = .after(15)) throws -> ModelList {
    func ask() throws -> ModelList { try line.parseModels(try run(line.modelsArguments(query), named: "models", deadline: deadline).outputText, query) }
    let list = try ask()
    // 2.x has listed nothing before its catalogue was there.
    guard !list.isKnown, deadline.left > 1, let again = try? ask() else { return list }
    return again
  }

  /// A session with its messages. An unknown one is `failed`, with `isSessionNotFound`.
  package func export(_ session: String, deadline: Deadline = .after(30)) throws -> SessionExport {
    let ways = line.exportArguments(session)
    for (index, arguments) in ways.enumerated() {
      do {
        return try line.parseExport(try run(arguments, named: "export", deadline: deadline).output)
      } catch let error as OpenCodeCommandError {
        // Another spelling of the command may be the right one, unless this one was understood.
        if index == ways.count - 1 || error.isSessionNotFound || deadline.hasPassed { throw error }
      }
    }
    throw OpenCodeCommandError.notStarted(command: "export", why: "this version has no such command")
  }

  /// What is known of a session; nil: there is no such session.
  package func session(_ id: String, deadline: Deadline = .after(10)) throws -> SessionInfo? {
    guard SessionID.isValid(id) else { return nil }
    do {
      return try stored(id, deadline).first
    } catch let error as OpenCodeCommandError {
      // Without that command, or with another store, an export tells the same.
      guard !deadline.hasPassed else { throw error }
      do { return try export(id, deadline: deadline).info } catch let error as OpenCodeCommandError where error.isSessionNotFound { return nil }
    }
  }

  /// A session and all below it (subagents'), the session itself first; empty: there is no such session.
  /// What one command doesn't tell is exported session by session, in the same deadline.
  package func sessionTree(_ id: String, deadline: Deadline = .after(30)) throws -> [SessionInfo] {
    guard SessionID.isValid(id) else { return [] }
    let quick = try? stored(id, deadline)
    if let quick, quick.isEmpty { return [] }
    if let quick, line.tellsChildren, quick.allSatisfy({ $0.tokens != nil }) { return quick }
    return try exportTree(id, deadline: deadline).map(\.info)
  }

  /// The exports of a session and all below it, at most 200, the session itself first; empty: there is no such session.
  package func exportTree(_ id: String, deadline: Deadline = .after(60)) throws -> [SessionExport] {
    var (found, waiting, seen): ([SessionExport], [String], Set<String>) = ([], [id], [id])
    while !waiting.isEmpty, found.count < 200 {
      let next = waiting.removeFirst()
      guard SessionID.isValid(next) else { continue }
      guard !deadline.hasPassed else { throw OpenCodeCommandError.timedOut(command: "export", seconds: deadline.seconds) }
      do {
        let export = try export(next, deadline: deadline)
        found.append(export)
        waiting += export.childSessions.filter { seen.insert($0).inserted }
      } catch let error as OpenCodeCommandError where error.isSessionNotFound {
        continue
      }
    }
    return found
  }

  /// - Throws: `OpenCodeCommandError`, `UnsupportedOption`
  package func stats(_ query: StatsQuery = StatsQuery(), deadline: Deadline = .after(20)) throws -> Stats {
    var stats = try line.parseStats(try run(try line.statsArguments(query), named: "stats", deadline: deadline).outputText)
    if !query.models { stats.models = [] }
    return stats
  }

  package func signedIn(deadline: Deadline = .after(10)) throws -> [SignedInProvider] {
    try line.parseSignedIn(try run(line.signedInArguments, named: "auth list", deadline: deadline).outputText)
  }

  /// The agents and the rules that result from all configuration; nil: this generation doesn't tell.
  package func agents(_ environment: [String: String]? = nil, deadline: Deadline = .after(10)) throws -> [AgentListing]? {
    guard let arguments = line.agentListArguments else { return nil }
    return try AgentListing.parse(try run(arguments, named: "agent list", environment: environment, deadline: deadline).outputText)
  }

  private func stored(_ id: String, _ deadline: Deadline) throws -> [SessionInfo] {
    let result = try run(line.sessionArguments(id), named: line.tellsChildren ? "db" : "api", deadline: deadline)
    return try line.parseSession(result.output, id)
  }

  /// 2.x: what its own server answers to `GET path`.
  func api(_ path: String, deadline: Deadline) throws -> [UInt8] {
    try run(["api", "--standalone", "GET", path], named: "api", deadline: deadline).output
  }

  /// - Parameter isSecret: nothing of what it prints on stdout is quoted
  func run(_ arguments: [String], named name: String, environment: [String: String]? = nil, isSecret: Bool = false, deadline: Deadline) throws
    -> Command.Result
  {
    do {
      return try runOnce(arguments, named: name, environment: environment, isSecret: isSecret, deadline: deadline)
    } catch let error as OpenCodeCommandError where error.mayPass && leash?.hasEnded != true {
      // Several private servers at once get into each other's way: once more.
      return try runOnce(arguments, named: name, environment: environment, isSecret: isSecret, deadline: deadline)
    }
  }

  private func runOnce(_ arguments: [String], named name: String, environment: [String: String]?, isSecret: Bool, deadline: Deadline) throws
    -> Command.Result
  {
    var command = Command(installation.path, arguments, environment: environment ?? self.environment, folder: folder, deadline: deadline)
    command.leash = leash
    let result: Command.Result
    do { result = try command.run() } catch { throw OpenCodeCommandError.notStarted(command: name, why: "\(error)") }
    guard let status = result.status else { throw OpenCodeCommandError.timedOut(command: name, seconds: deadline.seconds) }
    // 2.0.26 ends with 1 on an answer that isn't one of success; what it is stands on stdout in JSON.
    if name == "api", status == .exited(1), result.output.first == UInt8(ascii: "{"), result.outputText.contains("\"_tag\"") { return result }
    guard status.succeeded else {
      let words = Complaint.text(errors: result.errorText, output: isSecret ? "" : String(decoding: result.output.prefix(1 << 16), as: UTF8.self))
      throw OpenCodeCommandError.failed(command: name, status: status.text, words: words)
    }
    return result
  }
}

/// `ses_` and letters and digits.
enum SessionID {
  static func isValid(_ text: String) -> Bool {
    text.hasPrefix("ses_") && text.count > 4 && text.count <= 128
      && text.dropFirst(4).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
  }
}
