import Foundation
import PosixSupport

extension ChangedFiles {
  /// Without a run: what isn't committed in the repository of `cwd`, untracked files included. Nothing is written in the repository.
  /// - Parameters:
  ///   - git: the path of the git program, nil if it isn't installed
  ///   - deadline: seconds
  /// - Throws: `WorkspaceError`, `PosixError`
  package static func uncommitted(cwd: String, git: String?, deadline: Deadline) throws -> ChangedFiles {
    try withUncommitted(cwd: cwd, git: git, deadline: deadline) { changes, _ in changes }
  }

  /// The same; `body` gets a folder that `patch` takes as `runFolder`, gone when `body` returns.
  /// - Throws: `WorkspaceError`, `PosixError`, and what `body` throws
  package static func withUncommitted<Value>(cwd: String, git: String?, deadline: Deadline, _ body: (ChangedFiles, String) throws -> Value) throws -> Value {
    guard let git else { throw WorkspaceError("git is not installed") }
    guard let folder = PrivateFiles.resolved(cwd), PrivateFiles.isFolder(folder) else { throw WorkspaceError("no such folder: \(cwd)") }
    let program = GitProgram(path: git, deadline: deadline)
    guard case .repository(let found) = try notedFind(folder, program) else { throw WorkspaceError("not in a git repository: \(folder)") }
    let temporary = NSTemporaryDirectory()
    let scratch = "\(temporary.hasSuffix("/") ? temporary : temporary + "/")opencode-worker-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try PrivateFiles.createFolder("\(scratch)/git")
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let (trees, doubts) = try GitTree.recordAll(found, runFolder: scratch, git: program, settings: try GitTree.settings(found.root, program))
    var result = ChangedFiles(root: found.root)
    result.basis = "HEAD"
    (result.headAfter, result.branchAfter) = (found.head, found.branch)
    var rows: [ChangedFile] = []
    for tree in trees {
      let snapshot = tree.snapshot(scratch, program)
      let base = tree.head ?? snapshot.emptyTree
      let uncommitted = try tree.uncommitted(snapshot, since: base, dirtyOnly: true)
      for (file, why) in [
        (GitSnapshot.unsureFile, "whether what a filter makes of them is what is committed isn't known"),
        (GitSnapshot.stagedOnlyFile, "staged, and not on disk"),
      ] {
        let names = snapshot.names(file).sorted(by: precedes).map { WorkspacePath.under(tree.prefix, WorkspacePath.shown($0)) }
        if let first = names.first { result.doubt(["\(why): \(first)\(names.count > 1 ? " and \(names.count - 1) more" : "")"]) }
      }
      rows += uncommitted
      result.sources.append(.init(name: tree.name, folder: tree.folder, prefix: tree.prefix, baseTree: base, index: "index"))
    }
    result.doubt(doubts)
    result.settle(rows)
    return try body(result, scratch)
  }

  private static func notedFind(_ folder: String, _ git: GitProgram) throws -> GitRepository.Found {
    let found = try GitRepository.find(folder, git)
    if case .none(let words?) = found { throw WorkspaceError(words) }
    return found
  }
}

extension GitTree {
  /// The rows from a tree to the state just recorded.
  /// - Parameter dirtyOnly: leaves out filtered files (git-lfs) whose committed form only looks different
  /// - Throws: `WorkspaceError`, `PosixError`
  package func uncommitted(_ snapshot: GitSnapshot, since base: String, dirtyOnly: Bool) throws -> [ChangedFile] {
    let (dirty, filtered) = (snapshot.names("dirty"), snapshot.names("filtered"))
    let top = WorkspacePath.bytes(prefix)
    var rows: [PathBytes: ChangedFile] = [:]
    for change in try snapshot.changes(from: base) {
      if dirtyOnly, !dirty.contains(change.path), !(change.from.map(dirty.contains) ?? false) { continue }
      var row = change.row(top, snapshot.root)
      // What was never on disk (a sparse checkout's) hasn't been moved.
      if dirtyOnly, let from = change.from, !dirty.contains(from) { (row.change, row.from, row.added, row.removed) = (.added, nil, nil, nil) }
      // The committed form of a filtered file has other lines.
      if dirtyOnly, filtered.contains(change.path) { (row.added, row.removed) = (nil, nil) }
      rows[change.path] = row
    }
    let tracked = unhashed.isEmpty ? [] : Set(try snapshot.index().entries.map(snapshot.index().path))
    for file in unhashed {
      let path = WorkspacePath.bytes(file.path)
      guard !dirtyOnly || dirty.contains(path) else { continue }
      rows[path] = ChangedFile(
        path: WorkspacePath.under(prefix, file.path), change: dirtyOnly && tracked.contains(path) ? .modified : .added, end: .init(file.facts, id: nil))
    }
    return Array(rows.values)
  }
}

extension GitChange {
  /// As a row of the workspace whose tree lies at `top`.
  package func row(_ top: PathBytes, _ folder: PathBytes) -> ChangedFile {
    let facts = newID == nil ? nil : FileFacts.of(WorkspacePath.join(folder, path))
    var row = ChangedFile(path: WorkspacePath.shown(WorkspacePath.join(top, path)), change: change)
    row.from = from.map { WorkspacePath.shown(WorkspacePath.join(top, $0)) }
    (row.added, row.removed) = (added, removed)
    if binary { row.binary = true }
    if let oldMode, let newMode, oldMode != newMode { row.mode = "\(String(oldMode, radix: 8)) to \(String(newMode, radix: 8))" }
    row.end = facts.map { .init($0, id: newID) }
    return row
  }
}
