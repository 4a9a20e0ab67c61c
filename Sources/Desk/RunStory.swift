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

  package private(set) var spans: [Span] = []
  /// When the provider failed; seconds since 1970.
  package private(set) var providerErrors: [Double] = []
  package private(set) var steps: [Step] = []
  package private(set) var items: [LogFollower.Item] = []
  /// How many items and steps there were in all.
  package private(set) var itemCount = 0
  package private(set) var stepCount = 0
  package private(set) var spanCount = 0

  static let spanLimit = 3_000
  static let stepLimit = 500
  static let itemLimit = 1_500

  /// Reads both logs of a run that has ended.
  package init(_ folder: RunFolder, generation: Generation) {
    var follower = LogFollower(folder, generation: generation)
    while follower.advance(final: true, { add($0) }) {}
  }

  private mutating func add(_ item: LogFollower.Item) {
    switch item {
    case .event(.stepStart), .event(.unknown): return
    case .event(.stepFinish(let step)):
      stepCount += 1
      if steps.count < RunStory.stepLimit {
        steps.append(Step(at: step.header.at, tokens: step.tokens ?? TokenCounts(), cost: step.cost, reason: step.reason))
      }
      return
    case .event(.toolUse(let tool)):
      if let end = tool.end ?? tool.header.at {
        spanCount += 1
        if spans.count < RunStory.spanLimit {
          let failed = tool.status == .error || tool.timedOut || (tool.exitCode ?? 0) != 0
          spans.append(
            Span(
              kind: tool.isShell ? .shell : tool.isEdit ? .edit : .other, start: tool.start ?? end, end: end, failed: failed,
              what: "\(tool.tool): \(Words.line(tool.subject ?? "", 120))"))
        }
      }
    case .providerError(_, let at): if let at, providerErrors.count < RunStory.spanLimit { providerErrors.append(at) }
    default: break
    }
    itemCount += 1
    if items.count < RunStory.itemLimit { items.append(item) }
  }
}
