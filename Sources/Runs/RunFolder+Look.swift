import Foundation
import PosixSupport

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
    return RunRecord(id: id, staging: "", startedAt: started, request: request, isMadeGood: true)
  }

  private func finished(_ record: RunRecord) throws -> RunSnapshot? {
    guard let review = try Stored.find(RunReview.self, at: review) else { return nil }
    let checkpoint = try Stored.find(RunDigest.self, at: digest)
    var log = RunLog(self, record, checkpoint: checkpoint)
    if checkpoint == nil { log.catchUp(final: true, seconds: RunFolder.patienceForLog) }
    return RunSnapshot(
      folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil,
      remarks: [log.backlog].compactMap { $0 } + remarks(on: record))
  }

  /// Seconds that a reply may spend on a log whose digest is gone, and on what a live one has gained since.
  private static let patienceForLog = 2.0
  private static let patienceForLiveLog = 0.05

  /// What is wrong with the run's record, when it could be made good.
  private func remarks(on record: RunRecord) -> [String] {
    record.isMadeGood ? ["the run's record is damaged (\(damage(of: self.record))): what was asked is from its request"] : []
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
      remarks: stuck(now: Date().timeIntervalSince1970) + [log.backlog].compactMap { $0 } + remarks(on: record))
  }

  /// The result of a run that nobody could record: worked out for this reply only.
  package func workedOut(_ record: RunRecord, because why: String) -> RunSnapshot {
    var log = RunLog(self, record)
    log.catchUp(final: true, seconds: RunFolder.patienceForLog)
    let (end, at) = endWithoutSupervisor
    let review = RunReview.make(
      end, at: at ?? log.digest.lastEventAt ?? record.startedAt, record: record, digest: log.digest,
      changes: .notRecorded(root: record.request.cwd, why: "the result could not be recorded: \(why)"), isOutside: record.isOutside)
    return RunSnapshot(
      folder: self, record: record, phase: .ended, digest: log.digest, review: review, process: nil,
      remarks: ["the result could not be recorded: \(why)"] + [log.backlog].compactMap { $0 })
  }
}
