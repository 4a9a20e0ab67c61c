import Foundation
import Testing

/// Tests that wait for processes. They block their thread meanwhile, and Swift's own pool has one thread a core: so they run on threads
/// of their own, as many at once as there are places.
package struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
  /// How many places a test takes: one that keeps the machine busy takes more, and has fewer beside it.
  let places: Int

  package var isRecursive: Bool { true }

  package func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void) async throws {
    await TestPlaces.shared.take(places)
    defer { TestPlaces.shared.giveBack(places) }
    try await withTaskExecutorPreference(TestThreads.shared, operation: function)
  }
}

extension Trait where Self == BlockingTests {
  package static var blocking: Self { Self(places: 1) }
  /// Programs that take seconds of computing to start, and in which time limits of OpenCode's and Codex's run: nothing else beside two of them.
  package static var busy: Self { Self(places: TestPlaces.count / 2) }
}

/// Given out in the order in which they are asked for, so that whoever needs many gets them too.
private final class TestPlaces: @unchecked Sendable {
  static let count = max(8, 6 * ProcessInfo.processInfo.activeProcessorCount)
  static let shared = TestPlaces()

  private let lock = NSLock()
  private var free = TestPlaces.count
  private var queue: [(places: Int, go: CheckedContinuation<Void, Never>)] = []

  func take(_ places: Int) async {
    await withCheckedContinuation { go in
      lock.withLock { queue.append((places, go)) }
      letIn()
    }
  }

  func giveBack(_ places: Int) {
    lock.withLock { free += places }
    letIn()
  }

  private func letIn() {
    lock.withLock {
      while let first = queue.first, first.places <= free {
        free -= first.places
        queue.removeFirst().go.resume()
      }
    }
  }
}

private final class TestThreads: TaskExecutor, @unchecked Sendable {
  static let shared = TestThreads()

  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  /// A test may have some tasks of its own.
  private init() {
    for _ in 0..<2 * TestPlaces.count {
      Thread.detachNewThread { [self] in
        while true { next().runSynchronously(on: asUnownedTaskExecutor()) }
      }
    }
  }

  private func next() -> UnownedJob {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty { condition.wait() }
    return jobs.removeFirst()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }
}
