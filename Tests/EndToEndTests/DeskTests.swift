import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What a person at a terminal is shown, by the built binary.
@Suite(.blocking) struct DeskTests {
  let world: World

  init() throws { world = try World() }

  private func delegate(_ turns: JSONValue, checks: [String] = []) throws -> String {
    try world.standIn(["turns": turns])
    let arguments: JSONValue = ["message": "Do <b>it</b> \u{202E}now.", "verificationCommands": JSONValue(strings: checks)]
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", arguments.text, deadline: .after(120)).output)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private static let edit: JSONValue = ["name": "write", "arguments": ["filePath": "new.txt", "content": "one\n"]]

  private func shell(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "x"]] }

  @Test func aRunIsNamedByAnyBeginningOrEndOrLatest() throws {
    let run = try delegate([["text": "Done."]])
    for word in [run, String(run.prefix(17)), String(run.suffix(4)), "latest"] {
      #expect(try world.worker("status", word).outputText.contains(run), "\(word)")
    }
    let unknown = try world.worker("status", "nope")
    #expect(unknown.status == .exited(1) && unknown.errorText.contains("There is no run \"nope\"") && unknown.errorText.contains(run))
    _ = try delegate([["text": "Done."]])
    let both = try world.worker("report", String(run.prefix(4)))
    #expect(both.status == .exited(1) && both.errorText.contains("fits 2 runs"))
    for command in ["status", "watch", "report", "diff", "undo", "logs", "open"] {
      let ambiguous = try world.worker(command, String(run.prefix(4)))
      #expect(ambiguous.status == .exited(1) && ambiguous.errorText.contains("fits 2 runs"), "\(command): \(ambiguous.errorText)")
      if command != "open" { #expect(try !world.worker(command, String(run.suffix(4))).errorText.contains("no run"), "\(command)") }
    }
    #expect(try world.worker("runs", "--ids").outputText.split(separator: "\n").count == 2)
    #expect(try world.worker("runs").outputText.contains("completed"))
  }

  /// A check that failed is no success, whatever the run's state.
  @Test func exitCodesTellWhatIsProven() throws {
    let good = try delegate([["tools": [shell("true")]], ["text": "Done."]], checks: ["true"])
    for command in ["status", "report", "watch"] { #expect(try world.worker(command, good).status == .exited(0), "\(command)") }
    let bad = try delegate([["tools": [shell("false")]], ["text": "Done."]], checks: ["false"])
    for command in ["status", "report", "watch"] { #expect(try world.worker(command, bad).status == .exited(1), "\(command)") }
    #expect(try world.worker("report", bad).outputText.contains("completed, but 1 check failed"))
    let unrun = try delegate([["text": "Done."]], checks: ["make test"])
    #expect(try world.worker("report", unrun).status == .exited(1))
  }

  /// In a pipe the diff is one that git takes back; what was uncommitted before stays.
  @Test func theDiffOfARunCanBeTakenBack() throws {
    try world.write("repository/mine.txt", "uncommitted\n")
    let run = try delegate([["tools": [Self.edit, shell("echo more >> README.md")]], ["text": "Done."]])
    let diff = try world.worker("diff", run)
    #expect(diff.status == .exited(0) && !diff.outputText.contains("\u{1B}") && !diff.outputText.contains("mine.txt"))
    try world.write("patch", diff.outputText)
    try world.git("apply", "-R", world.path("patch"))
    #expect(
      !world.exists("repository/new.txt") && world.read("repository/README.md") == "# Repository\n" && world.read("repository/mine.txt") == "uncommitted\n")
    let one = try world.worker("diff", run, "README.md")
    #expect(one.outputText.contains("+more") && !one.outputText.contains("new.txt"))
    #expect(try world.worker("diff", "README.md").outputText == one.outputText)
    let unknown = try world.worker("diff", "other.txt")
    #expect(unknown.status == .exited(1) && unknown.errorText.contains("\"other.txt\" is no run, and not among the changed files of \(run)"))
    // From where one is, and as the lists show it.
    try PrivateFiles.createFolder(world.path("repository/sub"))
    for words in [["diff", run, "../README.md"], ["diff", run, "README.md"], ["diff", run, world.path("repository/README.md")]] {
      let shown = try Command(World.binary, words, environment: world.environment, folder: world.path("repository/sub"), deadline: .after(60)).run()
      #expect(shown.outputText == one.outputText, "\(words) \(shown.errorText)")
    }
  }

  /// Whatever the files hold, and wherever the diff's pages end.
  @Test func theDiffOfBinaryFilesCanBeTakenBackToo() throws {
    let prepare = "head -c 3000 /dev/urandom >old.bin; printf 'Gr\\374n\\n' >latin"
    #expect(try Command("/bin/sh", ["-c", prepare], folder: world.repository, deadline: .after(60)).run().succeeded)
    try world.git("add", "-A")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "Binary")
    let command = "head -c 2000000 /dev/urandom >new.bin; head -c 3000 /dev/urandom >old.bin; printf 'Gr\\374ner\\n' >latin"
    let run = try delegate([["tools": [shell(command)]], ["text": "Done."]])
    let diff = try world.worker("diff", run)
    try PrivateFiles.replace(world.path("patch"), with: diff.output)
    try world.git("apply", "-R", world.path("patch"))
    #expect(try world.git("status", "--porcelain") == "")
  }

  @Test func aWrongRunIsSaidAlsoWhenNothingWasChanged() throws {
    let run = try delegate([["text": "Done."]])
    let diff = try world.worker("diff", "zzzz")
    #expect(diff.status == .exited(1) && diff.errorText.contains("\"zzzz\" is no run, and not among the changed files of \(run)"), "\(diff.errorText)")
    #expect(try world.worker("diff", run).errorText.contains("The run changed no file."))
  }

  /// An empty word, as of a variable that isn't set, is neither all nor this folder.
  @Test func anEmptyWordIsRefused() throws {
    let run = try delegate([["tools": [shell("echo more >> README.md")]], ["text": "Done."]])
    for words in [["undo", run, ""], ["undo", ""], ["diff", run, ""], ["diff", ""], ["status", ""], ["report", ""], ["logs", ""], ["open", ""]] {
      let result = try Command(World.binary, words, environment: world.environment, folder: world.repository, deadline: .after(60)).run()
      #expect(result.status == .exited(2) && result.errorText.contains("an empty word"), "\(words): \(result.errorText)")
    }
    #expect(world.read("repository/README.md") == "# Repository\nmore\n")
    let reply = try world.worker("call", "changed_files", #"{"run": "\#(run)", "patch": true, "paths": [""]}"#)
    #expect(reply.status == .exited(1), "\(reply.outputText)")
  }

  /// What isn't a plain file stays what it is.
  @Test func thePageIsWrittenThroughWhatIsNoPlainFile() throws {
    let run = try delegate([["text": "Done."]])
    try world.write("page.html", "old")
    symlink("../page.html", world.path("repository/link"))
    symlink("../fresh.html", world.path("repository/dangling"))
    mkfifo(world.path("repository/fifo"), 0o600)
    // Not the system's own: a test that fails would take it away.
    symlink("/dev/null", world.path("repository/null"))
    for name in ["link", "dangling", "null"] {
      #expect(try world.worker("report", run, "-o", name).outputText.contains("The whole report:"), "\(name)")
      #expect(FileFacts.of(Array(world.path("repository/\(name)").utf8))?.kind == .link, "\(name)")
    }
    #expect(world.read("page.html")?.hasSuffix("</html>\n") == true && world.read("fresh.html") == world.read("page.html"))
    let command = "cat fifo >read.html & '\(World.binary)' report \(run) -o fifo; wait; test -p fifo"
    let piped = try Command("/bin/sh", ["-c", command], environment: world.environment, folder: world.repository, deadline: .after(60)).run()
    #expect(piped.succeeded && world.read("repository/read.html") == world.read("page.html"), "\(piped.errorText)")
  }

  /// Whoever stops reading still gets the run's exit code, and the page in a browser.
  @Test func theReportIsOpenedWhoeverReadsOn() throws {
    let run = try delegate([["tools": [shell("false")]], ["text": "Done."]], checks: ["false"])
    try PrivateFiles.createFolder(world.path("browser"))
    try Program.write("#!/bin/sh\necho \"$1\" >'\(world.path("opened"))'\n", to: world.path("browser/xdg-open"))
    let command = "trap '' PIPE; ('\(World.binary)' report \(run) --open; echo $? >status) | true; while [ ! -s status ]; do sleep 0.1; done"
    let environment = world.environment.merging(["PATH": world.path("browser") + ":" + (world.environment["PATH"] ?? "/usr/bin:/bin")]) { $1 }
    let piped = try Command("/bin/sh", ["-c", command], environment: environment, folder: world.repository, deadline: .after(120)).run()
    #expect(piped.succeeded && world.read("repository/status") == "1\n", "\(piped.errorText)")
    #expect(world.read("opened") == world.file("report.html", of: run) + "\n")
  }

  /// Every event once, in order, also when there are many.
  @Test func watchAndLogsShowEveryEventOnce() throws {
    let calls: JSONValue = .array((0..<60).map { shell("echo \($0)") })
    let run = try delegate([["tools": calls], ["text": "Done."]])
    for words in [["watch", run], ["logs", run, "-n", "1000"]] {
      let shown = try Command(World.binary, words, environment: world.environment, folder: world.repository, deadline: .after(60)).run().outputText
      let numbers = shown.split(separator: "\n").compactMap { $0.firstMatch(of: /bash +echo (\d+) +exit 0/).flatMap { Int($0.1) } }
      #expect(numbers == Array(0..<60), "\(words[0])")
    }
    #expect(try world.worker("logs", run, "-n", "1").outputText.split(separator: "\n").count == 1)
    #expect(try world.worker("logs", run, "--raw", "-n", "3").outputText.split(separator: "\n").allSatisfy { $0.hasPrefix("{") })
  }

  @Test func thePageHoldsNothingThatRunsAndNothingFromTheNetwork() throws {
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    let turns: JSONValue = [
      ["text": "<script>alert(1)</script>", "tools": [Self.edit, shell("echo '<img src=x onerror=alert(1)>'; false")]],
      ["text": .string("Done with \(secret).")],
    ]
    let run = try delegate(turns, checks: ["false"])
    let report = try world.worker("report", run, "-o", "page.html")
    #expect(report.outputText.contains("page.html"))
    let page = try #require(world.read("repository/page.html"))
    #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("http://") && !page.contains("https://"))
    #expect(!page.contains(secret) && !page.contains("\u{202E}") && page.contains("Do &lt;b&gt;it&lt;/b&gt;"))
    for words in ["a claim, not evidence", "Look at this first", "<svg", "new.txt", "default-src 'none'"] { #expect(page.contains(words), "\(words)") }
    #expect(try world.worker("report", run, "-o", "-").outputText == page)
  }

  /// However much a run printed and changed, and however it is escaped.
  @Test func thePageOfAHugeRunStaysSmallAndSaysWhatItLeftOut() throws {
    let nasty = String(repeating: "<&\"'>", count: 200)
    let files = "for d in $(seq 120); do mkdir -p gen/$d; for f in $(seq 100); do echo \"<$d & $f>\" > gen/$d/$f; done; done; seq 300000 | sed s/^/\\</ > big"
    let run = try delegate([["tools": [Self.edit, shell(files)]], ["text": .string(nasty)]], checks: ["make '\(nasty)'"])
    // 100 MB of log in the form of the run's own lines; the end is where it failed.
    let log = world.file("events.jsonl", of: run)
    let lines = String(decoding: try PrivateFiles.read(log), as: UTF8.self).split(separator: "\n").map(String.init)
    let call = try #require(lines.last { $0.contains("\"bash\"") }).replacing("seq 120", with: nasty.replacing("\"", with: "\\\""))
    let (text, end) = (try #require(lines.last { $0.contains("\"text\"") }), try #require(lines.last { $0.contains("step_finish") }))
    let output = "{\"type\":\"unknown\",\"x\":\"\(String(repeating: "x", count: 20_000))\"}"
    let part = Array("\(call)\n\(text)\n\(output)\n\(end)\n".utf8)
    let file = try Descriptor.open(log, O_WRONLY | O_APPEND)
    for _ in 0..<(100_000_000 / part.count + 1) { try file.writeAll(part) }
    try file.writeAll(Array((call.replacing("\"exit\":0", with: "\"exit\":77").replacing("\"exit\": 0", with: "\"exit\": 77") + "\n").utf8))
    file.close()
    let report = try world.worker("report", run, "-o", "page.html", deadline: .after(600))
    #expect(report.outputText.contains("12,002 files changed"), "\(report.outputText) \(report.errorText)")
    let page = try #require(world.read("repository/page.html"))
    let (size, isWhole) = (page.utf8.count, page.hasSuffix("</html>\n"))
    #expect(size <= 5_000_000 && isWhole)
    for words in [
      "<dd>12,002</dd>", "more files are not shown here: opencode-worker diff \(run)", "left out here", "drawn together: each of 500 parts", "exit 77",
      "The diff is cut here.",
    ] {
      let isThere = page.contains(words)
      #expect(isThere, "\(words)")
    }
    // What an edit tool changed comes before what the shell made, and the names of the others are there.
    let first = try #require(page.range(of: "new.txt"))
    let other = try #require(page.range(of: "gen/1/1"))
    let isNamed = page.contains("added gen/99/99")
    #expect(first.lowerBound < other.lowerBound && isNamed)
    #expect(unclosed(page) == nil)
  }

  /// The first tag that isn't closed in its place; nil: there is none.
  private func unclosed(_ page: String) -> String? {
    let alone: Set = ["meta", "input", "br"]
    var open: [String] = []
    for tag in page.matches(of: /<(\/?)([a-zA-Z0-9]+)(?:"[^"]*"|[^"<>])*?(\/?)>/) {
      let name = String(tag.2)
      if alone.contains(name) || !tag.3.isEmpty || name == "DOCTYPE" { continue }
      if tag.1.isEmpty { open.append(name) } else if open.popLast() != name { return "</\(name)> at \(page[tag.range.lowerBound...].prefix(80))" }
    }
    return open.last
  }

  /// A run whose every text holds what a terminal would obey: escape sequences, C1, what turns the direction of writing.
  @Test func nothingThatATerminalObeysComesFromOutside() throws {
    let evil = "\u{1B}[31mRED\u{1B}]0;title\u{07}\u{9B}31m \u{202E}abc\u{2066}\u{200F}\u{08}\u{7F}\u{85}\u{2028}"
    let name = "ev\u{1B}[31mil\u{202E}\u{07}\u{9B}"
    try world.standIn([
      "retrySeconds": 0.01,
      "turns": [
        [
          "text": .string("says \(evil)"), "reasoning": .string("thinks \(evil)"),
          "tools": [
            ["name": "todowrite", "arguments": ["todos": [["id": "1", "content": .string("todo \(evil)"), "status": "in_progress", "priority": "high"]]]],
            ["name": "write", "arguments": ["filePath": .string("\(name).txt"), "content": .string("content \(evil)\n")]],
            shell("echo '\(evil)' > 'sh\(name)'; git checkout -qb 'br\u{202E}\u{9B}x'; exit 3"), shell("make \(evil)"),
            ["name": "edit", "arguments": ["filePath": .string("none \(evil)"), "oldString": "a", "newString": "b"]],
            ["name": .string("tool \(evil)"), "arguments": ["x": "y"]],
            ["name": "task", "arguments": ["subagent_type": .string("agent \(evil)"), "description": .string("d \(evil)"), "prompt": "p"]],
          ],
        ],
        ["status": 429, "body": ["error": ["message": .string("limit \(evil)")]]], ["raw": .string("raw \(evil)\n"), "stderr": .string("Error: \(evil)\n")],
        ["text": .string("Answer \(evil)")],
      ],
    ])
    let arguments: JSONValue = [
      "message": .string("Do \(evil)"), "title": .string("Title \(evil)"), "verificationCommands": [.string("make \(evil)")],
      "acceptanceCriteria": [.string("crit \(evil)")],
    ]
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", arguments.text, deadline: .after(120)).output)
    let run = try #require(reply["run"]?.string, "\(reply.text)")
    #expect(reply["title"]?.string?.contains("\u{9B}31m \u{202E}abc") == true, "escaped in JSON it is the same text")
    let commands: [[String]] = [
      ["status", run], ["status", run, "--json"], ["watch", run], ["report", run, "-o", "page.html"], ["report", run, "-o", "-"], ["report", run, "--json"],
      ["logs", run], ["runs"], ["runs", "--json"], ["undo", run], ["undo", run, "--dry-run", "--json"], ["undo", run, name], ["status", name],
      ["diff", run, name],
      ["call", name], ["call", "logs"], ["call", "changed_files", "{\"patch\": true}"], ["call", "status", "{\"\(name)\": 1}"], [name], ["help", name],
      ["status", "--\(name)"], ["logs", "-n", name], ["report", "-o", "/nowhere/\(name)"], ["completions", name], ["demo", name], ["doctor", name],
    ]
    for words in commands {
      let piped = try Command(World.binary, words, environment: world.environment, folder: world.repository, deadline: .after(60)).run()
      #expect(!piped.outputText.isEmpty || !piped.errorText.isEmpty)
      #expect(hostile(piped.outputText + piped.errorText) == nil, "\(words)")
    }
    for words in commands + [["diff", run, "--no-pager"], ["logs", run, "--raw"], ["logs", run, "--stderr"]] {
      for extra in [[:], ["NO_COLOR": "1"]] {
        guard let shown = try TerminalSession.run(words, in: world, extra: extra) else { return }
        // Our own colours, and what takes away the drawn lines.
        #expect(hostile(shown.text.replacing(/\u{1B}\[[0-9;]*[mJA]|\r/, with: "")) == nil, "\(words) \(shown.text)")
      }
    }
  }

  private func hostile(_ text: String) -> String? {
    let found = text.unicodeScalars.first {
      ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F...0x9F).contains($0.value) || [0x200E, 0x200F, 0x061C, 0x2028, 0x2029, 0xFEFF].contains($0.value)
        || (0x202A...0x202E).contains($0.value) || (0x2066...0x2069).contains($0.value)
    }
    return found.map { String($0.value, radix: 16) }
  }

  /// On a terminal without UTF-8 bytes of it would be obeyed: 0x9B begins a sequence there.
  @Test func withoutUTF8NoByteIsAboveASCII() throws {
    let run = try delegate([["text": "Grüße Û31m 日本"], ["text": "Done…"]], checks: ["true ─"])
    for words in [["watch", run], ["status", run], ["runs"], ["diff", run], ["status", "nö"]] {
      guard let shown = try TerminalSession.run(words, in: world, extra: ["LANG": "C"]) else { return }
      #expect(shown.text.utf8.allSatisfy { $0 < 0x80 } && !shown.text.isEmpty, "\(words) \(shown.text)")
    }
    #expect(try world.worker("watch", run, extra: ["LANG": "C"]).outputText.contains("Grüße"), "a pipe gets what it is")
  }

  /// Who reads on no more ends it quietly, whatever is left to print.
  @Test func aReaderThatLeavesEndsItQuietly() throws {
    let calls: JSONValue = .array((0..<300).map { shell("echo \(String(repeating: "x", count: 300)) \($0)") })
    let run = try delegate([["tools": calls], ["text": "Done."]])
    for words in [
      "logs \(run) -n 1000", "logs \(run) -n 1000 --raw", "watch \(run)", "call logs", "runs", "report \(run) -o -", "--help", "status \(run) --json",
    ] {
      let script = "{ '\(World.binary)' \(words); echo code $? >&2; } | head -n 1"
      let result = try Command("/bin/sh", ["-c", script], environment: world.environment, folder: world.repository, deadline: .after(60)).run()
      #expect(result.outputText.split(separator: "\n").count == 1 && ["code 0\n", "code 1\n"].contains(result.errorText), "\(words): \(result.errorText)")
    }
  }

  /// On a small terminal each row is one row.
  @Test func theHistoryFitsTheTerminal() throws {
    _ = try delegate([["text": "Done."]])
    guard let shown = try TerminalSession.run(["runs"], in: world, size: (40, 10)) else { return }
    let rows = shown.text.replacing(/\u{1B}\[[0-9;]*m/, with: "").split(separator: "\n")
    #expect(rows.count == 2 && rows.allSatisfy { $0.count <= 40 }, "\(rows)")
  }

  /// Leaving never touches the run.
  @Test func ctrlCLeavesAndTheRunGoesOn() throws {
    try world.standIn(["turns": [["text": "Working.", "tools": [shell("sleep 1")]], ["text": "Done.", "until": world.releaseFile]]])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(world.task()).text).output)
    let run = try #require(started["run"]?.string)
    let (output, errors) = (try Descriptor.open(world.path("out"), O_WRONLY | O_CREAT), try Descriptor.open(world.path("err"), O_WRONLY | O_CREAT))
    let watch = try ChildProcess(
      World.binary, ["watch", run], environment: world.environment, folder: world.repository, output: output, errors: errors)
    #expect(eventually { world.read("out")?.contains("says      Working.") == true })
    kill(watch.pid, SIGINT)
    #expect(watch.wait(deadline: .after(30)) == .exited(130))
    let said = world.read("err") ?? ""
    #expect(said.contains("The run goes on.") && said.contains("kill "), "\(said)")
    #expect(try world.worker("status", run).outputText.contains("running"))
    try world.release()
    let client = try MCPClient(world)
    try client.initialize()
    #expect(try client.call("opencode_wait", ["run": .string(run)])["state"]?.string == "completed")
  }

  /// What each option does is on the command's own page.
  @Test func installExplainsItsOptions() throws {
    let page = try world.worker("install", "--help").outputText
    for option in ["--enable", "--direct", "--hooks", "--wake", "--dry-run"] { #expect(page.contains("  \(option)"), "\(option)") }
  }
}
