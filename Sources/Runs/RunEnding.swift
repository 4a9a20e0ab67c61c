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

  /// Seconds for the workspace; OpenCode's own answers have some of their own, at the same time.
  package static let partSeconds = 10.0
  /// Seconds for all of it: each part has a deadline of its own, but a file system that hangs keeps none. Past it the review is written with
  /// what is known.
  package static let seconds = 60.0
  /// Seconds for what is left of the log: a gigabyte a second.
  private static let logSeconds = 20.0

  /// Writes the review. When that fails (a full disk) it is tried again for a while; after that servers work the result out themselves.
  /// - Parameters:
  ///   - endSeen: false when somebody else may have worked in the folder between OpenCode's end and now
  ///   - gaps: what may be missing from the log, as sentences for `attention`
  ///   - model: what OpenCode was asked meanwhile
  ///   - tell: called with the reason when the review can't be written for now
  package func conclude(
    _ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double? = nil, gaps: [String] = [],
    model: ModelQuestion? = nil, tell: (String) -> Void = { _ in }
  ) -> Written {
    // Kept with the review.
    log.catchUp(final: true, seconds: RunEnding.logSeconds)
    let gaps = gaps + (log.backlog.map { ["\($0): the result doesn't count them"] } ?? [])
    let (made, changes) = review(end, baseline: baseline, log: &log, endSeen: endSeen, endedAt: endedAt ?? record.clock, gaps, model)
    var review = made
    if endSeen, record.request.verify, RunEnding.mayCheck(end) {
      // Should the supervisor end meanwhile: the run's own changes stand, and whoever takes it over adds none of the checks'.
      if (try? log.save()) != nil, (try? Stored.save(changes, to: folder.changes)) != nil { baseline?.tidy(runFolder: folder.path, keeping: changes) }
      review.take(DeclaredChecks(folder: folder, record: record, environment: environment).run(review.verification))
    }
    var failure: String?
    for attempt in 0..<(endSeen ? 10 : 1) {
      if attempt > 0 { sleep(1) }
      guard PrivateFiles.exists(folder.path) else { return Written() }
      do {
        try log.save()
        try Stored.save(changes, to: folder.changes)
        try Stored.save(review, to: folder.review)
        let path = folder.path
        return Written { baseline?.tidy(runFolder: path, keeping: changes) }
      } catch {
        failure = "review: \(error)"
        tell("review: \(error)")
        SupervisorLog.append("review: \(error)", in: folder)
      }
    }
    return Written(failure: failure)
  }

  /// What became of a review.
  package struct Written: Sendable {
    /// Why it could not be written; nil: it was, or the run's folder is gone.
    package var failure: String?
    private let work: @Sendable () -> Void

    init(failure: String? = nil, _ work: @escaping @Sendable () -> Void = {}) { (self.failure, self.work) = (failure, work) }

    /// Deletes what only the review needed. Readers find what they look for meanwhile, too.
    package func tidy() { work() }
  }

  /// The first use of a type's JSON in a process takes a millisecond or two: done while OpenCode starts, not when somebody waits for the review.
  package static func getReady(_ record: RunRecord) {
    Thread.detachNewThread {
      let digest = RunDigest(record.request)
      let changes = ChangedFiles(root: record.request.cwd)
      let review = RunReview.make(.notSeen, at: record.startedAt, record: record, digest: digest, changes: changes)
      for value: any Encodable in [digest, changes, review] { _ = try? Stored.encoded(value) }
    }
  }

  private func review(
    _ end: RunEnd, baseline: WorkspaceBaseline?, log: inout RunLog, endSeen: Bool, endedAt: Double, _ gaps: [String], _ model: ModelQuestion?
  ) -> (RunReview, ChangedFiles) {
    let digest = log.digest
    let (record, folder) = (record, folder)
    let questions = SessionQuestions(record, digest: digest, end: end, environment: environment, deadline: .after(SessionQuestions.seconds))
    let deadline = Deadline.after(RunEnding.seconds)
    let parts: [EndPart?] = gathered(
      deadline: deadline,
      [
        { .changes(RunEnding.changes(folder, record, baseline, digest, end, endSeen: endSeen)) },
        {
          var questions = questions
          questions.model = model?.answer(deadline: .after(SessionQuestions.limit / 2))
          return .facts(questions.ask())
        },
        { .leftovers(RunEnding.leftovers(folder, endSeen: endSeen)) },
      ])
    var changes = ChangedFiles.notRecorded(root: record.request.cwd, why: "comparing the workspace took more than \(Int(RunEnding.seconds)) s")
    var facts = SessionFacts()
    if parts[1] == nil { facts.missing = "OpenCode didn't say within \(Int(RunEnding.seconds)) s what its sessions used" }
    var remarks: [Attention] = gaps.map { .unrecorded($0) }
    for part in parts {
      switch part {
      case .changes(let found)?: changes = found
      case .facts(let found)?: facts = found
      case .leftovers(let found)?: remarks += found
      case nil: break
      }
    }
    if !gaps.isEmpty {
      facts.hidesCommands = true
      if facts.ownUsage == nil, facts.missing == nil { facts.missing = "what the log lacks" }
    }
    if PrivateFiles.exists(folder.promptUnsent) { remarks.append(.unrecorded("OpenCode did not read the whole prompt")) }
    log.add(facts)
    // Only now are the files known that subagents' tools named.
    if let baseline, !facts.namedFiles.isEmpty {
      let (known, named, path) = (changes, facts.namedFiles, folder.path)
      let work = Begun {
        var all = known
        baseline.addNamed(named, to: &all, runFolder: path)
        return all
      }
      let all = work.value(deadline: deadline.left > 1 ? deadline : .after(1))
      changes = all ?? known
      if all == nil { changes.doubt(["the files that subagents named could not be looked at in time"]) }
    }
    if log.digest.namedFiles.isCut {
      changes.doubt(["OpenCode's tools named more than \(log.digest.namedFiles.count) files: ignored ones and ones outside may be missing, and byTool"])
    }
    var review = RunReview.make(
      end, at: endedAt, record: record, digest: log.digest, changes: changes, facts: facts, remarks: remarks, isOutside: record.isOutside)
    if let suggestion = questions.modelSuggestion(for: review.outcome) {
      review.outcome = Outcome(state: review.outcome.state, reason: review.outcome.reason, attention: [.modelSuggestion(suggestion)] + review.outcome.attention)
    }
    return (review, changes)
  }

  /// A run that somebody ended isn't gone on with.
  private static func mayCheck(_ end: RunEnd) -> Bool {
    guard case .exited(let code) = end else { return false }
    return ExitStatus.exited(code).signalBehindShell == nil
  }

  private enum EndPart: Sendable {
    case changes(ChangedFiles)
    case facts(SessionFacts)
    case leftovers([Attention])
  }

  private static func changes(
    _ folder: RunFolder, _ record: RunRecord, _ baseline: WorkspaceBaseline?, _ digest: RunDigest, _ end: RunEnd, endSeen: Bool
  ) -> ChangedFiles {
    guard let baseline else {
      if case .neverStarted = end { return ChangedFiles(root: record.request.cwd) }
      return .notRecorded(root: record.request.cwd, why: "the workspace's state before the run is not known")
    }
    // A review that is made again: what the first one was made from is gone, but its list of changes isn't.
    if baseline.isTidied(runFolder: folder.path), let known = Stored.load(ChangedFiles.self, from: folder.changes) { return known }
    return baseline.finish(runFolder: folder.path, toolPaths: digest.namedFiles.sorted, endSeen: endSeen, deadline: .after(partSeconds))
  }

  /// Processes that the run started and that live on. Those that are just ending get a moment to.
  private static func leftovers(_ folder: RunFolder, endSeen: Bool) -> [Attention] {
    // Long after the end another process may lead a group of that number.
    let group = endSeen ? folder.processGroup : nil
    func find() -> [ListedProcess] { ProcessTable.carrying(ChildEnvironment.marker, folder.id, group: group) }
    guard !find().isEmpty else { return [] }
    usleep(100_000)
    let left = find()
    let named = left.prefix(5).map { "\(TextCut.headAndTail($0.command, bytes: 120)) (pid \($0.pid))" }
    return left.isEmpty ? [] : [.stillRunning(named, count: left.count)]
  }
}
