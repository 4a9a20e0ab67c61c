import JSON
import MCP
import PosixSupport
import Runs

/// `report [RUN]`: the review of a run.
enum ReportCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    withRun(arguments, environment, named: "report") { run, _ in show(run) }
  }

  /// Finds the run that was named, or the live or latest one.
  static func withRun(
    _ arguments: [String], _ environment: [String: String], named name: String,
    _ body: @escaping @Sendable (RunSnapshot, RunManager) async throws -> Int32
  ) -> Int32 {
    guard arguments.count <= 1 else { return CommandLineTool.wrong("\(name) takes one run id at most") }
    let manager = RunManager(state: .standard(environment), environment: environment)
    return CommandLineTool.finish {
      do {
        guard let run = try await manager.resolve(arguments.first, thread: nil) else {
          Terminal.line("No run is kept.")
          return ExitCode.failure
        }
        return try await body(run, manager)
      } catch {
        Terminal.error("\(error)")
        return ExitCode.failure
      }
    }
  }

  static func show(_ run: RunSnapshot) -> Int32 {
    let reply = ReplyBound.fit(run.isOver ? RunReply.review(run, for: nil) : RunReply.status(run))
    Terminal.line(JSONValue.object(reply.structured).prettyText)
    reply.whenDelivered?()
    if let process = run.process { Terminal.error("To end it: kill -- -\(process.pid)") }
    return isWell(run) ? ExitCode.success : ExitCode.failure
  }

  /// It came to its own end, and there is nothing in it that somebody must look at.
  static func isWell(_ run: RunSnapshot) -> Bool {
    guard let review = run.review else { return false }
    return review.outcome.state == .completed && !review.outcome.attention.contains { $0.isAlarm }
  }
}
