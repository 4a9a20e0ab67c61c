import Foundation
import Runs

/// `watch [RUN]`: follows a run on the terminal until it ends.
enum WatchCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    ReportCommand.withRun(arguments, environment, named: "watch") { run, manager in
      Terminal.line("\(run.folder.id)  \(run.record.request.title)  (\(run.record.request.cwd))")
      return ReportCommand.show(try await follow(run.folder.id, manager))
    }
  }

  /// Prints each thing that happens, and waits for the end.
  static func follow(_ id: String, _ manager: RunManager) async throws -> RunSnapshot {
    let printer = StepPrinter()
    while true {
      let run = try await manager.wait(for: id, seconds: 86_400) { await printer.show($0) }
      if run.isOver { return run }
    }
  }
}

private actor StepPrinter {
  private var last = ""

  func show(_ run: RunSnapshot) {
    let line = run.digest.lastDone.map { "step \(run.digest.steps): \($0.text)" } ?? run.state
    guard line != last else { return }
    last = line
    Terminal.line("  \(line)")
  }
}
