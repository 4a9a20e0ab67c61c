import PosixSupport
import ShellReading
import Workspace

extension RunReview {
  /// Takes what the worker's own checks found.
  mutating func take(_ report: VerificationReport) {
    verification = report
    outcome = Outcome(
      state: outcome.state, reason: outcome.reason, attention: outcome.attention.filter { !$0.isOfCheck } + RunReview.attention(of: report))
  }

  /// What the log tells of a run that has ended, beside its outcome.
  static func attention(of digest: RunDigest) -> [Attention] {
    var list: [Attention] = []
    let open = digest.todos.filter { !["completed", "cancelled"].contains($0.status) }
    if let first = open.first { list.append(.todosOpen(open.count, of: digest.todos.count, first: first.content)) }
    let diagnosed = digest.diagnosedFiles
    if !diagnosed.isEmpty { list.append(.diagnostics(Array(diagnosed.prefix(5)), count: diagnosed.count)) }
    return list
  }

  /// The declared commands that nobody may take for passed.
  static func attention(of report: VerificationReport) -> [Attention] {
    report.declared.flatMap { row -> [Attention] in
      var list: [Attention] = []
      switch row.result {
      case "failed": list.append(.checkFailed(command: row.command, exitCode: row.exitCode, by: row.by))
      case "timed out": list.append(.checkTimedOut(command: row.command))
      case "not run": list.append(.checkNotRun(command: row.command))
      case "passed": break
      default: list.append(.checkUnknown(command: row.command, why: row.why))
      }
      if row.result == "passed", row.editedAfter { list.append(.checkEditedAfter(command: row.command, maybe: false)) }
      if row.failedBefore == true { list.append(.checkFailedBefore(command: row.command)) }
      return list
    }
  }

  /// What became of the user's own work, of the repository, and of files outside.
  static func attention(of changes: ChangedFiles, in cwd: String) -> [Attention] {
    var list: [Attention] = []
    let lost = changes.lostWork
    if !lost.isEmpty { list.append(.lostWork(lost.prefix(5).map(\.path), count: lost.count)) }
    let gone = changes.ignoredGone
    if !gone.isEmpty { list.append(.ignoredGone(Array(gone.prefix(5)), count: gone.count)) }
    if changes.rewritten == true { list.append(.historyRewritten(branch: changes.branchBefore)) }
    // What rewrote the branch that was checked out is told already.
    let own = changes.branchBefore.map { "refs/heads/\($0)" } ?? "HEAD"
    let lostRefs = changes.refs.filter { ref in
      switch ref.kind {
      case .deleted: true
      case .rewritten: !(changes.rewritten == true && ref.name == own && ref.repository == nil)
      // By a push, or because it was gone there already.
      case .remote: ref.after == nil
      case .added: false
      }
    }
    if !lostRefs.isEmpty { list.append(.refsLost(lostRefs.prefix(5).map(\.told), count: lostRefs.count)) }
    let pushed = changes.refs.filter { $0.kind == .remote && $0.by == "push" }
    if !pushed.isEmpty { list.append(.pushed(pushed.prefix(5).map(\.told))) }
    let outside = changes.files.filter { $0.outside == true }
    if !outside.isEmpty { list.append(.wroteOutside(outside.prefix(5).map(\.path), count: outside.count)) }
    return list
  }
}

extension RefChange {
  /// `refs/heads/work (deleted)`
  fileprivate var told: String {
    let place = repository.map { " in \($0)" } ?? ""
    if kind == .remote, after == nil { return "\(name) (deleted, or gone at the remote)\(place)" }
    return kind == .remote ? "\(name)\(place)" : "\(name) (\(kind.rawValue))\(place)"
  }
}
