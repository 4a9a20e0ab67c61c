import Desk
import Foundation
import PosixSupport
import Runs

/// `watch [RUN]`: follows a run on the terminal until it ends: every event of the log, one line each.
enum WatchCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--from-now"], most: 1)
    let style = Terminal.style(environment)
    return DeskCommand.withRun(words.rest.first, environment) { run, manager in
      Terminal.line("\(style.bold(Words.line(run.record.request.title, 200)))  \(style.dim("\(run.folder.id)  \(Words.line(run.record.request.cwd, 300))"))")
      let ended = try await follow(run, manager, style: style, fromNow: words.flags.contains("--from-now"))
      Terminal.line("")
      for line in ShortReview(run: ended, attention: RunReply.attention(ended), style: style).lines { Terminal.line(line) }
      return DeskCommand.exitCode(ended)
    }
  }

  /// Prints each thing that happens, and waits for the end. On a terminal a last line says each second what goes on.
  static func follow(_ run: RunSnapshot, _ manager: RunManager, style: Style, fromNow: Bool = false) async throws -> RunSnapshot {
    let isTerminal = Terminal.isTerminal
    if !run.isOver {
      let ending = RunCard.howToEnd(run).map { " To end it yourself: \($0)" } ?? " `opencode-worker status` shows how to end it yourself."
      TerminalDevice.onInterrupt(say: "\(isTerminal ? "\r\u{1B}[K" : "")The run goes on.\(ending)\n")
    }
    var follower = LogFollower(run.folder, generation: run.record.request.installation.version.generation, fromNow: fromNow)
    var screen = Screen(isTerminal: isTerminal)
    var current = run
    var nextLook = 0.0
    while true {
      // The record first: what was written before the end is read after it was seen.
      if !current.isOver, Monotonic.now >= nextLook {
        current = try await manager.snapshot(run.folder.id)
        nextLook = Monotonic.now + 1
        screen.status = current.isOver ? nil : status(current, style)
      }
      let isOver = current.isOver
      let line = WatchLine(style: style, width: isTerminal ? TerminalDevice.width(STDOUT_FILENO) : nil)
      let grew = follower.advance(final: isOver) { item in
        if let text = line.text(item) { screen.print(text) }
      }
      screen.draw()
      if isOver, !grew {
        screen.clear()
        return current
      }
      if !grew { try await Task.sleep(nanoseconds: 200_000_000) }
    }
  }

  private static func status(_ run: RunSnapshot, _ style: Style) -> String {
    let now = run.now
    var words = [RunCard.now(run, at: now)]
    if run.digest.usage.tokens.total > 0 { words.append("\(Words.grouped(run.digest.usage.tokens.total)) tokens") }
    if run.digest.usage.cost > 0 { words.append(Words.money(run.digest.usage.cost)) }
    if !run.digest.todos.isEmpty { words.append("todo \(run.digest.todos.filter { $0.status == "completed" }.count)/\(run.digest.todos.count)") }
    words.append(Words.duration(run.seconds.rounded(.down)))
    return words.joined(separator: " · ")
  }
}

/// Lines that stay, and on a terminal one below them that is drawn again and again.
private struct Screen {
  let isTerminal: Bool
  var status: String?
  private var isDrawn = false

  init(isTerminal: Bool) { self.isTerminal = isTerminal }

  mutating func print(_ text: String) {
    clear()
    Terminal.line(text)
  }

  mutating func draw() {
    guard isTerminal, let status else { return }
    let width = max(20, (TerminalDevice.width(STDOUT_FILENO) ?? 80) - 1)
    Terminal.write("\r\u{1B}[K" + String(status.prefix(width)))
    isDrawn = true
  }

  mutating func clear() {
    guard isDrawn else { return }
    Terminal.write("\r\u{1B}[K")
    isDrawn = false
  }
}
