import Foundation
import OpenCode
import PosixSupport

/// The sessions below a run's own, asked of OpenCode 2's server: each one's messages and those below it side by side, so that a slow answer
/// delays what hangs on it and nothing else.
final class SubagentTree: @unchecked Sendable {
  struct Answer: Sendable {
    var info: SessionInfo
    /// nil: there is no such session.
    var messages: Result<[SessionExport.Message]?, any Error>
  }

  private static let most = 200
  /// How many private servers work at the same time.
  private static let width = 6

  private let client: OpenCodeClient
  /// Milliseconds since 1970: older messages are another run's.
  private let since: Int
  /// Seconds for each question, and the end of all of them.
  private let limit: Double
  private let deadline: Deadline
  private let gate = DispatchSemaphore(value: SubagentTree.width)
  private let lock = NSLock()
  private var infos: [String: SessionInfo] = [:]
  private var answers: [String: Result<[SessionExport.Message]?, any Error>] = [:]
  private var unlisted: (any Error)?

  init(_ client: OpenCodeClient, since: Int, limit: Double, deadline: Deadline) {
    (self.client, self.since, self.limit, self.deadline) = (client, since, limit, deadline)
  }

  /// Blocks until all of it is known or given up.
  /// - Parameters:
  ///   - root: the run's own session
  ///   - named: subagents that are known already
  /// - Returns: parents before those below them, in the order in which they began; and why some may be missing
  func explore(below root: String, named: [String]) -> (found: [Answer], unlisted: (any Error)?) {
    let begun = named.filter { take(SessionInfo(id: $0)) }
    let (_, _) = both({ self.list(below: root) }, { self.visit(begun) })
    return lock.withLock {
      let found = infos.values.map { Answer(info: $0, messages: answers[$0.id] ?? .failure(OpenCodeCommandError.timedOut(command: "api", seconds: limit))) }
      return (found.sorted { ($0.info.created ?? 0, $0.info.id) < ($1.info.created ?? 0, $1.info.id) }, unlisted)
    }
  }

  /// - Returns: false: it is known already
  private func take(_ info: SessionInfo) -> Bool {
    lock.withLock {
      if infos[info.id] != nil {
        // An event names the session only.
        infos[info.id] = info
        return false
      }
      guard infos.count < SubagentTree.most else { return false }
      infos[info.id] = info
      return true
    }
  }

  private func visit(_ sessions: [String]) {
    _ = concurrently(
      width: max(1, sessions.count),
      sessions.map { id in
        { @Sendable in
          _ = both(
            {
              let messages = self.gated { try self.client.messages(of: id, since: self.since, deadline: $0) }
              self.lock.withLock { self.answers[id] = messages }
            }, { self.list(below: id) })
        }
      })
  }

  private func list(below parent: String) {
    switch gated({ try self.client.children(of: parent, deadline: $0) }) {
    case .success(let children): visit(children.filter { take($0) }.map(\.id))
    case .failure(let error): lock.withLock { unlisted = unlisted ?? error }
    }
  }

  /// One question, when there is room for it.
  private func gated<Value>(_ ask: (Deadline) throws -> Value) -> Result<Value, any Error> {
    guard gate.wait(timeout: .now() + deadline.left) == .success else {
      return .failure(OpenCodeCommandError.timedOut(command: "api", seconds: limit))
    }
    defer { gate.signal() }
    return Result { try ask(deadline.atMost(limit)) }
  }
}
