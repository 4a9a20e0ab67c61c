import Foundation
import PosixSupport

/// What makes a run its supervisor's: the lock and the run's FIFO, until the claim is released or the process ends. Somebody may delete or
/// replace these files, or the run's record, while the run is alive; all are put back within a second, so that nobody takes the run for an
/// orphan, starts another or can't tell what it is.
package final class RunClaim: @unchecked Sendable {
  private let folder: RunFolder
  private let state: StateFolder
  private let record: RunRecord?
  private let mutex = NSLock()
  private var lock: FileLock
  private var fifo: Descriptor
  private var supervisor = SupervisorRecord(identity: ProcessIdentity.current)
  private var isReleased = false
  /// Of `record.json` when it was last known to be whole.
  private var recordFacts: FileFacts?
  private var process: [UInt8]?

  package init(_ folder: RunFolder, _ record: RunRecord? = nil, in state: StateFolder, lock: FileLock, fifo: Descriptor) {
    (self.folder, self.record, self.state, self.lock, self.fifo) = (folder, record, state, lock, fifo)
    // On a full disk the file keeps another id; who looks finds the run by its FIFO then.
    try? lock.write(folder.id)
    try? supervisor.write(to: folder.supervisorPath)
    Thread.detachNewThread { [weak self] in
      while true {
        sleep(1)
        guard let self, self.restore() else { return }
      }
    }
  }

  /// Says what can't be recorded, or, with nil, that nothing is amiss any more.
  package func tell(problem: String?) {
    mutex.withLock {
      guard !isReleased, supervisor.problem != problem else { return }
      supervisor.problem = problem
      supervisor.since = problem == nil ? nil : supervisor.since ?? Date().timeIntervalSince1970
      try? supervisor.write(to: folder.supervisorPath)
    }
  }

  /// Lets go of the run: who waits for its end is answered, and another can start.
  package func release() {
    mutex.withLock {
      guard !isReleased else { return }
      isReleased = true
      lock.release()
      fifo.close()
    }
  }

  /// Looks once whether all of it is still there, and puts back what isn't.
  /// - Returns: false once the claim is released
  @discardableResult func restore() -> Bool {
    mutex.withLock {
      guard !isReleased else { return false }
      // A run's folder that is gone is a run that somebody wants forgotten. The whole state folder isn't: it holds the lock, without which another
      // run could start. (With the folder above it gone too, the whole place is.)
      let above = (state.root as NSString).deletingLastPathComponent
      if !PrivateFiles.exists(state.root), PrivateFiles.isFolder(above) { try? PrivateFiles.createFolder(folder.path) }
      if PrivateFiles.exists(folder.path) {
        if !fifo.isFile(at: folder.fifo), let renewed = try? Fifo.hold(folder.fifo) {
          fifo.close()
          fifo = renewed
        }
        restoreRecords()
      }
      if PrivateFiles.isFolder(state.root), !lock.file.isFile(at: state.liveLock), let renewed = try? FileLock.take(state.liveLock) {
        lock.release()
        lock = renewed
        try? lock.write(folder.id)
      }
      return true
    }
  }

  private func restoreRecords() {
    let facts = FileFacts.of(Array(folder.record.utf8))
    if let record, facts == nil || facts != recordFacts {
      if Stored.load(RunRecord.self, from: folder.record) == nil { try? Stored.save(record, to: folder.record) }
      recordFacts = FileFacts.of(Array(folder.record.utf8))
    }
    if Stored.load(ProcessRecord.self, from: folder.processPath)?.identity != nil {
      process = process ?? (try? PrivateFiles.read(folder.processPath, limit: 1 << 16))
    } else if let process {
      try? PrivateFiles.replace(folder.processPath, with: process)
    }
    if !PrivateFiles.exists(folder.supervisorPath) { try? supervisor.write(to: folder.supervisorPath) }
  }
}
