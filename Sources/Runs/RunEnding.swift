import Foundation
import OpenCode
import PosixSupport
import Text
import Workspace

/// The end-work of a run: its logs to the last line, the workspace again, what only OpenCode knows; then the review.
package struct RunEnding {
  package let folder: RunFolder
  package let record: RunRecord
  /// The supervisor's own, from which OpenCode's is derived.
  package let environment: [String: String]

  /// Seconds for the workspace and for OpenCode's own answers, both at the same time.
  package static let deadline = 10.0

  /// Writes the review. When that fails (a full disk) it is tried again for a while; after that servers work the result out themselves.
  /// - Parameter endSeen: false when somebody else may have worked in the folder between OpenCode's end and now
  package func conclude(_ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double? = nil) {
    log.advance(final: true)
    let (review, changes) = review(end, baseline: baseline, log: &log, endSeen: endSeen, endedAt: endedAt ?? Date().timeIntervalSince1970)
    for attempt in 0..<(endSeen ? 10 : 1) {
      if attempt > 0 { sleep(1) }
      guard PrivateFiles.exists(folder.path) else { return }
      do {
        try log.save()
        try Stored.save(changes, to: folder.changes)
        try Stored.save(review, to: folder.review)
        return
      } catch {
        SupervisorLog.append("review: \(error)", in: folder)
      }
    }
  }

  private func review(
    _ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double
  ) -> (RunReview, ChangedFiles) {
    let digest = log.digest
    let (record, folder) = (record, folder)
    let questions = SessionQuestions(record.request, digest: digest, environment: environment, until: Monotonic.now + RunEnding.deadline)
    let parts: [EndPart] = concurrently([
      { .changes(RunEnding.changes(folder, record, baseline, digest, end, endSeen: endSeen)) },
      { .facts(questions.needsAnswers ? questions.ask() : SessionFacts()) },
      { .leftovers(RunEnding.leftovers(folder.id)) },
    ])
    var changes = ChangedFiles.notRecorded(root: record.request.cwd, why: "it was not compared")
    var facts = SessionFacts()
    var remarks: [String] = []
    for part in parts {
      switch part {
      case .changes(let found): changes = found
      case .facts(let found): facts = found
      case .leftovers(let found): remarks += found
      }
    }
    log.add(facts)
    // Only now are the files known that subagents' tools named.
    baseline?.addNamed(facts.namedFiles, to: &changes, runFolder: folder.path)
    var review = RunReview.make(end, at: endedAt, record: record, digest: log.digest, changes: changes, facts: facts, remarks: remarks)
    if let suggestion = questions.modelSuggestion(for: review.outcome) {
      review.outcome = Outcome(state: review.outcome.state, reason: review.outcome.reason, attention: [suggestion] + review.outcome.attention)
    }
    return (review, changes)
  }

  private enum EndPart: Sendable {
    case changes(ChangedFiles)
    case facts(SessionFacts)
    case leftovers([String])
  }

  private static func changes(
    _ folder: RunFolder, _ record: RunRecord, _ baseline: WorkspaceBaseline?, _ digest: RunDigest, _ end: RunEnd, endSeen: Bool
  ) -> ChangedFiles {
    guard let baseline else {
      if case .neverStarted = end { return ChangedFiles(root: record.request.cwd) }
      return .notRecorded(root: record.request.cwd, why: "the workspace's state before the run is not known")
    }
    return baseline.finish(runFolder: folder.path, toolPaths: digest.namedFiles.sorted, endSeen: endSeen, deadline: deadline)
  }

  /// Processes that the run started and that live on. Those that are just ending get a moment to.
  private static func leftovers(_ id: String) -> [String] {
    func find() -> [ListedProcess] { ProcessTable.carrying(ChildEnvironment.marker, id) }
    guard !find().isEmpty else { return [] }
    usleep(100_000)
    let left = find()
    let named = left.prefix(5).map { "\(TextCut.headAndTail($0.command, bytes: 120)) (pid \($0.pid))" }
    return left.isEmpty ? [] : ["still running: " + named.joined(separator: ", ") + (left.count > 5 ? " and \(left.count - 5) more" : "")]
  }
}
