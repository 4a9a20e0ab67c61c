import Foundation
import PosixSupport

/// Where runs are kept. One place for everybody, or two runs could be alive at once; only `OPENCODE_WORKER_STATE_DIR` moves it.
package struct StateFolder: Sendable {
  package let root: String

  package init(root: String) {
    self.root = root
  }

  package static func standard(_ environment: [String: String]) -> StateFolder {
    if let moved = environment["OPENCODE_WORKER_STATE_DIR"], moved.hasPrefix("/") { return StateFolder(root: moved) }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
    return StateFolder(root: home + "/.local/state/codex-opencode-worker")
  }

  /// What a person should know of a setting that isn't followed; nil: it is, or there is none.
  package static func ignoredSetting(_ environment: [String: String]) -> String? {
    guard let set = environment["OPENCODE_WORKER_STATE_DIR"], !set.isEmpty, !set.hasPrefix("/") else { return nil }
    return "OPENCODE_WORKER_STATE_DIR is \"\(set)\", which is not an absolute path: ignored, \(standard(environment).root) is used"
  }

  /// Holds the id of the live run; locked by its supervisor.
  package var liveLock: String { root + "/live.lock" }
  package var runs: String { root + "/runs" }
  package var staging: String { root + "/staging" }
  /// What is worth keeping between runs, such as OpenCode's version.
  package var cache: String { root + "/cache" }

  /// Runs that are being deleted.
  package var deleted: String { root + "/deleted" }

  package func run(_ id: String) -> RunFolder { RunFolder(id: id, path: runs + "/" + id) }

  /// - Throws: `PosixError`, also when one of the folders is another user's: he could read and change every run
  package func create() throws {
    for folder in [root, runs, staging, cache] {
      try PrivateFiles.createFolder(folder)
      if let owner = PrivateFiles.foreignOwner(folder) {
        throw PosixError("use", path: folder, code: EPERM, reason: "it belongs to another user (uid \(owner))")
      }
    }
  }

  /// The runs, newest first.
  package func runFolders() -> [RunFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
    return names.filter(RunID.isValid).sorted(by: >).map(run)
  }

  /// The run that the lock file names. It may have ended since.
  package func lockedRun() -> RunFolder? {
    guard let bytes = try? PrivateFiles.read(liveLock, limit: 100) else { return nil }
    let id = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return RunID.isValid(id) ? run(id) : nil
  }

  /// The run whose supervisor is alive.
  /// - Throws: `PosixError` when it can't be told
  package func heldRun() throws -> RunFolder? {
    if let locked = lockedRun(), try Fifo.isHeld(locked.fifo) { return locked }
    return try unfinishedRuns().first { try Fifo.isHeld($0.fifo) }
  }

  /// Runs without a review: alive, or left by a supervisor that died.
  package func unfinishedRuns() -> [RunFolder] { runFolders().filter { !PrivateFiles.exists($0.review) } }
}
