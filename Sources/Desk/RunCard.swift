import Runs
import Text

/// How a run that is alive stands: `status` for a person.
package struct RunCard: Sendable {
  package let run: RunSnapshot
  package let attention: [String]
  package let style: Style
  /// Seconds since 1970.
  package let now: Double

  package init(run: RunSnapshot, attention: [String], style: Style, now: Double) {
    self.run = run
    self.attention = attention
    self.style = style
    self.now = now
  }

  package var lines: [String] {
    let (request, digest) = (run.record.request, run.digest)
    var lines = [
      "\(style.bold(Words.line(request.title, 200)))  \(style.dim(run.folder.id))",
      "\(style.state(run.state)) for \(Words.duration(run.seconds))" + style.dim("  in \(Words.line(request.cwd, 300))"),
    ]
    lines.append("  \(RunCard.now(run, at: now))")
    var figures = [counted(digest.steps, "step"), counted(digest.toolCallCount, "tool call")]
    if digest.usage.tokens.total > 0 { figures.append("\(Words.grouped(digest.usage.tokens.total)) tokens") }
    if digest.usage.cost > 0 { figures.append(Words.money(digest.usage.cost)) }
    lines.append("  \(style.dim(figures.joined(separator: ", ")))")
    if !digest.todos.isEmpty {
      let done = digest.todos.filter { $0.status == "completed" }.count
      let current = digest.todos.first { $0.status == "in_progress" }.map { ": \(Words.line($0.content, 200))" } ?? ""
      lines.append("  todo \(done)/\(digest.todos.count)\(current)")
    }
    for sentence in attention.prefix(8) { lines.append("  \(style.yellow("!")) \(Words.line(sentence, 400))") }
    if let ending = RunCard.howToEnd(run) { lines.append(style.dim("  To end it yourself: \(ending)")) }
    return lines
  }

  /// What it does at this moment, as far as that can be known.
  package static func now(_ run: RunSnapshot, at now: Double) -> String {
    switch run.phase {
    case .starting: return "the workspace is being recorded; OpenCode isn't running yet"
    case .finishing: return "OpenCode has ended; its result is being recorded"
    case .ended: return run.state
    case .running: break
    }
    guard let last = run.digest.lastEventAt else { return "OpenCode is starting" }
    let ago = Words.duration(max(0, now - last).rounded(.down))
    let errors = run.digest.providerErrors
    if let at = errors.at, at > last, let message = errors.last {
      return "the provider refuses: \(Words.line(message, 160)) (\(errors.count) x, last \(Words.duration(max(0, now - at).rounded(.down))) ago)"
    }
    if let next = run.nextTry(after: now) {
      let words = errors.last.map { ": \(Words.line($0, 160))" } ?? ""
      return "the provider refuses\(words) (\(errors.count) x); OpenCode tries again in \(Words.duration((next - now).rounded(.up)))"
    }
    if let tool = run.working.first {
      let since = tool.since.map { " for \(Words.duration(max(0, now - $0).rounded(.down)))" } ?? ""
      let others = run.working.count > 1 ? ", and \(run.working.count - 1) more" : ""
      return "\(run.digest.live?.hasAnswered == true ? "the answer is there, it waits for" : "at work\(since):") \(Words.line(tool.named, 160))\(others)"
    }
    if let done = run.digest.lastDone, done.at.map({ $0 >= last - 0.001 }) ?? false {
      let what = done.title.map { "\(done.tool): \($0)" } ?? done.tool
      return "the model is thinking, \(ago) since \(Words.line(what, 160))"
    }
    return "the model is thinking, \(ago) since the last event"
  }

  /// The command with which a person ends the run. SIGINT lets OpenCode 2 release its session, which its service would go on with otherwise.
  package static func howToEnd(_ run: RunSnapshot) -> String? {
    guard let process = run.process else { return nil }
    let plain = "kill -- -\(process.pid)"
    return run.record.request.installation.version.generation == .v2 ? "kill -INT -- -\(process.pid) (only if that doesn't help: \(plain))" : plain
  }
}
