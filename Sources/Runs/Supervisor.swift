import Foundation
import OpenCode
import PosixSupport
import Text
import Workspace

/// The owner of one run: takes the lock, starts OpenCode, follows its logs, records its end. A process of its own, in a session of
/// its own, so that nothing that happens to the server or to Codex reaches it.
package struct Supervisor {
  package let state: StateFolder
  package let report: SupervisorReport
  /// OpenCode's environment is this, less what is ours.
  package let environment: [String: String]
  /// The review as JSON, for the user's own program (`EndCall`).
  private let review: @Sendable (RunFolder) -> [UInt8]?

  package init(
    state: StateFolder, report: SupervisorReport, environment: [String: String], review: @escaping @Sendable (RunFolder) -> [UInt8]? = { _ in nil }
  ) {
    self.review = review
    self.state = state
    self.report = report
    self.environment = environment
  }

  /// What became of a start.
  private enum Claim {
    case mine(FileLock)
    case busy(String?)
  }

  // MARK: - Start

  /// Accepts the run that lies in `staging/NAME` and sees it through, or refuses it.
  package func start(staging name: String) -> Int32 {
    let staging = RunFolder(id: name, path: state.staging + "/" + name)
    do {
      let lock: FileLock
      switch try claim() {
      case .busy(let id):
        try? FileManager.default.removeItem(atPath: staging.path)
        report.send(.busy(id))
        return 0
      case .mine(let taken): lock = taken
      }
      // The lock was free, but a run whose supervisor died may still be alive: it comes first.
      let left = state.unfinishedRuns()
      // The lock file was deleted under a living supervisor: it is putting it back.
      if let owned = try state.runFolders().first(where: { try Fifo.isHeld($0.fifo) }) {
        try? FileManager.default.removeItem(atPath: staging.path)
        report.send(.busy(owned.id))
        return 0
      }
      for run in left { run.declareNeverStarted() }
      if let orphan = left.first(where: \.isProcessAlive) {
        try? FileManager.default.removeItem(atPath: staging.path)
        let claim = RunClaim(orphan, orphan.loadRecord(), in: state, lock: lock, fifo: try Fifo.hold(orphan.fifo))
        report.send(.busy(orphan.id))
        resume(orphan)
        letGo(claim, [orphan])
        return 0
      }
      guard let request = Stored.load(RunRequest.self, from: staging.request) else {
        throw PosixError("read", path: staging.request, code: ENOENT)
      }
      // A review of another run may take its time first, and then what git says now would be old.
      let answers = left.isEmpty ? WorkspaceBaseline.ask(cwd: request.cwd, git: request.git, deadline: .after(Supervisor.recordSeconds)) : nil
      let (folder, record, fifo) = try accept(staging, request)
      let claim = RunClaim(folder, record, in: state, lock: lock, fifo: fifo)
      report.send(.accepted(folder.id))
      // Runs that ended with their supervisor get their review now, before this one changes the workspace further.
      for dead in left { finishDead(dead) }
      let (retention, written) = carryOut(folder, record, claim, answers)
      letGo(claim, [folder] + left) { written.tidy() }
      // Deleting old runs may take longer than the run did.
      retention?.wait()
      return 0
    } catch {
      try? FileManager.default.removeItem(atPath: staging.path)
      report.send(.failed("\(error)"))
      return 1
    }
  }

  /// Takes the lock, or finds out who has it.
  private func claim() throws -> Claim {
    let deadline = Deadline.after(3)
    while true {
      if let lock = try FileLock.take(state.liveLock) { return .mine(lock) }
      // Between its lock and its name in the file a new run has no id yet; one with a review is just letting go: look again.
      let named = state.lockedRun().flatMap { PrivateFiles.exists($0.review) ? nil : $0 }
      if let named, try Fifo.isHeld(named.fifo) { return .busy(named.id) }
      if deadline.hasPassed { return .busy(named?.id) }
      usleep(5_000)
    }
  }

  /// Gives the runs up, now that they have ended; then tells the user's own program, and Codex where that is wanted and nobody has waited.
  /// - Parameter rest: what nobody who waits for the end needs
  private func letGo(_ claim: RunClaim, _ folders: [RunFolder], rest: () -> Void = {}) {
    claim.release()
    rest()
    for folder in folders { EndCall.tell(of: folder, environment: environment, review: review) }
    for folder in folders { folder.loadRecord()?.request.wake?.tell(of: folder, environment: environment) }
  }

  /// Turns the staging folder into a run: the rename is the acceptance. The FIFO is held before anybody can see the run.
  private func accept(_ staging: RunFolder, _ request: RunRequest) throws -> (RunFolder, RunRecord, Descriptor) {
    let fifo = try Fifo.hold(staging.fifo)
    try ExitRecord.create(staging.exit)
    while true {
      let now = Date()
      let folder = state.run(RunID.make(at: now, after: state.runFolders().first?.id))
      let record = RunRecord(id: folder.id, staging: staging.id, startedAt: now.timeIntervalSince1970, startedSinceBoot: .now, request: request)
      try Stored.save(record, to: staging.record, durable: true)
      guard !PrivateFiles.exists(folder.path) else { continue }
      guard rename(staging.path, folder.path) == 0 else { throw PosixError("rename", path: folder.path) }
      return (folder, record, fifo)
    }
  }

  /// Seconds for recording the workspace before the run, and until recording that hangs is given up.
  private static let recordSeconds = 20.0
  private static let recordPatience = 30.0

  /// From the workspace before to the review after.
  /// - Parameter answers: what git was asked in the meantime
  /// - Returns: the deletion of old runs, which may still be at work; and what is left to do when nobody waits any more
  private func carryOut(
    _ folder: RunFolder, _ record: RunRecord, _ claim: RunClaim, _ answers: Begun<GitAnswers>?
  ) -> (RetentionWork?, RunEnding.Written) {
    let request = record.request
    // What is to become OpenCode is got ready meanwhile.
    let environment = environment
    let recording = Begun {
      WorkspaceBaseline.record(
        cwd: request.cwd, runFolder: folder.path, git: request.git, deadline: .after(Supervisor.recordSeconds), asked: answers)
    }
    let ready = Result { try ReadyLaunch(folder, request, environment: environment) }
    let recorded = recording.value(deadline: .after(Supervisor.recordPatience))
    let baseline =
      recorded ?? WorkspaceBaseline.notRecorded(cwd: request.cwd, why: "recording the workspace took more than \(Int(Supervisor.recordPatience)) s")
    note("workspace", in: folder) { try Stored.save(baseline, to: folder.workspace) }
    var log = RunLog(folder, record)
    let child: ChildProcess
    do {
      child = try ready.get().go()
    } catch {
      report.send(.ended)
      let end = RunEnd.spawnFailed("\(error)")
      try? ExitRecord.write(.init(end: end, at: record.clock), to: folder.exit)
      let written = RunEnding(folder: folder, record: record, environment: environment)
        .conclude(end, baseline: baseline, log: &log, endSeen: true, tell: { claim.tell(problem: $0) })
      return (nil, written)
    }
    report.send(.running)
    RunEnding.getReady(record)
    let retention = RetentionWork(Retention(state: state, environment: environment, keeping: folder))
    var disk = DiskWatch(folder)
    let questions = LiveQuestions(record, environment: environment)
    let model = ModelQuestion(record, environment: environment)
    var status: ExitStatus?
    while status == nil {
      status = child.wait(deadline: .after(1))
      disk.look()
      guard status == nil else { break }
      log.advance(seconds: 1, asking: questions)
      model?.look(at: log.digest)
    }
    questions?.end()
    let exit = ExitRecord.Value(status: status!, at: record.clock)
    // Never lost: on a disk that takes nothing the lock is kept and it is tried again.
    // Only a folder that was deleted meanwhile asks for nothing more: that is how a run is forgotten.
    while PrivateFiles.exists(folder.path) {
      do {
        try ExitRecord.write(exit, to: folder.exit)
        break
      } catch {
        claim.tell(problem: "exit: \(error)")
        sleep(1)
      }
    }
    claim.tell(problem: nil)
    let written = RunEnding(folder: folder, record: record, environment: environment)
      .conclude(
        exit.end, baseline: baseline, log: &log, endSeen: true, endedAt: exit.at, gaps: disk.gaps, model: model, tell: { claim.tell(problem: $0) })
    return (retention, written)
  }

  // MARK: - Runs whose supervisor died

  /// Takes over a run without an owner: follows it if OpenCode is alive, else gives it its review.
  package func adopt(_ id: String) -> Int32 {
    let folder = state.run(id)
    do {
      guard PrivateFiles.exists(folder.path), !folder.hasReview else {
        report.send(.ended)
        return 0
      }
      guard let lock = try FileLock.take(state.liveLock) else {
        report.send(.busy(state.lockedRun()?.id))
        return 0
      }
      // Again, now that nobody else can begin: another adopter may have finished, or the lock file was deleted under a supervisor.
      guard try !Fifo.isHeld(folder.fifo), !folder.hasReview else {
        report.send(.ended)
        return 0
      }
      let claim = RunClaim(folder, folder.loadRecord(), in: state, lock: lock, fifo: try Fifo.hold(folder.fifo))
      report.send(.accepted(id))
      folder.declareNeverStarted()
      if folder.isProcessAlive {
        resume(folder)
      } else if let why = finishDead(folder) {
        report.send(.failed(why))
      }
      letGo(claim, [folder])
      return 0
    } catch {
      report.send(.failed("\(error)"))
      return 1
    }
  }

  /// Goes on where the dead supervisor was. OpenCode isn't our child: its exit status can't be had.
  private func resume(_ folder: RunFolder) {
    report.send(.running)
    guard let record = folder.loadRecord() else { return }
    var log = RunLog(folder, record)
    let questions = LiveQuestions(record, environment: environment)
    var disk = DiskWatch(folder)
    var ticks = 0
    while folder.isProcessAlive {
      usleep(50_000)
      ticks += 1
      if ticks % 20 == 0 {
        disk.look()
        log.advance(seconds: 1, asking: questions)
      }
    }
    questions?.end()
    finishDead(folder, gaps: disk.gaps)
  }

  /// The review of a run that ended while nobody watched.
  /// - Returns: why it could not be written
  @discardableResult
  private func finishDead(_ folder: RunFolder, gaps: [String] = []) -> String? {
    guard let record = folder.loadRecord() else { return "the run's record can't be read: \(folder.record)" }
    let held = try? Fifo.hold(folder.fifo)
    defer { held?.close() }
    var log = RunLog(folder, record)
    let (end, endedAt) = folder.endWithoutSupervisor
    let written = RunEnding(folder: folder, record: record, environment: environment).conclude(
      end, baseline: Stored.load(WorkspaceBaseline.self, from: folder.workspace), log: &log, endSeen: false, endedAt: endedAt, gaps: gaps)
    written.tidy()
    return written.failure
  }

  private func note(_ what: String, in folder: RunFolder, _ body: () throws -> Void) {
    do { try body() } catch { SupervisorLog.append("\(what): \(error)", in: folder) }
  }
}

/// Why `launch` did not become OpenCode.
package struct LaunchFailure: Error, CustomStringConvertible {
  package let reason: String
  package var description: String { reason }
}

/// Whether the disk that holds a run's log was full while the run was alive: what OpenCode couldn't write then is missing.
private struct DiskWatch {
  /// Bytes; less isn't room for an event.
  private static let little: Int64 = 64 << 10
  private let folder: RunFolder
  private var wasFull = false

  init(_ folder: RunFolder) { self.folder = folder }

  mutating func look() {
    if let free = PrivateFiles.freeSpace(folder.path), free < DiskWatch.little { wasFull = true }
  }

  var gaps: [String] { wasFull ? ["the disk of \(folder.path) was full during the run: its log may have been cut"] : [] }
}

/// Lines for whoever looks into a run's folder.
package enum SupervisorLog {
  package static func append(_ text: String, in folder: RunFolder) {
    guard let file = try? Descriptor.openPrivate(folder.supervisorLog, O_WRONLY | O_APPEND) else { return }
    defer { file.close() }
    try? file.writeAll(Array("\(Timestamp.text(Date().timeIntervalSince1970)) \(text)\n".utf8))
  }
}
