import PosixSupport

/// What git ignored in a tree when the run began: of such files only the names are known, and of those in a folder that is ignored as a whole not even
/// these.
package struct IgnoredBefore {
  /// Folders with a slash at the end.
  package let listed: Set<PathBytes>
  private let root: PathBytes
  private let began: Int64

  package init(_ tree: GitTree, _ runFolder: String) {
    listed = GitTree.paths(in: "\(GitTree.directory(runFolder, tree.name))/ignored")
    (root, began) = (Array(tree.folder.utf8), tree.began)
  }

  /// Whether git ignored a path that no index of then names: it may have been there.
  package func mayHold(_ path: PathBytes) -> Bool { listed.contains(path) || isBelowListed(path) }

  /// What is at a path was there before and hasn't been written since. (The age alone doesn't tell: a folder that is moved takes old files along, to names
  /// that neither git nor an index knew.)
  package func isUntouched(_ path: PathBytes) -> Bool {
    guard mayHold(path), FileFacts.of(WorkspacePath.join(root, path)).map({ $0.changed < began }) ?? true else { return false }
    return listed.contains(path) || !isBelowMoved(path)
  }

  /// Whether a folder on the way to it has been moved: that changes its own ctime, and nothing in it.
  private func isBelowMoved(_ path: PathBytes) -> Bool {
    WorkspacePath.parents(path).contains { folder in
      FileFacts.of(WorkspacePath.join(root, folder)).map { $0.changed >= began && $0.modified < began } ?? false
    }
  }

  private func isBelowListed(_ path: PathBytes) -> Bool {
    !listed.isEmpty && WorkspacePath.parents(path).contains { listed.contains($0 + [WorkspacePath.slash]) }
  }
}
