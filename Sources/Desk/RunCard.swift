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
    lines.append("  \(RunCard.now(run, at: now).text)")
    if let done = digest.lastDone { lines.append("  \(style.dim("done last: "))\(Words.line(done.title.map { "\(done.tool): \($0)" } ?? done.tool, 300))") }
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

  /// A sentence with a part in it that may be long.
  package struct Activity: Sendable {
    package let before: String
    package let what: String
    package let after: String

    package init(_ before: String, _ what: String = "", _ after: String = "") { (self.before, self.what, self.after) = (before, Words.line(what, 200), after) }

    package var text: String { before + what + after }

    /// Columns that the long part needs to say something.
    static let enough = 16

    /// Columns below which it can't be drawn without loss of more than the long part.
    package var least: Int { Columns.width(before + after) + min(Columns.width(what), Activity.enough) }

    /// In so many columns: the long part is shortened first, then what follows it is left out.
    package func fitted(_ width: Int) -> String {
      let isTight = width < least
      return Columns.fit(before + Columns.fit(what, max(2, width - Columns.width(before + (isTight ? "" : after)))) + (isTight ? "" : after), max(1, width))
    }
  }

  /// What it does at this moment, as far as that can be known.
  package static func now(_ run: RunSnapshot, at now: Double) -> Activity {
    switch run.phase {
    case .starting: return Activity("the workspace is being recorded; OpenCode isn't running yet")
    case .finishing: return Activity("", run.finishing)
    case .ended: return Activity(run.state)
    case .running: break
    }
    guard let last = run.digest.lastEventAt else { return Activity("OpenCode is starting") }
    let ago = Words.whole(max(0, now - last))
    let errors = run.digest.providerErrors
    if let at = errors.at, at > last, let message = errors.last {
      return Activity("the provider refuses: ", message, " (\(errors.count) x, last \(Words.whole(max(0, now - at))) ago)")
    }
    if let next = run.nextTry(after: now) {
      return Activity(
        "the provider refuses" + (errors.last == nil ? "" : ": "), errors.last ?? "",
        " (\(errors.count) x); OpenCode tries again in \(Words.whole((next - now).rounded(.up)))")
    }
    if let tool = run.working.first {
      let since = tool.since.map { " for \(Words.whole(max(0, now - $0)))" } ?? ""
      let others = run.working.count > 1 ? ", and \(run.working.count - 1) more" : ""
      return Activity(run.digest.live?.hasAnswered == true ? "the answer is there, it waits for " : "at work\(since): ", tool.named, others)
    }
    if run.digest.hasFinalAnswer { return Activity("the answer is there and OpenCode hasn't ended yet, \(ago) since the last event") }
    // OpenCode 1 tells of a tool when it has ended: in the middle of a step either may be at work.
    let who = run.digest.generation == .v1 && run.digest.lastStepIsOpen ? "the model or a tool is at work" : "the model is thinking"
    return Activity("\(who), \(ago) since the last event")
  }

  /// The command with which a person ends the run. SIGINT lets OpenCode 2 release its session, which its service would go on with otherwise.
  package static func howToEnd(_ run: RunSnapshot) -> String? {
    guard let process = run.process else { return nil }
    let plain = "kill -- -\(process.pid)"
    return run.record.request.installation.version.generation == .v2 ? "kill -INT -- -\(process.pid) (only if that doesn't help: \(plain))" : plain
  }
}
