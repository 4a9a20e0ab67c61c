import Runs
import ShellReading

/// What whoever gets a review should do now: follows the facts.
enum NextStep {
  static func after(_ run: RunSnapshot, _ review: RunReview) -> String {
    let attention = review.outcome.attention
    var steps: [String] = []
    for one in attention {
      switch one {
      case .lostWork: steps.append("tell the user that uncommitted work is gone (opencode_changed_files with patch still shows it)")
      case .historyRewritten, .refsLost, .pushed: steps.append("tell the user what became of the repository (git)")
      default: break
      }
    }
    var seen: Set<String> = []
    steps = steps.filter { seen.insert($0).inserted }
    return (steps + [main(run, review)]).joined(separator: "; ")
  }

  private static func main(_ run: RunSnapshot, _ review: RunReview) -> String {
    switch review.outcome.state {
    case .completed: completed(review)
    case .incomplete: "read reason and attention; go on with opencode_run_and_wait and session"
    case .failed, .lost: failed(run, review)
    }
  }

  private static func completed(_ review: RunReview) -> String {
    let rows = review.verification.declared
    if let failed = rows.first(where: { $0.result == "failed" || $0.result == "timed out" }) {
      return "a check failed: go on with opencode_run_and_wait and session, naming \(failed.command.shortened)"
    }
    let look = review.changes.count > 0 ? "review the diff (opencode_changed_files with patch)" : "check the answer"
    if let open = rows.first(where: { $0.result != "passed" || $0.editedAfter }) {
      return "\(look); \(open.command.shortened) isn't proven for the last change: run it; follow up with session"
    }
    return "\(look); follow up with session"
  }

  private static func failed(_ run: RunSnapshot, _ review: RunReview) -> String {
    let reason = review.outcome.reason ?? ""
    if case .signaled? = review.exit { return "it was ended by a signal, perhaps by the user: ask before starting again" }
    if review.exit?.signalBehindShell != nil { return "it seems to have been ended by a signal, perhaps by the user: ask before starting again" }
    for one in review.outcome.attention {
      if case .modelSuggestion(let words) = one { return "start again with another model: \(words)" }
    }
    let words = reason.lowercased()
    if ["(401)", "api key", "apikey", "unauthorized", "credentials"].contains(where: words.contains) {
      let signIn = run.record.request.installation.version.commandLine.signIn(nil)
      return "tell the user to sign in, in a terminal: \(signIn); where the key is in a variable, opencode-worker doctor shows whether it "
        + "reaches OpenCode (Codex's daemon keeps an old environment); then start again"
    }
    if ["(402)", "quota", "billing", "insufficient balance"].contains(where: words.contains) {
      return "tell the user that the provider refuses (quota or billing); start again with another model, or when that is settled"
    }
    return review.changes.count > 0 ? "mend the cause, review what it changed, then start again" : "mend the cause, then start again"
  }
}

extension String {
  fileprivate var shortened: String { utf8.count <= 120 ? self : String(prefix(100)) + "..." }
}
