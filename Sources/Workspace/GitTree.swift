import Foundation
import PosixSupport

/// One repository of a workspace as it was before the run: a tree in a git directory of the run's own.
package struct GitTree: Codable, Sendable {
  /// The folder below `git/` in the run's folder.
  package let name: String
  /// The top of its work tree.
  package let folder: String
  /// Where it lies below the workspace's root, as `WorkspacePath` shows it; "" for the root's own repository.
  package let prefix: String
  /// The user's git directory, and the one that all its work trees share.
  package let repository: String
  package let common: String
  package let objectFormat: String
  /// Hashing a file needs the user's objects (`GitSnapshot.convertsLineEndings`).
  package var convertsLineEndings = false
  /// Attributes name encodings: an object may hold other bytes than the file. Absent: recorded by a version that didn't look.
  package var convertsEncodings: Bool?
  package let head: String?
  package let branch: String?
  /// Nanoseconds since 1970, just before recording began.
  package let began: Int64
  /// The user's index file, and ours after recording: the same again means that nothing was staged or recorded since.
  package var userIndex: FileFacts?
  package var ownIndex: FileFacts?
  /// In a file of their own: there may be hundreds of thousands.
  package var unhashed: [Unhashed] = []
  /// Entries for submodules and nested repositories, relative to this tree.
  package var inner: [String] = []
  /// What wasn't recorded fully.
  package var doubts: [String] = []

  private enum CodingKeys: String, CodingKey {
    case name, folder, prefix, repository, common, objectFormat, convertsLineEndings, convertsEncodings, head, branch, began, userIndex, ownIndex, inner, doubts
  }

  /// The same tree with what lies in the run's folder; nil when that is gone.
  package func loaded(_ runFolder: String) -> GitTree? {
    let directory = GitTree.directory(runFolder, name)
    guard PrivateFiles.exists("\(directory)/refs.before") else { return nil }
    var tree = self
    let bytes = try? PrivateFiles.read("\(directory)/unhashed", limit: 1 << 30)
    tree.unhashed = bytes.map(Unhashed.decoded) ?? []
    return tree
  }

  package func snapshot(_ runFolder: String, _ git: GitProgram) -> GitSnapshot {
    GitSnapshot(directory: GitTree.directory(runFolder, name), workTree: folder, git: git, objectFormat: objectFormat, convertsLineEndings: convertsLineEndings)
  }

  package static func directory(_ runFolder: String, _ name: String) -> String { "\(runFolder)/git/\(name)" }

  /// Records a repository's work tree.
  /// - Throws: `WorkspaceError`, `PosixError`
  package static func record(
    _ found: GitRepository, name: String, prefix: String, runFolder: String, git: GitProgram, settings: [UInt8], budget: HashBudget
  ) throws -> GitTree {
    var tree = GitTree(
      name: name, folder: found.root, prefix: prefix, repository: found.directory, common: found.common, objectFormat: found.objectFormat,
      head: found.head, branch: found.branch, began: now(), userIndex: FileFacts.of(Array("\(found.directory)/index".utf8)))
    var snapshot = tree.snapshot(runFolder, git)
    try snapshot.create(found, settings: settings)
    let index = try snapshot.wholeIndex()
    try snapshot.unmark("--no-assume-unchanged", index.entries.filter(\.assumedUnchanged).map(index.path))
    try snapshot.unsparse(index)
    let head = found.head ?? snapshot.emptyTree
    let absent = Set(snapshot.absent(index))
    if !absent.isEmpty {
      let stagedOnly = GitTree.paths(try GitTree.differing(snapshot, from: head)).intersection(absent)
      try snapshot.remove(Array(absent))
      try PrivateFiles.replace("\(snapshot.directory)/\(GitSnapshot.stagedOnlyFile)", with: terminated(stagedOnly.sorted(by: precedes)))
    }
    // As a rule nothing has to be recorded; then this is what differs from the commit at the end, too.
    let copied = snapshot
    let (staged, listed) = both({ Result { try GitTree.differing(copied, from: head) } }, { Result { try copied.candidates() } })
    var candidates = try listed.get()
    try PrivateFiles.replace("\(snapshot.directory)/ignored", with: terminated(snapshot.ignoredByName(candidates.ignored)))
    let dirtyBySize = Set(candidates.tracked)
    tree.inner = (candidates.nested + index.entries.filter(\.isGitlink).map(index.path)).map(WorkspacePath.shown)

    // Filtered files: drop their entries, so that both trees hold the bytes on disk. Those too large to be hashed keep theirs.
    let attributes = snapshot.attributes(index, candidates, repository: found)
    tree.convertsLineEndings = attributes.lineEndings
    tree.convertsEncodings = attributes.encodings
    snapshot.convertsLineEndings = attributes.lineEndings
    let filtered =
      attributes.forgotten
      ? index.entries.filter { !$0.isGitlink }.map(index.path) : attributes.filters ? try snapshot.filtered(index) : []
    var rehashed: [PathBytes] = []
    for path in filtered where !dirtyBySize.contains(path) {
      guard let facts = FileFacts.of(WorkspacePath.join(snapshot.root, path)), facts.kind == .file else { continue }
      if facts.size > HashBudget.file {
        tree.unhashed.append(Unhashed(path: WorkspacePath.shown(path), facts: facts, reason: .large, isTrackedClean: true))
      } else {
        rehashed.append(path)
      }
    }
    try snapshot.remove(rehashed)
    if !filtered.isEmpty {
      try PrivateFiles.replace("\(snapshot.directory)/filtered", with: terminated(filtered))
      try snapshot.noteUnsure(Set(filtered).intersection(dirtyBySize), index)
    }
    candidates.untracked += rehashed
    tree.unhashed += try snapshot.record(candidates, budget: budget)
    try snapshot.notePermissions((snapshot.ignoresFileMode ? index.entries.map(index.path) : candidates.tracked) + candidates.untracked)

    let isAsCopied = rehashed.isEmpty && candidates.tracked.isEmpty && candidates.untracked.isEmpty
    // Of what is on disk as in the index, the index of before tells whether it is as committed.
    let (before, asIndexed) = (GitTree.paths(try staged.get()), Set(rehashed))
    let now = isAsCopied ? before : GitTree.paths(try GitTree.differing(snapshot, from: head))
    let doubtful = tree.unhashed.filter { !$0.isTrackedClean }
    let changed = now.union(doubtful.map { WorkspacePath.bytes($0.path) }).subtracting(asIndexed).subtracting(absent)
    let dirty = changed.union(before.intersection(asIndexed))
    try PrivateFiles.replace("\(snapshot.directory)/dirty", with: terminated(Array(dirty)))
    try PrivateFiles.replace("\(snapshot.directory)/refs.before", with: GitRef.encoded(found.refs))
    if PrivateFiles.exists(snapshot.indexPath) { try PrivateFiles.keep(snapshot.indexPath, as: "\(snapshot.directory)/base.index", limit: 1 << 30) }
    if !tree.unhashed.isEmpty { try PrivateFiles.replace("\(snapshot.directory)/unhashed", with: Unhashed.encoded(tree.unhashed)) }
    tree.ownIndex = FileFacts.of(Array(snapshot.indexPath.utf8))
    tree.doubts = doubt(doubtful, prefix: prefix) + unseen(candidates.warnings, prefix: prefix)
    return tree
  }

  static func paths(_ list: [UInt8]) -> Set<PathBytes> { Set(list.split(separator: 0).map { PathBytes($0) }) }
  /// Those in a file; none where there is no such file.
  static func paths(in file: String) -> Set<PathBytes> { paths((try? PrivateFiles.read(file, limit: 256 << 20)) ?? []) }

  /// What the index holds otherwise than a commit, or a tree.
  package static func differing(_ snapshot: GitSnapshot, from tree: String) throws -> [UInt8] { try snapshot.run(differing + [tree]) }

  static let differing = ["diff-index", "-z", "--name-only", "--no-renames", "--ignore-submodules=all", "--cached"]

  /// One sentence for each reason, with the first few names.
  package static func doubt(_ unhashed: [Unhashed], prefix: String) -> [String] {
    [Unhashed.Reason.unreadable, .large, .total, .refused].compactMap { reason in
      let names = unhashed.filter { $0.reason == reason }.map { WorkspacePath.under(prefix, $0.path) }
      guard !names.isEmpty else { return nil }
      let list = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
      return "\(names.count) \(names.count == 1 ? "file" : "files") \(reason.rawValue), compared by size and time: \(list)"
    }
  }

  /// What git said that it couldn't look at, one sentence.
  package static func unseen(_ warnings: [String], prefix: String) -> [String] {
    guard !warnings.isEmpty else { return [] }
    let more = warnings.count > 3 ? " and \(warnings.count - 3) more" : ""
    return ["git couldn't look at everything\(prefix.isEmpty ? "" : " in \(prefix)"): \(warnings.prefix(3).joined(separator: ", "))\(more)"]
  }

  package static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

extension GitSnapshot {
  /// The index, written anew by git first when it is split or sparse.
  package func wholeIndex() throws -> GitIndex {
    let index = try index()
    guard index.isPartial else { return index }
    _ = try run(["update-index", "--no-split-index", "--force-write-index"])
    let whole = try self.index()
    if whole.isPartial { throw WorkspaceError("git didn't write a split or sparse index as a whole") }
    return whole
  }
}

extension WorkspacePath {
  /// Joins what is shown: a prefix and a path below it.
  package static func under(_ prefix: String, _ path: String) -> String {
    prefix.isEmpty ? path : shown(join(bytes(prefix), bytes(path)))
  }
}
