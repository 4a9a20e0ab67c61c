import Desk
import Foundation
import JSON
import MCP
import PosixSupport
import Runs
import Workspace

/// `demo`: the main job on a fresh machine, in a temporary repository.
enum DemoCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    guard arguments.isEmpty || arguments == ["--real"] else { return CommandLineTool.wrong("demo takes --real or nothing") }
    let real = !arguments.isEmpty
    let folder = NSTemporaryDirectory() + "opencode-worker-demo-\(getpid())"
    do {
      let repository = folder + "/repository"
      try PrivateFiles.createFolder(repository)
      try makeRepository(repository, environment)
      var environment = environment
      environment["OPENCODE_WORKER_STATE_DIR"] = folder + "/state"
      if real {
        Terminal.line("With the OpenCode that is installed: its model may cost money.")
      } else {
        Terminal.line("With the built-in stand-in for OpenCode: no model, no cost (`--real`: your own).")
        try PrivateFiles.createFolder(folder + "/bin")
        try FileManager.default.createSymbolicLink(atPath: folder + "/bin/opencode", withDestinationPath: OwnProcess.executable)
        environment["OPENCODE_BIN"] = folder + "/bin/opencode"
      }
      Terminal.line("Repository: \(repository)\n\nCodex would call opencode_run_and_wait: add greeting.txt, and check it.\n")
      let code = delegate(in: repository, environment)
      Terminal.line(
        """
        Everything of this demo lies here; delete it when you like:
          \(folder)

        You saw `watch`, then in short the review that Codex gets. What comes next:
          opencode-worker install --help   sets up Codex
          opencode-worker doctor           looks whether all is well
        """)
      return code
    } catch {
      Terminal.error("The demo could not be set up: \(error)")
      return ExitCode.failure
    }
  }

  /// A repository with one commit and one uncommitted file that isn't the run's.
  private static func makeRepository(_ path: String, _ environment: [String: String]) throws {
    try PrivateFiles.replace(path + "/README.md", with: Array("# Demo\n".utf8))
    try PrivateFiles.replace(path + "/notes.txt", with: Array("uncommitted, and not the run's\n".utf8))
    guard let git = ProgramFinder.locate("git", path: environment["PATH"], workspace: path) else {
      throw WorkspaceError("git is not installed")
    }
    let commands = [
      ["init", "-q"], ["add", "README.md"],
      ["-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "Begin"],
    ]
    for arguments in commands {
      let result = try Command(git, arguments, environment: environment, folder: path, deadline: .after(20)).run()
      if !result.succeeded { throw WorkspaceError("git \(arguments[0]) failed: \(result.errorText)") }
    }
  }

  private static func delegate(in repository: String, _ environment: [String: String]) -> Int32 {
    let manager = RunManager(state: .standard(environment), environment: environment)
    let tool = StartTool(manager: manager)
    let arguments: JSONObject = [
      "message": "Add a file greeting.txt that holds one line: hello. Then check that it is not empty.", "cwd": .string(repository),
      "title": "Add a greeting",
      "acceptanceCriteria": ["greeting.txt holds the line hello"], "verificationCommands": ["test -s greeting.txt"],
    ]
    return CommandLineTool.finish {
      guard let started = try? await tool.reply(to: arguments, in: .byHand()) else { return ExitCode.failure }
      guard !started.isError, let id = started.structured["run"]?.string else {
        Terminal.error(started.text)
        return ExitCode.failure
      }
      do {
        let style = Terminal.style(environment)
        let run = try await WatchCommand.follow(try await manager.snapshot(id), manager, style: style)
        Terminal.line("")
        let attention = RunReply.attention(run)
        for line in ShortReview(run: run, attention: attention, style: style).lines { Terminal.line(line) }
        let page = run.folder.path + "/report.html"
        try PrivateFiles.replace(page, with: Array(ReportPage.html(run, attention: attention, environment: environment, mask: SecretMask.hiding).utf8))
        Terminal.line("\nThe report as a page, for a browser:\n  \(page)")
        return DeskCommand.exitCode(run)
      } catch {
        Terminal.error("opencode-worker: \(DeskCommand.words(of: error))")
        return ExitCode.failure
      }
    }
  }
}
