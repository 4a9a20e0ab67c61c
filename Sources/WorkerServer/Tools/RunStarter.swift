import MCP
import PosixSupport
import Runs

/// From a tool's arguments to a run: everything is checked before anything is started.
struct RunStarter: Sendable {
  let manager: RunManager

  /// - Throws: `RunRefusal`; nothing was started then
  func start(_ arguments: Arguments, in context: CallContext) async throws -> RunSnapshot {
    let (state, environment) = (manager.state, manager.environment)
    let sandboxed = context.sandboxIsReadOnly && environment["OPENCODE_WORKER_IGNORE_SANDBOX"] != "1"
    let asked = try arguments.decoded(StartArguments.self).checked(sandboxIsReadOnly: sandboxed)
    // A look first: what follows may ask OpenCode, which takes seconds.
    if let live = await manager.live() { throw RunStarter.busy(live) }
    let (request, openCodeEnvironment) = try await onThread {
      var plan = try StartPlan(asked, workspace: context.workspace, state: state, environment: environment)
      try plan.settleSession()
      return try plan.request(
        from: StartCaller(threadID: context.threadID, sessionID: context.sessionID, codex: context.codexExecutable), sandboxIsReadOnly: sandboxed)
    }
    switch try await manager.start(request, environment: openCodeEnvironment) {
    case .accepted(let run): return run
    case .busy(let run): throw RunStarter.busy(run)
    }
  }

  private static func busy(_ run: RunSnapshot?) -> RunRefusal {
    let which = run.map { ": \($0.folder.id) (\($0.record.request.title))" } ?? ""
    return RunRefusal(
      code: .busy, message: "A run is alive\(which). Nothing was started.",
      hint: "One run at a time: opencode_wait for it, or do something else meanwhile.", run: run)
  }
}
