import Foundation
import PosixSupport
import Text

/// What can be told of a run in a millisecond, whatever its logs hold: they aren't read.
package struct RunGlance: Sendable {
  package let folder: RunFolder
  package let record: RunRecord
  /// Once it has ended and its end was recorded.
  package let review: RunReview?
  /// Its supervisor or its OpenCode is alive.
  package let isAlive: Bool

  /// nil: no run, or one that can't be read.
  package init?(_ folder: RunFolder) {
    guard let record = folder.loadRecord() else { return nil }
    self.folder = folder
    self.record = record
    review = Stored.load(RunReview.self, from: folder.review)
    isAlive = review == nil && ((try? Fifo.isHeld(folder.fifo)) ?? true || folder.isProcessAlive)
  }

  /// "completed, 3 files, 1 check failed"
  package var ending: String {
    guard let review else { return "its end was not recorded" }
    var parts = [review.outcome.state.rawValue, counted(review.changes.count, "file")]
    let checks = Dictionary(grouping: review.verification.declared, by: \.result)
    for result in ["failed", "unknown", "not run", "passed"] {
      if let rows = checks[result] { parts.append("\(counted(rows.count, "check")) \(result)") }
    }
    return parts.joined(separator: ", ")
  }
}

extension StateFolder {
  /// The runs as far as a glance tells, newest first; as many as are kept unless more than `limit` are.
  package func glances(limit: Int = 100) -> [RunGlance] { runFolders().prefix(limit).compactMap(RunGlance.init) }
}
