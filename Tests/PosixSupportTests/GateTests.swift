import Foundation
import TestSupport
import Testing

@testable import PosixSupport

@Suite(.blocking) struct GateTests {
  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var inside = 0
    private(set) var most = 0
    private(set) var all = 0

    func enter() {
      lock.withLock {
        inside += 1
        all += 1
        most = max(most, inside)
      }
    }
    func leave() { lock.withLock { inside -= 1 } }
  }

  private struct Refused: Error {}

  @Test(arguments: [1, 3]) func noMoreThanItsWidthAreInside(width: Int) async {
    let (gate, counter) = (Gate(width: width), Counter())
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<40 {
        group.addTask {
          await gate.onThread {
            counter.enter()
            usleep(1_000)
            counter.leave()
          }
        }
      }
    }
    #expect(counter.most <= width && counter.all == 40)
  }

  @Test func workThatFailsGivesItsPlaceBack() async throws {
    let gate = Gate(width: 1)
    for _ in 0..<3 {
      await #expect(throws: Refused.self) { try await gate.onThread { throw Refused() } }
    }
    #expect(await gate.onThread { 7 } == 7)
  }

  /// A cancelled caller waits for its place like the others: nobody is left behind and no place is lost.
  @Test func aCancelledCallerLosesNoPlace() async {
    let gate = Gate(width: 1)
    let tasks = (0..<8).map { number in Task { await gate.onThread { number } } }
    for task in tasks.prefix(4) { task.cancel() }
    var seen: [Int] = []
    for task in tasks { seen.append(await task.value) }
    #expect(seen.sorted() == Array(0..<8))
    #expect(await gate.onThread { true })
  }
}
