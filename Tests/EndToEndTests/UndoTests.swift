import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// `undo` by the built binary, of runs in a real repository.
@Suite(.blocking) struct UndoTests {
  let world: World

  init() throws { world = try World() }

  private func delegate(_ command: String, cwd: String? = nil) throws -> String {
    try world.standIn(["turns": [["tools": [["name": "bash", "arguments": ["command": .string(command), "description": "x"]]]], ["text": "Done."]]])
    let arguments: JSONValue = ["message": "Do it.", "cwd": .string(cwd ?? world.repository)]
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", arguments.text, deadline: .after(120)).output)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private func json(_ arguments: String...) throws -> (JSONValue, PosixSupport.ExitStatus?) {
    let result = try Command(
      World.binary, ["undo"] + arguments + ["--json"], environment: world.environment, folder: world.repository, deadline: .after(120)
    ).run()
    return (try JSONValue(parsing: result.output), result.status)
  }

  @Test func whatARunDidIsPutBackAndBroughtBackAgain() throws {
    try world.write("repository/mine.txt", "uncommitted\n")
    let run = try delegate("echo more >> README.md; mkdir -p src/deep; echo n > src/deep/new.txt; rm mine.txt; ln -s README.md link")
    let dry = try world.worker("undo", run, "--dry-run")
    #expect(dry.status == .exited(0) && dry.outputText.contains("Nothing was done"), "\(dry.errorText)")
    for line in ["put back      README.md", "delete        src/deep/new.txt", "bring back    mine.txt", "delete        link"] {
      #expect(dry.outputText.contains(line), "\(line): \(dry.outputText)")
    }
    #expect(world.exists("repository/src/deep/new.txt") && !PrivateFiles.exists(world.file("undo/journal.json", of: run)))

    let undone = try world.worker("undo", run)
    #expect(undone.status == .exited(0) && undone.outputText.contains("4 files are as before the run"), "\(undone.errorText)")
    #expect(world.read("repository/README.md") == "# Repository\n" && world.read("repository/mine.txt") == "uncommitted\n")
    #expect(!world.exists("repository/src") && !world.exists("repository/link"))
    #expect(try world.git("status", "--porcelain") == "?? mine.txt\n")
    #expect(try world.worker("undo", run).outputText.contains("There is nothing to do."))

    let (redone, status) = try json(run, "--redo")
    #expect(status == .exited(0) && redone["done"] == true && redone["files"]?.array?.count == 4, "\(redone.text)")
    #expect(
      world.read("repository/README.md") == "# Repository\nmore\n" && world.read("repository/src/deep/new.txt") == "n\n" && !world.exists("repository/mine.txt")
    )
    let again = try world.worker("undo", run, "--redo")
    #expect(again.status == .exited(1) && again.errorText.contains("nothing to bring back"))
  }

  /// Two spellings of a letter are two names; Swift takes them for the same.
  @Test func namesThatDifferInTheirNormalFormOnlyAreTwoFiles() throws {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    try world.write("repository/\(decomposed)", "a\n")
    try world.write("repository/b", "b\n")
    try world.git("add", ".")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "two")
    // A disk that takes them for one file has nothing to show.
    guard !world.exists("repository/\(composed)") else { return }
    let run = try delegate("mv \(decomposed) \(composed); echo more >> \(composed); echo work > zz; echo x >> b")
    #expect(try world.worker("undo", run, composed, "zz").succeeded)
    #expect(try world.worker("undo", run, "b").succeeded)
    #expect(try world.worker("undo", run, "--redo").succeeded)
    #expect(world.read("repository/zz") == "work\n" && world.read("repository/\(composed)") == "a\nmore\n" && world.read("repository/b") == "b\nx\n")
    #expect(!world.exists("repository/\(decomposed)"))
    #expect(try world.worker("undo", run).succeeded)
    #expect(world.read("repository/\(decomposed)") == "a\n" && !world.exists("repository/\(composed)") && world.read("repository/b") == "b\n")
  }

  /// What is shown is shown; what is done doesn't hang on somebody who reads it.
  @Test func itIsDoneWhoeverReadsIt() throws {
    let run = try delegate("for i in $(seq 3000); do echo $i > new-$i; done; echo more >> README.md")
    let command = "trap '' PIPE; ('\(World.binary)' undo \(run) --yes; echo $? >status) | true; while [ ! -s status ]; do sleep 0.1; done"
    let piped = try Command("/bin/sh", ["-c", command], environment: world.environment, folder: world.repository, deadline: .after(300)).run()
    #expect(piped.succeeded && world.read("repository/status") == "0\n", "\(piped.errorText)")
    #expect(world.read("repository/README.md") == "# Repository\n" && !world.exists("repository/new-1") && !world.exists("repository/new-3000"))
  }

  @Test func namedFilesOnlyFromWhereOneIs() throws {
    let run = try delegate("mkdir sub; echo a > sub/a; echo b > sub/b; echo more >> README.md")
    let inside = try Command(World.binary, ["undo", run, "a"], environment: world.environment, folder: world.path("repository/sub"), deadline: .after(60)).run()
    #expect(inside.status == .exited(0), "\(inside.errorText)")
    #expect(!world.exists("repository/sub/a") && world.exists("repository/sub/b") && world.read("repository/README.md") != "# Repository\n")
    let unknown = try world.worker("undo", run, "other")
    #expect(unknown.status == .exited(1) && unknown.errorText.contains("not among the changed files"))
    #expect(try world.worker("undo", "latest").status == .exited(0))
    #expect(!world.exists("repository/sub") && world.read("repository/README.md") == "# Repository\n")
    #expect(try world.worker("undo", run, "README.md", "--redo").status == .exited(0))
    #expect(!world.exists("repository/sub") && world.read("repository/README.md") == "# Repository\nmore\n")
  }

  /// All or nothing, unless one says otherwise.
  @Test func aFileThatHasChangedSinceKeepsTheOthersToo() throws {
    let run = try delegate("echo more >> README.md; echo n > new.txt")
    try world.write("repository/new.txt", "mine now\n")
    let refused = try world.worker("undo", run)
    #expect(refused.status == .exited(1) && refused.errorText.contains("new.txt: it has changed since the run") && refused.errorText.contains("--leave"))
    #expect(world.read("repository/README.md") == "# Repository\nmore\n")
    let (reply, status) = try json(run)
    #expect(status == .exited(1) && reply["done"] == false && reply["refused"]?.array?.first?["path"] == "new.txt", "\(reply.text)")
    let (unknown, code) = try json(run, "other")
    #expect(code == .exited(1) && unknown["done"] == false && unknown["why"]?.string?.contains("not among the changed files") == true, "\(unknown.text)")
    #expect(try world.worker("undo", run, "--leave").status == .exited(0))
    #expect(world.read("repository/README.md") == "# Repository\n" && world.read("repository/new.txt") == "mine now\n")
  }

  @Test func refusedWhileARunIsAliveThere() throws {
    let first = try delegate("echo more >> README.md")
    try world.standIn(["turns": [["text": "Working.", "tools": [["name": "bash", "arguments": ["command": "sleep 300", "description": "x"]]]]]])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(world.task()).text).output)
    let live = try #require(started["run"]?.string, "\(started.text)")
    for run in [first, live] {
      let refused = try world.worker("undo", run)
      #expect(refused.status == .exited(1) && refused.errorText.contains("alive"), "\(refused.errorText)")
    }
    #expect(world.read("repository/README.md") == "# Repository\nmore\n")
    // One that works elsewhere is in nobody's way.
    kill(-(try #require(world.openCode(of: live))), SIGKILL)
    #expect(try eventually(within: 60) { try world.worker("status", live).outputText.contains("failed") })
    try PrivateFiles.createFolder(world.path("other"))
    let elsewhere = try JSONValue(
      parsing: try world.worker("call", "start", JSONValue.object(world.task(["cwd": .string(world.path("other"))])).text).output)
    #expect(elsewhere["state"] == "running" || elsewhere["state"] == "starting", "\(elsewhere.text)")
    let undone = try world.worker("undo", first)
    #expect(undone.status == .exited(0) && world.read("repository/README.md") == "# Repository\n", "\(undone.errorText)")
  }

  @Test func commitsAreGitsAndTheCommandIsShown() throws {
    let run = try delegate("echo more >> README.md; git -c user.name=T -c user.email=t@localhost commit -qam Work")
    let refused = try world.worker("undo", run)
    #expect(refused.status == .exited(1) && refused.errorText.contains("moved HEAD"), "\(refused.errorText)")
    let command = try #require(refused.errorText.split(separator: "\n").first { $0.hasPrefix("  git -C ") })
    let result = try Command("/bin/sh", ["-c", String(command)], environment: world.environment, folder: world.root, deadline: .after(60)).run()
    #expect(result.succeeded, "\(result.errorText)")
    #expect(try world.worker("undo", run).status == .exited(0))
    #expect(world.read("repository/README.md") == "# Repository\n")
    #expect(try world.git("status", "--porcelain") == "")
  }

  /// What can't be shown as it is, a shell is told otherwise: the command names the same branch.
  @Test func theShownCommandNamesABranchThatCantBeShown() throws {
    try world.git("checkout", "-q", "-b", "br\u{202E}\u{9B}'x")
    let run = try delegate("git checkout -q -b other; echo more >> README.md")
    let refused = try world.worker("undo", run)
    let command = try #require(refused.errorText.split(separator: "\n").first { $0.contains("symbolic-ref") }, "\(refused.errorText)")
    #expect(!command.unicodeScalars.contains { $0.value == 0xFFFD || $0.value == 0x202E })
    let result = try Command("/bin/sh", ["-c", String(command)], environment: world.environment, folder: world.root, deadline: .after(60)).run()
    #expect(result.succeeded, "\(result.errorText)")
    #expect(try world.git("symbolic-ref", "HEAD") == "refs/heads/br\u{202E}\u{9B}'x\n")
    #expect(try world.worker("undo", run).status == .exited(0))
  }

  @Test func whatIsNotKnownExactlyIsRefused() throws {
    try PrivateFiles.createFolder(world.path("plain"))
    try world.write("plain/file", "before\n")
    let run = try delegate("echo after > file", cwd: world.path("plain"))
    let refused = try world.worker("undo", run)
    #expect(refused.status == .exited(1) && refused.errorText.contains("isn't known exactly") && refused.errorText.contains("no git repository"))
    let (reply, status) = try json(run)
    #expect(status == .exited(1) && reply["why"]?.string?.contains("no git repository") == true, "\(reply.text)")
    #expect(world.read("plain/file") == "after\n")
    #expect(try world.worker("undo").status == .exited(2))
    #expect(try world.worker("undo", run, "--all").status == .exited(2))
  }

  /// A person at a terminal is asked: yes does it, anything else and an end of input don't.
  @Test(arguments: [("y\n", true), ("YES \n", true), ("n\n", false), ("\n", false), ("maybe\n", false), ("\u{4}", false)])
  func aPersonIsAsked(answer: String, isDone: Bool) throws {
    let run = try delegate("echo more >> README.md; echo n > new.txt")
    guard let asked = try TerminalSession.run(["undo", run], in: world, prompt: "[y/N] ", typed: answer) else { return }
    #expect(asked.text.contains("put back") && asked.text.contains("Put this back in \(world.repository)? [y/N] "), "\(asked.text)")
    #expect(asked.code == (isDone ? 0 : 1) && asked.text.contains("Nothing was done.") == !isDone, "\(asked.text)")
    #expect(world.exists("repository/new.txt") == !isDone)
    #expect(!isDone ? try FileManager.default.contentsOfDirectory(atPath: world.file("undo", of: run)) == ["lock"] : true)
    if isDone {
      let again = try TerminalSession.run(["undo", run, "--redo"], in: world, prompt: "Bring this back in", typed: "y\n")
      #expect(again?.code == 0 && world.exists("repository/new.txt"))
    }
  }

  /// Words for a machine leave no room for a question: without a clear word nothing is done where a person sits.
  @Test func atATerminalJSONNeedsAClearWord() throws {
    let run = try delegate("echo n > new.txt")
    guard let refused = try TerminalSession.run(["undo", run, "--json"], in: world) else { return }
    #expect(refused.code == 2 && refused.text.contains("add --yes") && world.exists("repository/new.txt"), "\(refused.text)")
    let dry = try TerminalSession.run(["undo", run, "--json", "--dry-run"], in: world)
    #expect(dry?.code == 0 && dry?.text.contains("\"done\": false") == true && world.exists("repository/new.txt"))
    let done = try TerminalSession.run(["undo", run, "--json", "--yes"], in: world)
    #expect(done?.code == 0 && done?.text.contains("\"done\": true") == true && !world.exists("repository/new.txt"))
    #expect(try TerminalSession.run(["undo", run, "--redo", "--yes"], in: world)?.code == 0)
    #expect(world.exists("repository/new.txt"))
  }

  /// A submodule's and a nested repository's files are put back like others, or the reason is said and nothing is done.
  @Test func filesOfInnerRepositoriesComeBackOrAreRefused() throws {
    let identity = "-c user.name=T -c user.email=t@localhost -c protocol.file.allow=always"
    let setUp = """
      set -e; git init -q -b main library; cd library; echo one > lib.txt; git add .; git \(identity) commit -qm Library; cd ..
      cd repository; git \(identity) submodule add -q ../library sub; git \(identity) commit -qm Submodule
      git init -q -b main nested; cd nested; echo one > in.txt; git add .; git \(identity) commit -qm Nested; echo mine >> in.txt
      """
    let made = try Command("/bin/sh", ["-c", setUp], environment: world.environment, folder: world.root, deadline: .after(60)).run()
    try #require(made.succeeded, "\(made.errorText)")
    let before = (try world.git("status", "--porcelain"), world.read("repository/nested/in.txt"))
    let run = try delegate("echo two >> sub/lib.txt; echo new > sub/new.txt; echo two >> nested/in.txt; rm README.md; mkdir nested/d; echo x > nested/d/x")
    let undone = try world.worker("undo", run)
    #expect(undone.status == .exited(0), "\(undone.outputText) \(undone.errorText)")
    #expect(world.read("repository/sub/lib.txt") == "one\n" && !world.exists("repository/sub/new.txt") && !world.exists("repository/nested/d"))
    #expect(try world.git("status", "--porcelain") == before.0 && world.read("repository/nested/in.txt") == before.1)
    #expect(try world.worker("undo", run, "--redo").status == .exited(0))
    #expect(world.read("repository/nested/in.txt") == "one\nmine\ntwo\n" && world.read("repository/sub/new.txt") == "new\n")
    #expect(try world.worker("undo", run).status == .exited(0))

    // A commit in there is git's to take back: the command for that repository, and nothing is done before.
    let commit = "git -c user.name=T -c user.email=t@localhost commit -qam Work"
    let moved = try delegate("echo three >> sub/lib.txt; (cd sub && \(commit)); echo more >> README.md")
    let refused = try world.worker("undo", moved)
    #expect(refused.status == .exited(1) && refused.errorText.contains("moved HEAD in sub"), "\(refused.errorText)")
    #expect(refused.errorText.contains("git -C \(world.repository)/sub reset --quiet"), "\(refused.errorText)")
    #expect(world.read("repository/README.md") == "# Repository\nmore\n" && world.read("repository/sub/lib.txt") == "one\nthree\n")
    // The outer file alone has nothing to do with it.
    #expect(try world.worker("undo", moved, "README.md").status == .exited(0))
    #expect(world.read("repository/README.md") == "# Repository\n" && world.read("repository/sub/lib.txt") == "one\nthree\n")

    // A repository that is gone, and one that the run made, can't be put back: said, and nothing half.
    let gone = try delegate("rm -rf nested; git init -q made; echo x > made/x; echo more >> README.md")
    let (reply, status) = try json(gone)
    #expect(status == .exited(1) && reply["done"] == false, "\(reply.text)")
    #expect(world.read("repository/README.md") == "# Repository\nmore\n" && !world.exists("repository/nested") && world.exists("repository/made/x"))
  }

  /// Killed for real, again and again, at any moment.
  @Test func aKilledUndoLeavesWhatTheNextOneFinishes() throws {
    let run = try delegate("for i in $(seq 400); do mkdir -p d$((i % 7)); echo $i > d$((i % 7))/$i; done; echo more >> README.md")
    var kills = 0
    for attempt in 0..<40 {
      let undo = try ChildProcess(
        World.binary, ["undo", run, "--json"] + (attempt % 3 == 2 ? ["--redo"] : []), environment: world.environment, folder: world.repository)
      if undo.wait(deadline: .after(Double(attempt % 20) * 0.01)) == nil {
        kill(undo.pid, SIGKILL)
        _ = undo.wait()
        kills += 1
      }
    }
    #expect(kills > 0)
    let finished = try world.worker("undo", run)
    #expect(finished.status == .exited(0), "\(finished.errorText)")
    #expect(try world.git("status", "--porcelain", "--ignored") == "" && world.read("repository/README.md") == "# Repository\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.repository).sorted() == [".git", "README.md"])
    #expect(try world.worker("undo", run, "--redo").status == .exited(0))
    #expect(world.read("repository/d1/400") == "400\n" && world.read("repository/README.md") == "# Repository\nmore\n")
  }
}
