import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What is told of OpenCode 2 while its stream says nothing: it is asked by the run's supervisor.
@Suite(.blocking) struct LiveTests {
  let world: World
  let client: MCPClient

  init() throws { (world, client) = try World.connected() }

  private func play(_ version: String, _ turns: JSONValue, _ more: JSONObject = [:]) throws {
    var script: JSONObject = ["version": .string(version), "turns": turns]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private func start() throws -> String { try #require(try client.call("opencode_start", world.task())["run"]?.string) }

  private func signal(_ run: String, _ number: Int32) throws { kill(-(try #require(world.openCode(of: run))), number) }

  /// The first status in which `wanted` is.
  private func status(_ wanted: @escaping (JSONValue) -> Bool) throws -> JSONValue {
    var last: JSONValue = [:]
    let isThere = try eventually(within: 120) {
      last = try client.call("opencode_status")
      return wanted(last)
    }
    #expect(isThere, "\(last.text)")
    return last
  }

  private static let refused: JSONValue = ["status": 429, "body": ["error": ["message": "Rate limit reached"]], "retryAfter": 900]

  /// Not a word in the stream for a quarter of an hour: when it goes on is what OpenCode itself says.
  @Test(.waiting, arguments: [SIGINT, SIGKILL]) func aRefusingProviderIsSeenWhileItWaits(by number: Int32) throws {
    try play("2.0.26", [Self.refused, ["text": "Never."]])
    let patient = try MCPClient(world, extra: ["OPENCODE_WORKER_PROVIDER_SECONDS": "2", "OPENCODE_WORKER_WAIT_SECONDS": "120"])
    try patient.initialize()
    let before = Date().timeIntervalSince1970
    let early = try patient.call("opencode_run_and_wait", world.task(), within: 180)
    #expect(early["early"]?.string == "provider", "\(early.text)")
    #expect(early["providerErrors"]?["count"]?.int == 1 && early["providerErrors"]?["last"]?.string?.contains("Rate limit reached") == true, "\(early.text)")
    let next = try #require(early["providerErrors"]?["nextTry"]?.string)
    #expect(try #require(ISO8601DateFormatter().date(from: next)).timeIntervalSince1970 > before + 890)
    #expect(early["next"]?.string?.contains("tries again by itself at \(next)") == true, "\(early.text)")
    #expect(attention(early).contains("provider errors: 1 x") && attention(early).contains("next try in"), "\(early.text)")
    #expect(try world.worker("status").outputText.contains("tries again in 14m"))
    let run = try #require(early["run"]?.string)
    try signal(run, number)
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "failed" && attention(review).contains("provider errors: 1 x"), "\(review.text)")
    // SIGINT releases the session; nobody goes on with it.
    let session = try #require(review["session"]?.string)
    #expect(attention(review).contains("opencode session delete --standalone \(session)") == (number == SIGKILL), "\(review.text)")
    #expect(!world.exists("bin/service.log"))
  }

  @Test(.waiting) func aSubagentAtWorkIsNamedAndWhyItIsSilent() throws {
    let call: JSONValue = [
      "name": "task", "arguments": ["description": "Helps a lot", "prompt": "p", "subagent_type": "general"], "turns": [Self.refused, ["text": "Never."]],
    ]
    try play("2.0.26", [["tools": [call]], ["text": "Never."]])
    let run = try start()
    let status = try status { $0["providerErrors"]?["nextTry"] != nil }
    let row = try #require(status["working"]?.array?.first, "\(status.text)")
    #expect(row["tool"]?.string == "subagent" && row["title"]?.string == "Helps a lot", "\(row.text)")
    #expect(row["since"]?.string?.hasSuffix("Z") == true && row["seconds"]?.int != nil && row["session"]?.string?.hasPrefix("ses_") == true, "\(row.text)")
    try signal(run, SIGINT)
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "failed" && review["working"] == nil, "\(review.text)")
  }

  /// 1.x tells of a subagent at its end only: nothing is said that isn't known.
  @Test func ofOpenCode1NothingIsClaimed() throws {
    let call: JSONValue = ["name": "task", "arguments": ["description": "Helps", "prompt": "p", "subagent_type": "general"], "turns": [["delay": 600]]]
    try play("1.18.34", [["tools": [call]]])
    let run = try start()
    let status = try status { ($0["steps"]?.int ?? 0) > 0 }
    #expect(status["working"] == nil)
    try signal(run, SIGKILL)
    #expect(!attention(try client.call("opencode_wait")).contains("session delete"))
  }

  @Test(.waiting) func afterTheAnswerItSaysWhatTheRunWaitsFor() throws {
    let command = "until test -s go; do sleep 0.1; done"
    try play(
      "2.3.2",
      [
        ["tools": [["name": "shell", "arguments": ["command": .string(command), "background": true]]]], ["text": "Started."], ["text": "All ended."],
      ])
    _ = try start()
    let status = try status { attention($0).contains("it waits for shell: \(command)") }
    #expect(status["working"]?.array?.first?["background"]?.bool == true, "\(status.text)")
    #expect(try world.worker("status").outputText.contains("the answer is there, it waits for shell: \(command)"))
    try world.write("repository/go", "go\n")
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "completed" && review["answer"]?.string == "All ended.", "\(review.text)")
  }

  @Test func whoEndsARunByHandIsToldSigintFirst() throws {
    for (version, word) in [("2.0.26", "kill -INT -- -"), ("1.18.34", "kill -- -")] {
      try play(version, [["delay": 600, "text": "Never."]])
      let run = try start()
      _ = try status { $0["state"]?.string == "running" }
      let pid = try #require(world.openCode(of: run))
      #expect(try world.worker("status").outputText.contains("To end it yourself: \(word)\(pid)"))
      try signal(run, SIGINT)
      #expect(try client.call("opencode_wait")["state"]?.string == "failed")
    }
  }

  /// By the list of processes: whatever was asked of OpenCode itself might start it.
  @Test func theDoctorFindsTheServiceWithoutStartingIt() throws {
    try play("2.0.26", [["text": "Done."]])
    func report() throws -> String { try world.worker("doctor").outputText }
    #expect(try report().contains("not running, and the worker never starts it"))
    let sleeping = "sleep 600; true"
    let service = try ChildProcess("/bin/sh", ["-c", sleeping, "serve", "--service"], environment: world.environment)
    let elsewhere = world.environment.merging(["HOME": world.path("bin")]) { $1 }
    let other = try ChildProcess("/bin/sh", ["-c", sleeping, "serve", "--service"], environment: elsewhere)
    defer { for process in [service, other] { process.killGroup() } }
    let first = try report()
    #expect(first.contains("running (process \(service.pid))"), "\(first)")
    service.killGroup()
    _ = service.wait()
    #expect(try report().contains("not running, and the worker never starts it"), "another user's folder, another service")
    #expect(!world.exists("bin/service.log"))
    try play("1.18.34", [["text": "Done."]])
    #expect(try !report().contains("opencode service"))
  }

  @Test(arguments: ["1.18.34", "2.0.26"]) func openingASessionStartsNoService(version: String) throws {
    try play(version, [["text": "Done."]])
    let session = try #require(try client.call("opencode_run_and_wait", world.task())["session"]?.string)
    let opened = try world.worker("open")
    #expect(opened.outputText == "interface: \(version.hasPrefix("2") ? "--standalone " : "")--session=\(session)\n", "\(opened.errorText)")
    #expect(!world.exists("bin/service.log"))
  }

  @Test func whatIsStillBeingAskedEndsWithTheRun() throws {
    let more: JSONObject = ["commands": ["api /message": ["hang": true, "times": 1]], "retrySeconds": 1]
    try play("2.0.22", [["status": 429], ["delay": 4, "text": "Done."]], more)
    let review = try client.call("opencode_run_and_wait", world.task(), within: 120)
    #expect(review["state"]?.string == "completed" && review["usage"]?["cost"]?.double == 0.0021, "\(review.text)")
    #expect(eventually { !ProcessTable.carrying("WORKER_TEST_WORLD", world.root).contains { $0.command.contains("/message") } })
  }

  /// Neither the stream nor the session can be had: newer builds say it on stderr, where the worker has asked for it.
  @Test func whyItFailedIsReadOnStderr() throws {
    let gone: JSONValue = ["error": "no such thing"]
    try play(
      "2.0.26", [["text": "Only half", "error": ["type": "provider.invalid-output", "message": "the answer broke off"]]],
      ["lastError": false, "commands": ["api": gone, "session": gone, "export": gone]])
    let review = try client.call("opencode_run_and_wait", world.task())
    #expect(review["state"]?.string == "failed" && review["reason"]?.string?.contains("the answer broke off") == true, "\(review.text)")
    #expect(attention(review).contains("how the session ended is not known"))
  }
}
