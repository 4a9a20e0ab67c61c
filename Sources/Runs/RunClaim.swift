import Foundation
import PosixSupport

/// What makes a run its supervisor's: the lock and the run's FIFO, until the process ends. Somebody may delete or replace either
/// file while the run is alive; both are put back within a second, so that nobody takes the run for an orphan or starts another.
package final class RunClaim: @unchecked Sendable {
  private let folder: RunFolder
  private let state: StateFolder
  private let mutex = NSLock()
  private var lock: FileLock
  private var fifo: Descriptor
  private var isReleased = false

  package init(_ folder: RunFolder, in state: StateFolder, lock: FileLock, fifo: Descriptor) {
    (self.folder, self.state, self.lock, self.fifo) = (folder, state, lock, fifo)
    // On a full disk the file keeps another id; who looks finds the run by its FIFO then.
    try? lock.write(folder.id)
    Thread.detachNewThread { [weak self] in
      while true {
        sleep(1)
        guard let self, self.restore() else { return }
      }
    }
  }

  /// Lets go before the process ends: waits come back, another run may begin.
  package func release() {
    mutex.withLock {
      guard !isReleased else { return }
      isReleased = true
      fifo.close()
      lock.release()
    }
  }

  /// Looks once whether both are still there, and puts back what isn't.
  /// - Returns: whether there is still something to keep
  @discardableResult func restore() -> Bool {
    mutex.withLock {
      if isReleased { return false }
      // A folder that is gone is a run that somebody wants forgotten.
      if PrivateFiles.exists(folder.path), !fifo.isFile(at: folder.fifo), let renewed = try? Fifo.hold(folder.fifo) {
        fifo.close()
        fifo = renewed
      }
      if PrivateFiles.isFolder(state.root), !lock.file.isFile(at: state.liveLock), let renewed = try? FileLock.take(state.liveLock) {
        lock.release()
        lock = renewed
        try? lock.write(folder.id)
      }
      return true
    }
  }
}
