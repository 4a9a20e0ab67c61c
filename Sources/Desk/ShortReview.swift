import Runs
import ShellReading
import Text
import Workspace

/// The review of a run that has ended, short enough to be read at a glance.
package struct ShortReview: Sendable {
  package let run: RunSnapshot
  /// What a reviewer would miss, most important first.
  package let attention: [String]
  package let style: Style
  package let time: LocalTime

  package init(run: RunSnapshot, attention: [String], style: Style, time: LocalTime = LocalTime()) {
    self.run = run
    self.attention = attention
    self.style = style
    self.time = time
  }

  /// "completed, but 1 check did not pass"
  package static func verdict(_ review: RunReview) -> String {
    let open = review.verification.declared.filter { !$0.isProven }
    let state = review.outcome.state.rawValue
    guard !open.isEmpty else {
      let all = review.verification.declared.count
      return all == 0 ? state : "\(state), \(counted(all, "check")) passed"
    }
    let failed = open.filter { $0.result == "failed" }.count
    let link = review.outcome.state == .completed ? ", but" : ", and"
    return failed > 0
      ? "\(state)\(link) \(counted(failed, "check")) failed"
      : "\(state)\(link) \(counted(open.count, "check")) \(open.count == 1 ? "is" : "are") not proven"
  }

  package var lines: [String] {
    guard let review = run.review else { return [] }
    let request = run.record.request
    var lines = ["\(style.bold(Words.line(request.title, 200)))  \(style.dim(run.folder.id))"]
    let state = review.outcome.state.rawValue
    lines.append("\(style.state(state))\(ShortReview.verdict(review).dropFirst(state.count))")
    lines.append("  \(figures(review))")
    if let reason = review.outcome.reason { lines.append("  \(Words.line(reason, 600))") }
    for sentence in attention.prefix(8) { lines.append("  \(style.yellow("!")) \(Words.line(sentence, 400))") }
    if attention.count > 8 { lines.append("  \(style.dim("and \(attention.count - 8) more: opencode-worker report --json"))") }
    lines += files(review.changes) + checks(review.verification.declared)
    if let answer = run.digest.answer, !answer.isBlank {
      lines += ["", style.bold("Its answer") + style.dim(" (a claim)")]
      let text = TerminalText.printable(TextCut.headAndTail(answer.text, bytes: 1200))
      lines += text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    }
    return lines
  }

  private func figures(_ review: RunReview) -> String {
    var words = [Words.duration(run.seconds), Words.counted(review.usage.steps, "step")]
    if review.usage.tokens.total > 0 { words.append("\(Words.grouped(review.usage.tokens.total)) tokens") }
    words.append(review.usage.cost.map(Words.money) ?? "cost unknown")
    return style.dim("\(words.joined(separator: ", ")); ended \(time.full(review.endedAt))")
  }

  private func files(_ changes: ChangesSummary) -> [String] {
    let head = changes.count == 0 ? "No file changed" : "\(Words.counted(changes.count, "file")) changed"
    var lines = ["", style.bold(head) + (changes.exact ? "" : style.yellow("  not exact"))]
    if let why = changes.why { lines.append("  \(style.yellow(Words.line(why, 400)))") }
    for file in changes.files.prefix(15) {
      let letter = file.change.rawValue.prefix(1).uppercased()
      var words = ["  \(letter) \(Words.line(file.from.map { "\($0) -> \(file.path)" } ?? file.path, 300))"]
      if let added = file.added, let removed = file.removed { words.append("\(style.green("+\(added)")) \(style.red("-\(removed)"))") }
      if file.dirtyBefore == true { words.append(style.dim("had your changes")) }
      if file.byTool != true { words.append(style.dim("not by an edit tool")) }
      lines.append(words.joined(separator: "  "))
    }
    if changes.count > 15 { lines.append(style.dim("  and \(Words.grouped(changes.count - 15)) more: opencode-worker diff \(run.folder.id)")) }
    return lines
  }

  private func checks(_ declared: [VerificationReport.Declared]) -> [String] {
    guard !declared.isEmpty else { return [] }
    var lines = ["", style.bold("Checks")]
    for check in declared {
      let mark =
        check.result == "passed" && !check.editedAfter ? style.green("passed") : check.result == "failed" ? style.red("failed") : style.yellow(check.result)
      var words = ["  \(mark)  \(Words.line(check.command, 200))"]
      if let exit = check.exitCode, exit != 0 { words.append("exit \(exit)") }
      if check.by != nil { words.append(style.dim("by the worker")) }
      if check.editedAfter { words.append(style.yellow("files were changed after it")) }
      if check.maybeEditedAfter == true { words.append(style.yellow("shell commands came after it")) }
      if check.failedBefore == true { words.append(style.dim("failed before")) }
      lines.append(words.joined(separator: "  "))
    }
    return lines
  }
}
