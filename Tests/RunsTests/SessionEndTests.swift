import Foundation
import JSON
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

/// How OpenCode 2's messages decide an end, from recorded answers and by the rules that they show.
@Suite struct SessionEndTests {
  private func messages(_ recording: String) throws -> [SessionExport.Message] {
    let page = try JSONDecoder().decode(MessagePage.self, from: Data(try Recording("2.0-preview-20260807/sessions/\(recording)").bytes))
    return page.messages.reversed()
  }

  private func outcome(_ recording: String, _ end: SessionEnd) throws -> Outcome {
    let run = try Recording("2.0-preview-20260807/sessions/\(recording)").folded()
    return Outcome.of(end: run.end, digest: run.digest, sessionEnd: end, launch: run.launch, now: 1_795_600_000)
  }

  @Test func anAnswerCutByLengthIsIncomplete() throws {
    let last = try #require(SessionEnd.LastMessage(try messages("length.messages"), outcome: nil))
    #expect(last.finish == "length" && last.endsWithText)
    let outcome = try outcome("length", .known(last))
    #expect(outcome.state == .incomplete && outcome.reason?.contains("token limit") == true)
  }

  @Test func theOtherRecordedRunsAreCompleted() throws {
    for name in ["background-shell", "subagent-checks"] {
      let last = try #require(SessionEnd.LastMessage(try messages(name + ".messages"), outcome: nil))
      #expect(try outcome(name, .known(last)).state == .completed, "\(name)")
    }
  }

  @Test func theUsageIsTheSumOfAllMessages() throws {
    let (sum, missing) = OpenCode2Questions.usage(of: try messages("subagent-checks.child-messages"))
    #expect(sum.tokens == TokenCounts(input: 800, output: 256, reasoning: 64, cacheRead: 4000) && missing == nil)
    #expect(abs(sum.cost - 0.0084) < 1e-9)
  }

  @Test func aRetryIsReadWhileItWaits() throws {
    let last = try #require(try messages("retrying.messages-meanwhile").last)
    #expect(last.retry?.attempt == 4 && last.retry?.at == 1_795_535_210_731)
    #expect(last.retry?.error?.message == "Provider request failed with HTTP 429: Rate limit reached for requests")
  }

  @Test func aShellInTheBackgroundIsSeen() throws {
    #expect(try messages("background-shell.messages").flatMap(\.toolCalls).first?.background == "sh_20e3c8d01001Z823WohWQ2r3Oz")
  }

  // MARK: - The rules

  private typealias Last = SessionEnd.LastMessage
  private static let completed: SessionEnd.Verdict = (.completed, nil)

  private func state(_ last: Last, _ end: RunEnd = .exited(0), log: SessionEnd.Verdict = SessionEndTests.completed) -> Outcome.State {
    SessionEnd.known(last).verdict(of: end, log: log, stopped: false).state
  }

  @Test func theLastMessageDecides() {
    #expect(state(Last(finish: "stop", endsWithText: true)) == .completed)
    #expect(state(Last(finish: "stop", endsWithText: true), .exited(1)) == .completed)
    #expect(state(Last(finish: "stop", endsWithText: true), .exited(1), log: (.failed, "exit 1")) == .completed)
    #expect(state(Last(finish: "stop")) == .incomplete)
    for finish in ["length", "content-filter", "error", "tool-calls", "other"] { #expect(state(Last(finish: finish, endsWithText: true)) == .incomplete) }
    // Cut is cut, whatever the exit says; for what else is unfinished it is a failure.
    for finish in ["length", "content-filter"] {
      #expect(state(Last(finish: finish, endsWithText: true), .exited(1), log: (.failed, "exit 1")) == .incomplete)
      #expect(state(Last(finish: finish, endsWithText: true, outcome: "failed"), .exited(1), log: (.failed, "exit 1")) == .incomplete)
      #expect(state(Last(finish: finish, endsWithText: true), .exited(130), log: (.failed, "exit 130")) == .failed)
    }
    #expect(state(Last(finish: "tool-calls"), .exited(1), log: (.failed, "exit 1")) == .failed)
    #expect(state(Last(endsWithText: true)) == .incomplete)
    #expect(state(Last(endsWithText: true), .notSeen) == .lost)
    #expect(state(Last(finish: "stop", endsWithText: true), .notSeen) == .completed)
    let error = SessionExport.Failure(type: "provider.invalid-output", message: "broken")
    #expect(state(Last(error: error, endsWithText: true), .exited(1)) == .failed)
    #expect(state(Last(error: error, endsWithText: true)) == .failed)
    for outcome in ["failed", "interrupted"] { #expect(state(Last(finish: "stop", endsWithText: true, outcome: outcome)) == .failed) }
    #expect(state(Last(finish: "stop", endsWithText: true, isFollowed: true)) == .incomplete)
    #expect(state(Last(finish: "stop", endsWithText: true, isFollowed: true, outcome: "succeeded")) == .completed)
    #expect(state(Last(finish: "stop", endsWithText: true), .signaled(9), log: (.failed, "ended by SIGKILL")) == .failed)
  }

  @Test func theSessionsWordCountsWhereTheMessageHasNone() {
    #expect(state(Last(endsWithText: true, outcome: "succeeded")) == .completed)
    #expect(state(Last(endsWithText: true, outcome: "succeeded"), .exited(1), log: (.failed, "exit 1")) == .completed)
    #expect(state(Last(outcome: "succeeded")) == .incomplete)
    #expect(state(Last(finish: "length", endsWithText: true, outcome: "succeeded")) == .incomplete)
  }

  @Test func aRejectionIsTheEndOnlyWhereNothingCameAfter() {
    let log: SessionEnd.Verdict = (.incomplete, "stopped at a rejected permission")
    func verdict(_ last: Last) -> SessionEnd.Verdict { SessionEnd.known(last).verdict(of: .exited(1), log: log, stopped: true) }
    #expect(verdict(Last(error: .init(type: "aborted", message: "Step interrupted"))) == log)
    #expect(verdict(Last(finish: "tool-calls")) == log)
    #expect(verdict(Last(finish: "stop", endsWithText: true)).state == .completed)
    #expect(verdict(Last(error: .init(type: "provider.auth", message: "no key"), outcome: "failed")).reason == "no key")
  }

  @Test func whoMayTakeTheSessionUp() {
    func leaves(_ end: RunEnd, _ outcome: String? = nil) -> Bool { SessionEnd.known(Last(outcome: outcome)).leavesClaim(end) }
    #expect(leaves(.signaled(SIGKILL)) && leaves(.signaled(SIGTERM)) && leaves(.exited(130)) && leaves(.exited(137)) && leaves(.notSeen))
    #expect(!leaves(.signaled(SIGINT)) && !leaves(.exited(130), "interrupted") && !leaves(.notSeen, "succeeded") && !leaves(.exited(1)))
    #expect(!SessionEnd.notAsked.leavesClaim(.neverStarted) && SessionEnd.unknown("it hung").leavesClaim(.signaled(SIGKILL)))
  }

  @Test func anAnswerOfWhichNobodyKnowsWhetherItIsWholeIsNone() {
    let unknown = SessionEnd.unknown("it hung")
    let verdict = unknown.verdict(of: .exited(0), log: Self.completed, stopped: false)
    #expect(verdict.state == .incomplete && verdict.reason?.contains("it hung") == true)
    #expect(unknown.verdict(of: .exited(0), log: (.failed, "x"), stopped: false).state == .failed)
  }

  @Test func anExitOf1WithoutAWordIsNoSuccess() {
    for end in [SessionEnd.notAsked, .unknown("it hung")] {
      #expect(end.verdict(of: .exited(1), log: Self.completed, stopped: false).state == .failed)
      #expect(end.verdict(of: .exited(0), log: Self.completed, stopped: false, told: true).state == .completed)
    }
  }
}
