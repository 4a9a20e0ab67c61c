import JSON
import TestSupport
import Testing

@testable import StandInOpenCode

/// What the stand-in's companions answer about a run of OpenCode 2 against what those of the recorded build answered: the same members, the same
/// kinds of messages in the same order.
@Suite(.blocking) struct SessionRecordingTests {
  private static let preview = "2.0-preview-20260807"

  private static func shell(_ command: String, _ more: JSONObject = [:]) -> JSONValue {
    var arguments: JSONObject = ["command": .string(command)]
    arguments.merge(more)
    return ["tools": [["name": "shell", "arguments": .object(arguments)]]]
  }

  private static func subagent(_ description: String, _ turns: JSONValue) -> JSONValue {
    ["name": "subagent", "arguments": ["agent": "general", "description": .string(description), "prompt": .string(description)], "turns": turns]
  }

  private static let scenes: [(String, JSONObject)] = [
    ("length", ["turns": [["text": "Only half", "finish": "length"]], "lastStepStart": false]),
    ("background-shell", ["turns": [shell("sleep 6; echo late > late.txt", ["background": true]), ["text": "ok"]], "lastStepStart": false]),
    (
      "subagent-checks",
      [
        "turns": [
          [
            "tools": [
              subagent(
                "job",
                [
                  shell("test -s hello.txt"), ["tools": [["name": "write", "arguments": ["path": "sub.txt", "content": "s\n"]]]],
                  shell("exit 4"),
                  ["text": "Sub done."],
                ])
            ]
          ], ["text": "Main done."],
        ], "lastStepStart": false,
      ]
    ),
    (
      "subagents-two",
      [
        "turns": [
          ["tools": [subagent("alpha", [shell("true"), ["text": "a ok"]]), subagent("beta", [shell("true"), ["text": "b ok"]])]], ["text": "Both."],
        ], "lastStepStart": false,
      ]
    ),
    (
      "retrying",
      ["turns": [["status": 429], ["status": 429], ["status": 429], ["status": 429], ["text": "through"]], "retrySeconds": 0.001, "lastStepStart": false]
    ),
  ]

  @Test(arguments: scenes.map(\.0)) func aRunAndWhatIsAskedAboutIt(name: String) throws {
    var script = try #require(SessionRecordingTests.scenes.first { $0.0 == name }).1
    script["version"] = .string(SessionRecordingTests.preview)
    let stage = try Stage(.object(script), isRepository: false)
    let recorded = try Recording("\(SessionRecordingTests.preview)/sessions/\(name)").json
    let played = try stage.run("run", "--standalone", "--format", "json", "--title=T", "go")
    let real = Stage.events(recorded["stdout"]?.string ?? "")
    #expect(played.types == real.compactMap { $0["type"]?.string })
    for (own, wanted) in zip(played.events, real) { #expect(paths(own) == paths(wanted)) }
    #expect(played.exit == 0)
    let root = try #require(played.events.first?["sessionID"]?.string)
    let child = try stage.ask("api", "--standalone", "GET", "/api/session?parentID=\(root)")["data"]?.array?.first?["id"]?.string ?? ""
    let questions = [
      ("messages", "/api/session/\(root)/message"), ("session", "/api/session/\(root)"), ("children", "/api/session?parentID=\(root)"),
      ("child", "/api/session/\(child)"), ("child-messages", "/api/session/\(child)/message"),
    ]
    var compared = 0
    for (suffix, path) in questions {
      guard let answer = try? Recording("\(SessionRecordingTests.preview)/sessions/\(name).\(suffix)").json else { continue }
      try compare(try stage.ask("api", "--standalone", "GET", path), answer, "\(name).\(suffix)")
      compared += 1
    }
    #expect(compared > 0 || name == "retrying")
  }

  private func compare(_ own: JSONValue, _ recorded: JSONValue, _ name: String) throws {
    let wanted = try JSONValue(parsing: Array((recorded["stdout"]?.string ?? "").utf8))
    #expect(paths(own) == paths(wanted), "\(name)")
    func kinds(_ value: JSONValue) -> [String] {
      (value["data"]?.array ?? []).map { "\($0["type"]?.string ?? "") \($0["finish"]?.string ?? "") \($0["title"]?.string ?? "") \($0["cost"]?.text ?? "")" }
    }
    #expect(kinds(own) == kinds(wanted), "\(name)")
  }

  /// Asked from a second process while the run waits for its next try.
  @Test func whyARunIsSilent() throws {
    let version = SessionRecordingTests.preview
    let error: JSONValue = ["error": ["message": "Rate limit reached for requests"]]
    let turns: JSONValue = [["status": 429, "body": error], ["text": "Never."]]
    let stage = try Stage(["version": .string(version), "turns": turns, "retrySeconds": 3600], isRepository: false)
    // Waits for an hour: it ends with the tests' process.
    stage.runBeside("run", "--standalone", "--format", "json", "--title=T", "go")
    let wanted = try JSONValue(parsing: Array((try Recording("\(version)/sessions/retrying.messages-meanwhile").json["stdout"]?.string ?? "").utf8))
    let session = try #require(Stage.first { try stage.ask("api", "--standalone", "GET", "/api/session")["data"]?.array?.first?["id"]?.string })
    let messages = try #require(
      Stage.first {
        let answers = [try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message")]
        return answers.first { $0["data"]?.array?.first?["retry"] != nil }
      })
    #expect(paths(messages) == paths(wanted))
    let retry = messages["data"]?.array?.first?["retry"]
    #expect(retry?["attempt"] == 2)
    #expect((retry?["at"]?.int ?? 0) > Player.now() + 3_000_000)
    #expect(retry?["error"]?["type"] == "provider.rate-limit")
    #expect(messages["data"]?.array?.first?["finish"] == nil)
  }
}
