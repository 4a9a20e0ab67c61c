import Foundation
import PosixSupport

/// Starts runs and says what is known of them. Several servers do this at once on one state folder; what they know is on disk, so this
/// actor holds only what spares work. It never ends a run.
package actor RunManager {
  package nonisolated let state: StateFolder
  package nonisolated let environment: [String: String]
  /// Runs that could not be taken over, and when that was last tried.
  private var refusedAdoptions: [String: (at: Double, why: String)] = [:]
  /// The ends that requests are waiting for: one thread and one descriptor each, however many wait.
  private var releases: [String: RunRelease] = [:]
  /// The stalls that a wait has come back for, by run: each is told once.
  private var toldStalls: [String: Set<Stall>] = [:]
  private let gate = Gate(width: 8)

  package init(state: StateFolder, environment: [String: String]) {
    self.state = state
    self.environment = environment
  }

  // MARK: - Starting

  /// What became of a start.
  package enum Start: Sendable {
    case accepted(RunSnapshot)
    case busy(RunSnapshot?)
  }

  /// Seconds until a start that is still recording the workspace is answered with `starting`.
  package static let startPatience = 2.0

  /// Hands a request over to a supervisor of its own.
  /// - Throws: `RunRefusal` when nothing was started
  package func start(_ request: RunRequest, environment openCodeEnvironment: [String: String]) async throws -> Start {
    let name = "\(RunID.make(at: Date()))-\(UInt32.random(in: 0 ... .max))"
    let state = state
    let environment = openCodeEnvironment.merging(environment.filter { $0.key.hasPrefix("OPENCODE_WORKER_") }) { _, ours in ours }
    let answer: SupervisorMessage? = try await onThread {
      try RunManager.stage(request, as: name, in: state)
      let channel: SupervisorChannel
      do {
        channel = try RunManager.spawnSupervisor(["--state", state.root, "--staging", name], environment: environment)
      } catch {
        try? FileManager.default.removeItem(atPath: state.staging + "/" + name)
        throw RunManager.notSpawned("\(error)")
      }
      let first = channel.next(seconds: 30)
      // OpenCode is alive, or it could not be started: worth a moment, so that the reply can say so.
      if case .accepted? = first { _ = channel.next(seconds: RunManager.startPatience) }
      return first
    }
    switch answer {
    case .accepted(let id)?: return .accepted(try await snapshot(id))
    case .busy(let id)?:
      guard let id else { return .busy(nil) }
      return .busy(try? await snapshot(id))
    case .failed(let why)?: throw RunManager.unwritable(why, state)
    case .notSpawned(let why)?:
      try? FileManager.default.removeItem(atPath: state.staging + "/" + name)
      throw RunManager.notSpawned(why)
    case .running?, .ended?, nil:
      return .accepted(try await snapshot(try RunManager.findAccepted(name, in: state)))
    }
  }

  /// Writes the request into a staging folder.
  private static func stage(_ request: RunRequest, as name: String, in state: StateFolder) throws {
    let folder = RunFolder(id: name, path: state.staging + "/" + name)
    do {
      try state.create()
      try PrivateFiles.createFolder(folder.path)
      try Stored.save(request, to: folder.request)
      try PrivateFiles.replace(folder.prompt, with: Array(request.prompt.utf8))
    } catch {
      try? FileManager.default.removeItem(atPath: folder.path)
      throw unwritable("\(error)", state)
    }
  }

  private static func unwritable(_ why: String, _ state: StateFolder) -> RunRefusal {
    RunRefusal(
      code: .stateUnwritable, message: "The run can't be recorded: \(why). Nothing was started.",
      hint: "Check free space and permissions of \(state.root), then start again.")
  }

  private static func notSpawned(_ why: String) -> RunRefusal {
    RunRefusal(
      code: .opencodeFailed, message: "The run's supervisor can't be started: \(why). Nothing was started.",
      hint: "Start again; `opencode-worker doctor` shows what may be wrong.")
  }

  /// A supervisor that died without a word has accepted the run or has not: the staging folder tells.
  private static func findAccepted(_ name: String, in state: StateFolder) throws -> String {
    // Taken away first, under another name: a supervisor that is only slow can't accept it any more.
    let (staged, refused) = (state.staging + "/" + name, state.staging + "/" + name + ".refused")
    if rename(staged, refused) != 0, let run = state.runFolders().prefix(5).first(where: { $0.loadRecord()?.staging == name }) { return run.id }
    try? FileManager.default.removeItem(atPath: refused)
    throw RunRefusal(
      code: .opencodeFailed, message: "The run's supervisor ended before it accepted the run. Nothing was started.",
      hint: "Start again; `opencode-worker doctor` shows what may be wrong.")
  }

  /// A supervisor is nobody's child: found by its run's files alone, and heard through this pipe as long as both live.
  private static func spawnSupervisor(_ arguments: [String], environment: [String: String]) throws -> SupervisorChannel {
    let pipe = try Descriptor.pipe()
    defer { pipe.write.close() }
    let channel = SupervisorChannel(pipe.read)
    _ = try SpawnedProcess(
      OwnProcess.executable, ["detach"] + arguments, environment: environment, folder: "/", leading: .group, output: pipe.write)
    return channel
  }

  // MARK: - Looking

  /// What is known of a run. A run that its supervisor left is given a new one first.
  /// - Throws: `RunRefusal` (`no_such_run`)
  package func snapshot(_ id: String) async throws -> RunSnapshot {
    guard RunID.isValid(id) else { throw RunManager.noSuchRun(id) }
    let folder = state.run(id)
    for attempt in 0..<200 {
      switch try await gate.onThread({ try folder.look() }) {
      case .known(let snapshot):
        refusedAdoptions[id] = nil
        return snapshot
      case .none: throw RunManager.noSuchRun(id)
      case .damaged(let why):
        throw RunRefusal(
          code: .runDamaged, message: "There is a run \"\(id)\", but its record can't be read: \(why).",
          hint: "Its log may still be whole: \(folder.events). Deleting the folder \(folder.path) forgets the run.")
      case .orphan:
        if let refused = refusedAdoptions[id], Monotonic.now - refused.at < 5 { return try await abandoned(folder, refused.why) }
        if attempt % 20 == 0, let why = await adopt(folder) { refusedAdoptions[id] = (Monotonic.now, why) }
        try await Task.sleep(nanoseconds: 10_000_000)
      }
    }
    return try await abandoned(folder, "another run's supervisor is at work")
  }

  private static func noSuchRun(_ id: String) -> RunRefusal {
    RunRefusal(code: .noSuchRun, message: "There is no run \"\(id.prefix(60))\".", hint: "opencode_runs lists the runs that are kept.")
  }

  /// Spawns a supervisor for a run that has none.
  /// - Returns: why that failed; nil also when another supervisor was first
  private func adopt(_ folder: RunFolder) async -> String? {
    let (root, environment) = (state.root, environment)
    return await onThread {
      do {
        let channel = try RunManager.spawnSupervisor(["--state", root, "--adopt", folder.id], environment: environment)
        switch channel.next(seconds: 10) {
        case .failed(let why)?, .notSpawned(let why)?: return why
        case .accepted?:
          // A dead run is finished in a moment, unless OpenCode has to be asked about subagents: then it shows as running meanwhile.
          if case .failed(let why)? = channel.next(seconds: 1) { return why }
          return nil
        case nil: return "its new supervisor ended at once"
        case .busy?, .running?, .ended?: return nil
        }
      } catch {
        return "\(error)"
      }
    }
  }

  /// A run that has no supervisor and can't be given one.
  private func abandoned(_ folder: RunFolder, _ why: String) async throws -> RunSnapshot {
    let found: RunSnapshot? = try await gate.onThread {
      guard let record = try folder.findRecord() else { return nil }
      // Before anything is said of its process: whether that can be read at all.
      _ = try Stored.find(ProcessRecord.self, at: folder.processPath)
      if folder.isProcessAlive {
        var snapshot = folder.unfinished(record)
        snapshot.remarks.insert("this run's supervisor died and could not be replaced: \(why)", at: 0)
        return snapshot
      }
      return folder.workedOut(record, because: why)
    }
    guard let found else { throw RunManager.noSuchRun(folder.id) }
    return found
  }

  /// The run that is alive, whoever started it.
  package func live() async -> RunSnapshot? {
    let state = state
    let candidates: [String] = await gate.onThread { (state.lockedRun().map { [$0.id] } ?? []) + state.unfinishedRuns().map(\.id) }
    for id in candidates {
      if let snapshot = try? await snapshot(id), !snapshot.isOver { return snapshot }
    }
    return nil
  }

  /// The run that a tool is about: the one named, `latest` being the newest of all; else the live one; else this conversation's latest; else the latest of all.
  /// - Parameters:
  ///   - thread: Codex's conversation; nil when that isn't known
  ///   - prefersOwn: another conversation's live run comes after this one's latest
  /// - Returns: nil when there has been none
  /// - Throws: `RunRefusal` (`no_such_run`)
  package func resolve(_ id: String?, thread: String?, prefersOwn: Bool = false) async throws -> RunSnapshot? {
    if id == "latest" {
      let state = state
      guard let latest = await gate.onThread({ state.runFolders().first?.id }) else { return nil }
      return owned(try await snapshot(latest), by: thread)
    }
    if let id { return owned(try await snapshot(id), by: thread) }
    let live = await live().map { owned($0, by: thread) }
    if let live, !(live.isForeign && prefersOwn) { return live }
    let state = state
    let latest: (id: String, foreign: Bool)? = await gate.onThread {
      let runs = state.runFolders()
      if let thread, let own = runs.first(where: { $0.loadRecord()?.request.threadID == thread }) { return (own.id, false) }
      return (runs.first { $0.loadRecord() != nil } ?? runs.first).map { ($0.id, thread != nil) }
    }
    if let live, latest?.foreign != false { return live }
    guard let latest else { return nil }
    var snapshot = try await snapshot(latest.id)
    if latest.foreign { snapshot.notes.append("not started by this conversation") }
    return snapshot
  }

  /// - Parameter thread: nil: nobody's conversation
  package nonisolated func owned(_ run: RunSnapshot, by thread: String?) -> RunSnapshot {
    var run = run
    run.isForeign = thread.map { !Conversation([$0]).started(run.record.request) } ?? false
    return run
  }

  // MARK: - Waiting

  /// Waits until the run has ended or `seconds` have passed. Cancelling ends the wait only.
  /// - Parameter follow: called about once a second while the run goes on
  package func wait(for id: String, seconds: Double, follow: (@Sendable (RunSnapshot) async -> Void)? = nil) async throws -> RunSnapshot {
    try await wait(for: id, seconds: seconds, patience: nil, follow: follow).run
  }

  /// The same, but comes back early when somebody must decide: once for each stall.
  package func wait(
    for id: String, seconds: Double, patience: Patience?, follow: (@Sendable (RunSnapshot) async -> Void)? = nil
  ) async throws -> (run: RunSnapshot, stall: Stall?) {
    let deadline = Deadline.after(seconds)
    // What an earlier wait has told is no news to this one; two that wait at the same time both tell.
    let told = toldStalls[id] ?? []
    while true {
      try Task.checkCancellation()
      let snapshot = try await snapshot(id)
      if snapshot.isOver {
        toldStalls[id] = nil
        return (snapshot, nil)
      }
      let left = deadline.left
      if left <= 0 { return (snapshot, nil) }
      await follow?(snapshot)
      var slice = follow == nil ? left : min(left, 1)
      if let patience {
        let looks = patience.look(at: snapshot, lastSign: snapshot.folder.lastSign)
        let news = looks.filter { !told.contains($0.stall) }
        if let due = news.first(where: { $0.left <= 0 }) {
          toldStalls[id, default: []].insert(due.stall)
          return (snapshot, due.stall)
        }
        // A stall that isn't foreseeable yet takes as long to become one; so does a run that is only starting.
        slice = min(slice, news.map(\.left).min() ?? .infinity, min(patience.provider, patience.silence))
        slice = max(slice, min(left, 0.05))
      }
      if let release = try release(of: snapshot.folder) {
        await release.wait(seconds: slice)
      } else {
        // No supervisor for now: its successor may be on its way.
        try await Task.sleep(nanoseconds: UInt64(min(slice, snapshot.remarks.isEmpty ? 0.01 : 1) * 1e9))
      }
    }
  }

  /// What tells of the end of the run's supervisor; nil when it has none.
  /// - Throws: `PosixError` when it can't be told
  private func release(of folder: RunFolder) throws -> RunRelease? {
    if let known = releases[folder.id], !known.isOver { return known }
    releases = releases.filter { !$0.value.isOver }
    guard let watch = try Fifo.watch(folder.fifo) else { return nil }
    let release = RunRelease(watch)
    releases[folder.id] = release
    return release
  }
}
