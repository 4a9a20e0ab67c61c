import Foundation
import Testing

@testable import OpenCode
@testable import Runs

@Suite struct StartArgumentsTests {
  private func decoded(_ json: String) throws -> StartArguments { try JSONDecoder().decode(StartArguments.self, from: Data(json.utf8)) }

  private func refusal(_ json: String, readOnly: Bool = false) throws -> RunRefusal? {
    do {
      _ = try decoded(json).checked(sandboxIsReadOnly: readOnly)
      return nil
    } catch let refusal as RunRefusal {
      return refusal
    }
  }

  @Test func whatIsLeftOutHasItsDefault() throws {
    let start = try decoded(#"{"message": "Do it."}"#).checked(sandboxIsReadOnly: false)
    #expect(start.title == "Do it." && start.cwd == nil && start.files.isEmpty && !start.fork && start.preset == nil)
  }

  @Test func everyArgumentSurvivesTheRecord() throws {
    var start = StartArguments(message: "m\n\u{0}é")
    (start.cwd, start.model, start.variant, start.agent, start.title) = ("/w", "a/b", "high", "plan", "T")
    (start.session, start.continueLast, start.fork, start.dangerouslySkipPermissions) = ("ses_1", true, true, true)
    (start.files, start.permissions, start.acceptanceCriteria, start.verificationCommands) = (["f"], "full", ["c"], ["v"])
    let installed = InstalledOpenCode(Installation(path: "/bin/opencode", version: OpenCodeVersion(1, 18, 34), foundBy: "test"))
    let request = RunRequest(start: start, sandboxIsReadOnly: true, presetHolds: false, threadID: "t", installation: installed, arguments: ["run"], git: "/g")
    let again = try JSONDecoder().decode(RunRequest.self, from: JSONEncoder().encode(request))
    #expect(again.start == start)
    #expect(again.threadID == "t" && again.arguments == ["run"] && again.git == "/g" && again.sandboxIsReadOnly == true && again.presetHolds == false)
  }

  /// As version 1.0.0 wrote it.
  @Test func aFormerRequestIsRead() throws {
    let text = #"""
      {"acceptanceCriteria":["c"],"arguments":["run"],"continueLast":false,"cwd":"/w","files":[],"fork":false,
      "installation":{"foundBy":"PATH","isWrapper":false,"path":"/bin/opencode","version":{"major":1,"minor":18,"patch":34,"prerelease":""}},
      "message":"m","skipPermissions":true,"title":"T","verificationCommands":["v"]}
      """#
    let request = try JSONDecoder().decode(RunRequest.self, from: Data(text.utf8))
    #expect(request.cwd == "/w" && request.title == "T" && request.dangerouslySkipPermissions && request.verificationCommands == ["v"])
  }

  @Test(arguments: [
    (#"{"message": " \n"}"#, "message"), (#"{"message": "m", "cwd": ""}"#, "cwd"), (#"{"message": "m", "model": "gpt"}"#, "model"),
    (#"{"message": "m", "model": "a/#high"}"#, "model"), (#"{"message": "m", "agent": "a\u0000b"}"#, "agent"),
    (#"{"message": "m", "session": "x"}"#, "session"),
    (#"{"message": "m", "session": "ses_1", "continueLast": true}"#, "continueLast"), (#"{"message": "m", "fork": true}"#, "fork"),
    (#"{"message": "m", "permissions": "full", "dangerouslySkipPermissions": true}"#, "dangerouslySkipPermissions"),
  ])
  func aBadValueIsNamed(json: String, argument: String) throws {
    let refusal = try #require(try refusal(json))
    #expect(refusal.code == .badArgument && refusal.message.contains("\"\(argument)\"") && !refusal.hint.isEmpty)
  }

  @Test func aReadOnlySandboxMakesTheRunReadOnlyAndRefusesMore() throws {
    #expect(try decoded(#"{"message": "m"}"#).checked(sandboxIsReadOnly: true).preset == .readOnly)
    #expect(try refusal(#"{"message": "m", "permissions": "read-only"}"#, readOnly: true) == nil)
    for json in [#"{"message": "m", "permissions": "workspace"}"#, #"{"message": "m", "dangerouslySkipPermissions": true}"#] {
      #expect(try refusal(json, readOnly: true)?.code == .badArgument)
    }
  }

  @Test func theTitleIsTheFirstLineWithoutControlCharacters() throws {
    #expect(try decoded(#"{"message": "\n\n  Add\u0007 it  \nmore"}"#).checked(sandboxIsReadOnly: false).title == "Add  it  ")
    let long = try decoded(#"{"message": "\#(String(repeating: "é", count: 100))"}"#).checked(sandboxIsReadOnly: false).title
    #expect((long?.utf8.count ?? 0) <= 60 && long?.hasSuffix("...") == true)
  }
}
