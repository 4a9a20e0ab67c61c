import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

/// A compaction's summary looks like an answer, and isn't one.
@Suite struct CompactionTests {
  /// As OpenCode 1.18.34 prints it: the summary is a step of its own, then OpenCode's own words.
  private let summary = [
    EventLines.start("a"), EventLines.text("a", "First."), EventLines.finish("a", "tool-calls"), EventLines.start("s"),
    EventLines.text("s", "Summary of what was done."), EventLines.finish("s", "stop"),
  ]
  private let goOn =
    #"{"type":"text","timestamp":3500,"sessionID":"ses_1","part":{"id":"c1","messageID":"c","text":"Continue if you have next steps","synthetic":true}}"#

  private func outcome(_ end: RunEnd, _ lines: [String], lastWords: LastWords = .notAsked) throws -> Outcome {
    Outcome.of(end: end, digest: try Log.digest(lines), lastWords: lastWords, launch: RunLaunch(arguments: []), now: 10)
  }

  @Test func aRunThatEndsInACompactionIsNotCompleted() throws {
    let lines = summary + [goOn]
    let digest = try Log.digest(lines)
    #expect(digest.answer?.text == "First." && digest.compactions == 1)
    #expect(try outcome(.exited(0), lines).state == .incomplete)
    #expect(try outcome(.signaled(SIGKILL), lines).state == .failed)
    #expect(try outcome(.notSeen, lines).state == .lost)
    #expect(try outcome(.exited(0), lines).attention.sentences.contains { $0.hasPrefix("the conversation was compacted 1 x") })
  }

  @Test func anAnswerAfterACompactionIsOne() throws {
    let lines = summary + [goOn, EventLines.start("b"), EventLines.text("b", "Done."), EventLines.finish("b", "stop")]
    #expect(try outcome(.exited(0), lines).state == .completed)
    #expect(try Log.digest(lines).answer?.text == "Done.")
  }

  /// Killed between the summary and OpenCode's own words: only the session tells.
  @Test func whereNobodySawTheExitTheSessionDecides() throws {
    #expect(try outcome(.notSeen, summary, lastWords: .summary).state == .lost)
    #expect(try outcome(.notSeen, summary, lastWords: .answer).state == .completed)
    let unknown = try outcome(.notSeen, summary, lastWords: .unknown("export timed out"))
    #expect(unknown.state == .lost && unknown.reason?.contains("export timed out") == true)
  }
}
