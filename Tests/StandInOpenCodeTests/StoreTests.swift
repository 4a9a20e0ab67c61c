import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// What the store of OpenCode 2 tells that the stream doesn't.
@Suite(.blocking) struct StoreTests {
  private func run(_ script: JSONObject, environment: [String: String] = [:]) throws -> (Stage, Stage.Result, session: String) {
    let stage = try Stage(.object(script))
    let result = try stage.run(["run", "--standalone", "--format", "json", "--title=T", "go"], environment: environment)
    return (stage, result, result.events.first?["sessionID"]?.string ?? "")
  }

  private func messages(_ stage: Stage, _ session: String, _ query: String = "") throws -> [JSONValue] {
    try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message\(query)")["data"]?.array ?? []
  }

  private func outcome(_ stage: Stage, _ session: String) throws -> String? {
    try stage.ask("api", "--standalone", "GET", "/api/session/\(session)")["data"]?["outcome"]?.string
  }

  private static let broken: JSONValue = ["type": "provider.invalid-output", "message": "broken off"]

  @Test(arguments: [("2.0.22", true), ("2.0.22", false), ("2.0-preview", false)]) func anErrorThatTheStreamMayLeaveOut(version: String, told: Bool) throws {
    let turns: JSONValue = [["text": "Only half", "error": StoreTests.broken]]
    let (stage, result, session) = try run(["version": .string(version), "turns": turns, "lastError": .bool(told)])
    #expect(result.exit == 1)
    #expect(result.types == ["step_start", "text"] + (told ? ["error"] : []))
    let last = try #require(try messages(stage, session).first)
    #expect(last["finish"] == "error" && last["error"] == StoreTests.broken && last["content"]?.array?.first?["text"] == "Only half")
    #expect(try outcome(stage, session) == (version == "2.0-preview" ? nil : "failed"))
  }

  @Test func everyFinish() throws {
    for finish in ["stop", "length", "content-filter"] {
      let (stage, result, session) = try run(["version": "2.0.22", "turns": [["text": "a", "finish": .string(finish)]]])
      #expect(result.exit == 0 && result.types.last == "text")
      #expect(try messages(stage, session).first?["finish"]?.string == finish)
      #expect(try outcome(stage, session) == "succeeded")
    }
  }

  @Test func pagesOfFifty() throws {
    let turns = Array(repeating: JSONValue.object(["compaction": "s"]), count: 60) + [["text": "end"]]
    let (stage, _, session) = try run(["version": "2.0.22", "turns": .array(turns)])
    var (ids, query): ([String], String?) = ([], "")
    var pages = 0
    while let asked = query {
      let answer = try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message\(asked)")
      let page = answer["data"]?.array?.compactMap { $0["id"]?.string } ?? []
      #expect(page.count <= 50)
      ids += page
      pages += 1
      // The last full page has a next one too.
      query = answer["cursor"]?["next"]?.string.map { "?cursor=\($0)" }
    }
    #expect(ids.count == 62 && Set(ids).count == 62 && pages == 3)
    #expect(try messages(stage, session, "?limit=200&order=asc").compactMap { $0["id"]?.string } == ids.reversed())
    let mixed = try stage.run("api", "--standalone", "GET", "/api/session/\(session)/message?order=asc&cursor=x")
    #expect(mixed.output.contains("InvalidCursorError"))
  }

  @Test func aCompactionHasItsOwnUsage() throws {
    let (stage, result, session) = try run(["version": "2.0.22", "turns": [["compaction": "Summary."], ["text": "end"]]])
    #expect(result.types == ["step_start", "text"])
    let compaction = try #require(try messages(stage, session).first { $0["type"] == "compaction" })
    #expect(compaction["status"] == "completed" && compaction["summary"] == "Summary." && compaction["cost"] == 0.0021)
    #expect(try stage.ask("api", "--standalone", "GET", "/api/session/\(session)")["data"]?["cost"] == 0.0042)
  }

  @Test(arguments: ["2.0-preview", "2.0.22", "2.3.2"]) func subagentsOfSubagents(version: String) throws {
    func task(_ name: String, _ turns: JSONValue) -> JSONValue {
      ["name": "task", "arguments": ["subagent_type": "general", "description": .string(name), "prompt": "p"], "turns": turns]
    }
    let check: JSONValue = ["name": "bash", "arguments": ["command": "exit 4"]]
    let edit: JSONValue = ["name": "write", "arguments": ["filePath": "deep.txt", "content": "x"]]
    let deep = task("deep", [["tools": [check, edit]], ["text": "deep done"]])
    let refused: JSONValue = [["status": 401]]
    let turns: JSONValue = [["tools": [task("sub", [["tools": [deep]], ["text": "sub done"]]), task("refused", refused)]], ["text": "Done."]]
    let (stage, result, session) = try run(["version": .string(version), "turns": turns])
    #expect(!result.output.contains("deep.txt"))
    func children(_ id: String) throws -> [JSONValue] { try stage.ask("api", "--standalone", "GET", "/api/session?parentID=\(id)")["data"]?.array ?? [] }
    let direct = try children(session)
    #expect(direct.compactMap { $0["title"]?.string } == ["refused", "sub"])
    let below = try children(try #require(direct.last?["id"]?.string))
    #expect(below.compactMap { $0["title"]?.string } == ["deep"])
    let deepest = try messages(stage, try #require(below.first?["id"]?.string))
    let tools = deepest.flatMap { $0["content"]?.array ?? [] }.filter { $0["type"] == "tool" }
    #expect(tools.first?["state"]?["metadata"]?["exit"] == 4 && tools.last?["state"]?["input"]?["path"] == "deep.txt")
    let failed = try messages(stage, try #require(direct.first?["id"]?.string)).first { $0["type"] == "assistant" }
    #expect(failed?["error"]?["type"] == "provider.auth" && failed?["error"]?["status"] == 401)
    // The filter that a parameter would be isn't one.
    let all = try stage.ask("api", "--standalone", "GET", "/api/session", "--param", "parentID=\(session)")["data"]?.array ?? []
    #expect(all.count == 4)
  }

  @Test(arguments: ["1.18.34", "2.0.22"]) func aSubagentIsContinuedInItsOldSession(version: String) throws {
    func task(_ prompt: String, _ more: JSONObject = [:]) -> JSONValue {
      var call: JSONObject = ["name": "task", "arguments": ["subagent_type": "general", "description": "d", "prompt": .string(prompt)]]
      call.merge(more)
      return .object(call)
    }
    let stage = try Stage([
      "version": .string(version), "runs": [[["tools": [task("one")]], ["text": "a"]], [["tools": [task("two", ["continue": true])]], ["text": "b"]]],
    ])
    func child(_ arguments: [String]) throws -> String? {
      let result = try stage.run(["run", "--format", "json"] + arguments + ["go"])
      let metadata = result.events.first { $0["type"] == "tool_use" }?["part"]?["state"]?["metadata"]
      return (metadata?["sessionId"] ?? metadata?["metadata"]?["sessionID"])?.string
    }
    let first = try #require(try child([]))
    #expect(try child(["--continue"]) == first)
    let arguments = version == "2.0.22" ? ["session", "export", "--standalone", first] : ["export", first]
    let exported = try JSONValue(parsing: Array(try stage.run(arguments).output.utf8))
    #expect(exported["messages"]?.array?.count == 4)
    #expect(exported["info"]?["cost"]?.double == 0.0042)
  }

  @Test func triesAndWhatIsSaidAfterThem() throws {
    for (version, tries) in [("2.0.22", 5), ("2.0.26", 10)] {
      let (stage, result, session) = try run(
        ["version": .string(version), "retrySeconds": 0.0001, "turns": [["status": 500, "forever": true]]],
        environment: ["OPENCODE_PRINT_LOGS": "1", "OPENCODE_LOG_LEVEL": "ERROR"])
      #expect(result.exit == 1 && result.types == Array(repeating: "step_start", count: tries - 1) + ["error"])
      let last = try messages(stage, session).first
      #expect(last?["error"]?["type"] == "provider.internal" && last?["retry"] == nil)
      #expect(result.errors.contains("level=ERROR") && result.errors.contains("Failed to drain Session"))
    }
    #expect(try run(["version": "2.0-preview", "turns": [["status": 401]]], environment: ["OPENCODE_PRINT_LOGS": "1"]).1.errors.isEmpty)
  }

  @Test func aMissingSessionByVersion() throws {
    for (version, exit) in [("2.0-preview", 0), ("2.0.26", 1)] as [(String, Int32)] {
      let stage = try Stage(["version": .string(version)])
      for path in ["/api/session/ses_x", "/api/session/ses_x/message"] {
        let missing = try stage.run("api", "--standalone", "GET", path)
        #expect(missing.exit == exit && missing.output.contains(#""_tag":"SessionNotFoundError""#))
        #expect(missing.errors == (exit == 1 ? "HTTP 404 Not Found\n" : ""))
      }
    }
  }
}
