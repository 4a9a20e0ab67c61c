import CodexSetup
import Desk
import PosixSupport
import Runs
import Text

/// A command for people: its words, its help, and what it does.
struct UserCommand: Sendable {
  let name: String
  /// The words behind the name, as help shows them.
  let words: String
  let summary: String
  /// A line an option, and what else is worth knowing.
  let details: String
  let options: [String]
  let takesRun: Bool
  /// - Returns: the exit code
  let run: @Sendable ([String], [String: String]) throws -> Int32

  init(
    _ name: String, _ words: String = "", _ summary: String, _ details: String = "", options: [String] = [], takesRun: Bool = false, page: String? = nil,
    run: @escaping @Sendable ([String], [String: String]) throws -> Int32
  ) {
    self.name = name
    self.words = words
    self.summary = summary
    self.details = details
    self.options = options
    self.takesRun = takesRun
    self.page = page
    self.run = run
  }

  /// The command's own page, where it has one.
  private let page: String?

  var help: String {
    if let page { return page }
    var text = "usage: opencode-worker \(name)\(words.isEmpty ? "" : " " + words)\n\n\(summary)."
    if !details.isEmpty { text += "\n\n\(details)" }
    if takesRun {
      text += "\n\nRUN is a run's id, any beginning or end of it that fits one run only, or `latest`."
      if !words.hasPrefix("RUN") { text += "\nWithout it: the run that is alive, else the latest." }
    }
    return text
  }

  static func named(_ name: String) -> UserCommand? { all.first { $0.name == name } }

  static func suggestion(for name: String) -> String {
    if ["stop", "cancel", "kill", "abort"].contains(name) {
      return ": nothing here ends a run by itself. `opencode-worker status` shows the command with which you can"
    }
    return EditDistance.closest(to: name, in: all.map(\.name)).map { "; did you mean `\($0)`?" } ?? ""
  }

  static var overview: String {
    let width = all.map { $0.name.count + $0.words.count + 1 }.filter { $0 <= 30 }.max() ?? 0
    func row(_ command: UserCommand) -> String {
      let call = "\(command.name) \(command.words)"
      return call.count > width
        ? "  \(call)\n  \(String(repeating: " ", count: width))  \(command.summary)"
        : "  \(call)\(String(repeating: " ", count: width - call.count))  \(command.summary)"
    }
    return """
      Hands coding work from Codex to OpenCode: an MCP server on stdin and stdout, and commands for you.

      See what a run does
      \(all.filter { $0.takesRun || $0.name == "runs" }.map(row).joined(separator: "\n"))

      Set up
      \(all.filter { !$0.takesRun && $0.name != "runs" }.map(row).joined(separator: "\n"))

        --help, COMMAND --help, --version

      Without a command it is the MCP server that Codex starts. Runs are kept in ~/.local/state/codex-opencode-worker
      (OPENCODE_WORKER_STATE_DIR moves it). Nothing here ends a run; `status` shows how you can.

      Exit codes: 0 done; 1 the run failed, a check failed or isn't proven, the reply was an error, `doctor` found a problem;
      2 the command line was wrong; 130 interrupted.
      """
  }

  static let all: [UserCommand] = [
    UserCommand(
      "status", "[RUN] [--json]", "How a run stands", "  --json      the same as opencode_status replies", options: ["--json"], takesRun: true
    ) { try StatusCommand.run($0, environment: $1) },
    UserCommand(
      "watch", "[RUN] [--from-now]", "Follow a run until it ends: every event, one line each",
      "  --from-now  leave out what has happened already\n\nCtrl-C leaves; the run goes on.", options: ["--from-now"], takesRun: true
    ) { try WatchCommand.run($0, environment: $1) },
    UserCommand(
      "report", "[RUN] [-o FILE] [--open] [--json]", "The review of a run: in short here, in full as a page for the browser",
      "  -o FILE     where the page goes (`-`: stdout); otherwise into the run's folder\n  --open      open it in the browser\n"
        + "  --json      the review as opencode_wait replies it, and no page",
      options: ["-o", "--open", "--json"], takesRun: true
    ) { try ReportCommand.run($0, environment: $1) },
    UserCommand(
      "diff", "[RUN] [PATH...] [--no-pager]", "What the run itself changed, as a diff",
      "Only what changed while the run was alive, whatever was uncommitted before. In a pipe it is what `git apply -R` takes back.\n\n"
        + "  --no-pager  don't use $GIT_PAGER, $PAGER or less", options: ["--no-pager"], takesRun: true
    ) { try DiffCommand.run($0, environment: $1) },
    UserCommand(
      "undo", "RUN [PATH...] [--dry-run] [--redo] [--leave]", "Put back what a run changed, exactly and only that",
      """
      Every file gets the bytes that it had when the run began, what was uncommitted then included; git's index, branches and
      commits stay. What it overwrites is kept: `--redo` brings it back. PATH is a file or a folder, from where you are.

        --dry-run   only show what would be done
        --redo      take an undo back
        --leave     leave files that can't be put back as they are, and put back the others; without it all are put back or none
        --yes       don't ask; without a terminal nothing is asked anyway
        --json      the same for machines: done, files, refused, why. It doesn't ask: at a terminal it needs --yes

      Refused, with the reason: while a run is alive in that workspace; where it isn't known exactly what the run changed; when the
      run's commits moved HEAD (the git command is shown); for files that have changed since, and for those whose bytes weren't kept.
      One that was interrupted is finished, or taken back, by the next.
      """, options: ["--dry-run", "--redo", "--leave", "--yes", "--json"], takesRun: true
    ) { try UndoCommand.run($0, environment: $1) },
    UserCommand(
      "logs", "[RUN] [-f] [-n LINES] [--raw | --stderr]", "What OpenCode printed",
      "  -f          go on until the run ends\n  -n LINES    so many of the last lines (40)\n  --raw       the JSON lines as they are\n"
        + "  --stderr    its stderr", options: ["-f", "-n", "--raw", "--stderr"], takesRun: true
    ) { try LogsCommand.run($0, environment: $1) },
    UserCommand("open", "[RUN]", "Open the run's session in OpenCode's own interface, in its folder", takesRun: true) {
      try OpenCommand.run($0, environment: $1)
    },
    UserCommand(
      "runs", "[-n COUNT] [--json]", "The history, newest first",
      "  -n COUNT    so many (20)\n  --json      rows as opencode_runs replies them\n"
        + "  --ids       ids only", options: ["-n", "--json", "--ids"]
    ) { try RunsCommand.run($0, environment: $1) },
    UserCommand(
      "install", "[--enable | --direct] [--hooks] [--wake] [--approve]", "Set up Codex",
      options: ["--direct", "--enable", "--hooks", "--wake", "--approve", "--dry-run"], page: InstallCommand.usage
    ) {
      InstallCommand.run(arguments: $0, environment: $1, output: { Terminal.tell(TerminalText.printable($0)) }, problem: { Terminal.error($0) })
    },
    UserCommand("uninstall", "[--dry-run]", "Take that back", options: ["--dry-run"], page: UninstallCommand.usage) {
      UninstallCommand.run(
        arguments: $0, environment: $1, stateFolder: StateFolder.standard($1).root, output: { Terminal.tell(TerminalText.printable($0)) },
        problem: { Terminal.error($0) })
    },
    UserCommand(
      "doctor", "[--verbose] [--json]", "Check what could go wrong, and how to mend it", options: ["--verbose", "--json"], page: DoctorCommand.usage
    ) {
      try CommandLineTool.doctor($0, $1)
    },
    UserCommand(
      "demo", "[--real]", "Delegate a small task in a temporary repository",
      "  --real      with the OpenCode that is installed; its model may cost money", options: ["--real"]
    ) { DemoCommand.run($0, environment: $1) },
    UserCommand(
      "call", "[TOOL ['JSON']]", "Call one tool as Codex does and print its reply; without TOOL: list them",
      "Example: opencode-worker call opencode_changed_files '{\"cwd\": \".\"}'"
    ) { CallCommand.run($0, environment: $1) },
    UserCommand(
      "completions", "bash|zsh|fish", "Print a shell's completions",
      """
      In ~/.bashrc or ~/.zshrc:       eval "$(opencode-worker completions bash)"   (or zsh)
      In ~/.config/fish/config.fish:  opencode-worker completions fish | source
      """, options: Completions.shells
    ) {
      try CompletionsCommand.run($0, environment: $1)
    },
    UserCommand("serve", "", "The MCP server, as without a command") { _, environment in ServeCommand.run(environment: environment) },
  ]
}
