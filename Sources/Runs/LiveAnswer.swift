import OpenCode
import Text

/// What OpenCode 2 said of a run that is alive, when it was asked because nothing came.
package struct LiveAnswer: Sendable, Equatable {
  /// A request that the provider refused and that is made again.
  package struct Refusal: Sendable, Equatable {
    package var message: String
    /// How many tries have failed.
    package var failures: Int
    /// Seconds since 1970.
    package var nextTry: Double?
    package var words: String?
  }

  /// Seconds since 1970: when it was asked.
  package var askedAt: Double
  /// Of the run's own session and of subagents at work.
  package var refusals: [Refusal] = []
  package var working: [RunDigest.Working] = []
  /// The last message came to a good end, and nothing follows it: what the run still waits for is in `working`.
  package var hasAnswered = false

  package init(askedAt: Double) { self.askedAt = askedAt }

  /// Takes what one session's messages tell; of a subagent's only whether the provider refuses it.
  /// - Parameters:
  ///   - messages: the newest first
  ///   - since: milliseconds since 1970; what is older was another run's
  package mutating func take(_ messages: [SessionExport.Message], since: Int, isSubagent: Bool = false) {
    let own = messages.filter { ($0.created ?? .max) >= since }
    guard let index = own.firstIndex(where: { $0.role == "assistant" }) else { return }
    let last = own[index]
    if last.completed == nil, let retry = last.retry {
      refusals.append(
        Refusal(message: last.id, failures: max(1, retry.attempt - 1), nextTry: retry.at.map { Double($0) / 1000 }, words: retry.error?.sentence))
    }
    guard !isSubagent else { return }
    if last.completed == nil { working += last.toolCalls.filter { $0.isAtWork && $0.background == nil }.map { RunDigest.Working($0, isBackground: false) } }
    let background = SessionExport.background(own.reversed())
    // A job that may have ended isn't at work.
    if background.isCertain { working += background.open.map { RunDigest.Working($0, isBackground: true) } }
    hasAnswered = last.finish == "stop" && last.completed != nil && !own[..<index].contains { ["user", "synthetic", "compaction"].contains($0.role) }
  }

}

extension SessionExport {
  /// The calls whose work goes on beside the main turn. A word of OpenCode's own tells the model of each end.
  /// - Parameter messages: oldest first
  /// - Returns: those whose end was not told, and whether each word could be told from the others
  static func background(_ messages: [Message]) -> (open: [ToolCall], isCertain: Bool) {
    let jobs = messages.flatMap(\.toolCalls).filter { $0.background != nil }
    var (ended, isCertain) = (Set<String>(), true)
    for word in messages where word.role == "synthetic" {
      let job = jobs.first { job in
        guard !ended.contains(job.id), let id = job.background else { return false }
        return word.text.contains(id) || (word.description.map { $0 == job.command || $0 == job.description } ?? false)
      }
      if let job { ended.insert(job.id) } else { isCertain = false }
    }
    return (jobs.filter { !ended.contains($0.id) }, isCertain)
  }
}

extension SessionExport.Failure {
  /// `Rate limit (HTTP 429)`
  package var sentence: String {
    let status = status.flatMap { message.contains("\($0)") ? nil : " (HTTP \($0))" } ?? ""
    return message.oneLine(500) + status
  }
}

extension RunDigest.Working {
  init(_ call: SessionExport.ToolCall, isBackground: Bool) {
    self.init(
      call: call.id.shortened(to: 128), tool: call.tool.oneLine(100), title: (call.command ?? call.description ?? call.title)?.oneLine(200),
      since: call.started.map { Double($0) / 1000 }, isBackground: isBackground,
      session: ToolNames.subagent.contains(call.tool) ? call.childSession ?? call.background : nil)
  }
}
