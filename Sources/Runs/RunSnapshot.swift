import Foundation
import PosixSupport

/// What is known of a run at one moment.
package struct RunSnapshot: Sendable {
  package enum Phase: Sendable, Equatable {
    /// Accepted; OpenCode isn't running yet.
    case starting
    /// OpenCode is alive.
    case running
    /// OpenCode has ended; its supervisor is recording the result.
    case finishing
    case ended
  }

  package let folder: RunFolder
  package let record: RunRecord
  package let phase: Phase
  package let digest: RunDigest
  /// Once it has ended.
  package let review: RunReview?
  /// OpenCode's process while it is alive; it leads a process group.
  package let process: ProcessIdentity?
  /// What a reader of this reply should know besides: most important first.
  package var remarks: [String] = []
  /// It is alive, and another conversation started it than the one that asks.
  package var isForeign = false

  package var isOver: Bool { phase == .ended }

  /// Whether OpenCode has printed any event yet.
  package var hasSpoken: Bool { digest.lastEventAt != nil }

  /// As `docs/tools.md` names it.
  package var state: String {
    switch phase {
    case .starting: "starting"
    case .running, .finishing: "running"
    case .ended: review?.outcome.state.rawValue ?? "lost"
    }
  }
}

/// What a look at a run's folder finds.
package enum RunFinding: Sendable {
  case known(RunSnapshot)
  /// Its supervisor died before writing the review: somebody has to take it over.
  case orphan
  /// What was asked and when can't be read; which file, and why.
  case damaged(String)
  /// No such run.
  case none
}

extension RunFolder {
  /// Looks, without changing anything.
  /// - Throws: `PosixError` when there is no descriptor left to look with
  package func look() throws -> RunFinding {
    guard PrivateFiles.exists(path) else { return .none }
    guard let record = try findRecord() else { return PrivateFiles.exists(path) ? .damaged(damage(of: record)) : .none }
    // While its supervisor holds the run it hasn't ended, whatever lies in its folder.
    if try Fifo.isHeld(fifo) { return .known(unfinished(record)) }
    return try finished(record).map(RunFinding.known) ?? .orphan
  }

  private func damage(of file: String) -> String {
    do {
      let bytes = try PrivateFiles.read(file)
      return "\(file): \(bytes.isEmpty ? "empty" : "not what a supervisor writes")"
    } catch {
      return "\(error)"
    }
  }

  /// A record that is whole; else what can be told from the request and the run's id.
  /// - Throws: `PosixError` when it can't be told
  package func findRecord() throws -> RunRecord? {
    if let record = try Stored.find(RunRecord.self, at: record) { return record }
    guard let request = try Stored.find(RunRequest.self, at: request), let started = RunID.time(of: id) else { return nil }
    return RunRecord(id: id, staging: "", startedAt: started, request: request)
  }

  private func finished(_ record: RunRecord) throws -> RunSnapshot? {
    guard let review = try Stored.find(RunReview.self, at: review) else { return nil }
    let digest = try Stored.find(RunDigest.self, at: digest)
    var log = RunLog(self, record)
    if digest == nil { log.catchUp(final: true, seconds: RunFolder.patienceForLog) }
    return RunSnapshot(
      folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil, remarks: [log.backlog].compactMap { $0 } + recordRemarks)
  }

  /// Seconds that a reply may spend on a log whose digest is gone, and on what a live one has gained since.
  private static let patienceForLog = 2.0
  private static let patienceForLiveLog = 0.05

  /// What is wrong with the run's record, when it could be made good.
  private var recordRemarks: [String] {
    Stored.load(RunRecord.self, from: record) == nil ? ["the run's record is damaged (\(damage(of: record))): what was asked is from its request"] : []
  }

  /// A run without a review, as it stands.
  package func unfinished(_ record: RunRecord) -> RunSnapshot {
    var log = RunLog(self, record)
    log.catchUp(seconds: RunFolder.patienceForLiveLog)
    let process = process
    let phase: RunSnapshot.Phase =
      if PrivateFiles.exists(processPath) { process?.isAlive == true ? .running : .finishing } else { .starting }
    return RunSnapshot(
      folder: self, record: record, phase: phase, digest: log.digest, review: nil, process: phase == .running ? process : nil,
      remarks: stuck(now: Date().timeIntervalSince1970) + [log.backlog].compactMap { $0 } + recordRemarks)
  }

  /// The result of a run that nobody could record: worked out for this reply only.
  package func workedOut(_ record: RunRecord, because why: String) -> RunSnapshot {
    var log = RunLog(self, record)
    log.catchUp(final: true, seconds: RunFolder.patienceForLog)
    let (end, at) = endWithoutSupervisor
    let review = RunReview.make(
      end, at: at ?? log.digest.lastEventAt ?? record.startedAt, record: record, digest: log.digest,
      changes: .notRecorded(root: record.request.cwd, why: "the result could not be recorded: \(why)"))
    return RunSnapshot(
      folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil,
      remarks: ["the result could not be recorded: \(why)"] + [log.backlog].compactMap { $0 })
  }
}
