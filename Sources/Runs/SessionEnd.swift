import Foundation
import OpenCode
import PosixSupport
import Text

/// What OpenCode 2 itself says of a run's end: its stream leaves out the last step's end, and sometimes the last error.
package enum SessionEnd: Sendable, Equatable {
  /// 1.x, or nobody could ask.
  case notAsked
  /// It was asked and didn't answer; why.
  case unknown(String)
  case known(LastMessage)

  /// The last message of the model in this run, and what came after it.
  package struct LastMessage: Sendable, Equatable {
    /// `stop`, `length`, `content-filter`, `error`, `tool-calls`; nil: it didn't end.
    package var finish: String?
    package var error: SessionExport.Failure?
    package var endsWithText = false
    /// A summary, or words of OpenCode's own, follow it: another request was to come.
    package var isFollowed = false
    /// The session's own: `succeeded`, `failed`, `interrupted`; nil in builds that don't tell, or while it is open.
    package var outcome: String?

    package init(finish: String? = nil, error: SessionExport.Failure? = nil, endsWithText: Bool = false, isFollowed: Bool = false, outcome: String? = nil) {
      (self.finish, self.error, self.endsWithText, self.isFollowed, self.outcome) = (finish, error, endsWithText, isFollowed, outcome)
    }

    /// nil: the model has said nothing in these messages.
    /// - Parameter messages: oldest first
    package init?(_ messages: [SessionExport.Message], outcome: String?) {
      guard let index = messages.lastIndex(where: { $0.role == "assistant" }) else { return nil }
      let last = messages[index]
      self.init(
        finish: last.finish, error: last.error, endsWithText: last.endsWithText,
        isFollowed: messages[(index + 1)...].contains { ["compaction", "synthetic", "user"].contains($0.role) }, outcome: outcome)
    }
  }
}

extension SessionEnd {
  /// Whether OpenCode 2's background service may go on with the session by itself: a run releases it at a good end, at a failure and at SIGINT.
  func leavesClaim(_ end: RunEnd) -> Bool {
    if case .known(let last) = self, last.outcome != nil { return false }
    switch end {
    case .signaled(let number): return number != SIGINT
    case .notSeen: return true
    // SIGINT and SIGTERM look the same here, and a wrapper's exit may tell of any signal.
    case .exited(let code): return code > 128
    case .spawnFailed, .neverStarted: return false
    }
  }

  typealias Verdict = (state: Outcome.State, reason: String?)

  /// The verdict on OpenCode 2's end: the last message decides, then the session's own word, then what the log and the exit gave (`log`).
  /// - Parameter told: the stream has the last step's end
  func verdict(of end: RunEnd, log: Verdict, stopped: Bool, told: Bool = false) -> Verdict {
    switch end {
    // What ended it from outside is known for certain.
    case .spawnFailed, .neverStarted, .signaled: return log
    case .exited, .notSeen: break
    }
    guard case .known(let last) = self else {
      // Without such a word an exit of 1 proves nothing good.
      if log.state == .completed, end == .exited(1) { return (.failed, "it ended with exit 1, and what its last message says is not known") }
      // An answer that was cut looks the same.
      if case .unknown(let why) = self, log.state == .completed, !told {
        return (.incomplete, "whether its answer is whole is not known (\(why))")
      }
      return log
    }
    // A rejection or a question was its last word: that names the cause better than "aborted". Releases go on after it: then another word counts.
    if log.state == .incomplete, stopped, last.error.map({ $0.type == "aborted" }) ?? (last.unfinished != nil) { return log }
    if let error = last.error {
      if log.state == .failed, log.reason?.contains(error.message) == true { return log }
      if case .exited(let code) = end, code > 128 { return log.state == .failed ? log : (.failed, error.sentence) }
      return (.failed, error.sentence)
    }
    // Whatever the exit and the session's own word: cut is cut.
    if case .exited(let code) = end, code == 0 || code == 1, let cut = last.cut { return (.incomplete, cut) }
    if case .exited(let code) = end, code != 0, code != 1 { return log.state == .completed ? (.failed, "exit \(code)") : log }
    if last.outcome == "interrupted" { return log.state == .failed ? log : (.failed, "OpenCode's session was interrupted") }
    if last.outcome == "failed" { return log.state == .failed ? log : (.failed, "OpenCode's session ended as failed") }
    if let unfinished = last.unfinished {
      if log.state == .failed { return log }
      return end == .notSeen && last.finish == nil ? (.lost, "gone without a final answer, and its exit was not seen") : (.incomplete, unfinished)
    }
    // The stream ends with an error that the message doesn't have: only the session's own word outweighs it.
    if log.state == .failed, last.outcome != "succeeded", end != .notSeen, end != .exited(1) { return log }
    return (.completed, nil)
  }

}

extension SessionEnd.LastMessage {
  /// What cut the answer; nil if nothing did.
  fileprivate var cut: String? {
    switch finish {
    case "length": "the answer was cut by the token limit (length)"
    case "content-filter": "the answer was cut by the provider's content filter"
    default: nil
    }
  }

  /// Why a message without an error is no final answer; nil if it is.
  fileprivate var unfinished: String? {
    if isFollowed, outcome != "succeeded" { return "no final answer: another request was to follow the last message" }
    if let cut { return cut }
    // The message has no word of its own: the session's counts.
    if finish == nil, outcome == "succeeded", endsWithText { return nil }
    switch finish {
    case "stop": return endsWithText ? nil : "no final answer: the last step has no text"
    case "tool-calls": return "no final answer: it ended after a tool call"
    case "error", "unknown": return "the provider's stream broke off before a final answer"
    case let reason?: return "no final answer: the last step ended with \"\(reason.oneLine(50))\""
    case nil: return "no final answer: the last step didn't end"
    }
  }
}
