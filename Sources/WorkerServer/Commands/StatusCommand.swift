import Desk
import JSON
import MCP
import PosixSupport
import Runs

/// `status [RUN]`: how a run stands.
enum StatusCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--json"], most: 1)
    let style = Terminal.style(environment)
    return DeskCommand.withRun(words.rest.first, environment) { run, _ in
      if words.flags.contains("--json") {
        Terminal.json(.object(ReplyBound.fit(RunReply.status(run)).structured))
      } else if run.isOver {
        for line in ShortReview(run: run, attention: RunReply.attention(run), style: style).lines { Terminal.line(line) }
      } else {
        for line in RunCard(run: run, attention: RunReply.attention(run), style: style, now: run.now).lines { Terminal.line(line) }
      }
      return run.isOver ? DeskCommand.exitCode(run) : ExitCode.success
    }
  }
}
