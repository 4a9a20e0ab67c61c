import Foundation
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

@Suite struct OutcomeRecordingTests {
  @Test(arguments: try ExpectedOutcome.all())
  func aRecordedRunEndsAsTheContractSays(_ expected: ExpectedOutcome) throws {
    let run = try expected.recording.folded()
    let outcome = Outcome.of(end: run.end, digest: run.digest, sessionEnd: try sessionEnd(expected.recording.name), launch: run.launch, now: 1_795_400_000)
    let said = ([outcome.reason ?? ""] + outcome.attention.sentences).joined(separator: "\n")
    #expect(outcome.state.rawValue == expected.state, "\(said)")
    for words in expected.says { #expect(said.contains(words), "\(said)") }
    #expect((outcome.reason == nil) == (outcome.state == .completed))
  }

  /// What a companion answered after the run, where that is recorded beside it.
  private func sessionEnd(_ recording: String) throws -> SessionEnd {
    guard let answer = try? Recording(recording + ".messages") else { return .notAsked }
    let messages = try JSONDecoder().decode(MessagePage.self, from: Data(answer.bytes)).messages
    return .known(try #require(SessionEnd.LastMessage(messages.reversed(), outcome: nil)))
  }

  @Test func noRecordedRunIsLeftOut() throws {
    let recorded = try Recording.names().filter { name in
      let arguments = try Recording(name).arguments
      return arguments.first == "run" && !arguments.contains("--help")
    }
    #expect(Set(recorded) == Set(try ExpectedOutcome.all().map(\.recording.name)))
    #expect(recorded.count > 150)
  }
}
