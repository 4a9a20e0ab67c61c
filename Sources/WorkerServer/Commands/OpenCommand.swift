import Desk
import Foundation
import OpenCode
import PosixSupport
import Runs

/// `open [RUN]`: OpenCode's own interface on the run's session, in its folder.
enum OpenCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, most: 1)
    return DeskCommand.withRun(words.rest.first, environment) { run, _ in
      let request = run.record.request
      guard let session = run.digest.session ?? request.session else {
        Terminal.error("opencode-worker: \(run.folder.id) has no session yet.")
        return ExitCode.failure
      }
      guard run.isOver else {
        Terminal.error("opencode-worker: \(run.folder.id) is alive, and two processes on one session would disturb each other. `watch` shows what it does.")
        return ExitCode.failure
      }
      guard PrivateFiles.isFolder(request.cwd) else {
        Terminal.error("opencode-worker: the folder \(Words.line(request.cwd, 300)) is gone.")
        return ExitCode.failure
      }
      var settings = environment
      settings["PWD"] = request.cwd
      guard chdir(request.cwd) == 0 else { throw PosixError("chdir", path: request.cwd) }
      // An upgrade since the run speaks in its own way.
      let installation = request.installation.asItIsNow(environment: environment, folder: request.cwd, deadline: .after(10))
      OwnProcess.resetSignals()
      try OwnProcess.execute(installation.path, arguments: installation.version.commandLine.interfaceArguments(session), environment: settings)
    }
  }
}
