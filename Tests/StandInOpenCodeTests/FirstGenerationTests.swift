import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// What OpenCode 1.x does and tells beside what the recorded runs show.
@Suite(.blocking) struct FirstGenerationTests {
  /// Its log tells time to the millisecond, as the recorded one does: the errors of a provider have their place among the events.
  @Test func theLogTellsMilliseconds() throws {
    let form = #/(?m)^timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=ERROR /#
    let own = try Stage(["turns": [["status": 429], ["text": "ok"]], "retrySeconds": 0.01]).run("run", "--format", "json", "--print-logs", "go")
    #expect(own.errors.contains(form), "\(own.errors)")
    #expect(try Recording("1.18.34/logs-429-then-ok").errors.contains(form))
  }

  /// Exports and rows of the store against recorded ones: the same members.
  @Test func exportsAndRowsOfTheStore() throws {
    let echo: JSONValue = ["name": "bash", "arguments": ["command": "echo hi", "description": "Echo"]]
    func played(_ turns: JSONValue) throws -> (Stage, String) {
      let stage = try Stage(["turns": turns])
      let result = try stage.run("run", "--format", "json", "--title=T", "go")
      return (stage, try #require(result.events.first?["sessionID"]?.string))
    }
    func compare(_ stage: Stage, _ arguments: [String], _ name: String) throws {
      let own = try JSONValue(parsing: Array(try stage.run(arguments).output.utf8))
      let wanted = try JSONValue(parsing: Array(try Recording("1.18.34/\(name)").output.utf8))
      #expect(paths(own).symmetricDifference(paths(wanted)).subtracting(FirstGenerationTests.ofTheMoment) == [], "\(name)")
    }
    let (compacted, session) = try played([["text": "First.", "tools": [echo]], ["compaction": "Summary."], ["text": "Second."]])
    try compare(compacted, ["export", session], "compaction.export")
    let write: JSONValue = ["name": "write", "arguments": ["filePath": "sub.txt", "content": "s\n"]]
    let check: JSONValue = [["text": "Checking.", "tools": [echo, write]], ["text": "Sub done."]]
    let call: JSONValue = ["name": "task", "arguments": ["description": "Check it", "prompt": "p", "subagent_type": "general"], "turns": check]
    let (delegated, root) = try played([["text": "I delegate.", "tools": [call]], ["text": "Main done."]])
    try compare(delegated, ["export", root], "subagent-checks.export")
    let child = try #require(delegated.ask("db", "select * from session where id = '\(root)'", "--format", "json").array?.last?["id"]?.string)
    #expect(child != root)
    try compare(delegated, ["export", child], "subagent-checks.child-export")
    try compare(delegated, ["db", "select * from session where id = '\(root)'", "--format", "json"], "subagent-checks.db")
  }

  /// What OpenCode's own look at the changed files adds.
  private static let ofTheMoment: Set<String> = {
    let diff = ["{}", ".file string", ".patch string", ".status string", ".additions number", ".deletions number"]
    return Set(
      diff.map { ".messages[].info.summary.diffs[]" + $0 } + ["[]", "[] string"].map { ".messages[].parts[].files" + $0 } + [".messages[].parts[].hash string"])
  }()

  @Test func anErrorInsideAStream() throws {
    let error: JSONValue = ["message": "Bad thing", "type": "invalid_request_error"]
    let stage = try Stage(["turns": [["text": "Unseen.", "error": error]]])
    let result = try stage.run("run", "--format", "json", "--print-logs", "--log-level=ERROR", "go")
    #expect(result.exit == 1 && result.types == ["step_start", "error"])
    #expect(result.events.last?["error"]?["name"] == "UnknownError" && result.events.last?["error"]?["data"]?["message"]?.string == error.text)
    #expect(result.errors.contains(#"error.error.message="Bad thing" error.error.type=invalid_request_error"#))
    try stage.direct(["retrySeconds": 0.01, "turns": [["error": ["message": "Overloaded", "type": "overloaded_error"]], ["text": "Through."]]])
    let retried = try stage.run("run", "--format", "json", "go")
    #expect(retried.exit == 0 && retried.types == ["step_start", "step_start", "text", "step_finish"])
    #expect(Set(retried.events.compactMap { $0["part"]?["messageID"]?.string }).count == 1)
  }

  @Test func theOldestExportsHaveNoSums() throws {
    let stage = try Stage(["version": "1.3.2", "turns": [["text": "ok"]]])
    let session = try #require(stage.run("run", "--format", "json", "go").events.first?["sessionID"]?.string)
    let exported = try stage.ask("export", session)
    #expect(exported["info"]?["tokens"] == nil && exported["info"]?["cost"] == nil)
    #expect(exported["messages"]?.array?.last?["info"]?["cost"] == 0.0021)
  }

  @Test func aLanguageServersFindings() throws {
    let edit: JSONValue = [
      "name": "edit", "arguments": ["filePath": "hello.txt", "oldString": "world", "newString": "x"], "diagnostics": ["cannot find 'x'"],
    ]
    let stage = try Stage(["turns": [["tools": [edit]], ["text": "ok"]]])
    let state = try stage.run("run", "--format", "json", "go").events.first { $0["type"] == "tool_use" }?["part"]?["state"]
    let found = state?["metadata"]?["diagnostics"]?[stage.workspace + "/hello.txt"]?.array?.first
    #expect(found?["message"] == "cannot find 'x'" && found?["severity"] == 1)
    #expect(state?["output"]?.string?.contains("LSP errors detected") == true)
  }

  @Test func agentsByNameAndMode() throws {
    let stage = try Stage([
      "config": ["agent": ["helper": ["mode": "subagent"], "chief": ["mode": "primary", "model": "stand-in/m2"]]], "turns": [["text": "ok"]],
    ])
    try stage.write(".opencode/agent/team/tester.md", "---\nmode: subagent\npermission:\n  bash: deny\n---\nTest.\n")
    let listed = try stage.run("agent", "list").output.split(separator: "\n").filter { $0.hasSuffix(")") }
    #expect(
      listed == [
        "build (primary)", "plan (primary)", "general (subagent)", "explore (subagent)", "helper (subagent)", "chief (primary)", "team/tester (subagent)",
      ])
    #expect(try stage.run("run", "--format", "json", "--agent=helper", "go").errors.contains("is a subagent, not a primary agent. Falling back"))
    let session = try #require(stage.run("run", "--format", "json", "--agent=chief", "go").events.first?["sessionID"]?.string)
    #expect(try stage.ask("export", session)["info"]?["model"]?["id"] == "m2")
  }

  @Test func toolsReachOutsideAndThrowWorkAway() throws {
    let outside: JSONValue = ["name": "write", "arguments": ["filePath": "../outside.txt", "content": "x"]]
    let stage = try Stage(["config": ["permission": ["external_directory": "allow"]], "turns": [["tools": [outside]], ["text": "ok"]]])
    #expect(try stage.run("run", "--format", "json", "go").exit == 0)
    #expect(PrivateFiles.exists(stage.folder + "/outside.txt"))
    let world = try World()
    try world.write("repository/README.md", "changed\n")
    try world.standIn(["turns": [["tools": [["name": "bash", "arguments": ["command": "git checkout -- ."]]]], ["text": "ok"]]])
    let environment = world.environment.merging(["PWD": world.repository]) { $1 }
    _ = try Command(world.path("bin/opencode"), ["run", "--format", "json", "go"], environment: environment, folder: world.repository, deadline: .after(60))
      .run()
    #expect(world.read("repository/README.md") == "# Repository\n")
  }

  // MARK: Whole processes

  /// The run dies in the middle of a subagent's work, or of a compaction; the store has what there was.
  @Test func aRunThatIsKilled() throws {
    let world = try World()
    let environment = world.environment.merging(["PWD": world.repository]) { $1 }
    func call(_ arguments: [String]) throws -> Command.Result {
      try Command(world.path("bin/opencode"), arguments, environment: environment, folder: world.repository, deadline: .after(60)).run()
    }
    let sub: JSONValue = [["tools": [["name": "bash", "arguments": ["command": "true"]]]], ["text": "half", "signal": "SIGKILL"]]
    let task: JSONValue = ["name": "task", "arguments": ["description": "d", "prompt": "p", "subagent_type": "general"], "turns": sub]
    try world.standIn(["turns": [["tools": [task]]]])
    let killed = try call(["run", "--format", "json", "go"])
    #expect(killed.status == .signaled(SIGKILL))
    #expect(Stage.events(killed.outputText).compactMap { $0["type"]?.string } == ["step_start"])
    let root = try #require(Stage.events(killed.outputText).first?["sessionID"]?.string)
    let rows = try JSONValue(parsing: Array(try call(["db", "select * from session where id = '\(root)'", "--format", "json"]).output)).array ?? []
    #expect(rows.count == 2 && rows.last?["cost"] == 0.0021 && rows.first?["cost"] == 0)
    let child = try JSONValue(parsing: Array(try call(["export", try #require(rows.last?["id"]?.string)]).output))
    #expect(child["messages"]?.array?.last?["info"]?["finish"] == nil)
    let open = try JSONValue(parsing: Array(try call(["export", root]).output))["messages"]?.array?.last?["parts"]?.array?.last
    #expect(open?["state"]?["status"] == "running" && open?["state"]?["metadata"]?["sessionId"] == rows.last?["id"])

    try world.standIn(["turns": [["compaction": "What was done.", "signal": "SIGKILL"], ["text": "never"]]])
    let compacting = try call(["run", "--format", "json", "go"])
    #expect(compacting.status == .signaled(SIGKILL))
    #expect(Stage.events(compacting.outputText).compactMap { $0["type"]?.string } == ["step_start", "text", "step_finish"])
  }

  @Test(arguments: ["1.18.34", "2.0.26"]) func anAnswerStandsAndTheProcessStays(version: String) throws {
    let world = try World()
    try world.standIn(["version": .string(version), "linger": 3600, "turns": [["text": "Done."]]])
    let output = try Descriptor.open(world.path("out"), O_RDWR | O_CREAT | O_TRUNC)
    defer { output.close() }
    let environment = world.environment.merging(["PWD": world.repository]) { $1 }
    let process = try ChildProcess(
      world.path("bin/opencode"), ["run", "--format", "json", "go"], environment: environment, folder: world.repository, output: output)
    #expect(try eventually { String(decoding: try output.bytes(limit: 1 << 20), as: UTF8.self).contains("Done.") })
    #expect(process.wait(deadline: .after(0.2)) == nil)
    kill(process.pid, SIGKILL)
    _ = process.wait()
  }
}
