import Desk
import Foundation
import JSON
import PosixSupport
import Runs

/// `runs`: the history.
enum RunsCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--json", "--ids"], values: ["-n"], most: 0)
    let limit = try words.values["-n"].map { try count($0) } ?? 20
    let manager = RunManager(state: .standard(environment), environment: environment)
    if words.flags.contains("--ids") {
      for run in manager.state.runFolders() { Terminal.line(run.id) }
      return ExitCode.success
    }
    let style = Terminal.style(environment)
    return CommandLineTool.finish {
      var runs: [RunSnapshot] = []
      for folder in manager.state.runFolders().prefix(limit) {
        do {
          runs.append(try await manager.snapshot(folder.id))
        } catch {
          Terminal.error("opencode-worker: \(folder.id): \(DeskCommand.words(of: error))")
        }
      }
      if words.flags.contains("--json") {
        Terminal.json(.array(runs.map(RunReply.historyRow)))
      } else if runs.isEmpty {
        Terminal.line("No run is kept in \(manager.state.root).")
      } else {
        let width = Terminal.isTerminal ? TerminalDevice.width(STDOUT_FILENO) : nil
        for line in HistoryTable.lines(runs, style: style, time: LocalTime(), width: width) { Terminal.line(line) }
      }
      return ExitCode.success
    }
  }

  /// - Throws: `CommandWords.Wrong`
  static func count(_ text: String) throws -> Int {
    guard let count = Int(text), (1...1_000_000).contains(count) else {
      throw CommandWords.Wrong("-n takes a whole number from 1 on, not \"\(Words.line(text, 40))\"")
    }
    return count
  }
}
