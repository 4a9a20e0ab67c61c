import Foundation
import Testing

/// Tests that wait for processes. They block their thread meanwhile, and Swift's own pool has one thread a core: so they run on threads
/// of their own, as many at once as there are places.
package struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
  /// How many places a test takes: one that keeps the machine busy takes more, and has fewer beside it.
  let places: Int

  package var isRecursive: Bool { true }

  package func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void) async throws {
    // What a test says of itself counts instead of what its suite says; each of the two comes by here.
    let own = test.traits.last { $0 is Self } as? Self
    if let own, own.places != places { return try await function() }
    await TestPlaces.shared.take(places)
    defer { TestPlaces.shared.giveBack(places) }
    try await withTaskExecutorPreference(TestThreads.shared, operation: function)
  }
}

extension Trait where Self == BlockingTests {
  package static var blocking: Self { Self(places: 1) }
  /// Waits for many seconds and computes nothing meanwhile: it is begun at once and takes no place, so that no test waits for it in the end.
  package static var waiting: Self { Self(places: 0) }
  /// The real OpenCode: a run computes for seconds, on more than one core, and time limits of its own run meanwhile. Two at once.
  package static var busy: Self { Self(places: TestPlaces.count / 2) }
}

/// Whoever needs many comes first, for those tests take longest; else the order in which they are asked for counts.
private final class TestPlaces: @unchecked Sendable {
  static let count = max(8, 7 * ProcessInfo.processInfo.activeProcessorCount)
  static let shared = TestPlaces()

  private let lock = NSLock()
  private var free = TestPlaces.count
  private var queue: [(places: Int, go: CheckedContinuation<Void, Never>)] = []

  func take(_ places: Int) async {
    if places == 0 { return }
    await withCheckedContinuation { go in
      lock.withLock { queue.insert((places, go), at: queue.firstIndex { $0.places < places } ?? queue.count) }
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
    for _ in 0..<4 * TestPlaces.count {
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
