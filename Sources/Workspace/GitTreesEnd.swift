import Foundation
import PosixSupport

/// What became of one repository during a run.
package struct GitTreeEnd: Sendable {
  /// Paths relative to the workspace's root.
  package var rows: [ChangedFile] = []
  package var commits: [ChangedFiles.Commit] = []
  package var head: String?
  package var branch: String?
  package var doubts: [String] = []
  /// What was before, reduced to what changed: a tree to which the index file `GitSnapshot.endIndex` compares. nil: nothing changed.
  package var baseTree: String?
  /// The comparison failed: names are known, contents aren't.
  package var lostContents = false
  /// Repositories inside that weren't there before, relative to this tree.
  package var newInner: [PathBytes] = []
}

extension GitTree {
  /// Compares the work tree now with the tree recorded before.
  /// - Parameter innerTrees: paths relative to this tree that are recorded as trees of their own
  /// - Throws: `WorkspaceError`, `PosixError`
  package func end(_ runFolder: String, _ git: GitProgram, innerTrees: [PathBytes], budget: HashBudget) throws -> GitTreeEnd {
    let snapshot = snapshot(runFolder, git)
    unlink("\(snapshot.indexPath).lock")
    guard FileFacts.of(snapshot.root)?.kind == .folder else { return try gone(snapshot) }
    let changedExclusions = PrivateFiles.isFolder(common) && snapshot.copyExclusions(from: common)
    if FileFacts.of(Array(snapshot.indexPath.utf8)) != nil {
      let index = try snapshot.index()
      if index.entries.contains(where: \.skipsWorkTree) { try snapshot.unsparse(index) }
    }

    let (found, listed) = both({ Result { try GitRepository.find(folder, git) } }, { Result { try snapshot.candidates() } })
    var end = GitTreeEnd()
    let repository = note(found, in: &end)
    var candidates = try listed.get()
    end.newInner = candidates.nested.filter { !inner.map(WorkspacePath.bytes).contains($0) }
    try prepare(&candidates, snapshot, innerTrees: innerTrees, changedExclusions: changedExclusions)

    var rows: [PathBytes: ChangedFile] = [:]
    takeUnhashed(&candidates, snapshot, &rows)
    let tracked = Set(candidates.tracked)
    let large = candidates.tracked.isEmpty && candidates.untracked.isEmpty ? [] : try snapshot.record(candidates, budget: budget)
    for file in large {
      let path = WorkspacePath.bytes(file.path)
      rows[path] = row(path, tracked.contains(path) ? .modified : .added, .init(file.facts, id: nil))
    }
    end.doubts += GitTree.doubt(large.filter { tracked.contains(WorkspacePath.bytes($0.path)) }, prefix: prefix)

    let isUntouched = FileFacts.of(Array(snapshot.indexPath.utf8)) == ownIndex
    let (compared, commits) = both(
      { Result { isUntouched ? Comparison() : try compare(snapshot, to: try snapshot.index()) } },
      { Result { try newCommits(repository, snapshot) } })
    switch commits {
    case .success(let list): end.commits = list
    case .failure(let error): end.doubts.append("commits unknown: \(error)")
    }
    try end.take(try compared.get(), tree: self, snapshot, byHand: rows)
    return end
  }

  package struct Comparison: Sendable {
    package var changes: [GitChange] = []
    package var baseTree: String?
    package var doubts: [String] = []
  }

  private func compare(_ snapshot: GitSnapshot, to after: GitIndex) throws -> Comparison {
    let before = try GitIndex.read("\(snapshot.directory)/base.index", objectFormat: objectFormat)
    do {
      guard let tree = try snapshot.distill(before, after) else { return Comparison() }
      return Comparison(changes: try snapshot.changes(from: tree, index: GitSnapshot.endIndex), baseTree: tree)
    } catch {
      // Without the repository's objects the two indexes still say what changed.
      return Comparison(changes: before.changes(to: after), doubts: ["line counts and renames unknown: \(error)"])
    }
  }

  private func note(_ found: Result<GitRepository.Found, any Error>, in end: inout GitTreeEnd) -> GitRepository? {
    let place = prefix.isEmpty ? "" : " \(prefix)"
    switch found {
    case .success(.repository(let repository)) where repository.root == folder:
      (end.head, end.branch) = (repository.head, repository.branch)
      return repository
    case .success(.none(let words?)): end.doubts.append("commits and branch unknown: \(words)")
    case .success: end.doubts.append("the repository\(place) itself is gone: commits unknown")
    case .failure(let error): end.doubts.append("commits and branch unknown: \(error)")
    }
    return nil
  }

  /// Adds what git's two lists leave out and takes out what belongs to other trees or was there before.
  private func prepare(
    _ candidates: inout GitSnapshot.Candidates, _ snapshot: GitSnapshot, innerTrees: [PathBytes], changedExclusions: Bool
  ) throws {
    func isInside(_ path: PathBytes) -> Bool { innerTrees.contains { WorkspacePath.relative(path, to: $0).map { !$0.isEmpty } ?? false } }
    if !innerTrees.isEmpty { candidates.untracked.removeAll(where: isInside) }
    func wasThereBefore(_ path: PathBytes) -> Bool {
      FileFacts.of(WorkspacePath.join(snapshot.root, path)).map { $0.changed < began } ?? true
    }
    // Files that were ignored and no longer are haven't been added by that.
    let name = Array(".gitignore".utf8)
    if changedExclusions || (candidates.tracked + candidates.untracked).contains(where: { $0.suffix(name.count).elementsEqual(name) }) {
      candidates.untracked.removeAll(where: wasThereBefore)
    }
    // Ignored files that were staged meanwhile are no longer ignored.
    if FileFacts.of(Array("\(repository)/index".utf8)) != userIndex, let index = try userIndexNow(snapshot) {
      let listed = Set(candidates.untracked)
      let unknownBefore = Set(unhashed.map { WorkspacePath.bytes($0.path) })
      candidates.untracked += index.paths(missingIn: try snapshot.index()).filter {
        !listed.contains($0) && !isInside($0) && !unknownBefore.contains($0) && !wasThereBefore($0)
      }
    }
    // A submodule's place taken by a file: git ignores both.
    candidates.untracked += inner.map(WorkspacePath.bytes).filter {
      [.file, .link].contains(FileFacts.of(WorkspacePath.join(snapshot.root, $0))?.kind)
    }
  }

  private func userIndexNow(_ snapshot: GitSnapshot) throws -> GitIndex? {
    let path = "\(repository)/index"
    guard FileFacts.of(Array(path.utf8))?.kind == .file else { return nil }
    let index = try GitIndex.read(path, objectFormat: objectFormat)
    guard index.isPartial else { return index }
    let copy = GitSnapshot(directory: "\(snapshot.directory)/user", workTree: folder, git: snapshot.git, objectFormat: objectFormat)
    try copy.create(
      GitRepository(
        root: folder, directory: repository, common: common, objectFormat: objectFormat, head: nil, branch: nil, tips: [], reachable: []), settings: [])
    return try copy.wholeIndex()
  }

  /// Files that weren't hashed before are compared by size and time, whatever they are now.
  private func takeUnhashed(_ candidates: inout GitSnapshot.Candidates, _ snapshot: GitSnapshot, _ rows: inout [PathBytes: ChangedFile]) {
    guard !unhashed.isEmpty else { return }
    let listed = Set(candidates.tracked)
    let before = Set(unhashed.map { WorkspacePath.bytes($0.path) })
    for file in unhashed {
      let path = WorkspacePath.bytes(file.path)
      if file.isTrackedClean, !listed.contains(path) { continue }
      guard let facts = FileFacts.of(WorkspacePath.join(snapshot.root, path)), facts.kind == .file || facts.kind == .link else {
        rows[path] = row(path, .deleted, nil)
        continue
      }
      if facts.kind != file.facts.kind || facts.size != file.facts.size || facts.modified != file.facts.modified || facts.executable != file.facts.executable {
        rows[path] = row(path, .modified, .init(facts, id: nil))
      }
    }
    candidates.tracked.removeAll(where: before.contains)
    candidates.untracked.removeAll(where: before.contains)
  }

  private func row(_ path: PathBytes, _ change: ChangedFile.Change, _ end: ChangedFile.EndState?) -> ChangedFile {
    ChangedFile(path: WorkspacePath.under(prefix, WorkspacePath.shown(path)), change: change, end: end)
  }

  /// The work tree is gone: so is every file.
  private func gone(_ snapshot: GitSnapshot) throws -> GitTreeEnd {
    var end = GitTreeEnd()
    var rows: [PathBytes: ChangedFile] = [:]
    for file in unhashed { rows[WorkspacePath.bytes(file.path)] = row(WorkspacePath.bytes(file.path), .deleted, nil) }
    try end.take(try compare(snapshot, to: try GitIndex.read("\(snapshot.directory)/none", objectFormat: objectFormat)), tree: self, snapshot, byHand: rows)
    return end
  }

  /// Commits that HEAD and the branches reach now and no ref reached before.
  private func newCommits(_ repository: GitRepository?, _ snapshot: GitSnapshot) throws -> [ChangedFiles.Commit] {
    guard let repository else { return [] }
    let old = Set(
      String(decoding: (try? PrivateFiles.read("\(snapshot.directory)/reachable", limit: 256 << 20)) ?? [], as: UTF8.self).split(separator: "\n").map(
        String.init))
    let new = repository.tips.subtracting(old)
    guard !new.isEmpty else { return [] }
    let input = (new.sorted() + old.sorted().map { "^\($0)" }).joined(separator: "\n") + "\n"
    let output = try snapshot.run(["rev-list", "--stdin", "--ignore-missing", "--max-count=200", "--format=tformat:-%s"], input: Array(input.utf8))
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    return stride(from: 0, to: lines.count - 1, by: 2).map {
      ChangedFiles.Commit(id: String(lines[$0].dropFirst(7)), subject: String(lines[$0 + 1].dropFirst()), repository: prefix.isEmpty ? nil : prefix)
    }
  }
}

extension GitTreeEnd {
  /// Takes the rows of git's own comparison, with those made by hand in place of theirs.
  fileprivate mutating func take(_ compared: GitTree.Comparison, tree: GitTree, _ snapshot: GitSnapshot, byHand: [PathBytes: ChangedFile]) throws {
    doubts += compared.doubts
    baseTree = compared.baseTree
    lostContents = !compared.doubts.isEmpty
    let dirty = Set((try PrivateFiles.read("\(snapshot.directory)/dirty", limit: 256 << 20)).split(separator: 0).map { PathBytes($0) })
    let top = WorkspacePath.bytes(tree.prefix)
    var rows = byHand
    var origins: [PathBytes: PathBytes] = [:]
    for change in compared.changes where rows[change.path] == nil {
      rows[change.path] = change.row(top, snapshot.root)
      origins[change.path] = change.from
    }
    if !dirty.isEmpty {
      for path in rows.keys where dirty.contains(path) || origins[path].map(dirty.contains) ?? false { rows[path]?.dirtyBefore = true }
    }
    self.rows = Array(rows.values)
  }
}
