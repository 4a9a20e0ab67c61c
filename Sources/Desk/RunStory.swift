import Foundation
import OpenCode
import Runs

/// A run's log as a page needs it: bounded, whatever the log holds.
package struct RunStory: Sendable {
  package enum Kind: String, Sendable { case shell, edit, other }

  package struct Span: Sendable {
    package let kind: Kind
    /// Seconds since 1970.
    package let start: Double
    package let end: Double
    package let failed: Bool
    package let what: String
  }

  package struct Step: Sendable {
    package let at: Double?
    package let tokens: TokenCounts
    package let cost: Double?
    package let reason: String?
  }

  /// What went on in a part of the run's time.
  package struct Slot: Sendable {
    /// Seconds of each kind of tool.
    package fileprivate(set) var seconds: [Kind: Double] = [:]
    package fileprivate(set) var failed = false
    package fileprivate(set) var providerFailed = false
  }

  /// The first ones, each as it is; of all of them the slots tell.
  package private(set) var spans: [Span] = []
  package private(set) var spanCount = 0
  /// When the provider failed; seconds since 1970. The first ones.
  package private(set) var providerErrors: [Double] = []
  package private(set) var providerErrorCount = 0
  /// The run's time from its start to its end in equal parts.
  package private(set) var slots = [Slot](repeating: Slot(), count: RunStory.slotCount)
  package private(set) var steps = FirstAndLast<(number: Int, step: Step)>(first: 200, last: 300)
  package private(set) var items = FirstAndLast<LogFollower.Item>(first: 500, last: 1_000)

  static let spanLimit = 2_000
  static let slotCount = 500
  private let start: Double
  private let length: Double

  /// Reads both logs of a run that has ended.
  /// - Parameters: its begin and end, seconds since 1970
  package init(_ folder: RunFolder, generation: Generation, from start: Double, to end: Double) {
    self.start = start
    length = max(end - start, 0.001)
    var follower = LogFollower(folder, generation: generation)
    while follower.advance(final: true, { add($0) }) {}
  }

  private mutating func add(_ item: LogFollower.Item) {
    switch item {
    case .event(.stepStart), .event(.unknown): return
    case .event(.stepFinish(let step)):
      steps.append((steps.count + 1, Step(at: step.header.at, tokens: step.tokens ?? TokenCounts(), cost: step.cost, reason: step.reason)))
      return
    case .event(.toolUse(let tool)):
      if let end = tool.end ?? tool.header.at {
        let failed = tool.status == .error || tool.timedOut || (tool.exitCode ?? 0) != 0
        let span = Span(
          kind: tool.isShell ? .shell : tool.isEdit ? .edit : .other, start: tool.start ?? end, end: end, failed: failed,
          what: "\(tool.tool): \(Words.line(tool.subject ?? "", 120))")
        spanCount += 1
        if spans.count < RunStory.spanLimit { spans.append(span) }
        mark(span)
      }
    case .providerError(_, let at):
      guard let at else { break }
      providerErrorCount += 1
      if providerErrors.count < RunStory.spanLimit { providerErrors.append(at) }
      slots[slot(at)].providerFailed = true
    default: break
    }
    items.append(item)
  }

  /// Which slot a moment is in; what a log says of other times counts to the first or the last.
  private func slot(_ at: Double) -> Int {
    let place = (at - start) / length * Double(RunStory.slotCount)
    return place.isFinite ? Int(min(max(place, 0), Double(RunStory.slotCount - 1))) : 0
  }

  private mutating func mark(_ span: Span) {
    let width = length / Double(RunStory.slotCount)
    for index in slot(span.start)...max(slot(span.start), slot(span.end)) {
      let from = start + Double(index) * width
      // A call of no length is there all the same.
      slots[index].seconds[span.kind, default: 0] += max(min(span.end, from + width) - max(span.start, from), width / 100)
      if span.failed { slots[index].failed = true }
    }
  }
}
