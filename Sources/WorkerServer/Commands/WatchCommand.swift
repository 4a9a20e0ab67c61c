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
      let header = "\(style.bold(Words.line(run.record.request.title, 200)))  \(style.dim("\(run.folder.id)  \(Words.line(run.record.request.cwd, 300))"))"
      Terminal.line(Terminal.isTerminal ? Columns.fit(header, max(10, TerminalDevice.width(STDOUT_FILENO) ?? 80)) : header)
      let ended = try await follow(run, manager, style: style, fromNow: words.flags.contains("--from-now"))
      Terminal.line("")
      for line in ShortReview(run: ended, attention: RunReply.attention(ended), style: style).lines { Terminal.line(line) }
      return DeskCommand.exitCode(ended)
    }
  }

  /// Prints each thing that happens, and waits for the end. On a terminal the lines at the bottom say each second how it stands.
  static func follow(_ run: RunSnapshot, _ manager: RunManager, style: Style, fromNow: Bool = false) async throws -> RunSnapshot {
    let isTerminal = Terminal.isTerminal && manager.environment["TERM"] != "dumb"
    if !run.isOver {
      let ending = RunCard.howToEnd(run).map { " To end it yourself: \($0)" } ?? " `opencode-worker status` shows how to end it yourself."
      TerminalDevice.onInterrupt(say: "\(isTerminal ? "\n\u{1B}[J" : "")The run goes on.\(ending)\n")
    }
    var follower = LogFollower(run.folder, generation: run.record.request.installation.version.generation, fromNow: fromNow)
    let footer = WatchFooter(style: style)
    var screen = LiveScreen()
    var current = run
    var nextLook = 0.0
    while true {
      // The record first: what was written before the end is read after it was seen.
      if !current.isOver, Monotonic.now >= nextLook {
        current = try await manager.snapshot(run.folder.id)
        nextLook = Monotonic.now + 1
      }
      let isOver = current.isOver
      // Asked each time: a terminal whose size has changed is drawn anew.
      let width = max(10, (TerminalDevice.width(STDOUT_FILENO) ?? 80) - 1)
      let line = WatchLine(style: style, width: isTerminal ? width : nil)
      var lines: [String] = []
      let grew = follower.advance(final: isOver) { item in
        if let text = line.text(item) { lines.append(text) }
      }
      guard isTerminal else {
        for text in lines { Terminal.line(text) }
        if isOver, !grew { return current }
        if !grew { try await Task.sleep(nanoseconds: 200_000_000) }
        continue
      }
      var output = lines.isEmpty ? "" : screen.print(lines.joined(separator: "\n"), width: width + 1)
      if isOver {
        output += screen.clear(width: width + 1)
      } else {
        output += screen.draw(
          footer.lines(current, now: current.now, width: width, height: TerminalDevice.height(STDOUT_FILENO) ?? 24), width: width + 1)
      }
      if !output.isEmpty { Terminal.write(output) }
      if isOver, !grew { return current }
      if !grew { try await Task.sleep(nanoseconds: 200_000_000) }
    }
  }
}
