import Foundation
import PosixSupport

/// How long the two recordings of a workspace take, for benchmarks.
package struct WorkspaceMeasure: Sendable {
  /// Seconds.
  package let record: Double
  package let finish: Double
  package let files: Int
  package let exact: Bool

  /// Records `cwd`, lets `change` work on it, and compares; in a folder of its own that is removed again. Blocks the calling thread.
  /// - Throws: `PosixError`, and what `change` throws
  package static func run(cwd: String, git: String?, change: () throws -> Void) throws -> WorkspaceMeasure {
    let temporary = NSTemporaryDirectory()
    let scratch = "\(temporary.hasSuffix("/") ? temporary : temporary + "/")opencode-worker-measure-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try PrivateFiles.createFolder(scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let start = Monotonic.now
    let baseline = WorkspaceBaseline.record(cwd: cwd, runFolder: scratch, git: git, deadline: .after(20))
    let recorded = Monotonic.now
    try change()
    let again = Monotonic.now
    let changes = baseline.finish(runFolder: scratch, toolPaths: [], endSeen: true, deadline: .after(10))
    return WorkspaceMeasure(record: recorded - start, finish: Monotonic.now - again, files: changes.files.count, exact: changes.exact)
  }
}
