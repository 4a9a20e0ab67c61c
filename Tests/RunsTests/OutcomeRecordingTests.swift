import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct OutcomeRecordingTests {
  @Test(arguments: try ExpectedOutcome.all())
  func aRecordedRunEndsAsTheContractSays(_ expected: ExpectedOutcome) throws {
    let run = try expected.recording.folded()
    let outcome = Outcome.of(end: run.end, digest: run.digest, launch: run.launch, now: 1_795_400_000)
    let said = ([outcome.reason ?? ""] + outcome.attention.sentences).joined(separator: "\n")
    #expect(outcome.state.rawValue == expected.state, "\(said)")
    for words in expected.says { #expect(said.contains(words), "\(said)") }
    #expect((outcome.reason == nil) == (outcome.state == .completed))
  }

  /// Runs that events, standard error and exit can't judge: the recorded answers of a companion are needed.
  private static let needsCompanions: Set = ["2.0-preview-20260807/sessions/length"]

  @Test func noRecordedRunIsLeftOut() throws {
    let recorded = try Recording.names().filter { name in
      let arguments = try Recording(name).arguments
      return arguments.first == "run" && !arguments.contains("--help")
    }
    #expect(Set(recorded).subtracting(Self.needsCompanions) == Set(try ExpectedOutcome.all().map(\.recording.name)))
    #expect(recorded.count > 150)
  }
}
