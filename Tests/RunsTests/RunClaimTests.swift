import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Runs

/// What a living supervisor puts back when somebody takes its lock or its FIFO away.
@Suite struct RunClaimTests {
  private func claimed() throws -> (claim: RunClaim, state: StateFolder, folder: RunFolder, scratch: Scratch) {
    let scratch = try Scratch()
    let state = StateFolder(root: scratch.path("state"))
    try state.create()
    let folder = state.run(RunID.make(at: Date()))
    try PrivateFiles.createFolder(folder.path)
    let lock = try #require(try FileLock.take(state.liveLock))
    return (RunClaim(folder, in: state, lock: lock, fifo: try Fifo.hold(folder.fifo)), state, folder, scratch)
  }

  @Test func theLockNamesTheRun() throws {
    let (claim, state, folder, scratch) = try claimed()
    defer { withExtendedLifetime(scratch) {} }
    #expect(state.lockedRun() == folder)
    #expect(try Fifo.isHeld(folder.fifo))
    #expect(try FileLock.take(state.liveLock) == nil)
    withExtendedLifetime(claim) {}
  }

  @Test func aFifoThatWasDeletedOrReplacedIsHeldAgain() throws {
    let (claim, _, folder, scratch) = try claimed()
    defer { withExtendedLifetime(scratch) {} }
    for replacement in [nil, "not a FIFO"] {
      #expect(unlink(folder.fifo) == 0)
      if let replacement { try PrivateFiles.replace(folder.fifo, with: Array(replacement.utf8)) }
      claim.restore()
      #expect(try Fifo.isHeld(folder.fifo))
    }
  }

  @Test func aLockFileThatWasDeletedOrReplacedIsTakenAgain() throws {
    let (claim, state, folder, scratch) = try claimed()
    defer { withExtendedLifetime(scratch) {} }
    for replacement in [nil, "another"] {
      #expect(unlink(state.liveLock) == 0)
      if let replacement { try PrivateFiles.replace(state.liveLock, with: Array(replacement.utf8)) }
      claim.restore()
      #expect(try FileLock.take(state.liveLock) == nil)
      #expect(state.lockedRun() == folder)
    }
  }

  @Test func aFolderThatIsGoneStaysGone() throws {
    let (claim, _, folder, scratch) = try claimed()
    defer { withExtendedLifetime(scratch) {} }
    try FileManager.default.removeItem(atPath: folder.path)
    claim.restore()
    #expect(!PrivateFiles.exists(folder.path))
  }
}
