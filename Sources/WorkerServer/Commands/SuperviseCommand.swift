import JSON
import MCP
import PosixSupport
import Runs

/// `supervise`: hidden; see `Supervisor`.
enum SuperviseCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
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

/// `detach`: hidden; starts `supervise` and ends, so that a run's supervisor is no descendant of the server that wanted it. Some
/// clients send a signal to every descendant of their servers, other sessions and groups included.
enum DetachCommand {
  static func run(_ arguments: [String]) -> Int32 {
    do {
      try DetachedProcess.spawn(OwnProcess.executable, ["supervise"] + arguments)
      return ExitCode.success
    } catch {
      SupervisorReport.takingStdout().send(.notSpawned("\(error)"))
      return ExitCode.failure
    }
  }
}
