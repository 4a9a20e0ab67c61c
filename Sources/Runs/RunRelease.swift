import Foundation
import PosixSupport

/// The end of a run's supervisor, seen as the hang-up of its FIFO. One thread looks; any number of requests wait.
package final class RunRelease: @unchecked Sendable {
  private let lock = NSLock()
  private var over = false
  private var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
  /// Woken before they had begun to wait.
  private var woken: Set<UInt64> = []
  private var lastWaiter: UInt64 = 0

  /// - Parameter watch: from `Fifo.watch`; closed at the end
  package init(_ watch: Descriptor) {
    Thread.detachNewThread { [self] in
      Fifo.waitForRelease(watch)
      watch.close()
      let all = lock.withLock {
        over = true
        defer { waiters = [:] }
        return waiters
      }
      for waiter in all.values { waiter.resume() }
    }
  }

  package var isOver: Bool { lock.withLock { over } }

  /// Returns at the end, after `seconds`, or when the task is cancelled.
  package func wait(seconds: Double) async {
    let number = lock.withLock {
      lastWaiter += 1
      return lastWaiter
    }
    let timer = Task {
      guard (try? await Task.sleep(nanoseconds: UInt64(max(0, min(seconds, 1e6)) * 1e9))) != nil else { return }
      self.wake(number)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let waits = lock.withLock {
          if over || woken.contains(number) { return false }
          waiters[number] = waiter
          return true
        }
        if !waits { waiter.resume() }
      }
    } onCancel: {
      wake(number)
    }
    timer.cancel()
    lock.withLock { _ = woken.remove(number) }
  }

  private func wake(_ number: UInt64) {
    let waiter = lock.withLock {
      let waiter = waiters.removeValue(forKey: number)
      if waiter == nil { woken.insert(number) }
      return waiter
    }
    waiter?.resume()
  }
}
