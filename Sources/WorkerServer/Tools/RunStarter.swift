import Foundation
import MCP
import OpenCode
import PosixSupport
import Runs

/// From a tool's arguments to a run: everything is checked before anything is started.
struct RunStarter: Sendable {
  let manager: RunManager

  /// - Throws: `RunRefusal`; nothing was started then
  func start(_ arguments: Arguments, in context: CallContext) async throws -> RunSnapshot {
    let (state, environment) = (manager.state, manager.environment)
    if let own = environment[ChildEnvironment.marker], await isAlive(own) { throw RunStarter.nested(own) }
    let sandboxed = context.sandboxIsReadOnly && environment["OPENCODE_WORKER_IGNORE_SANDBOX"] != "1"
    let asked: StartArguments
    do {
      asked = try arguments.decoded(StartArguments.self).checked(sandboxIsReadOnly: sandboxed)
    } catch let refusal as RunRefusal {
      throw await suggesting(refusal, for: arguments.string("model"))
    }
    // A look first: what follows may ask OpenCode, which takes seconds.
    if let live = await manager.live() { throw busy(live, for: context) }
    let workspace = try await workspace(for: asked, in: context)
    let (request, openCodeEnvironment) = try await onThread {
      var plan = try StartPlan(asked, workspace: workspace.folder, state: state, environment: environment)
      try plan.settleSession()
      return try plan.request(
        from: StartCaller(threadID: context.threadID, sessionID: context.sessionID, codex: context.codexExecutable), sandboxIsReadOnly: sandboxed)
    }
    try await FullAccessConsent(request: request, environment: environment).require(in: context)
    // Cancelled before anything was started: then nothing is.
    try Task.checkCancellation()
    switch try await manager.start(request, environment: openCodeEnvironment) {
    case .accepted(var run):
      if case .folder(_, let remark?) = workspace { run.notes.append(remark) }
      return run
    case .busy(let run): throw busy(run, for: context)
    }
  }

  /// With the models that a name without its provider may mean.
  private func suggesting(_ refusal: RunRefusal, for model: String?) async -> RunRefusal {
    guard let model, !model.contains("/"), refusal.message.hasPrefix("\"model\"") else { return refusal }
    let list = try? await OpenCodeAccess(manager: manager).ask(in: nil, deadline: .after(8)) { client, deadline in
      try client.models(deadline: deadline)
    }
    let name = model.prefix { $0 != "#" }
    let close = closestModels(to: String(name), in: list?.models.map(\.id) ?? [])
    if close.isEmpty { return refusal }
    return .badArgument(refusal.message, hint: "It must be provider/model. Did you mean \(close.joined(separator: ", or "))?")
  }

  /// The folder to start from, where the arguments don't settle it.
  private func workspace(for asked: StartArguments, in context: CallContext) async throws -> WorkspaceFinder.Found {
    if let cwd = asked.cwd, FileURL.path(cwd) != nil { return context.workspace.map { .folder($0) } ?? .unknown() }
    let found = try await WorkspaceFinder(environment: manager.environment).find(for: context)
    if asked.cwd == nil, asked.session == nil, case .unknown(let why?) = found { throw StartPlan.cwdNeeded(why) }
    return found
  }

  /// Whether the run that this server was started in goes on. One that isn't kept here may: its state folder is another.
  private func isAlive(_ run: String) async -> Bool {
    guard RunID.isValid(run) else { return false }
    return (try? await manager.snapshot(run))?.isOver != true
  }

  /// OpenCode loads its user's MCP servers, this one perhaps among them, in a run of ours as well.
  private static func nested(_ run: String) -> RunRefusal {
    RunRefusal(
      code: .nested, message: "This is OpenCode's run \(run.prefix(60)) itself, started by opencode-worker: a run can't start another. Nothing was started.",
      hint: "Do the work yourself, here. The other tools of this server work.")
  }

  private func busy(_ run: RunSnapshot?, for context: CallContext) -> RunRefusal {
    let run = run.map { manager.owned($0, by: context.threadID) }
    let age = run.map { Int($0.seconds) } ?? 0
    let which = run.map { ": \($0.folder.id) (\($0.record.request.title)) in \($0.record.request.cwd), since \(age) s" } ?? ""
    return RunRefusal(
      code: .busy, message: "A run is alive\(which). Nothing was started.",
      hint: run?.isForeign == true
        ? "It is another conversation's: don't review it. Start yours when it has ended (opencode_wait with run)."
        : "One run at a time: opencode_wait for it, or do something else meanwhile.", run: run)
  }
}
