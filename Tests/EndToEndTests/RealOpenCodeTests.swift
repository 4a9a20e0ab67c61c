import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The built server with the real OpenCode 1.18.34, which works offline against a scripted model. A run takes it some seconds of
/// computing, so each test shows several things.
@Suite(.realPrograms, .busy) struct RealOpenCodeTests {
  private func connect(_ world: World) throws -> MCPClient {
    let client = try MCPClient(world)
    try client.initialize()
    return client
  }

  private func bash(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "Runs it"]] }

  private func write(_ path: String, _ content: String) -> JSONValue {
    ["name": "write", "arguments": ["filePath": .string(path), "content": .string(content)]]
  }

  /// The requests that the model got, oldest first.
  private func requests(_ world: World) -> [JSONValue] {
    (world.read("requests.jsonl") ?? "").split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
  }

  /// The tools that the model was offered last.
  private func offeredTools(_ world: World) -> [String] {
    requests(world).last?["tools"]?.array?.compactMap { $0["function"]?["name"]?.string } ?? []
  }

  @Test func aRunIsFollowedFromStartToEndAndItsSessionGoesOn() throws {
    let turns: JSONValue = [
      ["text": "I will add the file.", "tools": [write("greeting.txt", "hello\n")]], ["text": "Added greeting.txt.", "delay": 2],
      ["text": "Nothing to add."], ["text": "Still nothing."],
    ]
    guard let (world, real) = try World.real(turns) else { return }
    let client = try connect(world)
    let message = "Say \"hello\" in greeting.txt.\n  And don't trim this.  "
    let started = try client.call("opencode_start", ["message": .string(message), "cwd": .string(world.repository)])
    #expect(started["running"]?.bool == true, "\(started.text)")
    let run = try #require(started["run"]?.string)
    // OpenCode prints a text when it is whole, which may be after the tool behind it.
    #expect(
      try eventually {
        let status = try client.call("opencode_status")
        return status["lastDone"]?.string?.hasPrefix("write: ") == true && status["lastText"] != nil
      })
    let status = try client.call("opencode_status", ["tailLines": 3])
    #expect(status["state"]?.string == "running")
    #expect(status["lastText"]?.string == "I will add the file.")
    #expect(status["toolCalls"]?.int == 1)
    #expect(status["tail"]?.array?.isEmpty == false)
    #expect(try client.call("opencode_start", ["message": "x", "cwd": .string(world.repository)])["error"]?["code"]?.string == "busy")

    let review = try client.call("opencode_wait")
    #expect(review["run"]?.string == run)
    #expect(review["state"]?.string == "completed", "\(review.text)")
    #expect(review["exitCode"]?.int == 0)
    #expect(review["answer"]?.string == "Added greeting.txt.")
    #expect(review["attention"] == nil, "\(review.text)")
    #expect(world.read("repository/greeting.txt") == "hello\n")
    #expect(review["changedFiles"]?["files"]?.array?.map { $0["path"]?.string } == ["greeting.txt"])
    #expect(review["changedFiles"]?["exact"]?.bool == true)
    let session = try #require(review["session"]?.string)
    let prompt = requests(world).first?["messages"]?.array?.last
    // The message exactly; what every run must know comes behind it.
    let text = prompt?["content"]?.string ?? prompt?["content"]?.array?.first?["text"]?.string ?? ""
    #expect(text.hasPrefix(message + "\n") && text.contains("Nobody can answer you"), "\(prompt?.text ?? "")")
    let lines = try client.call("opencode_logs", ["run": .string(run)])["lines"]?.array?.compactMap(\.string) ?? []
    #expect(lines.contains { $0.contains("write") } && lines.contains { $0.contains("Added greeting.txt.") }, "\(lines)")
    let raw = try client.call("opencode_logs", ["source": "raw", "lines": 1])["lines"]?.array?.first?.string ?? ""
    #expect(try JSONValue(parsing: Array(raw.utf8))["type"]?.string == "step_finish")

    // An agent that doesn't exist, or is one for subagents, isn't paid for; a follow-up counts its own steps only.
    for agent in ["nobody", "general"] {
      let refused = try client.call("opencode_run_and_wait", ["message": "More?", "session": .string(session), "agent": .string(agent)])
      #expect(refused["error"]?["code"]?.string == "bad_argument" && refused["error"]?["hint"]?.string?.contains("build") == true, "\(refused.text)")
    }
    let second = try client.call("opencode_run_and_wait", ["message": "More?", "session": .string(session), "agent": "build"])
    #expect(second["state"]?.string == "completed", "\(second.text)")
    #expect(second["session"]?.string == session)
    #expect(second["usage"]?["steps"]?.int == 1)
    let total = try client.call("opencode_usage", ["session": .string(session)])
    let runs = [review, second].compactMap { $0["usage"]?["tokens"]?["total"]?.int }
    #expect(total["tokens"]?["total"]?.int == runs.reduce(0, +), "\(total.text)")
    let costs = [review, second].compactMap { $0["usage"]?["cost"]?.double }.reduce(0, +)
    #expect(abs((total["cost"]?.double ?? 0) - costs) < 1e-6 && costs > 0)

    // In another folder OpenCode would hang.
    try PrivateFiles.createFolder(world.path("repository/sub"))
    let elsewhere = try client.call("opencode_start", ["message": "x", "session": .string(session), "cwd": .string(world.path("repository/sub"))])
    #expect(elsewhere["error"]?["code"]?.string == "bad_argument")
    #expect(elsewhere["error"]?["message"]?.string?.contains(world.repository) == true, "\(elsewhere.text)")
    let unknown = try client.call("opencode_start", ["message": "x", "session": "ses_doesnotexist", "cwd": .string(world.repository)])
    #expect(unknown["error"]?["code"]?.string == "bad_argument", "\(unknown.text)")
    withExtendedLifetime(real) {}
  }

  @Test func theReviewTellsAllThatARunDidSubagentsIncluded() throws {
    let commit = "git add . && git -c user.name=T -c user.email=t@localhost commit -q -m 'Add the library'"
    let task: JSONValue = ["name": "task", "arguments": ["description": "Sub job", "prompt": "Do the sub job", "subagent_type": "general"]]
    let turns: JSONValue = [
      ["text": "First the library.", "tools": [write("lib.txt", "one\ntwo\n")]], ["tools": [bash("test -s lib.txt")]], ["tools": [bash(commit)]],
      ["text": "Now somebody else.", "tools": [task]],
      // The subagent's own turns.
      ["tools": [write("sub.txt", "by the subagent\n")]], ["tools": [bash("grep -q three lib.txt")]], ["text": "Sub done."],
      // Its caller's.
      ["text": "All done, one check fails."],
    ]
    guard let (world, real) = try World.real(turns) else { return }
    let client = try connect(world)
    try world.write("repository/notes.txt", "the user's own\n")
    let review = try client.call(
      "opencode_run_and_wait",
      [
        "message": "Do it all.", "cwd": .string(world.repository), "verificationCommands": ["test -s lib.txt", "grep -q three lib.txt"],
        "acceptanceCriteria": ["there is a library"],
      ])
    #expect(review["state"]?.string == "completed", "\(review.text)")
    #expect(review["answer"]?.string == "All done, one check fails.")
    let declared = try #require(review["verification"]?["declared"]?.array)
    #expect(declared.map { $0["result"]?.string } == ["passed", "failed"])
    #expect(declared.map { $0["exitCode"]?.int } == [0, 1])
    #expect(declared.map { $0["times"]?.int } == [1, 1])
    #expect(declared.map { $0["editedAfter"]?.bool } == [true, false])

    let changes = try client.call("opencode_changed_files")
    let files = changes["files"]?.array ?? []
    #expect(files.map { $0["path"]?.string } == ["lib.txt", "sub.txt"], "\(changes.text)")
    #expect(files.map { $0["byTool"]?.bool } == [true, true])
    #expect(changes["exact"]?.bool == true)
    #expect(changes["commits"]?.array?.map { $0["subject"]?.string } == ["Add the library"])
    #expect(try client.call("opencode_changed_files", ["patch": true, "paths": ["lib.txt"]])["patch"]?.string?.contains("+two") == true)

    // What the run used is what OpenCode itself has for the session and those below it.
    let usage = try client.call("opencode_usage")
    let session = try #require(review["session"])
    let total = try client.call("opencode_usage", ["session": session])
    #expect(usage["tokens"] == total["tokens"], "\(usage.text) \(total.text)")
    #expect(usage["cost"] == total["cost"] && (usage["cost"]?.double ?? 0) > 0)
    #expect(usage["steps"]?.int == 5)
    let subagents = try #require(usage["subagents"]?.array)
    #expect(subagents.count == 1 && subagents[0]["session"] != session)
    #expect((subagents[0]["tokens"]?["total"]?.int ?? 0) == 3 * 1280, "\(usage.text)")
    #expect(subagents.map { $0["session"] } == total["subagents"]?.array?.map { $0["session"] })

    let summary = try client.call("opencode_run_summary")
    let items = summary["items"]?.array ?? []
    #expect(
      items.map { $0["text"]?.string ?? $0["tool"]?.string ?? "" }
        == ["First the library.", "write", "bash", "bash", "Now somebody else.", "task", "All done, one check fails."], "\(summary.text)")
    #expect(items.filter { $0["tool"] != nil }.map { $0["status"]?.string } == Array(repeating: "completed", count: 4))
    #expect(summary["acceptanceCriteria"]?.array == ["there is a library"])
    #expect(summary["subagents"]?.array?.count == 1)
    #expect(summary["verification"]?["declared"]?.array?.count == 2)
    let row = try client.call("opencode_runs")["runs"]?.array?.first
    #expect(row?["changedFiles"]?.int == 2)
    #expect(row?["cost"] == usage["cost"])
    withExtendedLifetime(real) {}
  }

  @Test func endsThatAreNoGoodEndsAreToldAsWhatTheyAre() throws {
    let limited: JSONValue = ["status": 429, "body": ["error": ["message": "Rate limit"]]]
    let turns: JSONValue = [
      limited, limited, ["text": "At last."], ["tools": [["name": "read", "arguments": ["filePath": "/etc/hostname"]]]],
    ]
    guard let (world, real) = try World.real(turns) else { return }
    let client = try connect(world)
    let start: JSONObject = ["message": "Go.", "cwd": .string(world.repository)]
    _ = try client.call("opencode_start", start)
    #expect(try eventually { (try client.call("opencode_status")["providerErrors"]?["count"]?.int ?? 0) >= 1 })
    let silent = try client.call("opencode_status")
    #expect(silent["state"]?.string == "running")
    #expect(silent["providerErrors"]?["last"]?.string?.contains("Rate limit") == true, "\(silent.text)")
    #expect(silent["providerErrors"]?["secondsAgo"]?.int != nil)
    #expect(silent["lastEventSecondsAgo"]?.int != nil && silent["steps"]?.int == 0, "\(silent.text)")
    #expect(attention(silent).contains("Rate limit"))
    let mended = try client.call("opencode_wait")
    #expect(mended["state"]?.string == "completed", "\(mended.text)")
    #expect(attention(mended).contains("provider errors: 2 x"))

    let rejected = try client.call("opencode_run_and_wait", start)
    #expect(rejected["state"]?.string == "incomplete", "\(rejected.text)")
    #expect(rejected["exitCode"]?.int == 0)
    #expect(attention(rejected).contains("permission rejected: external_directory (/etc/*)"))

    var unknown = start
    unknown["model"] = "scripted/m11"
    let failed = try client.call("opencode_run_and_wait", unknown)
    #expect(failed["state"]?.string == "failed", "\(failed.text)")
    #expect(failed["exitCode"]?.int == 1)
    #expect(failed["reason"]?.string?.contains("Model not found: scripted/m11") == true)
    #expect(attention(failed).contains("scripted/m1"))
    #expect(failed["usage"]?["cost"] == nil)
    withExtendedLifetime(real) {}
  }

  @Test func aPresetHoldsAgainstTheUsersOwnRules() throws {
    let attempt: JSONValue = ["tools": [bash("touch by-bash.txt")]]
    let turns: JSONValue = [
      attempt, ["tools": [write("by-write.txt", "x")]], ["text": "I can't."], attempt, ["text": "Done."],
    ]
    guard let (world, real) = try World.real(turns) else { return }
    let client = try connect(world)
    try world.write("repository/opencode.json", #"{"agent":{"build":{"permission":{"bash":"allow","edit":"allow"}}}}"#)
    // Codex's own sandbox is read-only, and so is OpenCode then.
    let sandbox: JSONObject = [
      "codex/sandbox-state-meta": [
        "sandboxCwd": .string(world.repository),
        "permissionProfile": [
          "type": "managed",
          "file_system": ["type": "restricted", "entries": [["path": ["type": "special", "value": ["kind": "root"]], "access": "read"]]],
        ],
      ]
    ]
    let held = try client.call("opencode_run_and_wait", ["message": "Change it."], meta: sandbox)
    #expect(!world.exists("repository/by-bash.txt") && !world.exists("repository/by-write.txt"))
    #expect(!offeredTools(world).contains("bash") && offeredTools(world).contains("read"), "\(offeredTools(world))")
    #expect(held["changedFiles"]?["counts"] == [:], "\(held.text)")
    #expect(attention(held).contains("Codex's sandbox is read-only: OpenCode ran with the read-only preset"), "\(held.text)")
    #expect(attention(held).contains("bash"))
    // Without a preset the user's rules are what counts.
    let free = try client.call("opencode_run_and_wait", ["message": "Change it.", "cwd": .string(world.repository)])
    #expect(free["state"]?.string == "completed", "\(free.text)")
    #expect(free["attention"] == nil)
    #expect(world.exists("repository/by-bash.txt"))
    withExtendedLifetime(real) {}
  }

  @Test func modelsAndTotalsAreOpenCodesOwn() throws {
    guard let (world, real) = try World.real([["text": "Done."]]) else { return }
    let client = try connect(world)
    let models = try client.call("opencode_models", ["provider": "scripted"])
    #expect(models["models"]?.array?.compactMap(\.string).sorted() == ["scripted/m1", "scripted/m2", "scripted/org/nested:free"], "\(models.text)")
    #expect(models["count"]?.int == 3)
    let verbose = try client.call("opencode_models", ["provider": "scripted", "verbose": true])["models"]?.array ?? []
    let first = try #require(verbose.first { $0["id"]?.string == "scripted/m1" })
    #expect(first["name"]?.string == "Scripted One" && first["context"]?.int == 128_000 && first["output"]?.int == 8192)
    #expect(first["usdPerMillionTokens"]?["input"]?.double == 3 && first["usdPerMillionTokens"]?["output"]?.double == 15)
    #expect(try client.call("opencode_models", ["provider": "nope"])["error"]?["code"]?.string == "bad_argument")

    // On a busy machine OpenCode may not have said in time who is signed in.
    var miss: JSONValue = .null
    #expect(
      try eventually {
        miss = try client.call("opencode_check_model", ["model": "scripted/nested:free"])
        return miss["providerSignedIn"] != nil
      })
    #expect(miss["available"]?.bool == false)
    #expect(miss["suggestions"]?.array?.first?.string == "scripted/org/nested:free", "\(miss.text)")
    #expect(miss["providerSignedIn"]?.bool == false)
    #expect(try client.call("opencode_check_model", ["model": "scripted/org/nested:free"])["available"]?.bool == true)
    let foreign = try client.call("opencode_check_model", ["model": "nope/m1"])
    #expect(foreign["available"]?.bool == false)
    #expect(foreign["suggestions"]?.array?.contains("scripted/m1") == true, "\(foreign.text)")

    let run = try client.call("opencode_run_and_wait", ["message": "Go.", "cwd": .string(world.repository), "model": "scripted/org/nested:free"])
    #expect(run["state"]?.string == "completed", "\(run.text)")
    #expect(run["usage"]?["cost"] == nil)
    #expect(attention(run).contains("cost unknown: the model has no price"))
    let total = try client.call("opencode_usage", ["aggregate": true, "days": 0, "models": true])
    #expect(total["sessions"]?.int == 1, "\(total.text)")
    #expect(total["tokens"]?["input"]?.int == run["usage"]?["tokens"]?["input"]?.int)
    #expect(total["models"]?.array?.map { $0["model"]?.string } == ["scripted/org/nested:free"])
    withExtendedLifetime(real) {}
  }

  @Test func whoeverDiesTheRunIsFoundAgain() throws {
    let step: JSONValue = ["text": "Working.", "tools": [bash("true")]]
    let turns: JSONValue = [step, ["text": "Done.", "delay": 4], step, ["text": "Done again.", "delay": 4]]
    guard let (world, real) = try World.real(turns) else { return }
    let start: JSONObject = ["message": "Go.", "cwd": .string(world.repository)]
    func working(_ client: MCPClient) throws -> Bool {
      try eventually { try client.call("opencode_status")["toolCalls"]?.int == 1 }
    }

    // The server, with its whole process group, as Codex ends it.
    let first = try connect(world)
    let run = try #require(try first.call("opencode_start", start)["run"]?.string)
    #expect(try working(first))
    Foundation.kill(-first.process.pid, SIGKILL)
    #expect(first.process.wait(deadline: .after(10)) == .signaled(SIGKILL))
    let second = try connect(world)
    let found = try second.call("opencode_status")
    #expect(found["run"]?.string == run)
    #expect(found["state"]?.string == "running")
    let review = try second.call("opencode_wait")
    #expect(review["state"]?.string == "completed" && review["exitCode"]?.int == 0, "\(review.text)")
    #expect(review["answer"]?.string == "Done.")

    // The supervisor, to which the run belongs.
    let other = try #require(try second.call("opencode_start", start)["run"]?.string)
    #expect(try working(second))
    try world.killSupervisors()
    #expect(try second.call("opencode_start", start)["run"]?.string == other)
    let adopted = try second.call("opencode_wait")
    #expect(adopted["run"]?.string == other)
    #expect(adopted["state"]?.string == "completed", "\(adopted.text)")
    #expect(adopted["answer"]?.string == "Done again.")
    #expect(adopted["exitCode"] == nil)
    #expect(attention(adopted).contains("exit code unknown"))
    #expect(adopted["changedFiles"]?["exact"]?.bool == false)
    withExtendedLifetime(real) {}
  }
}
