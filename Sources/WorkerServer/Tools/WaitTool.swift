import Foundation
import MCP
import Runs

/// `opencode_wait`: waits for the run's end and replies with the review.
struct WaitTool: Tool {
  let manager: RunManager

  let name = "opencode_wait"
  let description =
    "Wait for the background OpenCode run to end; the reply is its review. timedOut: call it again. "
    + "Code mode: first line \(ServerInfo.codeModePragma)"
  let annotations = ToolAnnotations.reads
  var parameters: [Parameter] { WaitTool.waiting + [Parameter("run", .string, "Default: the live or latest")] }

  static let waiting = [
    Parameter("timeoutSeconds", .integer(0...86_400), "Default 3600; replies earlier, before the client gives up"),
    Parameter("pollIntervalSeconds", .integer(0...86_400), hidden: true),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID) else { return RunReply.none }
    return try await WaitTool.wait(for: run, arguments, in: context, manager: manager)
  }

  static func wait(for run: RunSnapshot, _ arguments: Arguments, in context: CallContext, manager: RunManager) async throws -> ToolReply {
    let slice = WaitSlice.seconds(for: context.client, environment: manager.environment)
    let seconds = min(slice, Double(arguments.integer("timeoutSeconds") ?? 3600))
    var follow: (@Sendable (RunSnapshot) async -> Void)?
    if let reporter = context.progress {
      let narrator = ProgressNarrator(reporter)
      follow = { await narrator.tell($0) }
    }
    var (ended, stall) = try await manager.wait(
      for: run.folder.id, seconds: seconds, patience: Patience(environment: manager.environment), follow: follow)
    ended.remarks = run.remarks + ended.remarks.filter { !run.remarks.contains($0) }
    if let stall { return RunReply.stalled(ended, stall) }
    return ended.isOver ? RunReply.review(ended, for: context.threadID) : RunReply.stillRunning(ended)
  }
}

/// Turns a run's steps into progress notifications: one for each change, at most one a second.
private actor ProgressNarrator {
  private let reporter: ProgressReporter
  private var last = 0

  init(_ reporter: ProgressReporter) { self.reporter = reporter }

  func tell(_ run: RunSnapshot) async {
    let steps = run.digest.steps + run.digest.toolCallCount
    guard steps > last else { return }
    last = steps
    await reporter.report(steps, "step \(run.digest.steps): \(run.digest.lastDone?.text ?? "working")")
  }
}
