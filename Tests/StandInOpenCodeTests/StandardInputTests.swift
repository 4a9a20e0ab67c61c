import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// How a prompt on standard input gets through, or doesn't.
@Suite(.blocking) struct StandardInputTests {
  private func prompt(_ stage: Stage, _ arguments: [String], input: String, inputIsFile: Bool) throws -> (Stage.Result, String?) {
    let result = try stage.run(arguments, input: input, inputIsFile: inputIsFile)
    guard let session = result.events.first?["sessionID"]?.string, !session.isEmpty else { return (result, nil) }
    let messages = try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message")["data"]?.array ?? []
    return (result, messages.last?["text"]?.string)
  }

  @Test(arguments: ["2.0-preview", "2.0.22", "2.3.2"]) func aRegularFileIsLostToAnOlderBun(version: String) throws {
    let run = ["run", "--standalone", "--format", "json"]
    let stage = try Stage(["version": .string(version), "turns": [["text": "ok"]]])
    let (lost, _) = try prompt(stage, run, input: "Do it.\n", inputIsFile: true)
    let wanted = try Recording("2.0-preview-20260807/empty-message").json
    #expect(lost.exit == wanted["exit"]?.int.map(Int32.init))
    #expect(lost.events.map { paths($0) } == Stage.events(wanted["stdout"]?.string ?? "").map { paths($0) })
    #expect(lost.events.first?["error"]?["message"] == "You must provide a message")
    #expect(try prompt(stage, run, input: "Do it.\n", inputIsFile: false).1 == "Do it.\n")
    // With a positional message there is no need of it.
    #expect(try prompt(stage, run + ["Do that."], input: "Do it.\n", inputIsFile: true).1 == "\"Do that.\"")
    try stage.direct(["version": .string(version), "turns": [["text": "ok"]], "bun": "1.4.2"])
    #expect(try prompt(stage, run, input: "Do it.\n", inputIsFile: true).1 == "Do it.\n")
  }

  @Test func theFirstGenerationReadsAFile() throws {
    let stage = try Stage(["turns": [["text": "ok"]]])
    let result = try stage.run(["run", "--format", "json"], input: "Do it.\n", inputIsFile: true)
    #expect(result.exit == 0 && result.types.last == "step_finish")
  }

  @Test(arguments: ["1.18.34", "2.0.22"]) func onePromptIsNeverRead(version: String) throws {
    let stage = try Stage(["version": .string(version), "turns": [["text": "ok"]], "stdin": "ignored"])
    // More than a pipe holds: the writer would wait for ever.
    let result = try stage.run("run", "--format", "json", input: String(repeating: "x", count: 1 << 20))
    #expect(result.exit == 0 && result.types.contains("text"))
  }

  @Test(arguments: ["1.18.34", "2.0.22"]) func aReaderEndsInTheMiddle(version: String) throws {
    let stage = try Stage(["version": .string(version), "turns": [["text": "never"]], "stdin": ["after": 10, "exit": 7]])
    let result = try stage.run("run", "--format", "json", input: String(repeating: "x", count: 1 << 20))
    #expect(result.exit == 7 && result.output.isEmpty)
  }
}
