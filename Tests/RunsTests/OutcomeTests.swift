import Foundation
import JSON
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

@Suite struct OutcomeTests {
  static let now = 1_795_364_340.0
  let good = [EventLines.start("m"), EventLines.text("m", "Done."), EventLines.finish("m", "stop")]

  func outcome(
    _ end: RunEnd, _ lines: [String], stderr: String = "", generation: Generation = .v1, session: SessionOutcome? = nil,
    sessionEnd: SessionEnd = .notAsked, arguments: [String] = [], version: String? = nil
  ) throws -> Outcome {
    let digest = try Log.digest(lines, stderr: stderr, generation: generation)
    return Outcome.of(
      end: end, digest: digest, session: session, sessionEnd: sessionEnd, launch: RunLaunch(arguments: arguments, version: version), now: OutcomeTests.now)
  }

  @Test func aGoodEndNeedsAnAnswerAndAStop() throws {
    #expect(try outcome(.exited(0), good) == Outcome(state: .completed, reason: nil, attention: []))
    let rows: [([String], String)] = [
      ([EventLines.start("m"), EventLines.finish("m", "stop")], "no final answer: the last step has no text"),
      ([EventLines.start("m"), EventLines.text("m", "half"), EventLines.finish("m", "length")], "the answer was cut by the token limit (length)"),
      (
        [EventLines.start("m"), EventLines.text("m", "x"), EventLines.bash("m", "ls", exit: 0, part: "b"), EventLines.finish("m", "tool-calls")],
        "no final answer: it ended after a tool call"
      ),
      ([EventLines.start("m"), EventLines.text("m", "x"), EventLines.finish("m", "unknown")], "the provider's stream broke off before a final answer"),
      ([EventLines.start("m"), EventLines.text("m", "x")], "the last step's end is missing"),
      (good + [EventLines.start("n")], "no final answer: the last step didn't end"),
      ([], "no final answer: OpenCode printed nothing of a run"),
    ]
    for (lines, reason) in rows {
      let outcome = try outcome(.exited(0), lines)
      #expect(outcome.state == .incomplete && outcome.reason == reason)
    }
  }

  @Test func openCode2LeavesTheLastStepsEndOut() throws {
    #expect(try outcome(.exited(0), [EventLines.start("m"), EventLines.text("m", "Done.")], generation: .v2).state == .completed)
    #expect(
      try outcome(.exited(0), [EventLines.start("m"), EventLines.text("m", "half"), EventLines.finish("m", "length")], generation: .v2).state == .incomplete)
    #expect(
      try outcome(.exited(0), [EventLines.start("m"), EventLines.text("m", "x"), EventLines.bash("m", "ls", exit: 0, part: "b")], generation: .v2).state
        == .incomplete)
  }

  @Test func anErrorAfterWhichItWentOnIsNamedWithTheExit() throws {
    let lines = [EventLines.start("a"), EventLines.error("Input is too long", name: "ContextOverflowError")] + good
    let outcome1 = try outcome(.exited(1), lines)
    #expect(outcome1.state == .completed && outcome1.attention.sentences == ["an error from which it went on (exit 1): Input is too long"])
    #expect(try outcome(.exited(0), lines).attention.sentences == ["an error from which it went on: Input is too long"])
    let broken = try outcome(.exited(1), lines, stderr: "Error: database disk image is malformed\n")
    #expect(broken.state == .failed && broken.reason?.contains("malformed") == true, "another error may be what ended it")
    #expect(try outcome(.exited(1), good) == Outcome(state: .failed, reason: "exit 1", attention: []), "an exit 1 without any error is a failure")
    let unfinished = try outcome(.exited(1), [EventLines.error("overflow"), EventLines.start("m"), EventLines.finish("m", "stop")])
    #expect(unfinished.state == .incomplete && unfinished.attention.sentences.first?.contains("(exit 1): overflow") == true)
  }

  @Test func aMendedErrorOfOpenCode2IsNoFailure() throws {
    let lines = [EventLines.start("m", at: 1), EventLines.start("m", at: 2), EventLines.text("m", "Done.")]
    let well = SessionEnd.known(SessionEnd.LastMessage(finish: "stop", endsWithText: true))
    let retried = try outcome(.exited(1), lines, generation: .v2, sessionEnd: well)
    #expect(retried.state == .completed)
    #expect(retried.attention.sentences == ["it finished, but ended (exit 1)", "a step was begun again 1 x: OpenCode retries after provider errors"])
    #expect(try outcome(.exited(1), lines, generation: .v2).state == .failed, "an exit 1 without the session's word")
    let failed = SessionEnd.known(SessionEnd.LastMessage(finish: "stop", endsWithText: true, outcome: "failed"))
    #expect(try outcome(.exited(1), lines, generation: .v2, sessionEnd: failed).state == .failed)
    #expect(try outcome(.exited(1), [lines[0], lines[2]], generation: .v2).state == .failed)
    #expect(try outcome(.exited(1), [lines[0], lines[2]], generation: .v2, sessionEnd: well).state == .completed)
  }

  @Test func anErrorAfterWhichNothingCameIsAFailureWhateverTheExit() throws {
    for end in [RunEnd.exited(0), .exited(1), .notSeen] {
      let outcome = try outcome(end, good + [EventLines.error("Invalid API key", status: 401)])
      #expect(outcome.state == .failed && outcome.reason == "Invalid API key (401)")
    }
  }

  @Test func otherExitsAndSignalsAreFailures() throws {
    #expect(try outcome(.exited(7), good).reason == "exit 7")
    #expect(try outcome(.exited(1), [], stderr: "Error: Session not found\n").reason == "Session not found (exit 1)")
    #expect(try outcome(.signaled(SIGTERM), good) == Outcome(state: .failed, reason: "ended by SIGTERM", attention: []))
    #expect(try outcome(.signaled(SIGKILL), [EventLines.error("Rate limit", status: 429)]).reason == "ended by SIGKILL; its last error: Rate limit (429)")
    #expect(try outcome(.spawnFailed("cwd is gone"), []).reason == "never started: cwd is gone")
    #expect(try outcome(.neverStarted, []) == Outcome(state: .failed, reason: "never started", attention: []))
  }

  @Test func anExitThatWasNotSeenIsJudgedByTheLogAlone() throws {
    let unseen = "the exit of OpenCode was not seen: exit code unknown"
    let completed = try outcome(.notSeen, good)
    #expect(completed.state == .completed && completed.attention.sentences == [unseen])
    let cut = [EventLines.start("m"), EventLines.text("m", "Working.")]
    let lost = try outcome(.notSeen, cut)
    #expect(lost.state == .lost && lost.reason == "gone without a final answer, and its exit was not seen" && lost.attention.sentences == [unseen])
    #expect(try outcome(.notSeen, []).state == .lost)
    #expect(try outcome(.notSeen, cut, generation: .v2).state == .lost, "without a step's end nothing is proven")
    #expect(try outcome(.notSeen, cut, generation: .v2, session: .succeeded).state == .completed)
    #expect(try outcome(.notSeen, cut, generation: .v2, session: .failed).state == .failed)
  }

  @Test func aRejectedPermissionStopsOnlyWhenItIsTheLastWord() throws {
    let rejected = EventLines.tool("m", "read", error: "The user rejected permission to use this specific tool call.")
    let notice = "! permission requested: external_directory (/etc/*); auto-rejecting\n"
    let stopped = [EventLines.start("m"), rejected, EventLines.finish("m", "tool-calls")]
    for code in [Int32(0), 1] {
      let outcome = try outcome(.exited(code), stopped, stderr: notice)
      #expect(outcome.state == .incomplete && outcome.reason == "stopped at a rejected permission: external_directory (/etc/*)")
      #expect(outcome.attention.sentences == ["permission rejected: external_directory (/etc/*)"])
    }
    #expect(try outcome(.exited(0), stopped).reason == "stopped at a rejected permission: read (f)", "without the notice the tool is named")
    let wentOn = try outcome(
      .exited(0), stopped + [EventLines.start("n"), EventLines.text("n", "Without it."), EventLines.finish("n", "stop")], stderr: notice)
    #expect(wentOn.state == .completed && wentOn.attention.sentences == ["permission rejected: external_directory (/etc/*)"])
    #expect(try outcome(.notSeen, stopped, generation: .v2).state == .lost, "OpenCode 2 may go on after it")
    let inSubagent = [EventLines.start("m"), EventLines.tool("m", "task", error: "Tool execution aborted"), EventLines.finish("m", "tool-calls")]
    #expect(try outcome(.exited(0), inSubagent, stderr: notice).reason == "stopped at a rejected permission: external_directory (/etc/*)")
    let other = [EventLines.start("m"), rejected, EventLines.error("Invalid API key", status: 401)]
    #expect(try outcome(.exited(1), other, stderr: notice).state == .failed, "another error ended it")
  }

  @Test func aRefusedOptionIsNamedWithTheVersion() throws {
    let help = ["opencode run [message..]", "Options:", "  -h, --help    show help", "      --format  format", "      --dir     directory"]
    let arguments = ["run", "--format=json", "--dir", "/w", "--auto", "--", "--not-an-option"]
    let outcome1 = try outcome(.exited(1), help, arguments: arguments, version: "1.3.2")
    #expect(outcome1.state == .failed && outcome1.reason == "OpenCode 1.3.2 doesn't know --auto: it printed its help instead of running")
    let onStderr = try outcome(.exited(1), [], stderr: help.joined(separator: "\n") + "\n\nUnknown argument: dir\n", arguments: arguments)
    #expect(onStderr.reason == "this version of OpenCode doesn't know --dir: it printed its help instead of running")
    #expect(try outcome(.exited(0), good + help, arguments: arguments).state == .completed, "a model may print help, too")
  }

  @Test func anUnexplainedReferenceNamesTheModelThatWasAskedFor() throws {
    let run = try Recording("1.18.34/model-unknown").folded()
    let outcome = Outcome.of(end: run.end, digest: run.digest, launch: run.launch, now: OutcomeTests.now)
    #expect(
      outcome.reason
        == "Unexpected server error. Check server logs for details. (most often the model \"mock/nope\" is unknown or malformed, err_cccda457)")
    let explained = try Recording("1.18.34/logs-model-unknown").folded()
    #expect(Outcome.of(end: explained.end, digest: explained.digest, launch: explained.launch, now: 0).reason == "Model not found: mock/nope.")
  }

  @Test func nothingOfAProvidersResponseIsTold() throws {
    for name in ["1.18.34/error-401", "1.3.2/error-401", "2.0-preview-20260807/error-401"] {
      let run = try Recording(name).folded()
      let outcome = Outcome.of(end: run.end, digest: run.digest, launch: run.launch, now: OutcomeTests.now)
      #expect(outcome.reason?.hasSuffix("Invalid API key\(name.hasPrefix("1.") ? " (401)" : "")") == true)
      let kept = String(decoding: try JSONEncoder().encode(run.digest), as: UTF8.self)
      #expect(!kept.contains("BaseHTTP") && !kept.contains("invalid_api_key"))
    }
  }

  @Test func whatAReviewerWouldMissComesMostImportantFirst() throws {
    let stderr = """
      ! agent "x" not found. Falling back to default agent
      ! permission requested: bash (rm -rf /); auto-rejecting
      timestamp=2026-11-22T16:18:50.500Z level=ERROR message="stream error" small=false error.error="AI_APICallError: Rate limit"
      timestamp=2026-11-22T16:18:51.500Z level=ERROR message="stream error" small=false error.error="AI_APICallError: Rate limit"

      """
    let lines = [
      EventLines.tool("m", "question", error: "The user dismissed this question", part: "q"),
      EventLines.tool("m", "nope", error: "Unknown tool: nope", part: "u"),
      EventLines.tool("m", "read", error: "Permission denied: external_directory", part: "d"), EventLines.text("m", "ok"),
      EventLines.finish("m", "stop", cost: 0), "{broken",
    ]
    #expect(
      try outcome(.exited(0), lines, stderr: stderr).attention.sentences == [
        "agent \"x\" not found: the default agent ran",
        "permission rejected: bash (rm -rf /)",
        "asked the user 1 x a question (tool question): nobody could answer",
        "provider errors: 2 x Rate limit, last 8 s before its end",
        "denied by a rule: read (f)",
        "the model called tools that it doesn't have: nope",
        "broken lines in OpenCode's output: 1; what they said is missing",
        "cost unknown: the model has no price",
      ])
  }

  @Test func aLongSilenceIsMentionedWhileItIsAlive() throws {
    let digest = RunDigest(generation: .v1, declaredCommands: [])
    #expect(Outcome.liveAttention(digest: digest, now: 1_312, quietSince: 1_000).sentences == ["no output for 312 s (normal during a long command)"])
    #expect(Outcome.liveAttention(digest: digest, now: 1_299, quietSince: 1_000).isEmpty)
    #expect(Outcome.attention(digest: digest, now: 9_000).isEmpty)
  }
}
