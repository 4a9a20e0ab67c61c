import Foundation

/// Keeps helper programs from outliving what they are for: once it has ended, those that run under it are killed and no other begins.
package final class Leash: @unchecked Sendable {
  private let lock = NSLock()
  private var children: [ObjectIdentifier: SpawnedProcess] = [:]
  private var isOver = false

  package init() {}

  package var hasEnded: Bool { lock.withLock { isOver } }

  /// Kills all of them, with their groups. Doesn't wait.
  package func end() {
    lock.withLock {
      isOver = true
      for child in children.values { child.killGroup() }
    }
  }

  func hold(_ child: SpawnedProcess) {
    lock.withLock {
      children[ObjectIdentifier(child)] = child
      if isOver { child.killGroup() }
    }
  }

  func release(_ child: SpawnedProcess) { lock.withLock { children[ObjectIdentifier(child)] = nil } }
}
