import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// OpenCode 2 beside OpenCode 1: the same job against the stand-in in both generations, and an upgrade from one to the other.
@Suite(.blocking) struct OpenCode2Tests {
  static let lines = ["1.18.34", "2.0.22", "0.0.0-v2-20260807"]
  static let secondLine = ["2.0.22", "0.0.0-v2-20260807"]

  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  // MARK: - Helpers

  private func play(_ version: String, _ turns: JSONValue = [["text": "Done."]], _ more: JSONObject = [:]) throws {
    var script: JSONObject = ["version": .string(version), "turns": turns]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private func with(_ more: JSONObject = [:]) -> JSONObject { world.task(more) }

  private func delegate(_ more: JSONObject = [:]) throws -> JSONValue { try client.call("opencode_run_and_wait", with(more)) }

  /// OpenCode's arguments in that run.
  private func commandLine(_ reply: JSONValue) throws -> [String] {
    let request = try JSONValue(parsing: PrivateFiles.read(world.file("request.json", of: try #require(reply["run"]?.string, "\(reply.text)"))))
    return request["arguments"]?.array?.compactMap(\.string) ?? []
  }

  private static func bash(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "x"]] }

  private static func subagent(_ turns: JSONValue) -> JSONValue {
    ["name": "task", "arguments": ["description": "Helps", "prompt": "p", "subagent_type": "general"], "turns": turns]
  }

  // MARK: - The ordinary way

  @Test(arguments: lines) func startStatusWaitAndReview(version: String) throws {
    try play(version, [["text": "Working.", "tools": [OpenCode2Tests.bash("test -s README.md")]], ["text": "Done.", "until": world.releaseFile]])
    let started = try client.call("opencode_start", with(["verificationCommands": ["test -s README.md"], "title": "T", "model": "stand-in/m1"]))
    #expect(started["running"]?.bool == true)
    #expect(try eventually { try client.call("opencode_status")["lastDone"]?.string?.hasPrefix(version == "1.18.34" ? "bash" : "shell") == true })
    #expect(try client.call("opencode_status")["state"]?.string == "running")
    try world.release()
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "completed", "\(review.text)")
    #expect(review["answer"]?.string == "Done.")
    #expect(review["verification"]?["declared"]?.array?.first?["result"]?.string == "passed")
    let own =
      version == "1.18.34"
      ? ["run", "--format", "json", "--dir", world.repository, "--print-logs", "--log-level=ERROR"] : ["run", "--standalone", "--format", "json"]
    #expect(try commandLine(review) == own + ["--model=stand-in/m1", "--title=T"])
  }

  /// OpenCode 2 leaves out the last step's end; the figures are the same all the same, and none is counted twice.
  @Test(arguments: lines, [false, true]) func theUsageIsWhole(version: String, lastStepFinish: Bool) throws {
    try play(version, [["tools": [OpenCode2Tests.bash("true")]], ["text": "Done."]], ["lastStepFinish": .bool(lastStepFinish)])
    let usage = try #require(try delegate()["usage"])
    #expect(usage["tokens"]?["input"]?.int == 400 && usage["tokens"]?["output"]?.int == 128 && usage["tokens"]?["reasoning"]?.int == 32, "\(usage.text)")
    #expect(usage["tokens"]?["cacheRead"]?.int == 2000 && usage["steps"]?.int == 2)
    #expect(usage["cost"]?.double == 0.0042)
    #expect(usage["missing"] == nil)
  }

  @Test(arguments: lines) func subagentsUsageAndCommandsBelongToTheRun(version: String) throws {
    try play(
      version,
      [
        ["tools": [OpenCode2Tests.subagent([["tools": [OpenCode2Tests.bash("test -s README.md")]], ["text": "Sub."]])]],
        ["text": "Done."],
      ])
    let reply = try delegate(["verificationCommands": ["test -s README.md"]])
    #expect(reply["state"]?.string == "completed")
    #expect(reply["verification"]?["declared"]?.array?.first?["result"]?.string == "passed", "\(reply.text)")
    let usage = try client.call("opencode_usage")
    #expect(usage["subagents"]?.array?.count == 1)
    #expect(usage["subagents"]?.array?.first?["cost"]?.double == 0.0042)
    #expect(usage["cost"]?.double == 0.0084)
    let total = try client.call("opencode_usage", ["session": try #require(reply["session"])])
    #expect(total["cost"]?.double == 0.0084, "\(total.text)")
  }

  @Test(arguments: secondLine) func aVariantGoesIntoTheModelsName(version: String) throws {
    try play(version)
    #expect(try commandLine(try delegate(["model": "stand-in/m1", "variant": "high"])).contains("--model=stand-in/m1#high"))
    #expect(try commandLine(try delegate(["model": "stand-in/m1#low"])).contains("--model=stand-in/m1#low"))
    let alone = try delegate(["variant": "high"])
    #expect(alone["error"]?["code"]?.string == "bad_argument")
    #expect(alone["error"]?["message"]?.string?.contains("variant") == true)
  }

  @Test(arguments: lines) func whatIsUnknownInTheStreamIsPassedOver(version: String) throws {
    let strange = #"{"type":"mystery","timestamp":1,"sessionID":"ses_x","part":[1,{"a":null}]}"# + "\n[1]\nnot JSON\n" + #"{"type":7}"# + "\n"
    try play(version, [["raw": .string(strange)], ["text": "Done."]])
    #expect(try delegate()["state"]?.string == "completed")
  }

  // MARK: - Permissions

  @Test(arguments: lines) func aPresetIsMergedIntoTheUsersConfiguration(version: String) throws {
    let own = #"""
      { // mine
        "zeta": {"z": 1, "a": [2, {"y": null, "b": true}]}, "permission": {"bash": "ask", "edit": "ask"},
        "agent": {"mine": {"prompt": "p", "mode": "subagent", "permission": {"bash": {"*": "ask", "git *": "allow"}}}, "build": {"temperature": 0.5}},
        "mcp": {"b": {"type": "local"}, "a": {"type": "remote"}},
      }
      """#
    try play(version, [["tools": [OpenCode2Tests.bash("printf %s \"$OPENCODE_CONFIG_CONTENT\" > config.json")]], ["text": "Done."]])
    let client = try MCPClient(world, extra: ["OPENCODE_CONFIG_CONTENT": own])
    try client.initialize()
    let reply = try client.call("opencode_run_and_wait", with(["permissions": "workspace"]))
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    let merged = try JSONValue(parsing: PrivateFiles.read(world.path("repository/config.json")))
    #expect(merged["zeta"]?.text == #"{"z":1,"a":[2,{"y":null,"b":true}]}"#)
    #expect(merged["mcp"]?.text == #"{"b":{"type":"local"},"a":{"type":"remote"}}"#)
    guard version != "1.18.34" else {
      #expect(merged["agent"]?["mine"]?["prompt"] == "p" && merged["agent"]?["mine"]?["mode"] == "subagent")
      #expect(merged["agent"]?["build"]?["temperature"]?.double == 0.5)
      #expect(merged["permission"]?["external_directory"] == "deny" && merged["permission"]?["*"] == "allow")
      return
    }
    #expect(merged["agents"]?["mine"]?["system"] == "p" && merged["agents"]?["mine"]?["mode"] == "subagent", "\(merged.text)")
    #expect(merged["agents"]?["build"]?["request"]?["body"]?["temperature"]?.double == 0.5)
    #expect(merged["agent"] == nil && merged["permission"] == nil)
    let first = merged["permissions"]?.array?.first
    #expect(first == ["action": "*", "resource": "*", "effect": "allow"] && merged["agents"]?["mine"]?["permissions"]?.array?.first == first)
    #expect(!merged.text.contains("\"ask\""))
  }

  @Test(arguments: lines) func withoutAPresetTheUsersConfigurationIsLeftAlone(version: String) throws {
    let own = #"{"permission":{"bash":{"*":"deny","printf *":"allow","a":"deny"},"*":"allow"}}"#
    try play(version, [["tools": [OpenCode2Tests.bash("printf %s \"$OPENCODE_CONFIG_CONTENT\" > config.json")]], ["text": "Done."]])
    let client = try MCPClient(world, extra: ["OPENCODE_CONFIG_CONTENT": own])
    try client.initialize()
    #expect(try client.call("opencode_run_and_wait", with())["state"]?.string == "completed")
    #expect(world.read("repository/config.json") == own)
  }

  @Test(arguments: lines) func readOnlyWritesNothing(version: String) throws {
    try play(
      version, [["tools": [["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]], OpenCode2Tests.bash("touch b.txt")]], ["text": "Tried."]],
      version == "1.18.34" ? ["config": ["agent": ["build": ["permission": ["bash": "allow"]]]]] : [:])
    let reply = try delegate(["permissions": "read-only"])
    #expect(reply["state"]?.string != nil)
    #expect(!world.exists("repository/a.txt") && !world.exists("repository/b.txt"))
    // Both tell what results: nothing is left unsaid.
    #expect(!attention(reply).contains("preset"), "\(reply.text)")
  }

  @Test func aRejectionEndsTheOldBuildsRunAndNotTheReleasesOne() throws {
    let turns: JSONValue = [["tools": [["name": "read", "arguments": ["filePath": "/etc/hosts"]]]], ["text": "Went on."]]
    for (version, state) in [("1.18.34", "incomplete"), ("2.0.22", "completed"), ("0.0.0-v2-20260807", "incomplete")] {
      try play(version, turns)
      let reply = try delegate()
      #expect(reply["state"]?.string == state, "\(version): \(reply.text)")
      #expect(attention(reply).contains("external_directory"), "\(version)")
    }
  }

  // MARK: - Sessions

  @Test(arguments: lines) func aSessionIsContinuedAndAnUnknownOneRefused(version: String) throws {
    try play(version)
    let first = try delegate()
    let session = try #require(first["session"])
    #expect(try delegate(["session": session])["session"] == session)
    #expect(try delegate(["continueLast": true])["session"] == session)
    #expect(try delegate(["session": session, "fork": true])["session"] != session)
    let unknown = try delegate(["session": "ses_neverheardof"])
    #expect(unknown["error"]?["code"]?.string == "bad_argument")
    #expect(unknown["error"]?["message"]?.string?.contains("ses_neverheardof") == true)
    #expect(try client.call("opencode_usage", ["session": "ses_neverheardof"])["error"]?["code"]?.string == "bad_argument")
    #expect(!world.exists("bin/sessions/ses_neverheardof.json"))
    try PrivateFiles.createFolder(world.path("elsewhere"))
    let elsewhere = try client.call("opencode_start", ["message": "x", "cwd": .string(world.path("elsewhere")), "session": session])
    #expect(elsewhere["error"]?["message"]?.string?.contains(world.repository) == true, "\(elsewhere.text)")
  }

  /// Another release may lack a command; the export tells the same.
  @Test(arguments: secondLine) func withoutTheApiTheExportTells(version: String) throws {
    try play(version, [["text": "Done."]], ["commands": ["api": ["stdout": "USAGE\n  opencode [flags]\n", "exit": 1]]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed")
    #expect(reply["usage"]?["cost"]?.double == 0.0021)
    let session = try #require(reply["session"])
    #expect(try delegate(["session": session])["session"] == session)
    #expect(try delegate(["session": "ses_neverheardof"])["error"]?["code"]?.string == "bad_argument")
  }

  @Test(.waiting) func whatCouldNotBeAskedIsSaid() throws {
    let hangs: JSONValue = ["hang": true]
    try play("2.0.22", [["tools": [OpenCode2Tests.bash("true")]], ["text": "Done."]], ["commands": ["api": hangs, "session": hangs, "export": hangs]])
    let reply = try delegate()
    // An answer that was cut looks the same.
    #expect(reply["state"]?.string == "incomplete", "\(reply.text)")
    #expect(reply["reason"]?.string?.hasPrefix("whether its answer is whole is not known (`opencode ") == true, "\(reply.text)")
    #expect(attention(reply).contains("how the session ended is not known (`opencode "))
    #expect(try world.worker("report").status == .exited(1), "nobody may take it for a good end")
    #expect(attention(reply).contains("the last step's usage is not known (`opencode api` did not end within "))
    #expect(reply["usage"]?["missing"]?.string?.contains("the last step's usage") == true)
    #expect(reply["usage"]?["cost"] == nil)
    #expect(reply["usage"]?["tokens"]?["input"]?.int == 200)
  }

  /// One question that hangs leaves time for the other.
  @Test(.waiting) func aHangingApiDoesNotCostTheUsage() throws {
    try play("2.0.22", [["text": "Done."]], ["commands": ["api": ["hang": true]]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed")
    #expect(reply["usage"]?["cost"]?.double == 0.0021, "\(reply.text)")
  }

  // MARK: - Ends

  @Test(arguments: secondLine) func anErrorThatWasMendedIsNoFailure(version: String) throws {
    try play(version, [["status": 429], ["text": "Done."]], ["exit": 1, "retrySeconds": 0.1])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["exitCode"]?.int == 1)
    #expect(attention(reply).contains("it finished, but ended (exit 1)"))
  }

  /// The stream has half an answer and nothing else: the last message tells that it is one, and why.
  @Test(arguments: secondLine, [0, 1]) func halfAnAnswerIsNoSuccess(version: String, exit: Int) throws {
    try play(version, [["text": "Only half", "finish": "length"]], ["exit": JSONValue(exit)])
    let cut = try delegate()
    #expect(cut["state"]?.string == "incomplete" && cut["exitCode"]?.int == exit, "\(cut.text)")
    #expect(cut["reason"]?.string?.contains("token limit") == true)
    let error: JSONValue = ["type": "provider.invalid-output", "message": "broken"]
    try play(version, [["text": "Only half", "error": error]], ["lastError": false])
    let broken = try delegate()
    #expect(broken["state"]?.string == "failed", "\(broken.text)")
    #expect(broken["reason"]?.string?.contains("broken") == true)
  }

  /// A release goes on after a rejection, so that is no end; what its next request met is.
  @Test func anErrorAfterARejectionIsTheEnd() throws {
    let turns: JSONValue = [
      ["tools": [["name": "read", "arguments": ["filePath": "/etc/hosts"]]]], ["status": 401, "body": ["error": ["message": "Invalid API key"]]],
    ]
    try play("2.0.22", turns, ["lastError": false])
    let reply = try delegate()
    #expect(reply["state"]?.string == "failed" && reply["reason"]?.string?.contains("Invalid API key") == true, "\(reply.text)")
  }

  /// Summaries cost too; a session that is continued costs what it did since.
  @Test(arguments: secondLine) func compactionsAndContinuedSessionsAreCountedRight(version: String) throws {
    try play(version, [["tools": [OpenCode2Tests.bash("true")]], ["compaction": "Summary."], ["text": "Done."]])
    let first = try delegate()
    #expect(first["state"]?.string == "completed" && first["usage"]?["cost"]?.double == 0.0063, "\(first.text)")
    try play(version, [["text": "More."]])
    let second = try delegate(["session": try #require(first["session"])])
    #expect(second["state"]?.string == "completed" && second["usage"]?["cost"]?.double == 0.0021, "\(second.text)")
  }

  /// One list that can't be had costs nothing of what else is known.
  @Test(.waiting) func subagentsThatTheStreamNamesAreAskedWhateverHangs() throws {
    try play(
      "2.0.22", [["tools": [OpenCode2Tests.subagent([["tools": [OpenCode2Tests.bash("exit 4")]], ["text": "Sub."]])]], ["text": "Done."]],
      ["commands": ["api parentID": ["hang": true]]])
    let reply = try delegate(["verificationCommands": ["exit 4"]])
    #expect(reply["state"]?.string == "completed" && reply["usage"]?["tokens"]?["input"]?.int == 800, "\(reply.text)")
    // One that isn't known may have run it after that.
    let row = reply["verification"]?["declared"]?.array?.first
    #expect(row?["result"]?.string == "unknown" && row?["why"]?.string?.hasPrefix("failed when it was last seen") == true, "\(reply.text)")
    #expect(reply["usage"]?["cost"] == nil && attention(reply).contains("which subagents worked is not known"), "\(reply.text)")
  }

  /// A subagent's failing check, its subagent's edit and a shell in the background: none of it is in the stream.
  @Test(arguments: secondLine) func whatSubagentsDidIsTold(version: String) throws {
    let deeper = OpenCode2Tests.subagent([["tools": [["name": "write", "arguments": ["filePath": "deep.txt", "content": "x"]]]], ["text": "Deep."]])
    try play(
      version,
      [
        ["tools": [OpenCode2Tests.subagent([["tools": [deeper]], ["tools": [OpenCode2Tests.bash("exit 4")]], ["text": "Sub."]])]],
        ["tools": [["name": "shell", "arguments": ["command": "sleep 30; touch late", "background": true]]]],
        ["text": "Done."],
      ])
    let reply = try delegate(["verificationCommands": ["exit 4"]])
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["verification"]?["declared"]?.array?.first?["result"]?.string != "passed", "\(reply.text)")
    #expect(reply["verification"]?["declared"]?.array?.first?["result"]?.string != "not run", "\(reply.text)")
    #expect(reply["usage"]?["subagents"]?.int == 2, "\(reply.text)")
    #expect(reply["usage"]?["cost"]?.double == 0.0168, "\(reply.text)")
    #expect(reply["changedFiles"]?["files"]?.array?.first { $0["path"] == "deep.txt" }?["byTool"]?.bool == true, "\(reply.text)")
    #expect(attention(reply).contains("background work ends with the run: the command \"sleep 30; touch late\""), "\(reply.text)")
  }

  @Test(arguments: secondLine) func anUnknownSessionAndABusyStoreAreAskedAgain(version: String) throws {
    try play(version, [["text": "Done."]], ["commands": ["api": ["error": "database is locked", "times": 1]]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed")
    #expect(reply["usage"]?["cost"]?.double == 0.0021, "\(reply.text)")
  }

  @Test(arguments: secondLine) func aRetryIsPointedOut(version: String) throws {
    try play(version, [["status": 429], ["text": "Done."]], ["retrySeconds": 0.1])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(attention(reply).contains("OpenCode retries after provider errors"))
  }

  @Test(arguments: secondLine) func anErrorAtTheEndIsOne(version: String) throws {
    try play(version, [["status": 401, "body": ["error": ["message": "Invalid API key"]]]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "failed")
    #expect(reply["reason"]?.string?.contains("Invalid API key") == true)
  }

  @Test(arguments: secondLine, [SIGTERM, SIGINT]) func aSignalShowsAsExit130(version: String, signal: Int32) throws {
    try play(version, [["tools": [OpenCode2Tests.bash("true")]], ["text": "Never.", "delay": 60]])
    _ = try client.call("opencode_start", with())
    var process: Int32?
    #expect(
      try eventually {
        let status = try client.call("opencode_status")
        process = status["run"]?.string.flatMap(world.openCode)
        return process != nil && (status["steps"]?.int ?? 0) > 0
      })
    Foundation.kill(try #require(process), signal)
    let reply = try client.call("opencode_wait")
    #expect(reply["state"]?.string == "failed")
    #expect(reply["exitCode"]?.int == 130, "\(reply.text)")
    #expect(reply["reason"]?.string?.contains("interrupted by SIGINT or SIGTERM") == true)
  }

  @Test(arguments: secondLine) func setUpFailuresAreNamed(version: String) throws {
    try play(version)
    let agent = try delegate(["agent": "nope"])
    #expect(agent["state"]?.string == "failed")
    #expect(agent["reason"]?.string?.contains("nope") == true)
    let model = try delegate(["model": "stand-in/m9"])
    #expect(model["state"]?.string == "failed")
    #expect(model["reason"]?.string?.contains("stand-in/m9") == true)
  }

  // MARK: - The wrong line

  /// Says it is one version and is another, as a wrapper may that was not upgraded with what it wraps.
  @Test(arguments: [("1.18.34", "2.0.22", "--dir"), ("1.18.34", "0.0.0-v2-20260807", "--print-logs"), ("2.0.22", "1.18.34", "--standalone")])
  func anOptionThatIsRefusedIsNamedWithTheVersion(claimed: String, real: String, option: String) throws {
    try play(real)
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo \(claimed) && exit\nexec '\(world.path("bin/opencode"))' \"$@\"\n"
    try Program.write(script, to: world.path("bin/wrapper"))
    let client = try MCPClient(world, extra: ["OPENCODE_BIN": world.path("bin/wrapper")])
    try client.initialize()
    let reply = try client.call("opencode_run_and_wait", with())
    #expect(reply["state"]?.string == "failed")
    #expect(reply["exitCode"]?.int == 1)
    let reason = try #require(reply["reason"]?.string)
    #expect(reason.contains(option) && reason.contains(claimed), "\(reason)")
  }

  // MARK: - Upgrades

  /// How an upgrade comes: a new file renamed over the old one (its own installer), or a link to another folder (Homebrew, Nix).
  enum Upgrade: CaseIterable { case file, link }

  /// Puts a binary of its own in the place of `opencode`, as long and as old as the one before.
  private func install(_ version: String, _ turns: JSONValue, by upgrade: Upgrade) throws {
    try play(version, turns)
    let place = world.path("bin/opencode")
    let file = upgrade == .file ? world.path("bin/new") : world.path("bin/Cellar/\(version)/bin/opencode")
    try FileManager.default.createDirectory(atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Program.copy(World.binary, to: file)
    try BytePaths.setModified(file, 1_000_000_000)
    if upgrade == .link { try FileManager.default.createSymbolicLink(atPath: world.path("bin/new"), withDestinationPath: file) }
    try #require(rename(world.path("bin/new"), place) == 0)
  }

  @Test(arguments: Upgrade.allCases) func anUpgradeBetweenTwoRunsIsNoticed(upgrade: Upgrade) throws {
    for version in ["1.18.34", "2.0.22", "1.18.34"] {
      if upgrade == .link { try? FileManager.default.removeItem(atPath: world.path("bin/Cellar")) }
      try install(version, [["tools": [OpenCode2Tests.bash("true")]], ["text": .string("Done by \(version).")]], by: upgrade)
      for _ in 0..<2 {
        let reply = try delegate()
        #expect(reply["state"]?.string == "completed", "\(version): \(reply.text)")
        #expect(reply["answer"]?.string == "Done by \(version).")
        #expect(reply["usage"]?["cost"]?.double == 0.0042)
        #expect(try commandLine(reply).contains("--standalone") == (version == "2.0.22"))
      }
    }
    #expect(world.exists("state/cache/opencode-versions.json"))
  }

  @Test(arguments: [("1.18.34", "2.0.22"), ("2.0.22", "1.18.34")]) func theLiveRunKeepsItsOwnLine(before: String, after: String) throws {
    let child: JSONValue = [["text": "Sub."]]
    try install(before, [["tools": [OpenCode2Tests.subagent(child)]], ["text": .string("Done by \(before)."), "until": world.releaseFile]], by: .file)
    _ = try client.call("opencode_start", with())
    #expect(try eventually { try client.call("opencode_status")["toolCalls"]?.int == 1 })
    try install(after, [["text": .string("Done by \(after).")]], by: .file)
    try world.release()
    let reply = try client.call("opencode_wait")
    // Of OpenCode 2 only OpenCode 2 can tell whether the answer is whole.
    #expect(reply["state"]?.string == (before == "1.18.34" ? "completed" : "incomplete"), "\(reply.text)")
    #expect(reply["answer"]?.string == "Done by \(before).")
    #expect(attention(reply).contains("OpenCode was replaced during the run: \(before) ran, \(after) is installed now"), "\(reply.text)")
    let next = try delegate()
    #expect(next["answer"]?.string == "Done by \(after).")
    #expect(try commandLine(next).contains("--standalone") == (after == "2.0.22"))
  }

  // MARK: - Companions

  @Test func theDoctorSaysWhichLineAndWhatItImplies() throws {
    for (version, word) in [("1.18.34", "1.x"), ("2.0.22", "--standalone"), ("0.0.0-v2-20260807", "--standalone")] {
      try play(version)
      let report = try world.worker("doctor").outputText
      let line = report.split(separator: "\n").first { $0.contains("opencode generation") } ?? ""
      #expect(line.contains(word), "\(report)")
      #expect(report.contains(version))
    }
  }

  @Test func anEmptyListOfModelsIsUnknownInTheSecondLineOnly() throws {
    for version in OpenCode2Tests.secondLine {
      try play(version, [["text": "Done."]], ["commands": ["models": ["exit": 0]]])
      let client = try MCPClient(world)
      try client.initialize()
      let list = try client.call("opencode_models")
      #expect(list["models"] == [] && list["unknown"] != nil, "\(list.text)")
      let check = try client.call("opencode_check_model", ["model": "stand-in/m1"])
      #expect(check["available"] == nil && check["unknown"] != nil, "\(check.text)")
    }
    try play("1.18.34", [["text": "Done."]], ["commands": ["models": ["exit": 0]]])
    #expect(try client.call("opencode_check_model", ["model": "stand-in/m1"])["available"] == false)
    try play("2.0.22")
    let client = try MCPClient(world)
    try client.initialize()
    #expect(try client.call("opencode_models")["models"]?.array?.contains("stand-in/m1") == true)
    #expect(try client.call("opencode_models", ["provider": "elsewhere"])["error"]?["message"] == "OpenCode has no models of a provider \"elsewhere\".")
  }

  @Test func totalsOfBothLines() throws {
    try play("1.18.34")
    _ = try delegate()
    let boxes = try client.call("opencode_usage", ["days": 0])
    #expect(boxes["sessions"]?.int == 1, "\(boxes.text)")
    #expect(boxes["models"]?.array?.first?["model"] == "stand-in/m1")
    #expect(boxes["rounded"]?.array?.contains("cost") == true)
    try play("2.0.22", [["text": "Done."]], ["commands": ["stats": ["stdout": #"{"sessions":3,"cost":0.25,"tokens":{"input":7}}"#, "exit": 0]]])
    let totals = try client.call("opencode_usage", ["aggregate": true])
    #expect(totals["sessions"]?.int == 3 && totals["cost"]?.double == 0.25 && totals["tokens"]?["input"]?.int == 7)
    #expect(totals["rounded"] == nil)
    // A build that has no such command: an error in its words, no figures.
    try play("0.0.0-v2-20260807")
    #expect(try client.call("opencode_usage", ["aggregate": true])["error"]?["code"]?.string == "opencode_failed")
  }
}
