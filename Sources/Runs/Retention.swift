import Foundation
import PosixSupport

/// How much of the past is kept. Applied by supervisors only, never to the live run.
package struct Retention: Sendable {
  package let state: StateFolder
  package let keeping: RunFolder
  package let runs: Int
  package let days: Int
  package let bytes: Int64

  /// So many of the newest runs are kept whatever their age is: after a pause, or a clock that was wrong for a moment, there is still a past.
  private static let newest = 5

  /// Limits from `OPENCODE_WORKER_KEEP_RUNS`, `_KEEP_DAYS` and `_KEEP_BYTES`; what isn't a positive number counts as not set.
  package init(state: StateFolder, environment: [String: String], keeping: RunFolder) {
    func limit(_ name: String, _ standard: Int64) -> Int64 { environment[name].flatMap(Int64.init).flatMap { $0 > 0 ? $0 : nil } ?? standard }
    self.state = state
    self.keeping = keeping
    runs = Int(clamping: limit("OPENCODE_WORKER_KEEP_RUNS", 50))
    days = Int(clamping: limit("OPENCODE_WORKER_KEEP_DAYS", 30))
    bytes = limit("OPENCODE_WORKER_KEEP_BYTES", 1 << 30)
  }

  /// Deletes what is beyond the limits, the largest part of the work last. Blocks.
  package func apply() {
    for run in superfluous() {
      // Away under another name first: a run that is half deleted mustn't be taken for one whose end nobody saw.
      guard (try? PrivateFiles.createFolder(state.deleted)) != nil else { break }
      let aside = "\(state.deleted)/\(run.id)-\(UInt32.random(in: 0 ... .max))"
      if rename(run.path, aside) != 0 { continue }
    }
    // Also what a supervisor left that was killed while it deleted.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: state.deleted)) ?? [] {
      try? FileManager.default.removeItem(atPath: "\(state.deleted)/\(name)")
    }
    // Left by servers that died between writing a request and handing it over.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: state.staging)) ?? [] {
      let path = state.staging + "/" + name
      let changed = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
      if let changed, changed.timeIntervalSinceNow < -3600 { try? FileManager.default.removeItem(atPath: path) }
    }
  }

  /// The runs that the limits leave no room for, newest first. One that is too large goes itself, not the smaller ones before it; the live
  /// run takes no room from the others.
  private func superfluous() -> [RunFolder] {
    let oldest = RunID.make(at: Date(timeIntervalSinceNow: -Double(min(days, 36_500)) * 86_400))
    var (total, kept): (Int64, Int) = (0, 0)
    return state.runFolders().filter { run in
      let isOld = run.id < oldest
      if run == keeping || (!PrivateFiles.exists(run.review) && !isOld) || (try? Fifo.isHeld(run.fifo)) != false {
        kept += 1
        return false
      }
      if kept >= runs || (isOld && kept >= Retention.newest) { return true }
      let size = DiskUse.bytes(below: run.path)
      if total + size > bytes { return true }
      total += size
      kept += 1
      return false
    }
  }
}

/// Retention at work beside a run.
package final class RetentionWork: Sendable {
  private let done = DispatchGroup()

  /// Begins on a thread of its own.
  package init(_ retention: Retention) {
    done.enter()
    Thread.detachNewThread { [done] in
      retention.apply()
      done.leave()
    }
  }

  package func wait() { done.wait() }
}
