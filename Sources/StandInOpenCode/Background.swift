import Foundation
import PosixSupport

/// What goes on beside the main turn in OpenCode 2: shells and subagents that the model doesn't wait for.
final class Background: @unchecked Sendable {
  struct Job {
    let description: String
    /// Returns when it has ended: what the model is told then.
    let wait: @Sendable () -> String
    let cancel: @Sendable () -> Void
  }

  private let lock = NSLock()
  private var jobs: [Job] = []

  func add(_ job: Job) { lock.withLock { jobs.append(job) } }

  var isEmpty: Bool { lock.withLock { jobs.isEmpty } }

  /// Waits for all of them.
  func finish() -> [(description: String, text: String)] {
    var ended: [(String, String)] = []
    while let job = lock.withLock({ jobs.isEmpty ? nil : jobs.removeFirst() }) { ended.append((job.description, job.wait())) }
    return ended
  }

  /// Ends all of them.
  func cancel() {
    for job in lock.withLock({ jobs }) { job.cancel() }
    _ = finish()
  }
}

/// Ends a subagent that works on a thread of its own.
final class Cancellation: @unchecked Sendable {
  struct Cancelled: Error {}

  private let condition = NSCondition()
  private var isCancelled = false
  private var child: ChildProcess?

  func cancel() {
    condition.lock()
    isCancelled = true
    child?.killGroup()
    condition.broadcast()
    condition.unlock()
  }

  /// The shell command that is ended too.
  func watch(_ child: ChildProcess?) {
    condition.lock()
    self.child = child
    if isCancelled { child?.killGroup() }
    condition.unlock()
  }

  func sleep(_ seconds: Double) throws {
    let until = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while !isCancelled, condition.wait(until: until) {}
    if isCancelled { throw Cancelled() }
  }
}
