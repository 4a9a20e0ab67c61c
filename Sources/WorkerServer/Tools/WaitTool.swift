import Foundation
import MCP
import OpenCode
import PosixSupport
import Runs

/// `opencode_wait`: waits for the run's end and replies with the review.
struct WaitTool: Tool {
  let manager: RunManager

  let name = "opencode_wait"
  let description =
    "Wait for the background OpenCode run to end; the reply is its review. timedOut: call it again. "
    + "Code mode: first line \(ServerInfo.codeModePragma)"
  let annotations = ToolAnnotations.reads
  let isAlwaysLoaded = true
  var parameters: [Parameter] { WaitTool.waiting + [Parameter("run", .string, "Default: the live or latest")] }

  static let waiting = [
    Parameter("timeoutSeconds", .integer(0...86_400), "Default 3600; replies earlier, before the client gives up"),
    Parameter("pollIntervalSeconds", .integer(0...86_400), hidden: true),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID, prefersOwn: true) else { return RunReply.none }
    return try await WaitTool.wait(for: run, arguments, in: context, manager: manager)
  }

  static func wait(for run: RunSnapshot, _ arguments: Arguments, in context: CallContext, manager: RunManager) async throws -> ToolReply {
    // From inside the run: it can't end while it waits for itself.
    if run.folder.id == manager.environment[ChildEnvironment.marker], !run.isOver {
      var reply = RunReply.status(run)
      reply.structured["next"] = "this is the run that you are working in: finish the task, don't wait"
      return reply
    }
    let slice = WaitSlice.seconds(for: context.client, hasProgress: context.progress != nil, environment: manager.environment)
    // The client has been waiting since the call came: what a start took is part of it.
    let left = max(0, slice - (Monotonic.now - context.began))
    let seconds = min(left, Double(arguments.integer("timeoutSeconds") ?? 3600))
    var follow: (@Sendable (RunSnapshot) async -> Void)?
    if let reporter = context.progress {
      let narrator = ProgressNarrator(reporter)
      follow = { await narrator.tell($0) }
    }
    var (ended, stall) = try await manager.wait(
      for: run.folder.id, seconds: seconds, patience: Patience(environment: manager.environment), follow: follow)
    ended.isForeign = run.isForeign
    ended.notes = run.notes
    if let stall { return RunReply.stalled(ended, stall) }
    return ended.isOver ? RunReply.review(ended, for: context) : RunReply.stillRunning(ended)
  }
}

/// Turns a run's steps into progress notifications: one for each change, at most one a second, and a sign of life in between.
private actor ProgressNarrator {
  private let reporter: ProgressReporter
  private var last = -1
  private var toldAt = 0.0

  init(_ reporter: ProgressReporter) { self.reporter = reporter }

  func tell(_ run: RunSnapshot) async {
    let steps = run.digest.steps + run.digest.toolCallCount
    let now = Monotonic.now
    guard steps > last || now - toldAt >= WaitSlice.heartbeat else { return }
    (last, toldAt) = (steps, now)
    let clock = run.now
    let seconds = Int(run.seconds)
    var what = run.digest.lastDone?.text ?? "working"
    if let next = run.nextTry(after: clock) {
      what = "the provider refuses, next try in \(Int(next - clock)) s"
    } else if let tool = run.working.first {
      what = tool.named + (tool.since.map { ", for \(Int(max(0, clock - $0))) s" } ?? "")
    }
    await reporter.report("\(run.state), step \(run.digest.steps), \(seconds) s: \(what)")
  }
}
