import Foundation
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

/// What OpenCode 2 says of a live run, and how the log that comes after overtakes it.
@Suite struct LiveAnswerTests {
  private func page(_ recording: String) throws -> [SessionExport.Message] {
    try JSONDecoder().decode(MessagePage.self, from: Data(try Recording("2.0-preview-20260807/sessions/\(recording)").bytes)).messages
  }

  private func answer(_ json: String, at: Double = 1000) throws -> LiveAnswer {
    var answer = LiveAnswer(askedAt: at)
    answer.take(try JSONDecoder().decode(MessagePage.self, from: Data(#"{"data":[\#(json)],"cursor":{}}"#.utf8)).messages, since: 0)
    return answer
  }

  @Test func theRecordedRetry() throws {
    var answer = LiveAnswer(askedAt: 1_795_535_205)
    answer.take(try page("retrying.messages-meanwhile"), since: 1_795_535_196_000)
    #expect(answer.refusals.map(\.failures) == [3] && answer.refusals.first?.nextTry == 1_795_535_210.731)
    #expect(answer.working.isEmpty && !answer.hasAnswered)
    let lines = try Recording("2.0-preview-20260807/sessions/retrying").output.split(separator: "\n").map(String.init)
    var log = try Log(generation: .v2)
    try log.print(lines.prefix(3).joined(separator: "\n") + "\n")
    _ = try log.advance()
    for _ in 0..<2 { log.fold.addToDigest { $0.note(answer) } }
    #expect(log.digest.providerErrors.count == 3, "told twice, it counts once")
    #expect(log.digest.providerErrors.nextTry == 1_795_535_210.731)
    #expect(log.digest.providerErrors.last == "Provider request failed with HTTP 429: Rate limit reached for requests")
    #expect(log.digest.retryingSince.map { $0 < 1_795_535_205 } == true, "since the first repeated step, not since it was asked")
    // The next try doesn't end it, an answer does.
    try log.print(lines[3] + "\n")
    _ = try log.advance()
    #expect(log.digest.providerErrors.nextTry != nil)
    try log.print(lines[4] + "\n")
    _ = try log.advance(final: true)
    #expect(log.digest.providerErrors.nextTry == nil && log.digest.retryingSince == nil && log.digest.providerErrors.count == 3)
  }

  @Test func anotherRunsMessagesSayNothing() throws {
    var answer = LiveAnswer(askedAt: 0)
    answer.take(try page("retrying.messages-meanwhile"), since: 1_795_535_300_000)
    #expect(answer == LiveAnswer(askedAt: 0))
  }

  private static let running = #"""
    {"id":"msg_2","time":{"created":2000},"type":"assistant","content":[
      {"type":"tool","id":"call_1","name":"subagent","state":{"status":"running","input":{"description":"Helps"},"metadata":{"sessionID":"ses_a","status":"running"}},"time":{"created":2001,"ran":2002}},
      {"type":"tool","id":"call_2","name":"shell","state":{"status":"running","input":{"command":"sleep 9"},"metadata":{"shellID":"sh_1"}},"time":{"created":2001}},
      {"type":"tool","id":"call_3","name":"read","state":{"status":"completed","input":{}},"time":{"created":2001}}]}
    """#

  @Test func toolsAtWorkUntilTheLogShowsTheirEnd() throws {
    let answer = try answer(Self.running)
    #expect(answer.working.map(\.named) == ["subagent: Helps", "shell: sleep 9"] && answer.working.allSatisfy { !$0.isBackground })
    #expect(answer.working.first?.session == "ses_a" && answer.working.first?.since == 2.002)
    var log = try Log(generation: .v2)
    try log.print(#"{"type":"step_start","timestamp":2000,"sessionID":"ses_r","part":{"id":"prt_1","messageID":"msg_2","type":"step-start"}}"# + "\n")
    _ = try log.advance()
    log.fold.addToDigest { $0.note(answer) }
    let ended = #"{"type":"tool_use","timestamp":9000,"sessionID":"ses_r","part":{"partID":"prt_2","messageID":"msg_2","type":"tool","id":"call_2","#
    try log.print(ended + #""tool":"shell","state":{"status":"completed","input":{"command":"sleep 9"},"metadata":{"metadata":{"exit":0}}}}}"# + "\n")
    _ = try log.advance()
    #expect(log.digest.live?.working.map(\.call) == ["call_1"])
    try log.print(#"{"type":"step_start","timestamp":9500,"sessionID":"ses_r","part":{"id":"prt_3","messageID":"msg_3","type":"step-start"}}"# + "\n")
    _ = try log.advance()
    #expect(log.digest.live?.working == [], "another request: no tool of the last one is at work")
  }

  @Test func whatGoesOnBesideAnAnswer() throws {
    let last = #"{"id":"msg_3","time":{"created":3000,"completed":3100},"type":"assistant","finish":"stop","content":[{"type":"text","text":"Done."}]}"#
    let first = #"""
      {"id":"msg_2","time":{"created":2000,"completed":2100},"type":"assistant","finish":"tool-calls","content":[
        {"type":"tool","id":"call_1","name":"shell","state":{"status":"completed","input":{"command":"make","background":true},"metadata":{"shellID":"sh_1"}},"time":{"created":2001}},
        {"type":"tool","id":"call_2","name":"subagent","state":{"status":"completed","input":{"description":"Helps"},"metadata":{"sessionID":"ses_a","status":"running"}},"time":{"created":2001}}]}
      """#
    let both = try answer("\(last),\(first)")
    #expect(both.hasAnswered && both.working.map(\.named) == ["shell: make", "subagent: Helps"] && both.working.allSatisfy(\.isBackground))
    func word(_ text: String, _ description: String) -> String {
      #"{"id":"msg_4","time":{"created":4000},"type":"synthetic","text":"\#(text)","description":"\#(description)"}"#
    }
    let told = try answer("\(word("<subagent sessionID=ses_a>", "x")),\(last),\(first)")
    #expect(told.working.map(\.call) == ["call_1"] && !told.hasAnswered, "the model will hear of it")
    #expect(try answer("\(word("ok", "make")),\(last),\(first)").working.map(\.call) == ["call_2"])
    #expect(try answer("\(word("something ended", "x")),\(last),\(first)").working.isEmpty, "which one isn't known: none is named")
  }

  @Test func theNextTryIsToldOnlyWhileItIsToCome() throws {
    var log = try Log(generation: .v2)
    try log.print(#"{"type":"step_start","timestamp":1000,"sessionID":"ses_r","part":{"id":"p","messageID":"msg_2","type":"step-start"}}"# + "\n")
    _ = try log.advance()
    let retry = #"{"attempt":2,"at":901000,"error":{"message":"Rate limit","status":429}}"#
    let answer = try answer(#"{"id":"msg_2","time":{"created":1000},"type":"assistant","content":[],"retry":\#(retry)}"#, at: 16)
    log.fold.addToDigest { $0.note(answer) }
    func sentences(_ now: Double) -> [String] { Outcome.liveAttention(digest: log.digest, now: now, quietSince: 1).sentences }
    #expect(sentences(100).contains("provider errors: 1 x Rate limit (HTTP 429), next try in 801 s"))
    #expect(sentences(1000).contains("provider errors: 1 x Rate limit (HTTP 429)"))
  }
}
