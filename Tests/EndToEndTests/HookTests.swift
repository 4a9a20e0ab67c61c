import Foundation
import JSON
import PosixSupport
import Runs
import TestSupport
import Testing

/// `opencode-worker hook`: what Codex is told at its hooks, by the files of the state folder alone.
@Suite(.blocking) struct HookTests {
  let world: World
  let client: MCPClient
  private let thread: JSONObject = ["threadId": "thread-1", "sessionId": "session-1"]

  init() throws {
    (world, client) = try World.connected()
  }

  private func start(seconds: Double, _ meta: JSONObject? = nil) throws -> String {
    try world.standIn(["turns": [["delay": .number(seconds), "text": "Done."]]])
    let reply = try client.call("opencode_start", ["message": "Work.", "cwd": .string(world.repository)], meta: meta ?? thread)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private func waitForEnd(_ run: String) {
    #expect(eventually(within: 60) { world.exists("state/runs/\(run)/review.json") })
  }

  /// What a hook says; nil: nothing.
  private func hook(_ event: JSONObject, extra: [String: String] = [:]) throws -> JSONValue? {
    let input = JSONValue.object(event).bytes
    let result = try Command(
      World.binary, ["hook"], environment: world.environment.merging(extra) { $1 }, folder: "/", deadline: .after(120)
    ).run(input: input)
    #expect(result.succeeded, "\(result.errorText)")
    if result.output.isEmpty { return .none }
    return try JSONValue(parsing: result.output)
  }

  private func stop(session: String = "thread-1", active: Bool = false, extra: [String: String] = [:]) throws -> String? {
    let answer = try hook(
      ["hook_event_name": "Stop", "session_id": .string(session), "cwd": .string(world.repository), "stop_hook_active": .bool(active)], extra: extra)
    guard let answer else { return nil }
    #expect(answer["decision"]?.string == "block")
    return answer["reason"]?.string
  }

  private func session(_ id: String, folder: String? = nil) throws -> String? {
    try hook(["hook_event_name": "SessionStart", "session_id": .string(id), "cwd": .string(folder ?? world.repository), "source": "startup"])?[
      "hookSpecificOutput"]?["additionalContext"]?.string
  }

  @Test func aTurnThatEndsWaitsForItsRunAndAsksForTheReviewOnce() throws {
    let run = try start(seconds: 2)
    #expect(try stop(session: "another") == nil, "another conversation's turn ends")
    let reason = try #require(try stop())
    #expect(reason.contains("review run \(run): call opencode_wait"), "\(reason)")
    #expect(world.exists("state/runs/\(run)/review.json"), "it waited for the end")
    #expect(try stop(active: true) == nil)
    #expect(try stop() == nil, "said once")
  }

  @Test func anEndedRunIsNamedAtOnceAndAReviewedOneNever() throws {
    let run = try start(seconds: 0)
    waitForEnd(run)
    #expect(try stop(active: true) == nil, "another hook's turn is not kept going")
    #expect(try stop()?.contains("review run \(run)") == true)
    let next = try start(seconds: 0)
    waitForEnd(next)
    #expect(try stop(active: true)?.contains("review run \(next)") == true, "it was started after our own reminder")
    let reviewed = try start(seconds: 0)
    #expect(try client.call("opencode_wait", ["run": .string(reviewed)], meta: thread)["state"]?.string == "completed")
    #expect(eventually { world.exists("state/runs/\(reviewed)/reviewed") })
    #expect(try stop() == nil)
    #expect(try session("thread-1")?.contains(reviewed) != true)
  }

  @Test func aSubagentsRunIsItsParents() throws {
    let run = try start(seconds: 0, ["threadId": "child", "sessionId": "parent"])
    waitForEnd(run)
    #expect(try stop(session: "parent")?.contains(run) == true)
  }

  @Test func aKilledHookForgetsNothing() throws {
    let run = try start(seconds: 3)
    let pipe = try Descriptor.pipe()
    let event: JSONObject = ["hook_event_name": "Stop", "session_id": "thread-1", "stop_hook_active": false]
    let process = try ChildProcess(World.binary, ["hook"], environment: world.environment, folder: "/", input: pipe.read)
    try pipe.write.writeAll(JSONValue.object(event).bytes)
    pipe.write.close()
    usleep(300_000)
    kill(process.pid, SIGKILL)
    _ = process.wait(deadline: .after(10))
    #expect(try client.call("opencode_status", ["run": .string(run)])["running"]?.bool == true, "the run is not touched")
    #expect(try stop()?.contains("review run \(run)") == true)
  }

  @Test func theStopHookCanRemindOnlyOrBeOff() throws {
    let run = try start(seconds: 5)
    #expect(try stop(extra: ["OPENCODE_WORKER_STOP_HOOK": "off"]) == nil)
    #expect(try stop(extra: ["OPENCODE_WORKER_STOP_HOOK": "remind"])?.contains("run \(run) is still alive: call opencode_wait") == true)
    #expect(!world.exists("state/runs/\(run)/review.json"), "it did not wait")
    #expect(try stop(extra: ["OPENCODE_WORKER_STOP_HOOK": "remind"]) == nil)
  }

  @Test func aSessionIsToldOfWhatIsAliveOrNotReviewed() throws {
    #expect(try session("thread-1") == nil)
    let run = try start(seconds: 3)
    #expect(try session("thread-1")?.contains("run \(run) of this conversation is still alive") == true)
    #expect(try session("other")?.contains("run \(run) in this folder is still alive") == true)
    #expect(try session("other", folder: "/") == nil)
    waitForEnd(run)
    #expect(try session("thread-1")?.contains("ended (completed, 0 files) and was not reviewed") == true)
    _ = try world.worker("report")
    #expect(try session("other") == nil, "a person has seen it")
    #expect(try session("thread-1") != nil, "this conversation has not")
  }

  @Test func theEndOfAStartedRunIsToldUnlessItIsReviewed() throws {
    let response: (String) -> JSONValue = { ["content": [["type": "text", "text": "x"]], "structuredContent": ["run": .string($0), "state": "running"]] }
    func told(_ run: String) throws -> String? {
      try hook([
        "hook_event_name": "PostToolUse", "session_id": "thread-1", "tool_name": "mcp__opencode_worker__opencode_start", "tool_response": response(run),
      ])?["hookSpecificOutput"]?["additionalContext"]?.string
    }
    let run = try start(seconds: 2)
    #expect(try told(run) == "run \(run) ended: completed, 0 files; call opencode_wait")
    _ = try client.call("opencode_wait", ["run": .string(run)], meta: thread)
    #expect(try told(run) == nil)
  }

  // MARK: - An end is told once

  /// A server that wakes a fake Codex.
  private func wakingClient() throws -> MCPClient {
    let client = try MCPClient(world, extra: try world.fakeCodex())
    try client.initialize()
    return client
  }

  private func startWaking(seconds: Double) throws -> String {
    try world.standIn(["turns": [["delay": .number(seconds), "text": "Done."]]])
    let reply = try wakingClient().call("opencode_start", ["message": "Work.", "cwd": .string(world.repository)], meta: thread)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private func postToolUse(_ run: String) throws -> String? {
    try hook([
      "hook_event_name": "PostToolUse", "session_id": "thread-1", "tool_name": "mcp__opencode_worker__opencode_start",
      "tool_response": ["content": [["type": "text", "text": "x"]], "structuredContent": ["run": .string(run), "state": "running"]],
    ])?["hookSpecificOutput"]?["additionalContext"]?.string
  }

  /// A hook at a turn's end, begun and not yet answered.
  private func beginStop() throws -> ChildProcess {
    let pipe = try Descriptor.pipe()
    let event: JSONObject = ["hook_event_name": "Stop", "session_id": "thread-1", "stop_hook_active": false]
    let process = try ChildProcess(World.binary, ["hook"], environment: world.environment, folder: "/", input: pipe.read)
    try pipe.write.writeAll(JSONValue.object(event).bytes)
    pipe.write.close()
    return process
  }

  @Test func whereAHookWaitsAtTheTurnsEndNobodyElseTells() throws {
    let run = try startWaking(seconds: 3)
    let stopped = try beginStop()
    #expect(eventually { world.exists("state/runs/\(run)/stopping") }, "written before it waits")
    #expect(try postToolUse(run) == nil)
    #expect(stopped.wait(deadline: .after(60))?.succeeded == true)
    #expect(world.read("state/runs/\(run)/reminded")?.hasPrefix("thread-1 ") == true)
    #expect(world.supervisorsEnd())
    #expect(world.read("codex-calls") == nil)
  }

  @Test(.waiting) func aHookThatIsSlowToSpeakIsWaitedFor() throws {
    let run = try startWaking(seconds: 1)
    let folder = StateFolder(root: world.path("state")).run(run)
    let held = try #require(try folder.addHeld(.stopping, by: "thread-1"))
    waitForEnd(run)
    // Longer than a wait or a hook normally has for its mark.
    usleep(UInt32((WakeCall.grace + 2) * 1_000_000))
    #expect(world.read("codex-calls") == nil)
    try folder.add(.reminded, by: "thread-1")
    held.close()
    #expect(world.supervisorsEnd())
    #expect(world.read("codex-calls") == nil)
  }

  @Test func afterAnInterruptedHookTheWakeUpTellsAlone() throws {
    let run = try startWaking(seconds: 4)
    let stopped = try beginStop()
    #expect(eventually { world.exists("state/runs/\(run)/stopping") })
    kill(stopped.pid, SIGKILL)
    _ = stopped.wait(deadline: .after(10))
    #expect(try postToolUse(run) == nil, "the turn is over")
    #expect(world.supervisorsEnd())
    #expect(world.read("codex-calls")?.components(separatedBy: "run \(run) ended").count == 2, "once")
  }

  @Test func aTurnThatGoesOnIsToldInItAndNoOtherBegins() throws {
    let run = try startWaking(seconds: 2)
    #expect(try postToolUse(run) == "run \(run) ended: completed, 0 files; call opencode_wait")
    #expect(world.supervisorsEnd())
    #expect(world.read("codex-calls") == nil)
    #expect(try stop()?.contains("review run \(run)") == true, "a turn that then ends without the review is still asked for it")
  }

  /// Codex 0.163 drops the reply of an interrupted call without telling the server.
  @Test func aReviewSentToAnInterruptedTurnIsNone() throws {
    try world.standIn(["turns": [["until": world.releaseFile, "text": "Done."]]])
    let call = try client.begin(
      "tools/call",
      ["name": "opencode_run_and_wait", "arguments": ["message": "Work.", "cwd": .string(world.repository)], "_meta": .object(thread)])
    #expect(eventually { (try? client.call("opencode_status")["state"]?.string) == "running" })
    let run = try #require(try client.call("opencode_status")["run"]?.string)
    #expect(try hook(["hook_event_name": "Interrupt", "session_id": "thread-1", "cwd": .string(world.repository)]) == nil)
    try world.release()
    let reply = try client.answer(to: call, within: 60)
    #expect(reply["result"]?["structuredContent"]?["state"]?.string == "completed", "\(reply.text)")
    // The server has done with the reply when it answers what came after.
    #expect(try client.request("ping")["result"] != nil)
    #expect(try stop()?.contains("review run \(run)") == true)
    #expect(!world.exists("state/runs/\(run)/reviewed"))
    #expect(try client.call("opencode_wait", ["run": .string(run)], meta: thread)["state"]?.string == "completed")
    #expect(eventually { world.exists("state/runs/\(run)/reviewed") }, "a later turn's call counts")
  }

  @Test(arguments: [
    "", "nonsense", "[1]", "{}", #"{"hook_event_name":"Stop"}"#, #"{"hook_event_name":"Stop","session_id":7}"#,
    #"{"hook_event_name":"PostToolUse","session_id":"a","tool_name":"opencode_start","tool_response":{"structuredContent":{"run":"../../x"}}}"#,
    #"{"hook_event_name":"PostToolUse","session_id":"a","tool_name":"opencode_start","tool_response":{"structuredContent":{"run":"20261122-162803-k3f9"}}}"#,
    #"{"hook_event_name":"Unheard","session_id":"a"}"#,
  ])
  func whateverIsWrongTheHookIsSilent(input: String) throws {
    for state in [world.path("state"), "/proc/nowhere", world.path("repository/README.md")] {
      let result = try Command(
        World.binary, ["hook"], environment: world.environment.merging(["OPENCODE_WORKER_STATE_DIR": state]) { $1 }, folder: "/", deadline: .after(60)
      ).run(input: Array(input.utf8))
      #expect(result.succeeded && result.output.isEmpty && result.errorText.isEmpty, "\(input): \(result.outputText) \(result.errorText)")
    }
  }
}
