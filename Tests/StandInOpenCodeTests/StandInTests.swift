import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// What the stand-in does with a script, from one run to the next.
@Suite(.blocking) struct StandInTests {
  private func session(_ result: Stage.Result) -> String { result.events.first?["sessionID"]?.string ?? "" }

  @Test func withoutAScriptItPlaysTheDemonstration() throws {
    let stage = try Stage()
    let result = try stage.run("run", "--format", "json", input: "go")
    #expect(result.exit == 0)
    #expect(result.events.last?["part"]?["reason"] == "stop")
    #expect(result.events.contains { $0["part"]?["state"]?["metadata"]?["exit"] == 0 })
    #expect(try PrivateFiles.read(stage.workspace + "/greeting.txt") == Array("hello\n".utf8))
  }

  @Test(arguments: ["1.18.34", "2.0.22"])
  func aSessionIsContinuedForkedAndExported(_ version: String) throws {
    let isTwo = version == "2.0.22"
    let stage = try Stage(["version": .string(version), "runs": [[["text": "first"]], [["text": "second"]], [["text": "third"]]]])
    let first = session(try stage.run("run", "--format=json", "--title=T", input: "one"))
    #expect(session(try stage.run("run", "--format=json", "--continue", input: "two")) == first)
    let fork = session(try stage.run("run", "--format=json", "--session=\(first)", "--fork", input: "three"))
    #expect(fork != first && !fork.isEmpty)
    let arguments = isTwo ? ["session", "export", "--standalone", first] : ["export", first]
    let exported = try JSONValue(parsing: Array(try stage.run(arguments).output.utf8))
    #expect(exported["info"]?["title"] == "T")
    #expect(exported["info"]?["cost"] == 0.0042)
    #expect(exported["info"]?["tokens"]?["input"] == 400)
    #expect(exported["messages"]?.array?.count == 4)
    let listed = try JSONValue(parsing: Array(try stage.run("session", "list", "--format", "json").output.utf8)).array ?? []
    #expect(Set(listed.compactMap { $0["id"]?.string }) == [first, fork])
    #expect(listed.allSatisfy { $0["directory"]?.string == stage.workspace })
  }

  @Test func theReleasedTwoTellsASessionsOutcomeAndInventsUnknownOnes() throws {
    let stage = try Stage(["version": "2.0.22", "turns": [["text": "ok"]]])
    let missing = try stage.run("api", "--standalone", "GET", "/api/session/ses_x")
    #expect(missing.exit == 0 && missing.output.contains("SessionNotFoundError"))
    #expect(session(try stage.run("run", "--standalone", "--session", "ses_x", "--format", "json", input: "go")) == "ses_x")
    let found = try JSONValue(parsing: Array(try stage.run("api", "--standalone", "GET", "/api/session/ses_x").output.utf8))
    #expect(found["data"]?["outcome"] == "succeeded")
    #expect(found["data"]?["cost"] == 0.0021)
  }

  @Test func aSubagentsSessionHasItsParentAndItsCommands() throws {
    let child: JSONValue = [["tools": [["name": "bash", "arguments": ["command": "exit 4"]]]], ["text": "sub"]]
    let call: JSONValue = ["name": "task", "arguments": ["description": "d", "prompt": "p", "subagent_type": "general"], "turns": child]
    let stage = try Stage(["turns": [["tools": [call]], ["text": "done"]]])
    let result = try stage.run("run", "--format", "json", input: "go")
    #expect(result.types == ["step_start", "tool_use", "step_finish", "step_start", "text", "step_finish"])
    let id = try #require(result.events[1]["part"]?["state"]?["metadata"]?["sessionId"]?.string)
    let exported = try stage.run("export", id)
    let value = try JSONValue(parsing: Array(exported.output.utf8))
    #expect(value["info"]?["parentID"]?.string == session(result))
    #expect(exported.output.contains("\"exit\": 4"))
    #expect(exported.errors == "Exporting session: \(id)\n")
  }

  @Test func permissionsComeFromWhereEachLineReadsThem() throws {
    let turns: JSONValue = [["tools": [["name": "bash", "arguments": ["command": "echo hi"]]]], ["text": "ok"]]
    let stage = try Stage(["turns": turns, "config": ["agent": ["build": ["permission": ["bash": "allow"]]]]])
    func tool(_ environment: [String: String]) throws -> JSONValue? {
      try stage.run("run", "--format", "json", input: "go", environment: environment).events.first { $0["type"] == "tool_use" }?["part"]
    }
    // A user's rule for the agent beats the variable, and is beaten by the same rule in the configuration's content.
    #expect(try tool(["OPENCODE_PERMISSION": #"{"bash":"deny"}"#])?["state"]?["metadata"]?["exit"] == 0)
    #expect(try tool(["OPENCODE_CONFIG_CONTENT": #"{"agent":{"build":{"permission":{"bash":"deny"}}}}"#])?["tool"] == "invalid")
    let withoutAny = try tool(["OPENCODE_CONFIG_CONTENT": #"{"agent":{"build":{"permission":{"*":"deny","bash":"deny","read":"allow"}}}}"#])
    #expect(withoutAny?["tool"] == "bash")
    #expect(withoutAny?["state"]?["error"] == "Model tried to call unavailable tool 'invalid'. Available tools: read.")
    try stage.direct(["version": "2.0.22", "turns": turns])
    #expect(try tool(["OPENCODE_PERMISSION": #"{"bash":"deny"}"#])?["state"]?["status"] == "completed")
    #expect(try tool(["OPENCODE_CONFIG_CONTENT": #"{"permission":{"bash":"deny"}}"#])?["state"]?["error"] == "Unknown tool: shell")
    #expect(try tool(["OPENCODE_CONFIG_CONTENT": "{"])?["state"]?["status"] == "completed")
    #expect(Rules.matches("a/b.env", "*.env") && !Rules.matches("a.environment", "*.env") && Rules.matches("ls", "l?"))
  }

  @Test func aReleasedTwoGoesOnAfterARejection() throws {
    let stage = try Stage(["version": "2.0.22", "turns": [["tools": [["name": "read", "arguments": ["path": "/etc/hosts"]]]], ["text": "went on"]]])
    let result = try stage.run("run", "--format", "json", input: "go")
    #expect(result.exit == 0)
    #expect(result.types == ["step_start", "tool_use", "step_finish", "step_start", "text"])
    #expect(result.errors.contains("permission requested: external_directory (/etc/*); auto-rejecting"))
  }

  @Test func optionsAreStrict() throws {
    let one = try Stage(["version": "1.18.34"])
    let unknown = try one.run("run", "--format", "json", "--nope", input: "go")
    #expect(unknown.exit == 1 && unknown.output.isEmpty && unknown.errors.contains("--print-logs"))
    #expect(try one.run("run", "--file", "hello.txt", "swallowed", "--format", "json", input: "").errors.contains("File not found: swallowed"))
    let two = try Stage(["version": "2.0.22"])
    for option in ["--dir=/", "--variant=high", "--print-logs"] {
      let refused = try two.run("run", "--format", "json", option, input: "go")
      #expect(refused.exit == 1 && refused.errors.isEmpty && refused.output.contains("USAGE"))
    }
    let ancient = try Stage(["version": "1.3.2"])
    #expect(try ancient.run("run", "--auto", input: "go").exit == 1)
    #expect(try ancient.run("--version").output == "1.3.2\n")
    #expect(try two.run("--version").output == "opencode v2.0.22\n")
  }

  @Test func fiveFailuresEndARunOfTwo() throws {
    let stage = try Stage(["version": "2.0.22", "retrySeconds": 0.001, "turns": [["status": 500, "forever": true]]])
    let result = try stage.run("run", "--format", "json", input: "go")
    #expect(result.exit == 1)
    #expect(result.types == ["step_start", "step_start", "step_start", "step_start", "error"])
    #expect(result.events.last?["error"]?["type"] == "provider.internal")
  }

  @Test func anythingElseThatHappens() throws {
    let stage = try Stage([
      "turns": [["raw": "not an event\n{\"broken\n", "stderr": "warned\n"], ["text": "half", "cut": true], ["text": "long", "finish": "length"]],
      "commands": ["models": ["stdout": "odd\n", "exit": 7]],
    ])
    let result = try stage.run("run", "--format", "json", input: "go")
    #expect(result.output.hasPrefix("not an event\n{\"broken\n"))
    #expect(result.errors == "warned\n")
    #expect(result.events.compactMap { $0["part"]?["reason"]?.string } == ["unknown", "length"])
    let models = try stage.run("models")
    #expect(models.exit == 7 && models.output == "odd\n")
    try stage.direct(["turns": [["text": "and out", "exit": 9]]])
    #expect(try stage.run("run", "--format", "json", input: "go").exit == 9)
  }

  @Test func whatIsLeftInTheBackgroundLivesOn() throws {
    let stage = try Stage(["turns": [["tools": [["name": "bash", "arguments": ["command": "sleep 30 & echo $! > pid"]]]], ["text": "ok"]]])
    let start = Date()
    #expect(try stage.run("run", "--format", "json", input: "go").exit == 0)
    #expect(Date().timeIntervalSince(start) < 10)
    let pid = try #require(
      Int32(String(decoding: try PrivateFiles.read(stage.workspace + "/pid"), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(kill(pid, 0) == 0)
    kill(pid, SIGKILL)
  }

  @Test func aMistakeInTheScriptIsNamed() throws {
    for script in [["turns": [["txt": "a"]]], ["version": "3.0"], ["extra": 1], ["turns": [["signal": "SIGFOO"]]], []] as [JSONValue] {
      let result = try Stage(script).run("run", input: "go")
      #expect(result.exit == 1 && result.errors.hasPrefix("stand-in: "))
    }
  }

  @Test func companions() throws {
    let stage = try Stage(["turns": [["text": "ok"]], "credentials": ["anthropic"]])
    #expect(try stage.run("models").output == "stand-in/m1\nstand-in/m2\nstand-in/org/nested:free\n")
    #expect(try stage.run("models", "stand-in", "--verbose").output.contains("\"context\": 128000"))
    let unknown = try stage.run("models", "nope")
    #expect(unknown.exit == 1 && unknown.errors.contains("Provider not found: nope"))
    #expect(try stage.run("export", "ses_none").errors.hasSuffix("Session not found: ses_none\n"))
    _ = try stage.run("run", "--format", "json", input: "go")
    #expect(try stage.run("stats", "--days", "0").output.contains("│Cache Read                                         1.0K │"))
    #expect(try stage.run("agent", "list").output.contains("explore (subagent)"))
    #expect(try stage.run("auth", "list").output.contains("1 credentials"))
    #expect(try stage.run("debug", "paths").output.contains("data       \(stage.folder)/.local/share/opencode"))
  }
}
