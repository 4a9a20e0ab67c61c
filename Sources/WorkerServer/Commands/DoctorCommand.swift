import CodexSetup
import Desk
import Foundation
import PosixSupport
import Runs
import Text

/// `doctor`: finds and explains what would go wrong. Reads only; `--json` for programs.
enum DoctorCommand {
  static let usage = """
    usage: opencode-worker doctor [--verbose] [--json]

    Looks at OpenCode, Codex, the helper programs, PATH, the state folder and the runs. A line each: ok, warning or problem, and
    what mends it. Exit status: 0 no problem (there may be warnings), 1 a problem, 2 wrong arguments.

      --verbose  with the paths, and all places that were looked at
      --json     for machines
    """

  /// A part of the examination that may take its time: each one runs on a thread of its own.
  struct Part: Sendable {
    /// Shown when it doesn't come back.
    let name: String
    let checks: @Sendable () -> [Check]

    init(_ name: String, _ checks: @escaping @Sendable () -> [Check]) {
      self.name = name
      self.checks = checks
    }
  }

  /// What is looked at beside OpenCode and the runs.
  static func ownParts(environment: [String: String], stateFolder: String, executable: String) -> [Part] {
    [
      Part("codex") { CodexChecks.checks(CodexChecks.facts(environment: environment, executable: executable)) },
      Part("programs") {
        SystemChecks.checks(
          SystemChecks.programs(
            path: environment["PATH"] ?? "", namesOpenCode: environment[CodexSettings.openCodeVariable]?.hasPrefix("/") == true,
            loginPath: LoginShell.askPath(environment.merging(["PATH": SystemChecks.barePath]) { $1 }, deadline: .after(5))))
      },
      Part("state folder") {
        let ignored = StateFolder.ignoredSetting(environment).map { [Check.warning("state folder", $0, mend: "set it to an absolute path, or unset it")] }
        return SystemChecks.checks(SystemChecks.stateFacts(path: stateFolder)) + (ignored ?? [])
      },
      Part("workspace") {
        SystemChecks.workspaceChecks(environment["OPENCODE_WORKER_CWD"] ?? FileManager.default.currentDirectoryPath, home: NSHomeDirectory())
      },
    ]
  }

  /// - Parameters:
  ///   - first: the parts to be shown before our own: OpenCode
  ///   - last: the parts to be shown behind them: the runs
  ///   - deadline: for all parts; what takes longer is a problem of its own
  /// - Throws: `CommandWords.Wrong`
  static func run(
    arguments: [String], environment: [String: String], stateFolder: String, executable: String = OwnProcess.executable, first: [Part] = [],
    last: [Part] = [], deadline: Deadline = .after(60), output: (String) -> Void
  ) async throws -> Int32 {
    if arguments.contains("--help") || arguments.contains("-h") {
      output(usage)
      return ExitCode.success
    }
    let words = try CommandWords(arguments, flags: ["--json", "--verbose"], most: 0)
    let own = ownParts(environment: environment, stateFolder: stateFolder, executable: executable)
    let checks = await examine(first + own + last, deadline: deadline)
    if words.flags.contains("--json") {
      output(TerminalText.escapedInJSON(checks.report.prettyText))
    } else {
      for check in checks { output(TerminalText.printable(check.line(verbose: words.flags.contains("--verbose")))) }
    }
    return checks.worst == .problem ? ExitCode.failure : ExitCode.success
  }

  /// All parts at the same time, in their order. One that hangs costs its own answer, not the others'.
  static func examine(_ parts: [Part], deadline: Deadline) async -> [Check] {
    let answers = await onThread { gathered(deadline: deadline, parts.map(\.checks)) }
    return zip(parts, answers).flatMap { part, answer in answer ?? [.problem(part.name, "no answer within \(Int(deadline.seconds)) s")] }
  }
}
