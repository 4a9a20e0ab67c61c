import Foundation
import PosixSupport

extension WorkspaceBaseline {
  /// Compares the workspace now, after OpenCode's end, with this baseline; blocks the calling thread. May be called again.
  /// - Parameters:
  ///   - toolPaths: absolute or relative to `cwd`: what OpenCode's own edit, write and patch tools named
  ///   - endSeen: false when someone else may have changed files between OpenCode's end and now
  ///   - deadline: seconds
  package func finish(runFolder: String, toolPaths: [String], endSeen: Bool, deadline: Double) -> ChangedFiles {
    let until = Monotonic.now + deadline
    var result = ChangedFiles(root: root)
    (result.headBefore, result.branchBefore) = (head, branch)
    if let why { result.doubt([why]) }
    if !endSeen { result.doubt(["the end was not seen: what happened between it and now is included"]) }
    switch kind {
    case .none: break
    case .plain: finishPlain(runFolder, &result, until)
    case .git:
      guard let git, let outer = trees.first else {
        result.doubt(["the record of the workspace is damaged"])
        break
      }
      finishTrees(outer, GitProgram(path: git, until: until), runFolder, toolPaths, &result)
    }
    let named = Set(relative(toolPaths))
    if !named.isEmpty {
      for index in result.files.indices
      where named.contains(WorkspacePath.bytes(result.files[index].path)) || result.files[index].from.map({ named.contains(WorkspacePath.bytes($0)) }) ?? false
      {
        result.files[index].byTool = true
      }
    }
    return result
  }

  private func finishPlain(_ runFolder: String, _ result: inout ChangedFiles, _ until: Double) {
    do {
      let before = try PlainTree(decoding: PrivateFiles.read("\(runFolder)/git/plain", limit: 1 << 30))
      var after = PlainTree()
      if FileFacts.of(Array(root.utf8))?.kind == .folder {
        after = PlainTree.record(Array(root.utf8), limit: 2 * PlainTree.limit, skipping: before.unlisted, until: until)
      }
      result.settle(before.rows(to: after))
      result.doubt(after.doubts)
    } catch {
      result.doubt(["the workspace's state after the run wasn't recorded: \(error)"])
    }
  }

  private func finishTrees(_ outer: GitTree, _ git: GitProgram, _ runFolder: String, _ toolPaths: [String], _ result: inout ChangedFiles) {
    let budget = HashBudget()
    var sources: [ChangedFiles.Source] = []
    let innerTrees = trees.dropFirst().map { WorkspacePath.bytes($0.prefix) }
    let ends = concurrently(
      trees.map { tree in
        { @Sendable in Result { try tree.end(runFolder, git, innerTrees: tree.prefix.isEmpty ? innerTrees : [], budget: budget) } }
      })
    var rows: [ChangedFile] = []
    for (tree, end) in zip(trees, ends) {
      switch end {
      case .success(let end):
        rows += end.rows
        result.commits += end.commits
        result.doubt(end.doubts)
        if end.baseTree != nil || end.lostContents || !end.rows.isEmpty {
          sources.append(.init(name: tree.name, folder: tree.folder, prefix: tree.prefix, baseTree: end.baseTree, index: GitSnapshot.endIndex))
        }
        if tree.prefix.isEmpty {
          (result.headAfter, result.branchAfter) = (end.head, end.branch)
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
    let listed = Set(rows.map(\.path))
    rows += ignoredRows(relative(toolPaths).filter { !listed.contains(WorkspacePath.shown($0)) }, runFolder, git)
    result.sources = sources
    result.settle(rows)
  }

  /// Repositories that appeared during the run: all their files were added.
  private func addInner(
    _ paths: [PathBytes], _ outer: GitTree, _ git: GitProgram, _ runFolder: String, _ budget: HashBudget, _ result: inout ChangedFiles
  ) -> ([ChangedFile], [ChangedFiles.Source]) {
    var rows: [ChangedFile] = []
    var sources: [ChangedFiles.Source] = []
    if paths.count > WorkspaceBaseline.innerLimit { result.doubt(["\(paths.count) new repositories inside: only \(WorkspaceBaseline.innerLimit) are listed"]) }
    for (number, path) in paths.prefix(WorkspaceBaseline.innerLimit).enumerated() {
      do {
        guard let tree = try outer.recordInner(path, name: "new\(number)", runFolder: runFolder, git: git, budget: budget) else { continue }
        let snapshot = tree.snapshot(runFolder, git)
        let all = try tree.uncommitted(snapshot, since: snapshot.emptyTree, dirtyOnly: false)
        rows += all.filter { $0.change != .deleted }
        sources.append(.init(name: tree.name, folder: tree.folder, prefix: tree.prefix, baseTree: snapshot.emptyTree, index: "index"))
      } catch {
        result.doubt(["\(WorkspacePath.shown(path)): not recorded: \(error)"])
      }
    }
    return (rows, sources)
  }

  /// Tool paths that are neither in the trees nor outside the root: git ignores them.
  private func ignoredRows(_ paths: [PathBytes], _ runFolder: String, _ git: GitProgram) -> [ChangedFile] {
    var rows: [ChangedFile] = []
    var known: [String: Set<PathBytes>] = [:]
    for path in Set(paths) where !path.isEmpty && !path.split(separator: WorkspacePath.slash).contains(where: { $0.elementsEqual(".git".utf8) }) {
      guard let tree = trees.last(where: { WorkspacePath.relative(path, to: WorkspacePath.bytes($0.prefix)) != nil }),
        let inTree = WorkspacePath.relative(path, to: WorkspacePath.bytes(tree.prefix))
      else { continue }
      let ignored = Set(
        ((try? PrivateFiles.read("\(GitTree.directory(runFolder, tree.name))/ignored", limit: 64 << 20)) ?? []).split(separator: 0).map { PathBytes($0) })
      let shown = WorkspacePath.shown(path)
      guard let facts = FileFacts.of(WorkspacePath.join(Array(root.utf8), path)) else {
        if ignored.contains(inTree) { rows.append(ChangedFile(path: shown, change: .deleted, ignored: true)) }
        continue
      }
      guard facts.kind == .file || facts.kind == .link, facts.changed >= began else { continue }
      if known[tree.name] == nil {
        let index = try? tree.snapshot(runFolder, git).index()
        known[tree.name] = Set(index.map { index in index.entries.map(index.path) } ?? []).union(tree.unhashed.map { WorkspacePath.bytes($0.path) })
      }
      if known[tree.name]?.contains(inTree) ?? false { continue }
      // In a folder ignored as a whole nothing was listed: its own time says whether a name was added to it.
      let isInIgnored = WorkspacePath.parents(inTree).contains { ignored.contains($0 + [WorkspacePath.slash]) }
      let folder = WorkspacePath.parents(path).first.flatMap { FileFacts.of(WorkspacePath.join(Array(root.utf8), $0)) }
      let existed = ignored.contains(inTree) || (isInIgnored && (folder?.modified ?? .max) < began)
      rows.append(ChangedFile(path: shown, change: existed ? .modified : .added, ignored: true, end: .init(facts, id: nil)))
    }
    return rows
  }

  /// Tool paths relative to the root; those outside are left out.
  private func relative(_ toolPaths: [String]) -> [PathBytes] {
    let top = Array(root.utf8)
    return toolPaths.compactMap { text in
      let full = text.hasPrefix("/") ? Array(text.utf8) : WorkspacePath.join(Array(cwd.utf8), Array(text.utf8))
      guard let normal = WorkspacePath.normalized(full) else { return nil }
      let absolute = [WorkspacePath.slash] + normal
      if let inside = WorkspacePath.relative(absolute, to: top) { return inside }
      // Named through a symlink: only its folder is resolved, the file itself may be one.
      guard let parent = WorkspacePath.parents(absolute).first(where: { !$0.isEmpty }), let real = BytePaths.resolved(parent) else { return nil }
      return WorkspacePath.relative(WorkspacePath.join(real, PathBytes(absolute.dropFirst(parent.count + 1))), to: top)
    }
  }
}
