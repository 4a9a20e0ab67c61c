import Foundation
import PosixSupport

extension WorkspaceBaseline {
  /// Compares the workspace now, after OpenCode's end, with this baseline; blocks the calling thread. May be called again.
  /// - Parameters:
  ///   - toolPaths: absolute or relative to `cwd`: what OpenCode's own edit, write and patch tools named
  ///   - endSeen: false when someone else may have changed files between OpenCode's end and now
  ///   - deadline: seconds
  package func finish(runFolder: String, toolPaths: [String], endSeen: Bool, deadline: Deadline) -> ChangedFiles {
    var result = ChangedFiles(root: root)
    (result.headBefore, result.branchBefore) = (head, branch)
    if let why { result.doubt([why]) }
    if !endSeen { result.doubt(["the end was not seen: what happened between it and now is included"]) }
    switch kind {
    case .none: break
    case .plain: finishPlain(runFolder, &result, deadline)
    case .git:
      let trees = trees.compactMap { $0.loaded(runFolder) }
      guard let git, let outer = trees.first, trees.count == self.trees.count else {
        result.doubt(["the record of the workspace before the run is damaged or gone"])
        break
      }
      finishTrees(outer, trees, GitProgram(path: git, deadline: deadline), runFolder, &result)
    }
    addNamed(toolPaths, to: &result, runFolder: runFolder)
    return result
  }

  /// Marks the rows that OpenCode's own tools named, and adds the ignored files that they did. Needs no git; may be called again with more paths.
  package func addNamed(_ toolPaths: [String], to result: inout ChangedFiles, runFolder: String) {
    addOutside(toolPaths, to: &result)
    let named = Set(toolPaths.flatMap(inWorkspace))
    guard !named.isEmpty else { return }
    for index in result.files.indices {
      let row = result.files[index]
      if [row.path, row.from].contains(where: { $0.map { named.contains(WorkspacePath.bytes($0)) } ?? false }) { result.files[index].byTool = true }
    }
    let listed = Set(result.files.map { WorkspacePath.bytes($0.path) })
    // A file may have two spellings, in different normal forms or cases: one row.
    let byText = Dictionary(grouping: result.files.indices) { result.files[$0].path.lowercased() }
    var missing: [PathBytes] = []
    for path in named where !listed.contains(path) {
      let spelled = byText[WorkspacePath.shown(path).lowercased()] ?? []
      if let index = spelled.first(where: { isSameFile(path, WorkspacePath.bytes(result.files[$0].path)) }) {
        result.files[index].byTool = true
      } else {
        missing.append(path)
      }
    }
    guard kind == .git else { return }
    var ignored = ignoredRows(missing, runFolder)
    for index in ignored.indices { ignored[index].byTool = true }
    if !ignored.isEmpty { result.settle(result.files + ignored) }
  }

  /// Files that tools named outside the root, or among git's own: nothing else tells of them.
  private func addOutside(_ toolPaths: [String], to result: inout ChangedFiles) {
    let known = Set(result.files.filter { $0.outside == true }.map { WorkspacePath.bytes($0.path) })
    var rows: [PathBytes: ChangedFile] = [:]
    for text in toolPaths {
      let inside = inWorkspace(text)
      let isGits = inside.contains { $0.split(separator: WorkspacePath.slash).contains { $0.elementsEqual(".git".utf8) } }
      guard inside.isEmpty || isGits, let path = absolute(text) else { continue }
      guard !known.contains(path) else { continue }
      let facts = FileFacts.of(path)
      let shown = WorkspacePath.shown(path)
      rows[path] = ChangedFile(path: shown, change: facts == nil ? .deleted : .written, byTool: true, outside: true, end: facts.map { .init($0, id: nil) })
    }
    if !rows.isEmpty { result.settle(result.files + rows.values) }
  }

  private func absolute(_ text: String) -> PathBytes? {
    let full = text.hasPrefix("/") ? Array(text.utf8) : WorkspacePath.join(Array(cwd.utf8), Array(text.utf8))
    return WorkspacePath.normalized(full).map { [WorkspacePath.slash] + $0 }
  }

  private func isSameFile(_ one: PathBytes, _ other: PathBytes) -> Bool {
    let top = Array(root.utf8)
    guard let facts = FileFacts.of(WorkspacePath.join(top, one)) else { return false }
    return facts == FileFacts.of(WorkspacePath.join(top, other))
  }

  private func finishPlain(_ runFolder: String, _ result: inout ChangedFiles, _ deadline: Deadline) {
    do {
      let before = try PlainTree(decoding: PrivateFiles.read("\(runFolder)/git/plain", limit: 1 << 30))
      var after = PlainTree()
      if PrivateFiles.isFolder(root) {
        after = PlainTree.record(Array(root.utf8), limit: 2 * PlainTree.limit, skipping: before.unlisted, deadline: deadline)
      }
      result.settle(before.rows(to: after))
      result.doubt(after.doubts)
    } catch {
      result.doubt(["the workspace's state after the run wasn't recorded: \(error)"])
    }
  }

  private func finishTrees(_ outer: GitTree, _ trees: [GitTree], _ git: GitProgram, _ runFolder: String, _ result: inout ChangedFiles) {
    let budget = HashBudget()
    var sources: [ChangedFiles.Source] = []
    let innerTrees = trees.dropFirst().map { WorkspacePath.bytes($0.prefix) }
    let ends = concurrently(
      trees.map { tree in
        { @Sendable in Result { try tree.end(runFolder, git, innerTrees: tree.prefix.isEmpty ? innerTrees : [], budget: budget) } }
      })
    var rows: [ChangedFile] = []
    var repositories: Set<String> = []
    for (tree, end) in zip(trees, ends) {
      switch end {
      case .success(let end):
        rows += end.rows
        // A linked work tree inside shares its refs with the repository that it is of.
        result.commits += end.commits.filter { commit in !result.commits.contains { $0.id == commit.id } }
        let isFirst = repositories.insert(tree.common).inserted
        if isFirst { result.commitCount += end.unlistedCommits }
        result.refs += end.refs.filter { isFirst || $0.name == "HEAD" }
        result.ignoredGone += end.ignoredGone.map { WorkspacePath.shown($0) }
        result.doubt(end.doubts)
        if end.baseTree != nil || end.lostContents || !end.rows.isEmpty {
          sources.append(.init(name: tree.name, folder: tree.folder, prefix: tree.prefix, baseTree: end.baseTree, index: GitSnapshot.endIndex))
        }
        if tree.prefix.isEmpty {
          (result.headAfter, result.branchAfter, result.rewritten) = (end.head, end.branch, end.rewritten)
          let before = Set(innerTrees)
          let appeared = tree.innerFolders(end.newInner + tree.inner.map(WorkspacePath.bytes).filter { !before.contains($0) })
          let (added, more) = addInner(appeared, outer, git, runFolder, budget, &result)
          rows += added
          sources += more
        } else if !end.newInner.isEmpty {
          result.doubt(["repositories two levels down aren't compared: \(WorkspacePath.under(tree.prefix, WorkspacePath.shown(end.newInner[0])))"])
        }
      case .failure(let error):
        result.doubt(["the state after the run wasn't recorded\(tree.prefix.isEmpty ? "" : " (\(tree.prefix))"): \(error)"])
      }
    }
    result.commitCount += result.commits.count
    result.sources = sources
    result.settle(rows)
  }

  /// Repositories that appeared during the run: all their files were added.
  private func addInner(
    _ paths: [PathBytes], _ outer: GitTree, _ git: GitProgram, _ runFolder: String, _ budget: HashBudget, _ result: inout ChangedFiles
  ) -> ([ChangedFile], [ChangedFiles.Source]) {
    var rows: [ChangedFile] = []
    var sources: [ChangedFiles.Source] = []
    let ignoredBefore = IgnoredBefore(outer, runFolder)
    if paths.count > WorkspaceBaseline.innerLimit { result.doubt(["\(paths.count) new repositories inside: only \(WorkspaceBaseline.innerLimit) are listed"]) }
    for (number, path) in paths.prefix(WorkspaceBaseline.innerLimit).enumerated() {
      do {
        guard let tree = try outer.recordInner(path, name: "new\(number)", runFolder: runFolder, git: git, budget: budget) else { continue }
        let snapshot = tree.snapshot(runFolder, git)
        result.doubt(tree.deeper())
        let all = try tree.uncommitted(snapshot, since: snapshot.emptyTree, dirtyOnly: false)
        rows += all.filter { $0.change != .deleted }.compactMap { WorkspaceBaseline.asKnown($0, ignoredBefore) }
        rows += try ignored(in: tree, snapshot, since: outer.began, &result)
        sources.append(.init(name: tree.name, folder: tree.folder, prefix: tree.prefix, baseTree: snapshot.emptyTree, index: "index"))
      } catch {
        result.doubt(["\(WorkspacePath.shown(path)): not recorded: \(error)"])
      }
    }
    return (rows, sources)
  }

  /// A file of a new repository whose folder may have been there, ignored, before; nil: it was, and is as it was.
  private static func asKnown(_ row: ChangedFile, _ ignoredBefore: IgnoredBefore) -> ChangedFile? {
    let path = WorkspacePath.bytes(row.path)
    if ignoredBefore.isUntouched(path) { return nil }
    var row = row
    if ignoredBefore.mayHold(path) { row.markHiddenBefore() }
    return row
  }

  /// What a new repository hides from git by rules of its own: all of them are new.
  private func ignored(in tree: GitTree, _ snapshot: GitSnapshot, since: Int64, _ result: inout ChangedFiles) throws -> [ChangedFile] {
    let now = try PrivateFiles.read("\(snapshot.directory)/ignored", limit: 256 << 20).split(separator: 0).map { PathBytes($0) }
    let found = try GitTree.hidden(snapshot, before: [], now: now, since: since, isOld: nil)
    result.doubt(found.doubts)
    return found.files.compactMap { path in
      guard let facts = FileFacts.of(WorkspacePath.join(snapshot.root, path)) else { return nil }
      return ChangedFile(path: WorkspacePath.under(tree.prefix, WorkspacePath.shown(path)), change: .added, ignored: true, end: .init(facts, id: nil))
    }
  }

  /// Tool paths that are neither in the trees nor outside the root: git ignores them. What they held before isn't known.
  private func ignoredRows(_ paths: [PathBytes], _ runFolder: String) -> [ChangedFile] {
    var rows: [ChangedFile] = []
    var (known, before): ([String: Set<PathBytes>], [String: IgnoredBefore]) = ([:], [:])
    for path in Set(paths) where !path.isEmpty && !path.split(separator: WorkspacePath.slash).contains(where: { $0.elementsEqual(".git".utf8) }) {
      guard let tree = trees.last(where: { WorkspacePath.relative(path, to: WorkspacePath.bytes($0.prefix)) != nil }),
        let inTree = WorkspacePath.relative(path, to: WorkspacePath.bytes(tree.prefix))
      else { continue }
      let ignored = before[tree.name] ?? IgnoredBefore(tree, runFolder)
      before[tree.name] = ignored
      let shown = WorkspacePath.shown(path)
      guard let facts = FileFacts.of(WorkspacePath.join(Array(root.utf8), path)) else {
        if ignored.listed.contains(inTree) { rows.append(ChangedFile(path: shown, change: .deleted, ignored: true)) }
        continue
      }
      guard facts.kind == .file || facts.kind == .link, facts.changed >= began else { continue }
      if known[tree.name] == nil {
        let index = try? GitIndex.read("\(GitTree.directory(runFolder, tree.name))/index", objectFormat: tree.objectFormat)
        let unhashed = tree.loaded(runFolder)?.unhashed ?? []
        known[tree.name] = Set(index.map { index in index.entries.map(index.path) } ?? []).union(unhashed.map { WorkspacePath.bytes($0.path) })
      }
      if known[tree.name]?.contains(inTree) ?? false { continue }
      var row = ChangedFile(path: shown, change: .added, ignored: true, end: .init(facts, id: nil))
      if ignored.mayHold(inTree) { row.markHiddenBefore() }
      rows.append(row)
    }
    return rows
  }

  /// A tool's path relative to the root: by its own name, with the folders on the way to it resolved, and what it points to when it is a
  /// symlink itself, for a tool writes through that. Empty when it is outside.
  private func inWorkspace(_ text: String) -> [PathBytes] {
    let full = text.hasPrefix("/") ? Array(text.utf8) : WorkspacePath.join(Array(cwd.utf8), Array(text.utf8))
    guard let normal = WorkspacePath.normalized(full) else { return [] }
    let absolute = [WorkspacePath.slash] + normal
    var found: [PathBytes] = []
    // The nearest folder that is still there: one that the run has deleted can't be resolved.
    for parent in WorkspacePath.parents(absolute) {
      let folder = parent.isEmpty ? [WorkspacePath.slash] : parent
      guard let real = BytePaths.resolved(folder) else { continue }
      found.append(WorkspacePath.join(real, PathBytes(absolute.dropFirst(parent.count + 1))))
      break
    }
    if let target = BytePaths.resolved(absolute), !found.contains(target) { found.append(target) }
    let tops = Set([Array(root.utf8), BytePaths.resolved(Array(root.utf8)) ?? []]).filter { !$0.isEmpty }
    return found.compactMap { path in tops.lazy.compactMap { WorkspacePath.relative(path, to: $0) }.first }
  }
}
