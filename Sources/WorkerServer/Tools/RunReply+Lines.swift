import Desk
import Runs
import ShellReading
import Text

extension RunReply {
  /// A review for a person, who sees three lines of it: the outcome with time and cost, the files, the checks.
  static func lines(_ run: RunSnapshot, _ review: RunReview) -> String {
    [outcomeLine(run, review), filesLine(review), checksLine(review.verification)].map { TextCut.firstLine($0, bytes: lineBytes) }.joined(separator: "\n")
  }

  private static let lineBytes = 190

  private static func outcomeLine(_ run: RunSnapshot, _ review: RunReview) -> String {
    let title = TextCut.firstLine(run.record.request.title, bytes: 60)
    let cost = review.usage.cost.map(Words.money) ?? "cost unknown"
    let line = "\(title): \(run.state) in \(Words.duration(run.seconds)), \(cost)"
    return review.outcome.reason.map { "\(line): \($0.oneLine(lineBytes))" } ?? line
  }

  private static func filesLine(_ review: RunReview) -> String {
    let changes = review.changes
    let doubt = changes.exact ? "" : " (not exact)"
    guard changes.count > 0 else { return "No file changed\(doubt)" }
    let named = changes.files.prefix(4).map { $0.path.oneLine(lineBytes) }
    let more = changes.count > named.count ? " and \(changes.count - named.count) more" : ""
    return "\(counted(changes.count, "file")) changed\(doubt): \(named.joined(separator: ", "))\(more)"
  }

  private static func checksLine(_ report: VerificationReport) -> String {
    guard !report.declared.isEmpty else { return "No checks were declared" }
    // What isn't well comes first: the line may be cut.
    let checks = report.declared.filter { !$0.isProven } + report.declared.filter(\.isProven)
    return "Checks: "
      + checks.map { check in
        let result = check.result == "passed" && !check.isProven ? "passed before later changes" : check.result
        return "\(result): \(check.command.oneLine(60))"
      }.joined(separator: "; ")
  }
}
