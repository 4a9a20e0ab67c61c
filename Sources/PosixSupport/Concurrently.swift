import Foundation

/// Runs blocking work at the same time, each on a thread of its own, at most `width` at once; results in the order of the work.
package func concurrently<Value: Sendable>(width: Int = 4, _ work: [@Sendable () -> Value]) -> [Value] {
  if work.count < 2 { return work.map { $0() } }
  let box = ResultBox<Value>(count: work.count)
  let workers = min(width, work.count)
  for _ in 1..<workers {
    Thread.detachNewThread {
      while let index = box.next() { box.settle(index, work[index]()) }
    }
  }
  while let index = box.next() { box.settle(index, work[index]()) }
  return box.all()
}

/// Starts blocking work at the same time, each on a thread of its own, and waits until the deadline: what hangs
/// is left behind, with its thread.
/// - Returns: nil for what wasn't ready
package func gathered<Value: Sendable>(deadline: Deadline, _ work: [@Sendable () -> Value]) -> [Value?] {
  let box = ResultBox<Value>(count: work.count)
  for (index, body) in work.enumerated() {
    Thread.detachNewThread { box.settle(index, body()) }
  }
  return box.all(deadline: deadline)
}

/// Runs two blocking calls at the same time.
package func both<First: Sendable, Second: Sendable>(
  _ first: @escaping @Sendable () -> First, _ second: @escaping @Sendable () -> Second
) -> (First, Second) {
  let box = ResultBox<First>(count: 1)
  Thread.detachNewThread { box.settle(0, first()) }
  let other = second()
  return (box.all()[0], other)
}

/// Blocking work that has begun on a thread of its own.
package final class Begun<Value: Sendable>: Sendable {
  private let box = ResultBox<Value>(count: 1)

  package init(_ work: @escaping @Sendable () -> Value) {
    Thread.detachNewThread { [box] in box.settle(0, work()) }
  }

  /// Waits for its result, blocking the calling thread.
  package var value: Value { box.all()[0] }

  /// The same until the deadline.
  /// - Returns: nil when it wasn't ready; the work goes on
  package func value(deadline: Deadline) -> Value? { box.all(deadline: deadline)[0] }
}

private final class ResultBox<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var values: [Value?]
  private var taken = 0
  private var settled = 0

  init(count: Int) { values = Array(repeating: nil, count: count) }

  func next() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    guard taken < values.count else { return nil }
    taken += 1
    return taken - 1
  }

  func settle(_ index: Int, _ value: Value) {
    condition.lock()
    values[index] = value
    settled += 1
    condition.broadcast()
    condition.unlock()
  }

  func all() -> [Value] {
    condition.lock()
    defer { condition.unlock() }
    while settled < values.count { condition.wait() }
    return values.compactMap { $0 }
  }

  func all(deadline: Deadline) -> [Value?] {
    condition.lock()
    defer { condition.unlock() }
    while settled < values.count {
      let left = deadline.left
      if left <= 0 { break }
      _ = condition.wait(until: Date(timeIntervalSinceNow: min(left, 3600)))
    }
    return values
  }
}
