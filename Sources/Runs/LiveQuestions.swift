import Foundation
import OpenCode
import PosixSupport

/// Asks OpenCode 2 why a live run is silent: of a refusing provider and of tools at work its stream says nothing until they are over.
/// For the supervisor: nothing here blocks it, and what is still being asked when the run ends is ended with it.
/// Recording: `2.0-preview-20260807/sessions/retrying.messages-meanwhile`, asked while the run waited.
package final class LiveQuestions: @unchecked Sendable {
  /// Seconds without an event after which it is asked.
  static let quiet = 15.0
  /// Seconds from one question to the next; longer when there was no answer.
  static let pause = 15.0
  private static let longestPause = 240.0
  /// Where it has said when it goes on.
  private static let longPause = 60.0
  /// Seconds for one answer, and how many sessions are asked for it.
  private static let seconds = 20.0
  private static let mostSessions = 8

  private let request: RunRequest
  private let environment: [String: String]
  /// Milliseconds since 1970.
  private let since: Int
  private let leash = Leash()
  private let lock = NSLock()

  // Of the supervisor's thread.
  private var offset: Int64 = -1
  private var quietSince = Monotonic.now
  private var nextQuestion = 0.0
  private var pauses = LiveQuestions.pause
  /// Where the log stood when it was asked.
  private var askedAtOffset: Int64?

  /// What came back; the inner nil: no answer.
  private var come: LiveAnswer??

  /// nil: this generation's stderr says it all.
  package init?(_ record: RunRecord, environment: [String: String]) {
    guard record.request.installation.version.generation == .v2 else { return nil }
    (request, self.environment) = (record.request, environment)
    since = Int(record.startedAt * 1000) - 1
  }

  /// To be called about once a second while OpenCode is alive: asks when that is due.
  /// - Returns: an answer that has come
  package func look(at digest: RunDigest) -> LiveAnswer? {
    if digest.eventsOffset != offset { (offset, quietSince) = (digest.eventsOffset, Monotonic.now) }
    if let asked = askedAtOffset {
      guard let answer = lock.withLock({ come }) else { return nil }
      lock.withLock { come = nil }
      askedAtOffset = nil
      pauses = answer == nil ? min(pauses * 2, LiveQuestions.longestPause) : LiveQuestions.pause
      if answer == nil { nextQuestion = max(nextQuestion, Monotonic.now + pauses - LiveQuestions.pause) }
      // Nothing is news before it tries again; it may still be given up meanwhile.
      if let next = answer?.refusals.compactMap(\.nextTry).min() {
        let seconds = min(next - Date().timeIntervalSince1970, LiveQuestions.longPause)
        nextQuestion = max(nextQuestion, Monotonic.now + seconds)
      }
      return answer.map { offset == asked ? $0 : $0.overtaken }
    }
    let isDue = digest.retryingSince != nil || Monotonic.now - quietSince >= LiveQuestions.quiet || digest.live?.working.isEmpty == false
    guard isDue, Monotonic.now >= nextQuestion, let session = digest.session ?? (request.fork ? nil : request.session) else { return nil }
    nextQuestion = Monotonic.now + LiveQuestions.pause
    askedAtOffset = offset
    Thread.detachNewThread { [self] in
      let answer = ask(session)
      lock.withLock { come = .some(answer) }
    }
    return nil
  }

  /// The run is over: nothing is asked any more.
  package func end() { leash.end() }

  private func ask(_ session: String) -> LiveAnswer? {
    let deadline = Deadline.after(LiveQuestions.seconds)
    let asker = request.client(environment: environment, deadline: deadline.share(1 / 2), leash: leash)
    guard asker.installation.version.generation == .v2, !leash.hasEnded else { return nil }
    var answer = LiveAnswer(askedAt: Date().timeIntervalSince1970)
    guard let own = try? asker.newestMessages(of: session, deadline: deadline) else { return nil }
    answer.take(own, since: since)
    var (below, asked) = (answer.working.compactMap(\.session), Set([session]))
    while !below.isEmpty, asked.count < LiveQuestions.mostSessions, !deadline.hasPassed, !leash.hasEnded {
      let next = below.filter { asked.insert($0).inserted }.prefix(LiveQuestions.mostSessions)
      let told = concurrently(next.map { id in { @Sendable in try? asker.newestMessages(of: id, deadline: deadline) } })
      below = []
      for messages in told.compactMap({ $0 }) {
        answer.take(messages, since: since, isSubagent: true)
        below += messages.first { $0.role == "assistant" && $0.completed == nil }?.toolCalls.filter(\.isAtWork).compactMap(\.childSession) ?? []
      }
    }
    return answer
  }
}

extension LiveAnswer {
  /// Something came while it was asked: what it says of the present may be over.
  fileprivate var overtaken: LiveAnswer {
    var past = self
    (past.working, past.hasAnswered) = ([], false)
    for index in past.refusals.indices { past.refusals[index].nextTry = nil }
    return past
  }
}
