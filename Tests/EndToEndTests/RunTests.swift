import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The main job against the stand-in OpenCode: delegate, wait, review.
@Suite(.blocking) struct RunTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private var arguments: JSONObject { world.task() }

  private func with(_ more: JSONObject) -> JSONObject { world.task(more) }

  // MARK: - The ordinary way

  @Test func aDelegationIsReviewedInOneCall() throws {
    try world.write("repository/notes.txt", "the user's own, not committed\n")
    try world.standIn([
      "turns": [
        ["text": "I will add it.", "tools": [["name": "write", "arguments": ["filePath": "greeting.txt", "content": "hello\n"]]]],
        ["tools": [["name": "bash", "arguments": ["command": "test -s greeting.txt", "description": "Checks"]]]],
        ["tools": [["name": "bash", "arguments": ["command": "false", "description": "Checks"]]]], ["text": "Added greeting.txt."],
      ]
    ])
    let reply = try client.call(
      "opencode_run_and_wait",
      with(["verificationCommands": ["test -s greeting.txt", "false", "make check"], "acceptanceCriteria": ["it greets"]]))
    #expect(reply["state"]?.string == "completed")
    #expect(reply["running"]?.bool == false)
    #expect(reply["exitCode"]?.int == 0)
    #expect(reply["answer"]?.string == "Added greeting.txt.")
    #expect(world.read("repository/greeting.txt") == "hello\n")
    let files = try #require(reply["changedFiles"]?["files"]?.array)
    #expect(files.map { $0["path"]?.string } == ["greeting.txt"])
    #expect(files.first?["byTool"]?.bool == true)
    #expect(reply["changedFiles"]?["exact"]?.bool == true)
    let declared = try #require(reply["verification"]?["declared"]?.array)
    #expect(declared.map { $0["result"]?.string } == ["passed", "failed", "not run"])
    #expect(reply["usage"]?["steps"]?.int == 4)
    #expect((reply["usage"]?["cost"]?.double ?? 0) > 0)
    let run = try #require(reply["run"]?.string)
    let prompt = try String(decoding: PrivateFiles.read(world.file("prompt.md", of: run)), as: UTF8.self)
    #expect(prompt.hasPrefix("Do it."))
    #expect(prompt.contains("it greets") && prompt.contains("make check"))
    let bare = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    #expect(try String(decoding: PrivateFiles.read(world.file("prompt.md", of: bare)), as: UTF8.self) == "Do it." + everyRunIsTold)
  }

  /// What stands behind the message of every run.
  private let everyRunIsTold = "\n\n## This run\n\nNobody can answer you: don't ask, decide, and say what you decided. Finish with what is left.\n"

  @Test func moreNamedFilesThanAreKeptAreAReasonForDoubt() throws {
    let writes = (0..<4_100).map { number in
      let state: JSONObject = ["status": "completed", "input": ["filePath": .string("/elsewhere/\(number)")], "output": "", "metadata": [:]]
      let part: JSONObject = ["id": .string("prt_many\(number)"), "type": "tool", "tool": "write", "callID": "c", "state": .object(state)]
      return JSONValue.object(["type": "tool_use", "timestamp": 1, "sessionID": "ses_many", "part": .object(part)]).text + "\n"
    }
    try world.standIn(["turns": [["raw": .string(writes.joined())], ["text": "Done."]]])
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["changedFiles"]?["exact"]?.bool == false)
    #expect(reply["changedFiles"]?["why"]?.string?.contains("named more than 4096 files") == true, "\(reply["changedFiles"]?.text ?? "")")
  }

  /// A companion of OpenCode takes one to two seconds: nobody waits for it at the end of a run.
  @Test func aModelThatNobodyChoseIsAskedForDuringTheRun() throws {
    let calls = world.path("calls")
    let waiting = "for i in $(seq 1200); do grep -q 'end db' '\(calls)' && break; sleep 0.1; done"
    try world.standIn([
      "turns": [["text": "Working.", "tools": [["name": "bash", "arguments": ["command": .string(waiting), "description": "Waits"]]]], ["text": "Done."]]
    ])
    try world.write(
      "bin/noting", "#!/bin/sh\necho \"$1\" >> '\(calls)'\n'\(world.path("bin/opencode"))' \"$@\"\ncode=$?\necho \"end $1\" >> '\(calls)'\nexit $code\n")
    chmod(world.path("bin/noting"), 0o700)
    world.environment["OPENCODE_BIN"] = world.path("bin/noting")
    let client = try MCPClient(world)
    try client.initialize()
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["model"]?.string == "stand-in/m1", "\(reply.text)")
    let noted = (world.read("calls") ?? "").split(separator: "\n").map(String.init).filter { !$0.contains("--version") }
    #expect(noted == ["run", "db", "end db", "end run"], "\(noted)")
  }

  @Test func startThenStatusThenWait() throws {
    try world.standIn([
      "turns": [
        ["text": "Working.", "tools": [["name": "bash", "arguments": ["command": "true", "description": "x"]]]], ["text": "Done.", "until": world.releaseFile],
      ]
    ])
    let started = try client.call("opencode_start", arguments)
    #expect(started["running"]?.bool == true)
    let run = try #require(started["run"]?.string)
    #expect(try eventually { try client.call("opencode_status")["lastDone"]?.string == "bash: true" })
    let status = try client.call("opencode_status", ["tailLines": 5])
    #expect(status["run"]?.string == run)
    #expect(status["state"]?.string == "running")
    #expect(status["toStop"] == nil)
    #expect(status["tail"]?.array?.contains { $0.string?.contains("bash") == true } == true)
    let refused = try client.call("opencode_start", arguments)
    #expect(refused["error"]?["code"]?.string == "busy")
    #expect(refused["run"]?.string == run)
    try world.release()
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "completed")
    #expect(review["answer"]?.string == "Done.")
    #expect(review["endedAt"]?.string?.hasSuffix("Z") == true)
  }

  @Test func aRefusedRunAndWaitDoesNotWaitForTheOtherRun() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    _ = try client.call("opencode_start", arguments)
    // A reply to it at all: the other run goes on.
    #expect(try client.call("opencode_run_and_wait", arguments)["error"]?["code"]?.string == "busy")
    try world.release()
  }

  @Test func aWaitThatIsOverBeforeTheRunSaysSo() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    _ = try client.call("opencode_start", arguments)
    let reply = try client.call("opencode_wait", ["timeoutSeconds": 1, "pollIntervalSeconds": 5])
    #expect(reply["timedOut"]?.bool == true)
    #expect(reply["next"]?.string == "call opencode_wait again")
    #expect(reply["state"]?.string == "running")
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
  }

  @Test func aWaitNeverDelaysAPing() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    _ = try client.call("opencode_start", arguments)
    let waits = try (0..<20).map { _ in try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]]) }
    #expect(try client.request("ping")["result"] == [:])
    try world.release()
    for wait in waits { #expect(try client.answer(to: wait)["result"]?["structuredContent"]?["state"]?.string == "completed") }
  }

  @Test func cancellingAWaitEndsTheWaitOnly() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let run = try client.call("opencode_start", arguments)["run"]?.string
    let wait = try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]])
    try client.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": JSONValue(wait), "reason": "x"]])
    try client.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": [:]]])
    #expect(client.receive(within: 0.5) { $0["id"]?.int == wait } == nil)
    try world.release()
    let review = try client.call("opencode_wait")
    #expect(review["run"]?.string == run)
    #expect(review["state"]?.string == "completed")
    #expect(client.receive(within: 0.1) { $0["id"]?.int == wait } == nil)
  }

  @Test func progressIsReportedWithItsTokenAndOnlyGrows() throws {
    let step: JSONValue = ["tools": [["name": "bash", "arguments": ["command": "true", "description": "x"]]], "delay": 1.1]
    try world.standIn(["turns": [step, step, ["text": "Done.", "delay": 1.1]]])
    let id = try client.begin(
      "tools/call", ["name": "opencode_run_and_wait", "arguments": .object(arguments), "_meta": ["progressToken": "tok"]])
    #expect(try client.answer(to: id)["result"]?["structuredContent"]?["state"]?.string == "completed")
    let progress = client.unclaimed.filter { $0["method"]?.string == "notifications/progress" }
    #expect(!progress.isEmpty)
    #expect(progress.allSatisfy { $0["params"]?["progressToken"]?.string == "tok" })
    let numbers = progress.compactMap { $0["params"]?["progress"]?.int }
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<))
  }

  @Test func waitsOfSeveralServersEndTogether() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    _ = try client.call("opencode_start", arguments)
    let others = try (0..<3).map { _ in try MCPClient(world) }
    let waits = try others.map { other in
      try other.initialize()
      return try other.begin("tools/call", ["name": "opencode_wait", "arguments": [:]])
    }
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
    for (other, wait) in zip(others, waits) {
      #expect(try other.answer(to: wait, within: 3)["result"]?["structuredContent"]?["state"]?.string == "completed")
    }
  }

  // MARK: - Ends that are no good ends

  @Test func aRateLimitShowsWhileOpenCodeIsSilent() throws {
    try world.standIn(["retrySeconds": 0.2, "turns": [["status": 429, "body": ["error": ["message": "Rate limit"]], "forever": true]]])
    _ = try client.call("opencode_start", arguments)
    #expect(try eventually { (try client.call("opencode_status")["providerErrors"]?["count"]?.int ?? 0) >= 2 })
    let status = try client.call("opencode_status")
    #expect(status["providerErrors"]?["last"]?.string?.contains("Rate limit") == true)
    #expect(attention(status).contains("provider errors:"))
  }

  @Test func anUnknownModelFailsAndNamesCloseOnes() throws {
    let reply = try client.call("opencode_run_and_wait", with(["model": "stand-in/m9"]))
    #expect(reply["state"]?.string == "failed")
    #expect(reply["reason"]?.string?.contains("Model not found") == true)
    #expect(attention(reply).contains("stand-in/m1"))
  }

  @Test func anAgentThatCannotLeadARunIsRefused() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    for name in ["nope", "general"] {
      let reply = try client.call("opencode_run_and_wait", with(["agent": .string(name)]))
      #expect(reply["error"]?["code"]?.string == "bad_argument", "\(reply.text)")
      #expect(reply["error"]?["hint"]?.string?.contains("build") == true)
    }
    #expect(try client.call("opencode_status")["state"]?.string == "none", "nothing was started, and nothing paid for")
  }

  @Test func aRejectedPermissionLeavesTheRunIncomplete() throws {
    try world.standIn(["turns": [["tools": [["name": "read", "arguments": ["filePath": "/etc/hosts"]]]], ["text": "Never said."]]])
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["state"]?.string == "incomplete")
    #expect(reply["exitCode"]?.int == 0)
    #expect(attention(reply).contains("external_directory"))
  }

  @Test func aSignalIsNamed() throws {
    try world.standIn(["turns": [["text": "Starting.", "delay": 0.2, "signal": "SIGTERM"]]])
    let reply = try client.call("opencode_run_and_wait", with(["verificationCommands": ["make"]]))
    #expect(reply["state"]?.string == "failed")
    #expect(reply["signal"]?.string == "SIGTERM")
    #expect(reply["exitCode"] == nil)
    #expect(reply["verification"]?["declared"]?.array?.first?["result"]?.string == "unknown")
  }

  @Test func whatARunLeavesBehindIsNamedAndDelaysNothing() throws {
    try world.standIn([
      "turns": [["tools": [["name": "bash", "arguments": ["command": "sleep 100 >/dev/null 2>&1 & echo", "description": "x"]]]], ["text": "Done."]]
    ])
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["state"]?.string == "completed")
    // Had it been waited for, it would have ended.
    #expect(attention(reply).contains("still running: sleep 100 (pid "))
  }

  @Test func aProgramThatCannotRunNeverStarted() throws {
    try FileManager.default.removeItem(atPath: world.path("bin/opencode"))
    try Program.write("#!/bin/sh\necho 1.18.34\n", to: world.path("bin/opencode"))
    _ = try client.call("opencode_models")
    // Between the look and the exec the interpreter goes away.
    try Program.write("#!/bin/sh\n[ \"$1\" = --version ] && echo 1.18.34 && exec rm \"$0\"\n", to: world.path("bin/opencode"))
    let reply = try client.call("opencode_run_and_wait", arguments)
    #expect(reply["state"]?.string == "failed")
    #expect(reply["reason"]?.string?.contains("never started") == true)
    #expect(reply["exitCode"] == nil)
  }

  // MARK: - Arguments

  @Test(arguments: [nil, "/no/such/folder", "relative"])
  func theFolderMustBeKnown(_ cwd: String?) throws {
    // Started in `/`, which lies in no repository for certain.
    let client = try MCPClient(world, folder: "/")
    try client.initialize()
    let reply = try client.call("opencode_start", cwd.map { ["message": "x", "cwd": .string($0)] } ?? ["message": "x"])
    #expect(reply["error"]?["code"]?.string == (cwd == nil ? "cwd_needed" : "bad_argument"), "\(reply.text)")
  }

  @Test func theFolderComesFromCodexWorkspace() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    try PrivateFiles.createFolder(world.path("repository/wörk dir"))
    let escaped = world.repository + "/w%C3%B6rk%20dir"
    let meta: JSONObject = ["codex/sandbox-state-meta": ["sandboxCwd": .string("file://" + escaped)]]
    let reply = try client.call("opencode_run_and_wait", ["message": "x"], meta: meta)
    #expect(reply["cwd"]?.string == world.repository + "/wörk dir")
    let relative = try client.call("opencode_run_and_wait", ["message": "x", "cwd": ".."], meta: meta)
    #expect(relative["cwd"]?.string == world.repository)
  }

  @Test(
    arguments: [
      (["message": "  \n"], "message"), (["model": "m1"], "provider/model"), (["fork": true], "fork"), (["files": ["missing.txt"]], "missing.txt"),
      (["session": "abc"], "ses_"), (["session": "ses_1", "continueLast": true], "continueLast"),
      (["permissions": "full", "dangerouslySkipPermissions": true], "permissions"), (["permissions": "some"], "read-only"), (["title": ""], "title"),
      (["mesage": "x"], "message"),
    ] as [(JSONObject, String)])
  func wrongArgumentsAreRefusedWithTheReason(wrong: JSONObject, word: String) throws {
    let reply = try client.call("opencode_start", with(wrong))
    #expect(reply["error"]?["code"]?.string == "bad_argument")
    let text = "\(reply["error"]?["message"]?.string ?? "") \(reply["error"]?["hint"]?.string ?? "")"
    #expect(text.contains(word), "\(text)")
    let runs = (try? FileManager.default.contentsOfDirectory(atPath: world.path("state/runs"))) ?? []
    #expect(runs.isEmpty)
  }

  @Test func aMissingOpenCodeIsSaidWithAllThatWasTried() throws {
    let other = try MCPClient(world, extra: ["OPENCODE_BIN": "/no/such/opencode"])
    try other.initialize()
    let reply = try other.call("opencode_start", arguments)
    #expect(reply["error"]?["code"]?.string == "opencode_not_found")
    #expect(reply["error"]?["message"]?.string?.contains("/no/such/opencode") == true)
  }

  @Test func aReadOnlySandboxMakesReadOnlyRuns() throws {
    try world.standIn(["turns": [["tools": [["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]]]], ["text": "Tried."]]])
    let meta: JSONObject = [
      "codex/sandbox-state-meta": [
        "sandboxCwd": .string(world.repository),
        "permissionProfile": [
          "type": "managed",
          "file_system": ["type": "restricted", "entries": [["path": ["type": "special", "value": ["kind": "root"]], "access": "read"]]],
        ],
      ]
    ]
    #expect(try client.call("opencode_start", ["message": "x", "permissions": "full"], meta: meta)["error"]?["code"]?.string == "bad_argument")
    let reply = try client.call("opencode_run_and_wait", ["message": "x"], meta: meta)
    #expect(reply["state"]?.string != nil)
    #expect(attention(reply).contains("Codex's sandbox is read-only: OpenCode ran with the read-only preset"))
    #expect(attention(reply).contains("the model called tools that it doesn't have: write"))
    #expect(!world.exists("repository/a.txt"))
    let free = try MCPClient(world, extra: ["OPENCODE_WORKER_IGNORE_SANDBOX": "1"])
    try free.initialize()
    _ = try free.call("opencode_run_and_wait", ["message": "x"], meta: meta)
    #expect(world.exists("repository/a.txt"))
  }

  // MARK: - Sessions

  @Test func aFollowUpContinuesTheSession() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let first = try client.call("opencode_run_and_wait", arguments)
    let session = try #require(first["session"]?.string)
    let second = try client.call("opencode_run_and_wait", ["message": "More.", "session": .string(session)])
    #expect(second["session"]?.string == session)
    #expect(second["cwd"]?.string == world.repository)
    #expect(second["usage"]?["steps"]?.int == 1)
    let third = try client.call("opencode_run_and_wait", with(["continueLast": true]))
    #expect(third["session"]?.string == session)
    let fork = try client.call("opencode_run_and_wait", with(["session": .string(session), "fork": true]))
    #expect(fork["session"]?.string != session)
  }

  @Test func aSessionOfAnotherFolderOrNoneIsRefused() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let session = try #require(try client.call("opencode_run_and_wait", arguments)["session"]?.string)
    try PrivateFiles.createFolder(world.path("elsewhere"))
    let other = try client.call("opencode_start", ["message": "x", "cwd": .string(world.path("elsewhere")), "session": .string(session)])
    #expect(other["error"]?["code"]?.string == "bad_argument")
    #expect(other["error"]?["message"]?.string?.contains(world.repository) == true)
    let unknown = try client.call("opencode_start", with(["session": "ses_doesnotexist"]))
    #expect(unknown["error"]?["code"]?.string == "bad_argument")
    #expect(unknown["error"]?["message"]?.string?.contains("ses_doesnotexist") == true)
  }

  // MARK: - Which run

  @Test func eachConversationHasItsOwnLatestRun() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let one = try client.call("opencode_run_and_wait", arguments, meta: ["threadId": "one"])["run"]
    let two = try client.call("opencode_run_and_wait", arguments, meta: ["threadId": "two"])["run"]
    #expect(try client.call("opencode_status", meta: ["threadId": "one"])["run"] == one)
    #expect(try client.call("opencode_status", meta: ["threadId": "two"])["run"] == two)
    let stranger = try client.call("opencode_status", meta: ["threadId": "three"])
    #expect(stranger["run"] == two)
    #expect(attention(stranger).contains("not started by this conversation"))
    let history = try client.call("opencode_runs", ["limit": 1])
    #expect(history["runs"]?.array?.map { $0["run"] } == [two])
    let cursor = try #require(history["nextCursor"])
    #expect(try client.call("opencode_runs", ["cursor": cursor])["runs"]?.array?.map { $0["run"] } == [one])
  }

  @Test func withoutAnyRunTheToolsSayNone() throws {
    for tool in ["opencode_status", "opencode_wait", "opencode_logs", "opencode_run_summary", "opencode_usage", "opencode_changed_files"] {
      #expect(try client.call(tool)["state"]?.string == "none", "\(tool)")
    }
    #expect(try client.call("opencode_runs")["runs"] == [])
  }

  // MARK: - Logs

  @Test func logsAreReadBackwardsByCursor() throws {
    let step: JSONValue = ["text": "A step.", "tools": [["name": "bash", "arguments": ["command": "echo line", "description": "x"]]]]
    try world.standIn(["turns": .array(Array(repeating: step, count: 20) + [["text": "Done."]])])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    for source in ["events", "raw"] {
      var pages: [[String]] = []
      var cursor: JSONValue?
      repeat {
        var arguments: JSONObject = ["lines": 7, "source": .string(source)]
        arguments["cursor"] = cursor
        let page = try client.call("opencode_logs", arguments)
        pages.insert(page["lines"]?.array?.compactMap(\.string) ?? [], at: 0)
        cursor = page["nextCursor"]
      } while cursor != nil
      let lines = String(decoding: try PrivateFiles.read(world.file("events.jsonl", of: run)), as: UTF8.self).split(separator: "\n")
      #expect(pages.flatMap { $0 }.count == lines.count)
      if source == "raw" { #expect(pages.flatMap { $0 } == lines.map(String.init)) }
    }
    #expect(try client.call("opencode_logs", ["cursor": "raw:5"])["error"]?["code"]?.string == "bad_argument")
  }

  @Test func repliesStayWithinTheirBoundAndHideSecrets() throws {
    let key = "sk-ant-" + String(repeating: "a1B2", count: 12)
    let huge = String(repeating: "é\"\\\n👩‍👩‍👧 ", count: 20_000)
    let tools: JSONValue = .array(
      (0..<30).map { ["name": "bash", "arguments": ["command": .string("echo \($0) '\(String(repeating: "x\"", count: 3000))'"), "description": "x"]] })
    try world.standIn(["turns": [["text": .string(huge), "tools": tools], ["text": .string("The key is \(key). " + huge)]]])
    var reply = try client.call(
      "opencode_run_and_wait", with(["verificationCommands": .array((0..<50).map { .string("check \($0) " + String(repeating: "y", count: 400)) })]))
    #expect(reply.bytes.count < 8 << 10)
    #expect(reply["state"]?.string == "completed")
    #expect((reply["masked"]?.int ?? 0) > 0)
    #expect(!reply.text.contains(key))
    for (tool, arguments) in [
      ("opencode_status", ["tailLines": 200]), ("opencode_logs", ["lines": 1000]), ("opencode_logs", ["lines": 1000, "source": "raw"]),
      ("opencode_run_summary", ["maxTextItems": 68, "maxToolCalls": 200]), ("opencode_changed_files", [:]), ("opencode_usage", [:]),
      ("opencode_runs", ["limit": 100]),
    ] as [(String, JSONObject)] {
      reply = try client.call(tool, arguments)
      #expect(reply.bytes.count < 8 << 10, "\(tool): \(reply.bytes.count)")
      #expect(!reply.text.contains(key), "\(tool)")
      #expect(reply["error"] == nil, "\(tool)")
    }
  }
}
