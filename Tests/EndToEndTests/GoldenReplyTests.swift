import Foundation
import JSON
import TestSupport
import Testing

/// Whole replies, kept as files: what a client gets for a run that failed, one that stopped, and a call that is refused.
@Suite(.blocking) struct GoldenReplyTests {
  /// The reply of `opencode_run_and_wait` to a run that plays `script`.
  private func review(_ script: JSONValue, _ more: JSONObject = [:]) throws -> String {
    let world = try World()
    try world.standIn(script)
    let client = try MCPClient(world)
    try client.initialize()
    var start: JSONObject = ["message": "Add a --verbose option.", "cwd": .string(world.repository)]
    start.merge(more)
    return Golden.text(world.settled(try client.call("opencode_run_and_wait", start, within: 120)), width: 150) + "\n"
  }

  @Test func aRunThatFailed() throws {
    let reply = try review(["turns": [["status": 401, "body": ["error": ["message": "Invalid API key"]]]]])
    try Golden.check(reply, from: "review-failed.json")
  }

  @Test func aRunThatStoppedAtAPermission() throws {
    let reply = try review(
      ["turns": [["tools": [["name": "read", "arguments": ["filePath": "/etc/hosts"]]]]]], ["verificationCommands": ["swift test"]])
    try Golden.check(reply, from: "review-incomplete.json")
  }

  @Test func aCallThatIsRefused() throws {
    let reply = try review(["turns": [["text": "Never asked."]]], ["model": "gpt-5", "permission": "full"])
    try Golden.check(reply, from: "error-bad-argument.json")
  }
}
