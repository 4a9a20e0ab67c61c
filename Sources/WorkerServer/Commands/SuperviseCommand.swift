import JSON
import MCP
import PosixSupport
import Runs

/// `supervise`: hidden; see `Supervisor`.
///
/// With `--detach` as its last word the supervisor is a process that nobody is the parent of: some clients send a signal to every descendant of
/// their servers, other sessions and groups included.
enum SuperviseCommand {
  private static let detach = "--detach"

  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    guard arguments.last == detach else { return supervise(arguments, environment) }
    let words = Array(arguments.dropLast())
    do {
      switch try DetachedProcess.divide() {
      case .parent?: return ExitCode.success
      case .detached?: return supervise(words, environment)
      case nil:
        try DetachedProcess.spawn(OwnProcess.executable, ["supervise"] + words)
        return ExitCode.success
      }
    } catch {
      SupervisorReport.takingStdout().send(.notSpawned("\(error)"))
      return ExitCode.failure
    }
  }

  private static func supervise(_ arguments: [String], _ environment: [String: String]) -> Int32 {
    guard arguments.count == 4, arguments[0] == "--state" else { return CommandLineTool.wrong("supervise is for the server's own use") }
    OwnProcess.surviveSignals()
    let supervisor = Supervisor(state: StateFolder(root: arguments[1]), report: .takingStdout(), environment: environment, review: review)
    switch arguments[2] {
    case "--staging" where !arguments[3].contains("/"): return supervisor.start(staging: arguments[3])
    case "--adopt" where RunID.isValid(arguments[3]): return supervisor.adopt(arguments[3])
    default: return ExitCode.usage
    }
  }

  /// What `opencode_wait` would reply, masked as that is.
  private static func review(of folder: RunFolder) -> [UInt8]? {
    guard case .known(let run)? = try? folder.look(), run.isOver else { return nil }
    return Array((JSONValue.object(ReplyBound.fit(RunReply.review(run, for: .byHand())).structured).text + "\n").utf8)
  }
}

/// `detach`: hidden; what servers of the version before call to start a supervisor, and an open session keeps its server.
enum DetachCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 { SuperviseCommand.run(arguments + ["--detach"], environment: environment) }
}
