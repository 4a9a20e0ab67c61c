import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// `verify`: the worker runs the declared commands itself.
@Suite(.blocking) struct VerifyTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
    try world.standIn([
      "turns": [
        ["tools": [["name": "write", "arguments": ["filePath": "greeting.txt", "content": "hello\n"]]]],
        ["tools": [["name": "bash", "arguments": ["command": "test -s greeting.txt", "description": "Checks"]]]], ["text": "Done."],
      ]
    ])
  }

  private func task(_ more: JSONObject) -> JSONObject {
    var all: JSONObject = ["message": "Do it.", "cwd": .string(world.repository), "verify": true]
    all.merge(more)
    return all
  }

  @Test func whatIsNotProvenIsRunByTheWorker() throws {
    let commands: JSONValue = ["test -s greeting.txt", "grep -q hello greeting.txt", "echo no >&2; touch by-check; exit 3"]
    let reply = try client.call("opencode_run_and_wait", task(["verificationCommands": commands]))
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    let rows = try #require(reply["verification"]?["declared"]?.array)
    #expect(rows.map { $0["result"]?.string } == ["passed", "passed", "failed"], "\(reply.text)")
    #expect(rows.map { $0["by"]?.string } == [nil, "worker", "worker"], "what OpenCode proved isn't run again")
    #expect(rows[2]["exitCode"]?.int == 3 && rows[2]["lastOutput"]?.string == "no" && rows[2]["seconds"] != nil)
    #expect(reply["attention"]?.array?.contains { $0.string?.hasPrefix("a declared check failed (run by the worker)") == true } == true)
    #expect(reply["next"]?.string?.hasPrefix("a check failed") == true)
    // What checks write isn't the run's.
    #expect(world.exists("repository/by-check"))
    #expect(reply["changedFiles"]?["files"]?.array?.map { $0["path"]?.string } == ["greeting.txt"])
    #expect(try world.worker("report").status == .exited(1))
  }

  /// `t 2>&1` has the argument 2 there, `A=1 t` runs nothing: what was read as a shell's words proves nothing.
  @Test func inAShellThatIsNotReadNothingIsProven() throws {
    let command: JSONObject = ["verify": false, "verificationCommands": ["test -s greeting.txt", "make check"]]
    for (shell, result) in [("/usr/bin/tcsh", "unknown"), ("/usr/bin/fish", "passed"), ("/opt/zsh", "passed")] {
      let client = try MCPClient(world, extra: ["SHELL": shell])
      try client.initialize()
      let reply = try client.call("opencode_run_and_wait", task(command))
      let rows = try #require(reply["verification"]?["declared"]?.array, "\(reply.text)")
      #expect(rows.map { $0["result"]?.string } == [result, "not run"], "\(reply.text)")
      if result == "unknown" { #expect(rows[0]["why"]?.string?.contains("tcsh") == true && rows[0]["exitCode"] == nil) }
      let summary = try client.call("opencode_run_summary")
      #expect(summary["verification"]?["declared"]?.array?.first?["result"]?.string == result)
    }
  }

  /// The same words elsewhere: below by the tool's `workdir`, outside by where a link leads, by a program named `cd`.
  @Test func whatRanElsewhereIsRunAgainHere() throws {
    try PrivateFiles.createFolder(world.path("elsewhere"))
    try PrivateFiles.createFolder(world.path("repository/sub"))
    for folder in ["elsewhere", "repository/sub"] { try world.write("\(folder)/made", "") }
    try FileManager.default.createSymbolicLink(atPath: world.path("repository/link"), withDestinationPath: world.path("elsewhere"))
    func bash(_ command: String, _ more: JSONObject = [:]) -> JSONValue {
      var arguments: JSONObject = ["command": .string(command), "description": "Checks"]
      arguments.merge(more)
      return ["name": "bash", "arguments": .object(arguments)]
    }
    let sub = JSONValue.string(world.path("repository/sub"))
    try world.standIn(["turns": [["tools": [bash("cd link && test -e made"), bash("test -f made", ["workdir": sub])]], ["text": "Done."]]])
    let reply = try client.call("opencode_run_and_wait", task(["verificationCommands": ["test -e made", "test -f made"]]))
    let rows = try #require(reply["verification"]?["declared"]?.array, "\(reply.text)")
    #expect(rows.allSatisfy { $0["result"]?.string == "failed" && $0["by"]?.string == "worker" }, "\(reply.text)")
  }

  @Test func timeThatIsUpEndsTheCheckWithItsGroup() throws {
    let reply = try client.call(
      "opencode_run_and_wait", task(["verificationCommands": ["sleep 300 & sleep 301", "true"], "verifySeconds": 1]))
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["verification"]?["declared"]?.array?.map { $0["result"]?.string } == ["timed out", "timed out"], "\(reply.text)")
    #expect(eventually { ProcessTable.carrying("WORKER_TEST_WORLD", world.root).allSatisfy { !$0.command.contains("sleep 30") } })
  }

  @Test func aSupervisorThatDiesInACheckLosesNothing() throws {
    let started = try client.call("opencode_start", task(["verificationCommands": ["touch by-check; sleep 300"]]))
    let run = try #require(started["run"]?.string, "\(started.text)")
    #expect(try eventually { try client.call("opencode_status")["lastDone"]?.string == "checking: touch by-check; sleep 300" })
    #expect(eventually { world.exists("repository/by-check") })
    #expect(try client.call("opencode_status")["state"]?.string == "running")
    try world.killSupervisors()
    let reply = try client.call("opencode_wait", ["run": .string(run)])
    #expect(reply["state"]?.string == "completed" && reply["answer"]?.string == "Done.", "\(reply.text)")
    #expect(reply["verification"]?["declared"]?.array?.map { $0["result"]?.string } == ["not run"])
    #expect(reply["changedFiles"]?["files"]?.array?.map { $0["path"]?.string } == ["greeting.txt"], "\(reply.text)")
  }

  @Test func whereItMustNotRunItIsRefused() throws {
    func refused(_ more: JSONObject, by client: MCPClient) throws -> Bool {
      let reply = try client.call("opencode_start", task(more))
      return reply["error"]?["code"]?.string == "bad_argument" && reply["error"]?["message"]?.string?.contains("verify") == true
    }
    let commands: JSONObject = ["verificationCommands": ["true"]]
    #expect(try refused([:], by: client), "nothing to run")
    #expect(try refused(["verificationCommands": ["true"], "permissions": "read-only"], by: client))
    let off = try MCPClient(world, extra: ["OPENCODE_WORKER_VERIFY": "off"])
    try off.initialize()
    #expect(try refused(commands, by: off))
    for action in ["deny", "ask"] {
      try world.standIn(["turns": [["text": "Done."]], "config": ["permission": ["bash": ["*": "allow", "true": .string(action)]]]])
      #expect(try refused(commands, by: client), "OpenCode's own rules \(action) it")
    }
    #expect(try client.call("opencode_status")["state"]?.string == "none")
  }
}
