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

  package var isOver: Bool { phase == .ended }

  /// Whether OpenCode has printed any event yet.
  package var hasSpoken: Bool { digest.lastEventAt != nil }

  /// As `tools.md` names it.
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
  /// No such run.
  case none
}

extension RunFolder {
  /// Looks, without changing anything.
  /// - Throws: `PosixError` when there is no descriptor left to look with
  package func look() throws -> RunFinding {
    guard PrivateFiles.exists(path) else { return .none }
    guard let record = try Stored.find(RunRecord.self, at: record) else { return .none }
    if let over = try finished(record) { return .known(over) }
    guard try Fifo.isHeld(fifo) else {
      // The supervisor may have written its review between the two looks.
      return try finished(record).map(RunFinding.known) ?? .orphan
    }
    return .known(unfinished(record))
  }

  private func finished(_ record: RunRecord) throws -> RunSnapshot? {
    guard let review = try Stored.find(RunReview.self, at: review) else { return nil }
    let digest = try Stored.find(RunDigest.self, at: digest)
    var log = RunLog(self, record)
    if digest == nil { log.catchUp(final: true) }
    return RunSnapshot(folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil)
  }

  /// A run without a review, as it stands.
  package func unfinished(_ record: RunRecord) -> RunSnapshot {
    var log = RunLog(self, record)
    log.catchUp()
    let process = process
    let phase: RunSnapshot.Phase =
      if PrivateFiles.exists(processPath) { process?.isAlive == true ? .running : .finishing } else { .starting }
    return RunSnapshot(
      folder: self, record: record, phase: phase, digest: log.digest, review: nil, process: phase == .running ? process : nil)
  }

  /// The result of a run that nobody could record: worked out for this reply only.
  package func workedOut(_ record: RunRecord, because why: String) -> RunSnapshot {
    var log = RunLog(self, record)
    log.catchUp(final: true)
    let (end, at) = endWithoutSupervisor
    let review = RunReview.make(
      end, at: at ?? log.digest.lastEventAt ?? record.startedAt, record: record, digest: log.digest,
      changes: .notRecorded(root: record.request.cwd, why: "the result could not be recorded: \(why)"))
    return RunSnapshot(
      folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil,
      remarks: ["the result could not be recorded: \(why)"])
  }
}
