import Foundation
import JSON
import PosixSupport
import Runs

/// What Codex is told at its hooks about the runs of a conversation. A hook may be killed at any moment, so what it must remember is on
/// disk before it speaks.
struct RunHook: Sendable {
  let manager: RunManager

  /// `OPENCODE_WORKER_STOP_HOOK`.
  enum StopMode: String {
    /// Waits for the end of the run, then asks for the review.
    case wait
    /// Says at once, and once, that a run is alive or not reviewed.
    case remind
    case off

    init(environment: [String: String]) { self = environment["OPENCODE_WORKER_STOP_HOOK"].flatMap(StopMode.init) ?? .wait }
  }

  /// Seconds that Codex gives a hook that waits: it is set so where the hooks are installed.
  static let timeout = 86_400
  private static let patience = Double(timeout - 60)

  /// The answer for stdout; nil: nothing is to be said.
  func answer(to event: HookEvent) async throws -> JSONValue? {
    switch event.kind {
    case .sessionStart: await sessionStart(event)
    case .postToolUse: try await postToolUse(event)
    case .stop: try await stop(event)
    case .interrupt: try await interrupt(event)
    }
  }

  // MARK: - A session begins

  private func sessionStart(_ event: HookEvent) async -> JSONValue? {
    let state = manager.state
    let line: String? = await onThread {
      let runs = state.glances()
      let own = runs.filter { event.conversation.started($0.record.request) && !$0.folder.has(.reviewed, by: event.conversation) }
      if let run = own.first(where: \.isAlive) ?? own.first { return RunHook.line(run, "of this conversation", more: own.count - 1) }
      guard let folder = event.folder.flatMap({ PrivateFiles.resolved($0) }) else { return nil }
      let here = runs.filter { $0.record.request.cwd == folder && $0.folder.readers(of: .reviewed).isEmpty }
      return (here.first(where: \.isAlive) ?? here.first).map { RunHook.line($0, "in this folder", more: here.count - 1) }
    }
    return line.map { RunHook.context(.sessionStart, $0) }
  }

  private static func line(_ run: RunGlance, _ whose: String, more: Int) -> String {
    let id = run.folder.id
    let others = more > 0 ? " (\(more) more: opencode_runs)" : ""
    return run.isAlive
      ? "opencode-worker: run \(id) \(whose) is still alive; call opencode_wait with run \"\(id)\"\(others)"
      : "opencode-worker: run \(id) \(whose) ended (\(run.ending)) and was not reviewed; call opencode_wait with run \"\(id)\"\(others)"
  }

  // MARK: - A run was started

  private func postToolUse(_ event: HookEvent) async throws -> JSONValue? {
    guard let run = event.startedRun else { return nil }
    guard try await manager.wait(for: run, seconds: RunHook.patience).isOver else { return nil }
    let folder = manager.state.run(run)
    // Whoever waited for the same end is just being told: a call of the model's, or a hook at the turn's end.
    let deadline = Deadline.after(2)
    repeat {
      if await onThread({ RunMark.endTaken.contains { folder.has($0, by: event.conversation) } }) { return nil }
      try await Task.sleep(nanoseconds: 50_000_000)
    } while !deadline.hasPassed
    guard let glance = await onThread({ RunGlance(folder) }) else { return nil }
    let isOver = await onThread { [RunMark.stopping, .interrupted].contains { folder.has($0, by: event.conversation, since: glance.record.startedAt) } }
    if isOver {
      // The turn is over: what is said here would come with the next one, and the wake-up begins one.
      if glance.record.request.wake != nil { return nil }
    } else {
      try await onThread { for id in event.conversation.ids { try folder.add(.told, by: id) } }
    }
    return RunHook.context(.postToolUse, "run \(run) ended: \(glance.ending); call opencode_wait")
  }

  // MARK: - A turn was interrupted

  /// What is still sent to a call of that turn is thrown away, without a word to the server (seen on 0.163): it is no review.
  private func interrupt(_ event: HookEvent) async throws -> JSONValue? {
    let state = manager.state
    try await onThread {
      for run in state.glances() where event.conversation.started(run.record.request) && !run.folder.has(.reviewed, by: event.conversation) {
        for id in event.conversation.ids { try run.folder.add(.interrupted, by: id) }
      }
    }
    return nil
  }

  private static func context(_ kind: HookEvent.Kind, _ text: String) -> JSONValue {
    ["hookSpecificOutput": ["hookEventName": .string(kind.rawValue), "additionalContext": .string(text)]]
  }

  // MARK: - A turn ends

  private func stop(_ event: HookEvent) async throws -> JSONValue? {
    let mode = StopMode(environment: manager.environment)
    guard mode != .off else { return nil }
    let state = manager.state
    var due = await onThread { RunHook.due(state.glances(), event) }
    // Before the waiting, which may be ended without notice: until then the end is this hook's to tell.
    let alive = due.filter { $0.review == nil }
    let held = try await onThread { try alive.flatMap { run in try event.conversation.ids.compactMap { try run.folder.addHeld(.stopping, by: $0) } } }
    defer { for file in held { file.close() } }
    if mode == .wait {
      for run in due where run.review == nil {
        guard try await manager.wait(for: run.folder.id, seconds: RunHook.patience).isOver else { break }
      }
      // A wait of the same conversation may have got the review meanwhile.
      if due.contains(where: { $0.review == nil }) { due = await onThread { RunHook.due(state.glances(), event) } }
    }
    let runs = due
    guard !runs.isEmpty else { return nil }
    try await onThread {
      for run in runs { for id in event.conversation.ids { try run.folder.add(.reminded, by: id) } }
    }
    return ["decision": "block", "reason": .string(RunHook.reason(runs))]
  }

  /// The conversation's runs that it has neither reviewed nor been reminded of, newest first. In a turn that goes on because of a Stop
  /// hook only those that it has started since our last reminder: or a turn might never end.
  static func due(_ runs: [RunGlance], _ event: HookEvent) -> [RunGlance] {
    let own = runs.filter { event.conversation.started($0.record.request) }
    func reminders(_ run: RunGlance) -> [Double] { run.folder.readers(of: .reminded).filter { event.conversation.ids.contains($0.key) }.map(\.value) }
    var due = own.filter { !$0.folder.has(.reviewed, by: event.conversation) && reminders($0).isEmpty }
    if event.stopHookIsActive {
      guard let last = own.flatMap(reminders).max() else { return [] }
      due = due.filter { $0.record.startedAt > last }
    }
    return due
  }

  private static func reason(_ runs: [RunGlance]) -> String {
    func ask(_ run: RunGlance) -> String {
      let id = run.folder.id
      return run.isAlive
        ? "run \(id) is still alive: call opencode_wait with run \"\(id)\"" : "review run \(id): call opencode_wait with run \"\(id)\""
    }
    return "opencode-worker: " + runs.prefix(5).map(ask).joined(separator: "; ") + (runs.count > 5 ? "; \(runs.count - 5) more: opencode_runs" : "")
  }
}
