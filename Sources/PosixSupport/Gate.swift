/// Lets only a few blocking calls run at the same time, so that a thousand requests don't take a thousand threads and all descriptors.
package actor Gate {
  private var free: Int
  private var queue: [CheckedContinuation<Void, Never>] = []

  package init(width: Int) { free = width }

  package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    await enter()
    defer { leave() }
    return try await PosixSupport.onThread(body)
  }

  package func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await enter()
    defer { leave() }
    return await PosixSupport.onThread(body)
  }

  private func enter() async {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { queue.append($0) } }
  }

  private func leave() {
    if queue.isEmpty { free += 1 } else { queue.removeFirst().resume() }
  }
}
