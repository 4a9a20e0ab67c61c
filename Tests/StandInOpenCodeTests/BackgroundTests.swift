import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// What a run of OpenCode 2 does beside its main turn, and what becomes of that when the turn ends.
@Suite(.blocking) struct BackgroundTests {
  private static func shell(_ command: String, background: Bool = false) -> JSONValue {
    ["name": "shell", "arguments": ["command": .string(command), "background": .bool(background)]]
  }

  private static let waitForPid = shell("until test -s pid; do sleep 0.01; done")
  private static let leavesPid = "echo $$ > pid; sleep 3600; touch late"

  private func isAlive(_ stage: Stage) throws -> Bool {
    let text = String(decoding: try PrivateFiles.read(stage.workspace + "/pid"), as: UTF8.self)
    return kill(try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))), 0) == 0
  }

  private func messages(_ stage: Stage, _ session: String) throws -> [JSONValue] {
    try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message")["data"]?.array ?? []
  }

  @Test(arguments: ["2.0-preview", "2.0.22", "2.0.26", "2.1.0"]) func aShellIsKilledWithTheRun(version: String) throws {
    let turns: JSONValue = [["tools": [BackgroundTests.shell(BackgroundTests.leavesPid, background: true), BackgroundTests.waitForPid]], ["text": "ok"]]
    let stage = try Stage(["version": .string(version), "turns": turns])
    let result = try stage.run("run", "--standalone", "--format", "json", "go")
    #expect(result.exit == 0)
    let state = result.events.first { $0["type"] == "tool_use" }?["part"]?["state"]
    #expect(state?["status"] == "completed" && state?["metadata"]?["metadata"]?["shellID"]?.string?.hasPrefix("sh_") == true)
    #expect(state?["metadata"]?["metadata"]?["status"]?.string == (version == "2.0-preview" ? nil : "running"))
    #expect(try eventually { try !isAlive(stage) })
    #expect(!stage.exists("late"))
  }

  @Test(arguments: ["2.0-preview", "2.0.26"]) func aSubagentIsKilledWithTheRun(version: String) throws {
    let sub: JSONValue = [["tools": [BackgroundTests.shell(BackgroundTests.leavesPid)]], ["text": "never"]]
    let arguments: JSONValue = ["agent": "general", "description": "d", "prompt": "p", "background": true]
    let call: JSONValue = ["name": "subagent", "arguments": arguments, "turns": sub]
    let stage = try Stage(["version": .string(version), "turns": [["tools": [call, BackgroundTests.waitForPid]], ["text": "ok"]]])
    let result = try stage.run("run", "--standalone", "--format", "json", "go")
    #expect(result.exit == 0)
    let metadata = result.events.first { $0["type"] == "tool_use" }?["part"]?["state"]?["metadata"]?["metadata"]
    #expect(metadata?["status"] == "running")
    let child = try #require(metadata?["sessionID"]?.string)
    #expect(try eventually { try !isAlive(stage) })
    #expect(try stage.ask("api", "--standalone", "GET", "/api/session/\(child)")["data"]?["outcome"] == nil)
    let open = try #require(try messages(stage, child).first)
    #expect(open["finish"] == nil && open["time"]?["completed"] == nil)
    #expect(open["content"]?.array?.first?["state"]?["status"] == "running")
  }

  @Test(arguments: ["2.2", "2.3.2"]) func newerBuildsWait(version: String) throws {
    let sub: JSONValue = [["tools": [BackgroundTests.shell("until test -s go; do sleep 0.01; done; echo sub > sub.txt")]], ["text": "sub done"]]
    let arguments: JSONValue = ["agent": "general", "description": "helps", "prompt": "p", "background": true]
    let call: JSONValue = ["name": "subagent", "arguments": arguments, "turns": sub]
    let shell = BackgroundTests.shell("until test -s go; do sleep 0.01; done; echo shell > shell.txt", background: true)
    // What they wait for comes when the answer is out, and not before.
    let turns: JSONValue = [["tools": [shell, call]], ["text": "Started."], ["text": "Both ended."]]
    let stage = try Stage(["version": .string(version), "turns": turns])
    stage.runBeside("run", "--standalone", "--format", "json", "go")
    let session = try #require(
      Stage.first {
        let answers = try stage.ask("api", "--standalone", "GET", "/api/session")["data"]?.array ?? []
        let root = answers.first { $0["parentID"] == nil }?["id"]?.string
        return try root.flatMap { try messages(stage, $0).first?["finish"] == "stop" ? $0 : nil }
      })
    #expect(try stage.ask("api", "--standalone", "GET", "/api/session/\(session)")["data"]?["outcome"] == nil)
    #expect(!stage.exists("shell.txt") && !stage.exists("sub.txt"))
    try stage.write("go", "go\n")
    #expect(try eventually { try stage.ask("api", "--standalone", "GET", "/api/session/\(session)")["data"]?["outcome"] == "succeeded" })
    #expect(stage.exists("shell.txt") && stage.exists("sub.txt"))
    let kinds = try messages(stage, session).compactMap { $0["type"]?.string }
    #expect(kinds == ["idle", "assistant", "synthetic", "synthetic", "assistant", "assistant", "user"])
  }
}
