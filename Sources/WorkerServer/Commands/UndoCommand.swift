import Desk
import Foundation
import JSON
import PosixSupport
import Runs
import Workspace

/// `undo RUN [PATH...]`: puts back what a run changed, exactly and only that.
enum UndoCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--dry-run", "--redo", "--leave", "--yes", "--json"], most: 100_000)
    guard let named = words.rest.first else { throw CommandWords.Wrong("it takes a run: its id, or `latest`") }
    let paths = words.rest.dropFirst().map(absolute)
    let (flags, style) = (words.flags, Terminal.style(environment))
    // A person sits there: asked, or told why not.
    if flags.contains("--json"), flags.isDisjoint(with: ["--yes", "--dry-run"]), TerminalDevice.isTerminal(STDIN_FILENO) {
      throw CommandWords.Wrong("with --json nothing is asked: add --yes to do it, or --dry-run to see what would be done")
    }
    return DeskCommand.withRun(named, environment) { run, manager in
      let git = ProgramFinder.locate("git", path: environment["PATH"], workspace: run.record.request.cwd)
      let undo = RunUndo(run: run, state: manager.state, git: git)
      return try await onThread { try perform(undo, paths, flags, style) }
    }
  }

  /// Paths are meant from the current folder, as everywhere in a terminal.
  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : (PrivateFiles.resolved(".") ?? FileManager.default.currentDirectoryPath) + "/" + path
  }

  private static func perform(_ undo: RunUndo, _ paths: [String], _ flags: Set<String>, _ style: Style) throws -> Int32 {
    let (isRedo, isDryRun, isJSON) = (flags.contains("--redo"), flags.contains("--dry-run"), flags.contains("--json"))
    let side: UndoJournal.Side = isRedo ? .after : .before
    let plan: RunUndo.Plan
    do {
      plan = try undo.plan(paths, to: side, leaving: flags.contains("--leave"), isDryRun: isDryRun)
    } catch let refusal as UndoRefusal {
      guard !isJSON else { return show(undo, nil, done: false, refusal: refusal) }
      Terminal.error("opencode-worker: \(Words.line(refusal.description, 1000)).")
      for command in refusal.commands { Terminal.error("  \(command)") }
      return ExitCode.failure
    } catch {
      guard isJSON else { throw error }
      return show(undo, nil, done: false, refusal: UndoRefusal("\(error)"))
    }
    let isRefused = !plan.obstacles.isEmpty && !flags.contains("--leave")
    if isRefused || isDryRun || (plan.steps.isEmpty && !plan.isInterrupted) {
      undo.abandon(plan)
      if isJSON { return show(undo, plan, done: !isRefused && !isDryRun) }
      return tell(undo, plan, isRefused: isRefused, isDryRun: isDryRun, style)
    }
    if !isJSON {
      tellSteps(plan, style)
      if TerminalDevice.isTerminal(STDIN_FILENO), !flags.contains("--yes"), !(try confirmed(undo, plan)) {
        undo.abandon(plan)
        Terminal.tell("Nothing was done.")
        return ExitCode.failure
      }
    }
    do {
      try undo.carryOut(plan)
    } catch let refusal as UndoRefusal {
      undo.abandon(plan)
      guard isJSON else { throw refusal }
      return show(undo, nil, done: false, refusal: refusal)
    } catch {
      let id = undo.run.folder.id
      let why = "\(error). `opencode-worker undo \(id)` finishes what was begun, `opencode-worker undo \(id) --redo` takes it back."
      guard isJSON else { throw WorkspaceError(why) }
      return show(undo, plan, done: false, refusal: UndoRefusal(why))
    }
    if isJSON { return show(undo, plan, done: true) }
    let what = "\(Words.counted(plan.steps.count, "file")) \(plan.steps.count == 1 ? "is" : "are")"
    Terminal.tell(
      isRedo
        ? "\(what) as the run left \(plan.steps.count == 1 ? "it" : "them") again."
        : "\(what) as before the run. `opencode-worker undo \(undo.run.folder.id) --redo` takes that back.")
    if !isRedo { for note in plan.notes { Terminal.tell(style.dim("\(note).")) } }
    return ExitCode.success
  }

  private static func confirmed(_ undo: RunUndo, _ plan: RunUndo.Plan) throws -> Bool {
    guard Terminal.isTerminal || TerminalDevice.isTerminal(STDERR_FILENO) else {
      undo.abandon(plan)
      throw WorkspaceError("nothing was done: the question whether to do it can't be seen here; --yes does it without")
    }
    // Where stdout leads into a file or a pipe, the person is at the other end of stderr.
    Terminal.ask("\(plan.side == .before ? "Put this back" : "Bring this back") in \(Words.line(plan.root, 300))? [y/N] ")
    guard let answer = readLine() else {
      Terminal.error("")
      return false
    }
    return ["y", "yes"].contains(answer.trimmingCharacters(in: .whitespaces).lowercased())
  }

  private static func tellSteps(_ plan: RunUndo.Plan, _ style: Style) {
    var lines = UndoScreen(style: style).steps(plan)
    if !plan.obstacles.isEmpty { lines += ["\nLeft as \(plan.obstacles.count == 1 ? "it is" : "they are"):"] + UndoScreen(style: style).obstacles(plan) }
    for line in lines { guard Terminal.tell(line) else { return } }
  }

  private static func tell(_ undo: RunUndo, _ plan: RunUndo.Plan, isRefused: Bool, isDryRun: Bool, _ style: Style) -> Int32 {
    if isRefused {
      Terminal.error("opencode-worker: nothing was done: \(Words.counted(plan.obstacles.count, "file")) can't be put back.")
      for line in UndoScreen(style: .plain).obstacles(plan) { Terminal.error(line) }
      Terminal.error("With --leave the others are put back (\(Words.grouped(plan.steps.count))) and these stay as they are; or name the files that you mean.")
      return ExitCode.failure
    }
    tellSteps(plan, style)
    if plan.steps.isEmpty { Terminal.line("There is nothing to do.") } else if isDryRun { Terminal.line("Nothing was done (--dry-run).") }
    return ExitCode.success
  }

  /// For machines.
  private static func show(_ undo: RunUndo, _ plan: RunUndo.Plan?, done: Bool, refusal: UndoRefusal? = nil) -> Int32 {
    var reply: JSONObject = ["run": .string(undo.run.folder.id), "done": .bool(done)]
    if let plan {
      reply["root"] = .string(plan.root)
      reply["files"] = .array(plan.steps.map { ["path": .string($0.path), "act": .string($0.act.rawValue)] })
      if !plan.there.isEmpty { reply["already"] = JSONValue(strings: plan.there) }
      if !plan.obstacles.isEmpty { reply["refused"] = .array(plan.obstacles.map { ["path": .string($0.path), "why": .string($0.why)] }) }
      if !plan.notes.isEmpty { reply["notes"] = JSONValue(strings: plan.notes) }
    }
    if let refusal {
      reply["why"] = .string(refusal.description)
      if !refusal.commands.isEmpty { reply["commands"] = JSONValue(strings: refusal.commands) }
    }
    Terminal.json(.object(reply))
    return refusal == nil && (done || plan?.obstacles.isEmpty == true) ? ExitCode.success : ExitCode.failure
  }
}
