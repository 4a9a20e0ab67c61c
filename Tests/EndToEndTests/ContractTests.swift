import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// Promises of single tools, as a client sees them.
@Suite(.blocking) struct ContractTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private func with(_ more: JSONObject = [:]) -> JSONObject { world.task(more) }

  private func delegate(_ more: JSONObject = [:]) throws -> JSONValue { try client.call("opencode_run_and_wait", with(more), within: 120) }

  private func play(_ turns: JSONValue = [["text": "Done."]], _ more: JSONObject = [:]) throws {
    var script: JSONObject = ["turns": turns]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private static func bash(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "x"]] }

  private func errorCode(_ tool: String, _ arguments: JSONObject) throws -> String? { try client.call(tool, arguments)["error"]?["code"]?.string }

  /// OpenCode's arguments in that run.
  private func commandLine(_ reply: JSONValue) throws -> [String] {
    let run = try #require(reply["run"]?.string, "\(reply.text)")
    return try JSONValue(parsing: PrivateFiles.read(world.file("request.json", of: run)))["arguments"]?.array?.compactMap(\.string) ?? []
  }

  /// Follows `nextCursor` to the end.
  private func pages(_ tool: String, _ arguments: JSONObject, limit: Int = 100) throws -> [JSONValue] {
    var all: [JSONValue] = []
    var arguments = arguments
    repeat {
      let page = try client.call(tool, arguments)
      #expect(page["error"] == nil && page.bytes.count < 8 << 10, "\(tool): \(page.text.prefix(300))")
      all.append(page)
      arguments["cursor"] = page["nextCursor"]
    } while all.last?["nextCursor"] != nil && all.count < limit
    #expect(all.last?["nextCursor"] == nil, "\(tool) never ends")
    return all
  }

  // MARK: - What OpenCode gets

  @Test func openCodeGetsItsFolderTheMarkerAndNothingElseOfOurs() throws {
    try play([["tools": [ContractTests.bash("env > env.txt; cat /proc/$PPID/fdinfo/1 /proc/$PPID/fdinfo/2 > files.txt 2>/dev/null")]], ["text": "Done."]])
    let other = try MCPClient(world, extra: ["OPENCODE_WORKER_WAIT_SECONDS": "40", "OPENCODE_WORKER_RUN": "old", "OPENCODE_X": "kept"])
    try other.initialize()
    let run = try #require(try other.call("opencode_run_and_wait", with())["run"]?.string)
    let lines = Set((world.read("repository/env.txt") ?? "").split(separator: "\n").map(String.init))
    #expect(lines.filter { $0.hasPrefix("OPENCODE_WORKER_") } == ["OPENCODE_WORKER_RUN=\(run)"])
    #expect(lines.contains("PWD=\(world.repository)") && lines.contains("OPENCODE_X=kept"))
    // Where the system tells how a file was opened (flags are octal): appended to.
    let flags = (world.read("repository/files.txt") ?? "").split(separator: "\n").filter { $0.hasPrefix("flags:") }
    if PrivateFiles.exists("/proc/self/fdinfo") { #expect(flags.count == 2) }
    for flag in flags { #expect((flag.split(separator: "\t").last.flatMap { Int32($0, radix: 8) } ?? 0) & O_APPEND != 0, "\(flag)") }
  }

  @Test func whatWasAskedForIsPassedOn() throws {
    try play()
    try PrivateFiles.createFolder(world.path("repository/sub"))
    try world.write("repository/sub/a b.txt", "x")
    let reply = try delegate([
      "cwd": .string(world.path("repository/sub")), "model": "stand-in/m1", "variant": "high", "files": ["a b.txt", "../README.md"],
      "message": "First line.\nSecond line.",
    ])
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["title"]?.string == "First line." && reply["model"]?.string == "stand-in/m1")
    let line = try commandLine(reply)
    for word in ["--model=stand-in/m1", "--variant=high", "--title=First line.", "--file=a b.txt", "--file=../README.md"] {
      #expect(line.contains(word), "\(line)")
    }
  }

  @Test(arguments: [("1.3.2", nil), ("1.4.0", "--dangerously-skip-permissions"), ("1.17.12", "--auto"), ("2.0.22", "--auto")] as [(String, String?)])
  func autoApprovalHoldsInEachVersion(version: String, option: String?) throws {
    try world.write("outside.txt", "x")
    let read: JSONValue = ["name": "read", "arguments": ["filePath": .string(world.path("outside.txt"))]]
    try play([["tools": [read]], ["text": "Done."]], ["version": .string(version)])
    let reply = try delegate(["dangerouslySkipPermissions": true])
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(!attention(reply).contains("permission rejected"), "\(reply.text)")
    #expect(try commandLine(reply).filter { $0 == "--auto" || $0.contains("skip-permissions") } == [option].compactMap { $0 })
  }

  @Test(arguments: ["1.18.34", "2.0.22"]) func withoutARunOfOursOpenCodesOwnLastSessionGoesOn(version: String) throws {
    try play([["text": "Done."]], ["version": .string(version)])
    let first = try delegate()
    try world.forget(try #require(first["run"]?.string))
    let second = try delegate(["continueLast": true])
    #expect(try commandLine(second).contains("--continue"))
    #expect(second["session"] == first["session"])
    // Nor is the folder of a session known then, but to OpenCode.
    try world.forget(try #require(second["run"]?.string))
    let third = try client.call("opencode_run_and_wait", ["message": "x", "session": try #require(first["session"])])
    #expect(third["session"] == first["session"] && third["cwd"]?.string == world.repository, "\(third.text)")
  }

  // MARK: - Starting

  @Test func aWorkspaceThatTakesLongToRecordShowsAsStarting() throws {
    try play()
    try PrivateFiles.createFolder(world.path("slow"))
    try world.write("slow/hold", "")
    let script = "#!/bin/sh\nwhile [ -e '\(world.path("slow/hold"))' ]; do sleep 0.05; done\nPATH='\(world.environment["PATH"] ?? "")' exec git \"$@\"\n"
    try Program.write(script, to: world.path("slow/git"))
    let client = try MCPClient(world, extra: ["PATH": world.path("slow") + ":" + (world.environment["PATH"] ?? "")])
    try client.initialize()
    let started = try client.call("opencode_start", with())
    #expect(started["state"] == "starting" && started["running"]?.bool == true, "\(started.text)")
    #expect(try client.call("opencode_status")["state"] == "starting")
    #expect(try client.call("opencode_start", with())["error"]?["code"] == "busy")
    #expect(try client.call("opencode_logs")["lines"] == [])
    try FileManager.default.removeItem(atPath: world.path("slow/hold"))
    let review = try client.call("opencode_wait")
    #expect(review["state"] == "completed" && review["changedFiles"]?["exact"]?.bool == true, "\(review.text)")
  }

  // MARK: - Status and usage

  @Test func theTodoListAndTheLastTextShowWhileItWorks() throws {
    func todo(_ content: String, _ status: String) -> JSONValue { ["content": .string(content), "status": .string(status)] }
    let list: JSONObject = ["todos": [todo("One", "completed"), todo("Two", "in_progress"), todo("Three", "pending")]]
    try play([["text": "A plan.", "tools": [["name": "todowrite", "arguments": .object(list)]]], ["text": "Done.", "until": world.releaseFile]])
    _ = try client.call("opencode_start", with())
    #expect(try eventually { try client.call("opencode_status")["todo"] != nil })
    let status = try client.call("opencode_status")
    #expect(status["todo"]?["done"]?.int == 1 && status["todo"]?["total"]?.int == 3 && status["todo"]?["current"]?.string == "Two", "\(status.text)")
    #expect(status["lastText"]?.string == "A plan.")
    #expect(status["lastEventSecondsAgo"]?.int != nil && status["toolCalls"]?.int == 1)
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
  }

  @Test func aModelWithoutAPriceCostsNobodyKnowsWhat() throws {
    try play()
    let reply = try delegate(["model": "stand-in/org/nested:free"])
    #expect(attention(reply).contains("cost unknown: the model has no price"), "\(reply.text)")
    #expect(reply["usage"]?["cost"] == nil && reply["usage"]?["tokens"]?["input"]?.int == 200)
    let usage = try client.call("opencode_usage", ["sanitize": true, "latestWorkerRun": true])
    #expect(usage["cost"] == nil && usage["tokens"]?["total"]?.int == reply["usage"]?["tokens"]?["total"]?.int)
    #expect(try client.call("opencode_usage", ["session": try #require(reply["session"])])["cost"] == nil)
    for (folder, sessions) in [(world.repository, 1), (world.root, 0)] {
      let totals = try client.call("opencode_usage", ["project": ""], meta: ["codex/sandbox-state-meta": ["sandboxCwd": .string(folder)]])
      #expect(totals["sessions"]?.int == sessions, "\(totals.text)")
    }
  }

  // MARK: - Cursors

  @Test func everyListGoesOnWhereItsReplyWasCut() throws {
    let count = 90
    let name = String(repeating: "n", count: 60)
    let child: JSONValue = ["name": "task", "arguments": ["description": "Helps", "prompt": "p", "subagent_type": "general"], "turns": [["text": "Sub."]]]
    try play([
      ["text": "First.", "tools": [ContractTests.bash("for i in $(seq \(count)); do seq 40 > \(name)$i.txt; done")]],
      ["text": "Helpers.", "tools": .array(Array(repeating: child, count: 40))], ["text": "Done."],
    ])
    let reply = try delegate()
    #expect(reply["changedFiles"]?["counts"]?["added"]?.int == count)

    let files = try pages("opencode_changed_files", [:])
    #expect(files.count > 1)
    #expect(Set(files.flatMap { $0["files"]?.array ?? [] }.compactMap { $0["path"]?.string }).count == count)
    #expect(files.dropLast().allSatisfy { $0["cut"]?.bool == true })

    let patches = try pages("opencode_changed_files", ["patch": true])
    let patch = patches.compactMap { $0["patch"]?.string }.joined()
    #expect(patches.count > 1)
    #expect(patch.split(separator: "\n").filter { $0.hasPrefix("+++ b/") }.count == count)
    #expect(patch.split(separator: "\n").filter { $0 == "+40" }.count == count)

    let usage = try pages("opencode_usage", [:])
    #expect(usage.count > 1)
    #expect(Set(usage.flatMap { $0["subagents"]?.array ?? [] }.compactMap { $0["session"]?.string }).count == 40)

    let items = try pages("opencode_run_summary", [:]).reversed().flatMap { $0["items"]?.array ?? [] }
    #expect(items.count == 44)
    #expect(items.first?["text"]?.string == "First." && items.last?["text"]?.string == "Done.")
    // A kind of which none is wanted doesn't hide the other.
    for (none, key, expected) in [("maxTextItems", "tool", 41), ("maxToolCalls", "text", 3)] {
      let rows = try pages("opencode_run_summary", [none: 0]).flatMap { $0["items"]?.array ?? [] }
      #expect(rows.count == expected && rows.allSatisfy { $0[key] != nil }, "\(none): \(rows.count)")
    }
    #expect(try pages("opencode_run_summary", ["maxTextItems": 0, "maxToolCalls": 0]).first?["items"] == [])
    for tool in ["opencode_changed_files", "opencode_usage", "opencode_run_summary", "opencode_models", "opencode_runs", "opencode_logs"] {
      #expect(try errorCode(tool, ["cursor": "nonsense"]) == "bad_argument", "\(tool)")
    }
  }

  @Test func twelveThousandFilesStayWithinTheBound() throws {
    try play([["tools": [ContractTests.bash("mkdir many && cd many && seq 12000 | split -l 1 -a 4 -")]], ["text": "Done."]])
    let reply = try delegate()
    #expect(reply.bytes.count < 8 << 10)
    #expect(reply["changedFiles"]?["counts"]?["added"]?.int == 12_000, "\(reply.text)")
    #expect(reply["changedFiles"]?["cut"]?.bool == true && reply["changedFiles"]?["more"] != nil)
    let first = try client.call("opencode_changed_files")
    let second = try client.call("opencode_changed_files", ["cursor": try #require(first["nextCursor"])])
    let names = [first, second].map { Set($0["files"]?.array?.compactMap { $0["path"]?.string } ?? []) }
    #expect(!names[0].isEmpty && !names[1].isEmpty && names[0].isDisjoint(with: names[1]))
    #expect(first.bytes.count < 8 << 10 && second.bytes.count < 8 << 10)
    #expect(try client.call("opencode_changed_files", ["patch": true]).bytes.count < 8 << 10)
    #expect(try client.call("opencode_runs")["runs"]?.array?.first?["changedFiles"]?.int == 12_000)
  }

  @Test func longArgumentsMakeNoLongReplies() throws {
    try play()
    let long = String(repeating: "\u{1}é", count: 40_000)
    for arguments in [
      ["model": .string(long)], ["session": .string("ses_" + long)], ["cwd": .string("/" + long)], ["files": [.string(long)]], [long: 1],
    ] as [JSONObject] {
      let reply = try client.call("opencode_start", with(arguments))
      #expect(reply["error"]?["code"] == "bad_argument" && reply.bytes.count < 8 << 10)
    }
    let printable = String(repeating: "x", count: 40_000)
    let all = try delegate([
      "message": .string(printable), "title": .string(printable), "acceptanceCriteria": [.string(printable), " "],
      "verificationCommands": [.string(printable)],
    ])
    #expect(all["state"]?.string == "completed" && all.bytes.count < 8 << 10)
    for tool in ["opencode_status", "opencode_run_summary", "opencode_runs", "opencode_logs", "opencode_usage", "opencode_changed_files"] {
      let reply = try client.call(tool)
      #expect(reply.bytes.count < 8 << 10 && reply["error"] == nil, "\(tool)")
    }
    #expect(try client.call("opencode_run_summary")["acceptanceCriteria"]?.array?.count == 1)
    #expect(try client.call("opencode_runs")["runs"]?.array?.count == 1)
  }

  // MARK: - Changed files

  @Test func theFilesOfARunAndWhatCameLater() throws {
    try world.write("repository/mine.txt", "before\n")
    let command = "mkdir -p src && echo one > src/one.txt && echo two > two.txt && echo more >> mine.txt"
    try play([["tools": [ContractTests.bash(command)]], ["text": "Done."]])
    #expect(try delegate()["state"]?.string == "completed")
    try world.write("repository/two.txt", "changed by somebody else\n")
    let all = try client.call("opencode_changed_files")
    #expect(all["changedSince"] == ["two.txt"], "\(all.text)")
    #expect(all["root"]?.string == world.repository && all["basis"] == nil)
    #expect(all["files"]?.array?.first { $0["path"] == "mine.txt" }?["dirtyBefore"]?.bool == true)
    let folder = try client.call("opencode_changed_files", ["paths": ["src"]])
    #expect(folder["files"]?.array?.compactMap { $0["path"]?.string } == ["src/one.txt"])
    let patch = try #require(try client.call("opencode_changed_files", ["paths": ["two.txt"], "patch": true])["patch"]?.string)
    #expect(patch.contains("+two\n") && !patch.contains("one") && !patch.contains("somebody else"))
    let uncommitted = try client.call("opencode_changed_files", ["cwd": .string(world.repository)])
    #expect(uncommitted["basis"] == "HEAD")
    #expect(uncommitted["files"]?.array?.compactMap { $0["path"]?.string } == ["mine.txt", "src/one.txt", "two.txt"], "\(uncommitted.text)")
    let later = try client.call("opencode_changed_files", ["cwd": .string(world.repository), "paths": ["two.txt"], "patch": true])
    #expect(later["patch"]?.string?.contains("+changed by somebody else") == true, "\(later.text)")
    #expect(try errorCode("opencode_changed_files", ["cwd": .string(world.repository), "run": "x"]) == "bad_argument")
  }

  @Test func aCheckWhoseOutputIsCutStillHasItsExit() throws {
    let (passes, fails) = ("seq 20000", "seq 30000; false")
    try play([["tools": [ContractTests.bash(passes), ContractTests.bash("bash -c '\(fails)'")]], ["text": "Done."]])
    let reply = try delegate(["verificationCommands": [.string(passes), .string("bash -c '\(fails)'")]])
    #expect(reply["verification"]?["declared"]?.array?.map { $0["result"]?.string } == ["passed", "failed"], "\(reply.text)")
  }

  // MARK: - Models

  @Test func modelsAreListedByPagesAndANearMissIsHelped() throws {
    let many = (0..<400).map { "stand-in/some-model-with-a-long-name-\($0)\n" }.joined()
    try play([["text": "Done."]], ["commands": ["models": ["stdout": .string(many), "exit": 0]]])
    let listed = try pages("opencode_models", [:])
    #expect(Set(listed.flatMap { $0["models"]?.array ?? [] }.compactMap(\.string)).count == 400)
    #expect(listed.count > 1 && listed.last?["cached"]?.bool == true && listed.first?["count"]?.int == 400)

    try play([["text": "Done."]], ["credentials": ["stand-in"]])
    let known = try client.call("opencode_check_model", ["model": "stand-in/m1", "refresh": true])
    #expect(known["available"]?.bool == true && known["suggestions"] == nil)
    let near = try client.call("opencode_check_model", ["provider": "stand-in", "model": "org/nested-free"])
    #expect(near["available"]?.bool == false && near["suggestions"]?.array?.first == "stand-in/org/nested:free", "\(near.text)")
    #expect(near["providerSignedIn"]?.bool == true && near["providerHasModels"]?.bool == true)
    let elsewhere = try client.call("opencode_check_model", ["model": "elsewhere/m1"])
    #expect(elsewhere["available"]?.bool == false && elsewhere["providerSignedIn"]?.bool == false && elsewhere["providerHasModels"]?.bool == false)
    #expect(elsewhere["next"]?.string?.contains("opencode auth login") != true, "stand-in/m1 is near")
    let far = try client.call("opencode_check_model", ["model": "elsewhere/qqqqqqqq"])
    #expect(far["next"]?.string == "tell the user to sign in, in a terminal: opencode auth login --provider elsewhere", "\(far.text)")
    let bare = try client.call("opencode_check_model", ["model": "M1"])
    #expect(bare["available"]?.bool == false && bare["suggestions"]?.array?.first == "stand-in/m1" && bare["next"] != nil, "\(bare.text)")
    for provider in ["--help", "-x", "", "a b"] { #expect(try errorCode("opencode_models", ["provider": .string(provider)]) == "bad_argument") }
    let unknown = try client.call("opencode_models", ["provider": "stand_in"])["error"]
    #expect(
      unknown?["code"] == "bad_argument" && unknown?["hint"]?.string == "Did you mean \"stand-in\"? It has models of: stand-in.", "\(unknown?.text ?? "")")
    let start = try client.call("opencode_start", ["message": "x", "model": "M1", "cwd": .string(world.repository)])["error"]
    #expect(start?["hint"]?.string?.contains("Did you mean stand-in/m1") == true, "\(start?.text ?? "")")
    let verbose = try client.call("opencode_models", ["verbose": true])["models"]?.array?.first { $0["id"] == "stand-in/m1" }
    #expect(verbose?["context"]?.int == 128_000 && verbose?["variants"] == ["low", "medium", "high"], "\(verbose?.text ?? "none")")
    let variant = try client.call("opencode_check_model", ["model": "stand-in/m1#huge"])
    #expect(variant["available"]?.bool == true && variant["variantAvailable"]?.bool == false)
  }

  /// Nobody waits for an OpenCode that hangs, nor longer because two things are asked.
  @Test(.waiting) func anOpenCodeThatHangsIsATimeout() throws {
    try play([["text": "Done."]], ["commands": ["models": ["hang": true], "stats": ["hang": true], "db": ["hang": true], "export": ["hang": true]]])
    let asked = try [
      ("opencode_models", [:]), ("opencode_check_model", ["model": "a/b"]), ("opencode_usage", ["aggregate": true]), ("opencode_usage", ["session": "ses_1"]),
    ].map { (tool: String, arguments: JSONObject) in
      (tool, try client.begin("tools/call", ["name": .string(tool), "arguments": .object(arguments)]))
    }
    for (tool, id) in asked {
      let result = try client.answer(to: id)["result"]
      #expect(result?["isError"]?.bool == true)
      #expect(result?["structuredContent"]?["error"]?["code"]?.string == "opencode_timeout", "\(tool): \(result?.text ?? "")")
    }
  }

  // MARK: - Template, logs and the past

  @Test func theTemplateIsReadyForAStart() throws {
    try play()
    let template = try client.call(
      "opencode_delegation_template",
      [
        "goal": "Greet people.\nKindly.", "cwd": .string(world.repository), "model": "stand-in/m2", "plan": "1. Say hello.", "files": ["README.md"],
        "acceptanceCriteria": ["it greets"], "verificationCommands": ["make check"],
      ])
    let arguments = try #require(template["arguments"]?.object)
    let message = arguments["message"]?.string ?? ""
    for words in ["Greet people.\nKindly.", "1. Say hello.", "- README.md"] { #expect(message.contains(words)) }
    #expect(!message.contains("it greets") && !message.contains("make check"))
    #expect(arguments["title"]?.string == "Greet people.")
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["state"]?.string == "completed" && reply["model"]?.string == "stand-in/m2", "\(reply.text)")
    #expect(try client.call("opencode_run_summary")["acceptanceCriteria"] == ["it greets"])
    #expect(try errorCode("opencode_delegation_template", ["goal": " "]) == "bad_argument")
  }

  @Test func aLogIsTakenOnlyIfItIsOneOfOurs() throws {
    try play([["stderr": "\u{1B}[93mwarned\u{1B}[0m\n"], ["text": "Done."]])
    let reply = try delegate()
    let run = try #require(reply["run"]?.string)
    let path = try #require(try client.call("opencode_status", ["run": .string(run)])["logPath"]?.string)
    #expect(reply["logPath"] == nil, "of no use behind a completed run")
    #expect(path == world.file("events.jsonl", of: run))
    #expect(try client.call("opencode_logs", ["source": "stderr"])["lines"]?.array?.contains("warned") == true)
    _ = try delegate()
    #expect(try client.call("opencode_run_summary", ["logPath": .string(path)])["run"]?.string == run)
    for other in ["/etc/passwd", world.path("state/runs/\(run)/prompt.md"), world.path("state/runs/../runs/\(run)/events.jsonl")] {
      #expect(try errorCode("opencode_run_summary", ["logPath": .string(other)]) == "log_unavailable", "\(other)")
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(try errorCode("opencode_logs", ["run": .string(run)]) == "log_unavailable")
    #expect(try client.call("opencode_status", ["run": .string(run)])["state"]?.string == "completed")
  }

  @Test func theHistoryOfOneFolder() throws {
    try play()
    try PrivateFiles.createFolder(world.path("repository/sub"))
    let here = try delegate()
    let below = try delegate(["cwd": .string(world.path("repository/sub"))])
    let meta: JSONObject = ["codex/sandbox-state-meta": ["sandboxCwd": .string(world.repository)]]
    func runs(_ cwd: String, meta: JSONObject = [:]) throws -> [JSONValue?]? {
      try client.call("opencode_runs", ["cwd": .string(cwd)], meta: meta)["runs"]?.array?.map { $0["run"] }
    }
    #expect(try runs(world.repository + "/") == [here["run"]])
    // A relative folder is one of Codex's workspace, never of the server's own folder.
    #expect(try runs("sub", meta: meta) == [below["run"]])
    // Started in `/`, which lies in no repository for certain.
    let elsewhere = try MCPClient(world, folder: "/")
    try elsewhere.initialize()
    #expect(try elsewhere.call("opencode_runs", ["cwd": "."])["runs"] == nil)
    try FileManager.default.removeItem(atPath: world.path("repository/sub"))
    #expect(try runs(world.path("repository/sub")) == [below["run"]])
  }

  @Test func onlyTheNewestRunsAreKept() throws {
    try play()
    let client = try MCPClient(world, extra: ["OPENCODE_WORKER_KEEP_RUNS": "2"])
    try client.initialize()
    let runs = try (0..<4).compactMap { _ in try client.call("opencode_run_and_wait", with())["run"]?.string }
    let kept = { try Set(FileManager.default.contentsOfDirectory(atPath: world.path("state/runs"))) }
    #expect(try eventually { try kept() == Set(runs.suffix(2)) })
    #expect(try client.call("opencode_runs")["runs"]?.array?.compactMap { $0["run"]?.string } == runs.suffix(2).reversed())
    #expect(try client.call("opencode_status", ["run": .string(runs[0])])["error"]?["code"]?.string == "no_such_run")
  }
}
