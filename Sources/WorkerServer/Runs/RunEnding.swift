import Foundation
import OpenCode
import PosixSupport

/// The end-work of a run: its logs to the last line, the workspace again, what only OpenCode knows; then the review.
struct RunEnding {
  let folder: RunFolder
  let record: RunRecord
  let environment: [String: String]

  /// Seconds for the workspace and for OpenCode's own answers, both at the same time.
  static let deadline = 10.0

  /// Writes the review. When that fails (a full disk) it is tried again for a while; servers then work the result out themselves.
  func conclude(_ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double? = nil) {
    log.advance(final: true)
    let review = review(end, baseline: baseline, log: &log, endSeen: endSeen, endedAt: endedAt)
    for attempt in 0..<(endSeen ? 10 : 1) {
      if attempt > 0 { sleep(1) }
      do {
        try log.save()
        try Stored.save(review, to: folder.review, durable: true)
        return
      } catch {
        SupervisorLog.append("review: \(error)", in: folder)
      }
    }
  }

  private func review(_ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double?) -> RunReview {
    let endedAt = endedAt ?? Date().timeIntervalSince1970
    return RunReview(endedAt: endedAt)
  }
}
