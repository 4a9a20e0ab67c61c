import Foundation
import PosixSupport

/// What became of one repository during a run.
package struct GitTreeEnd: Sendable {
  /// Paths relative to the workspace's root.
  package var rows: [ChangedFile] = []
  package var commits: [ChangedFiles.Commit] = []
  /// Commits beyond those.
  package var unlistedCommits = 0
  package var refs: [RefChange] = []
  package var rewritten: Bool?
  /// Ignored files and folders that are gone, relative to the workspace's root.
  package var ignoredGone: [PathBytes] = []
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
    // The outer work tree may have become a link to where it is now: it is looked at through that. An inner one is a link in its place.
    guard PrivateFiles.isFolder(folder), prefix.isEmpty || FileFacts.of(snapshot.root)?.kind == .folder else { return try gone(snapshot) }
    if FileFacts.of(Array(snapshot.indexPath.utf8)) != nil {
      let index = try snapshot.index()
      if index.entries.contains(where: \.skipsWorkTree) { try snapshot.unsparse(index) }
    }

    let (found, listed) = both({ Result { try GitRepository.find(folder, git) } }, { Result { try snapshot.candidates() } })
    var end = GitTreeEnd()
    let repository = note(found, snapshot, in: &end)
    if prefix.isEmpty, let real = PrivateFiles.resolved(folder), real != folder {
      end.doubts.append("the folder has been replaced by a link to \(real): what is there was compared")
    }
    var candidates = try listed.get()
    let exclusions = GitSnapshot.information("exclude", of: common)
    if exclusions != GitSnapshot.information("exclude", of: snapshot.directory) { try snapshot.addUnignored(by: exclusions, to: &candidates) }
    end.doubts += GitTree.unseen(candidates.warnings, prefix: prefix)
    let knownInner = Set(inner.map(WorkspacePath.bytes))
    end.newInner = candidates.nested.filter { !knownInner.contains($0) }
    let ignoredBefore = IgnoredBefore(self, runFolder)
    let hidden = try takeHidden(&candidates, ignoredBefore, snapshot, &end)
    try prepare(&candidates, ignoredBefore, snapshot, innerTrees: innerTrees)

    var rows: [PathBytes: ChangedFile] = [:]
    end.doubts += GitTree.doubt(takeUnhashed(&candidates, snapshot, &rows), prefix: prefix)
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
      { (Result { try newCommits(repository, snapshot) }, repository.map { refChanges($0, snapshot) }) })
    switch commits.0 {
    case .success(let found): (end.commits, end.unlistedCommits) = (found.list, found.unlisted)
    case .failure(let error): end.doubts.append("commits unknown: \(error)")
    }
    if let refs = commits.1 {
      (end.refs, end.rewritten) = (refs.list, refs.rewritten)
      end.doubts += refs.doubts
    }
    try end.take(try compared.get(), tree: self, snapshot, byHand: rows)
    end.mark(hidden: hidden, top: WorkspacePath.bytes(prefix))
    end.markHiddenBefore(ignoredBefore, top: WorkspacePath.bytes(prefix))
    do { try noteLostWork(in: &end, snapshot) } catch { end.doubts.append("whether uncommitted work is gone is unknown: \(error)") }
    return end
  }

  /// Files that only rules of the run's own hide are among those that appeared; the comparison sees them then.
  private func takeHidden(
    _ candidates: inout GitSnapshot.Candidates, _ before: IgnoredBefore, _ snapshot: GitSnapshot, _ end: inout GitTreeEnd
  ) throws -> Set<PathBytes> {
    let changed = Set(candidates.tracked)
    var known: Set<PathBytes>?
    // A rule's file in a folder that was moved is as old as it was there: it was here only if it was known here.
    func isOld(_ path: PathBytes) throws -> Bool {
      if before.isUntouched(path) { return true }
      // One that isn't on disk (a sparse checkout's) is the index's.
      guard !changed.contains(path), FileFacts.of(WorkspacePath.join(snapshot.root, path)).map({ $0.changed < began }) ?? true else { return false }
      let index = try known ?? Set(snapshot.index().paths(named: Array(".gitignore".utf8)))
      known = index
      return index.contains(path)
    }
    let unhashed = Set(unhashed.map { WorkspacePath.bytes($0.path) })
    let found = try GitTree.hidden(snapshot, before: before.listed, now: candidates.ignored, known: unhashed, since: began, isOld: isOld)
    end.doubts += found.doubts
    end.ignoredGone = found.gone.map { WorkspacePath.join(WorkspacePath.bytes(prefix), $0) }
    candidates.untracked += found.files
    return Set(found.files)
  }

  /// Uncommitted work from before the run that is neither in the work tree nor in a commit of the run's own: its rows are marked.
  private func noteLostWork(in end: inout GitTreeEnd, _ snapshot: GitSnapshot) throws {
    guard end.rows.contains(where: { $0.dirtyBefore == true && $0.change != .renamed }) else { return }
    func differing(from commit: String?) throws -> Set<PathBytes> {
      GitTree.paths(try GitTree.differing(snapshot, from: commit ?? snapshot.emptyTree))
    }
    var reference = [try differing(from: head)]
    // Put back to another commit that was there already. One that the run made may hold the work itself.
    let made = Set(end.commits.map(\.id))
    if let now = end.head, now != head, !made.contains(now), made.count < GitTree.commitLimit || refsBefore(snapshot).contains(where: { $0.id == now }) {
      reference.append(try differing(from: now))
    }
    let top = WorkspacePath.bytes(prefix)
    let asCommitted = try filteredAsCommitted(end.rows, snapshot, top)
    for index in end.rows.indices where end.rows[index].dirtyBefore == true && end.rows[index].change != .renamed {
      let row = end.rows[index]
      // A file that wasn't hashed isn't in the index as it is.
      guard row.end == nil || row.end?.id != nil, let path = WorkspacePath.relative(WorkspacePath.bytes(row.path), to: top) else { continue }
      if row.change == .deleted || asCommitted.contains(path) || reference.contains(where: { !$0.contains(path) }) { end.rows[index].lostWork = true }
    }
    try noteOldVersions(in: &end, snapshot, top)
  }

  /// Of files that a filter converts the bytes aren't the committed ones: that they are as committed is told by the user's index.
  private func filteredAsCommitted(_ rows: [ChangedFile], _ snapshot: GitSnapshot, _ top: PathBytes) throws -> Set<PathBytes> {
    let dirty = rows.filter { $0.dirtyBefore == true && $0.end != nil }.compactMap { WorkspacePath.relative(WorkspacePath.bytes($0.path), to: top) }
    let filtered = dirty.isEmpty ? [] : snapshot.names("filtered").intersection(dirty)
    guard !filtered.isEmpty, let head, let index = try userIndexNow(snapshot) else { return [] }
    let copy = "user.index"
    defer { unlink("\(snapshot.directory)/\(copy)") }
    try PrivateFiles.copy("\(repository)/index", to: "\(snapshot.directory)/\(copy)", limit: 256 << 20)
    let staged = GitTree.paths(try snapshot.run(GitTree.differing + [head], index: copy, seesObjects: true))
    let same = index.entries.filter { entry in
      let path = index.path(entry)
      guard filtered.contains(path), !staged.contains(path), let facts = FileFacts.of(WorkspacePath.join(snapshot.root, path)) else { return false }
      return entry.diskSize == UInt32(truncatingIfNeeded: facts.size) && entry.modified == facts.modified
    }
    return Set(same.map(index.path))
  }

  /// Files that were put back to what an older commit holds are as lost as those that were put back to the last one.
  private func noteOldVersions(in end: inout GitTreeEnd, _ snapshot: GitSnapshot, _ top: PathBytes) throws {
    guard let head else { return }
    let rows = end.rows.indices.filter { index in
      let row = end.rows[index]
      return row.dirtyBefore == true && row.change == .modified && row.lostWork != true && row.end?.id != nil
    }
    let paths = rows.prefix(GitTree.oldVersionLimit).compactMap { WorkspacePath.relative(WorkspacePath.bytes(end.rows[$0].path), to: top) }
    // Names that no argument can spell aren't looked up.
    let names = paths.compactMap { String(validating: $0, as: UTF8.self) }
    guard !names.isEmpty else { return }
    let output = try snapshot.run(
      ["log", "--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "--max-count=\(GitTree.oldVersionLimit)", head, "--"] + names.map { ":(literal)\($0)" }
    )
    var old: Set<String> = []
    for line in String(decoding: output, as: UTF8.self).split(separator: "\n") where line.hasPrefix(":") {
      let fields = line.split(separator: " ")
      if fields.count > 3 { old.formUnion(fields[2...3].map(String.init)) }
    }
    for index in rows where end.rows[index].end?.id.map(old.contains) == true { end.rows[index].lostWork = true }
  }

  /// Files and commits that are looked at for older versions.
  private static let oldVersionLimit = 100
  /// Commits that are listed.
  static let commitLimit = 200

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

  /// The repository isn't where it was, and with it all that only it held. (A linked work tree's is elsewhere.)
  private func noteLostRefs(in end: inout GitTreeEnd, _ snapshot: GitSnapshot) {
    guard !PrivateFiles.exists(common + "/HEAD") else { return }
    let repository = prefix.isEmpty ? nil : prefix
    end.refs = refsBefore(snapshot).filter { !$0.name.hasPrefix("refs/remotes/") }.map {
      RefChange(name: $0.stash ?? $0.name, kind: .deleted, before: $0.id, after: nil, by: nil, repository: repository)
    }
    end.rewritten = head == nil ? nil : true
  }

  private func note(_ found: Result<GitRepository.Found, any Error>, _ snapshot: GitSnapshot, in end: inout GitTreeEnd) -> GitRepository? {
    let place = prefix.isEmpty ? "" : " \(prefix)"
    switch found {
    case .success(.repository(let repository)) where repository.root == folder:
      (end.head, end.branch) = (repository.head, repository.branch)
      return repository
    case .success(.none(let words?)): end.doubts.append("commits and branch unknown: \(words)")
    case .success:
      end.doubts.append("the repository\(place) itself is gone: commits unknown")
      noteLostRefs(in: &end, snapshot)
    case .failure(let error): end.doubts.append("commits and branch unknown: \(error)")
    }
    return nil
  }

  /// Adds what git's two lists leave out and takes out what belongs to other trees or was there before.
  private func prepare(
    _ candidates: inout GitSnapshot.Candidates, _ ignoredBefore: IgnoredBefore, _ snapshot: GitSnapshot, innerTrees: [PathBytes]
  ) throws {
    func isInside(_ path: PathBytes) -> Bool { innerTrees.contains { WorkspacePath.relative(path, to: $0).map { !$0.isEmpty } ?? false } }
    if !innerTrees.isEmpty { candidates.untracked.removeAll(where: isInside) }
    // Files that were ignored and no longer are haven't been added by that.
    candidates.untracked.removeAll(where: ignoredBefore.isUntouched)
    // Ignored files that were staged meanwhile are no longer ignored.
    if FileFacts.of(Array("\(repository)/index".utf8)) != userIndex, let index = try userIndexNow(snapshot) {
      let listed = Set(candidates.untracked)
      let unknownBefore = Set(unhashed.map { WorkspacePath.bytes($0.path) })
      candidates.untracked += index.paths(missingIn: try snapshot.index()).filter {
        !listed.contains($0) && !isInside($0) && !unknownBefore.contains($0) && !ignoredBefore.isUntouched($0)
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
        root: folder, directory: repository, common: common, objectFormat: objectFormat, head: nil, branch: nil, refs: []), settings: [])
    return try copy.wholeIndex()
  }

  /// Files that weren't hashed before are compared by size and time, whatever they are now.
  /// - Returns: those of which that tells nothing: clean before, and touched since
  private func takeUnhashed(
    _ candidates: inout GitSnapshot.Candidates, _ snapshot: GitSnapshot, _ rows: inout [PathBytes: ChangedFile]
  ) -> [Unhashed] {
    guard !unhashed.isEmpty else { return [] }
    var unsure: [Unhashed] = []
    let listed = Set(candidates.tracked)
    let before = Set(unhashed.map { WorkspacePath.bytes($0.path) })
    for file in unhashed {
      let path = WorkspacePath.bytes(file.path)
      if file.isTrackedClean, !listed.contains(path) { continue }
      guard let facts = FileFacts.of(WorkspacePath.join(snapshot.root, path)), facts.kind == .file || facts.kind == .link else {
        rows[path] = row(path, .deleted, nil)
        continue
      }
      let isSame = facts.kind == file.facts.kind && facts.size == file.facts.size && facts.executable == file.facts.executable
      if !isSame || facts.modified != file.facts.modified || file.isTrackedClean { rows[path] = row(path, .modified, .init(facts, id: nil)) }
      if isSame, file.isTrackedClean { unsure.append(file) }
    }
    candidates.tracked.removeAll(where: before.contains)
    candidates.untracked.removeAll(where: before.contains)
    return unsure
  }

  private func row(_ path: PathBytes, _ change: ChangedFile.Change, _ end: ChangedFile.EndState?) -> ChangedFile {
    ChangedFile(path: WorkspacePath.under(prefix, WorkspacePath.shown(path)), change: change, end: end)
  }

  /// The work tree is gone: so is every file.
  private func gone(_ snapshot: GitSnapshot) throws -> GitTreeEnd {
    var end = GitTreeEnd()
    noteLostRefs(in: &end, snapshot)
    var rows: [PathBytes: ChangedFile] = [:]
    for file in unhashed { rows[WorkspacePath.bytes(file.path)] = row(WorkspacePath.bytes(file.path), .deleted, nil) }
    try end.take(try compare(snapshot, to: try GitIndex.read("\(snapshot.directory)/none", objectFormat: objectFormat)), tree: self, snapshot, byHand: rows)
    return end
  }

  /// Commits that HEAD and the branches reach now and no ref reached before, the newest of them listed.
  private func newCommits(_ repository: GitRepository?, _ snapshot: GitSnapshot) throws -> (list: [ChangedFiles.Commit], unlisted: Int) {
    guard let repository else { return ([], 0) }
    let old = Set(refsBefore(snapshot).map(\.id) + (head.map { [$0] } ?? []))
    let new = repository.tips.subtracting(old)
    guard !new.isEmpty else { return ([], 0) }
    func revisions(_ options: [String], without old: [String]) throws -> [UInt8] {
      let input = (new.sorted() + old.map { "^\($0)" }).joined(separator: "\n") + "\n"
      return try snapshot.run(["rev-list", "--stdin", "--ignore-missing"] + options, input: Array(input.utf8))
    }
    let newest = ["--max-count=\(GitTree.commitLimit)", "--format=tformat:-%s"]
    var present = old.sorted()
    let output: [UInt8]
    do {
      output = try revisions(newest, without: present)
    } catch {
      // Commits that were pruned meanwhile: git refuses them, and they are part of nothing that is there now.
      let checked = try snapshot.run(["cat-file", "--batch-check"], input: Array(old.sorted().map { "\($0)\n" }.joined().utf8))
      present = checked.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }.filter { !$0.hasSuffix(" missing") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
      guard present.count < old.count else { throw error }
      output = try revisions(newest, without: present)
    }
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let list = stride(from: 0, to: lines.count - 1, by: 2).map {
      ChangedFiles.Commit(id: String(lines[$0].dropFirst(7)), subject: String(lines[$0 + 1].dropFirst()), repository: prefix.isEmpty ? nil : prefix)
    }
    guard list.count == GitTree.commitLimit else { return (list, 0) }
    let count = String(decoding: try revisions(["--count"], without: present).filter { $0 != 0x0a }, as: UTF8.self)
    guard let all = Int(count), all >= list.count else { throw WorkspaceError("git rev-list --count: unexpected reply") }
    return (list, all - list.count)
  }
}

extension GitTreeEnd {
  fileprivate mutating func mark(hidden: Set<PathBytes>, top: PathBytes) {
    guard !hidden.isEmpty else { return }
    for index in rows.indices where WorkspacePath.relative(WorkspacePath.bytes(rows[index].path), to: top).map(hidden.contains) ?? false {
      rows[index].ignored = true
    }
  }

  /// Files that git ignored before may have been there all along: that they were written is all that is known.
  fileprivate mutating func markHiddenBefore(_ ignored: IgnoredBefore, top: PathBytes) {
    for index in rows.indices where rows[index].change == .added {
      guard let path = WorkspacePath.relative(WorkspacePath.bytes(rows[index].path), to: top), ignored.mayHold(path) else { continue }
      rows[index].markHiddenBefore()
    }
  }

  /// Takes the rows of git's own comparison, with those made by hand in place of theirs.
  fileprivate mutating func take(_ compared: GitTree.Comparison, tree: GitTree, _ snapshot: GitSnapshot, byHand: [PathBytes: ChangedFile]) throws {
    doubts += compared.doubts
    baseTree = compared.baseTree
    lostContents = !compared.doubts.isEmpty
    let dirty = GitTree.paths(try PrivateFiles.read("\(snapshot.directory)/dirty", limit: 256 << 20)).subtracting(snapshot.names(GitSnapshot.unsureFile))
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
