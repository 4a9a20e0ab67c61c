import Desk
import Foundation
import JSON
import MCP
import PosixSupport
import Runs
import Workspace

/// `report [RUN]`: the review of a run, in short on the terminal and in full as a page.
enum ReportCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--open", "--json"], values: ["-o"], most: 1)
    if words.flags.contains("--json"), words.values["-o"] != nil || words.flags.contains("--open") {
      throw CommandWords.Wrong("--json makes no page: it goes with neither -o nor --open")
    }
    if words.values["-o"] == "-", words.flags.contains("--open") { throw CommandWords.Wrong("--open needs a file: `-o -` makes none") }
    if words.values["-o"]?.isEmpty == true { throw CommandWords.Wrong("-o needs a file's name, or `-` for stdout") }
    let style = Terminal.style(environment)
    return DeskCommand.withRun(words.rest.first, environment) { run, _ in
      if words.flags.contains("--json") { return showJSON(run) }
      guard run.isOver else {
        Terminal.error("opencode-worker: \(run.folder.id) is alive; its report is there when it has ended. `watch` shows what it does.")
        return ExitCode.failure
      }
      let attention = RunReply.attention(run)
      let page = await onThread { ReportPage.html(run, attention: attention, environment: environment, mask: SecretMask.hiding) }
      if words.values["-o"] == "-" {
        Terminal.write(page)
        return DeskCommand.exitCode(run)
      }
      let path = words.values["-o"].map { $0.hasPrefix("/") ? $0 : FileManager.default.currentDirectoryPath + "/" + $0 } ?? run.folder.path + "/report.html"
      do {
        guard !PrivateFiles.isFolder(path) else { throw PosixError("rename", code: EISDIR) }
        try PrivateFiles.write(path, Array(page.utf8))
      } catch {
        let why = (error as? PosixError).map { PosixError.text(of: $0.code) } ?? "\(error)"
        Terminal.error("opencode-worker: the page can't be written to \(path): \(why). -o FILE names another place, `-o -` prints it.")
        return ExitCode.failure
      }
      for line in ShortReview(run: run, attention: attention, style: style).lines { Terminal.tell(line) }
      Terminal.tell("\n\(style.dim("The whole report:")) \(path)")
      if words.flags.contains("--open"), !openInBrowser(path, environment) {
        Terminal.error("opencode-worker: no browser could be started (xdg-open, open); the page is in \(path)")
        return ExitCode.failure
      }
      try? run.folder.add(.reviewed, by: RunMark.person)
      return DeskCommand.exitCode(run)
    }
  }

  private static func showJSON(_ run: RunSnapshot) -> Int32 {
    let reply = ReplyBound.fit(run.isOver ? RunReply.review(run, for: .byHand()) : RunReply.status(run))
    Terminal.json(.object(reply.structured))
    reply.whenDelivered?()
    return DeskCommand.exitCode(run)
  }

  private static func openInBrowser(_ path: String, _ environment: [String: String]) -> Bool {
    for name in ["xdg-open", "open"] {
      guard let program = ProgramFinder.locate(name, path: environment["PATH"], workspace: nil) else { continue }
      if (try? Command(program, [path], environment: environment, deadline: .after(20)).run())?.succeeded == true { return true }
    }
    return false
  }
}
