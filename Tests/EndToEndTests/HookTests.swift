import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// `opencode-worker hook`: what Codex is told at its hooks, by the files of the state folder alone.
@Suite struct HookTests {
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
