import Foundation
import PosixSupport

/// One file that changed.
struct ChangedFile: Codable, Sendable, Equatable {
  enum Change: String, Codable, Sendable { case added, modified, deleted, renamed }

  /// Relative to the root; names that aren't UTF-8 as `WorkspacePath` shows them.
  var path: String
  var change: Change
  /// Where a renamed file was.
  var from: String?
  /// Lines; absent for binary files and where contents weren't kept.
  var added: Int?
  var removed: Int?
  var binary: Bool?
  /// It had uncommitted changes (or was untracked) before the run.
  var dirtyBefore: Bool?
  /// OpenCode's own edit, write or patch tool named it.
  var byTool: Bool?
  /// git ignores it; it is listed because a tool named it.
  var ignored: Bool?
  /// git's file modes before and after when they differ: `100644 to 100755`.
  var mode: String?
  /// What it was at the end; absent: it was gone. For `changedSince`.
  var end: EndState?

  struct EndState: Codable, Sendable, Equatable {
    var size: Int64
    /// Nanoseconds since 1970.
    var modified: Int64
    var kind: FileFacts.Kind
    var executable: Bool
    /// The object name of its content, as git counts it; absent when it wasn't hashed.
    var id: String?

    init(_ facts: FileFacts, id: String?) {
      size = facts.size
      modified = facts.modified
      kind = facts.kind
      executable = facts.executable
      self.id = id
    }
  }
}

/// What changed between two states of a workspace: complete, sorted by path. May hold many thousands of rows.
struct ChangedFiles: Codable, Sendable {
  struct Counts: Codable, Sendable, Equatable {
    var added = 0
    var modified = 0
    var deleted = 0
    var renamed = 0
  }

  struct Commit: Codable, Sendable, Equatable {
    var id: String
    var subject: String
    /// The submodule or nested repository that it is in, relative to the root; absent: the outer one.
    var repository: String?
  }

  /// A git directory of the run's own with a tree (what was) and an index file (what is).
  struct Source: Codable, Sendable {
    /// The folder below `git/` of the run's folder.
    var name: String
    /// The work tree.
    var folder: String
    /// Relative to the root, as `WorkspacePath` shows it; "" for the root's own.
    var prefix: String
    /// nil: the contents are lost.
    var baseTree: String?
    /// The index file in there that holds the end.
    var index: String
  }

  /// The top of the repository, or the folder itself where there is none.
  var root: String
  /// "HEAD" when compared with the last commit instead of a run's begin.
  var basis: String?
  var files: [ChangedFile] = []
  var counts = Counts()
  /// Commits that exist now and didn't before, newest first, 200 of each repository at most.
  var commits: [Commit] = []
  var headBefore: String?
  var headAfter: String?
  /// Absent: no repository, or a detached HEAD.
  var branchBefore: String?
  var branchAfter: String?
  /// False when something couldn't be recorded fully; then `why` says what.
  var exact = true
  var why: String?
  var sources: [Source] = []

  init(root: String) { self.root = root }

  /// Says that the list may not be the whole truth.
  mutating func doubt(_ reasons: [String]) {
    guard !reasons.isEmpty else { return }
    exact = false
    why = ([why].compactMap { $0 } + reasons).joined(separator: "; ")
  }

  mutating func settle(_ rows: [ChangedFile]) {
    files = rows.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    counts = Counts()
    for row in files {
      switch row.change {
      case .added: counts.added += 1
      case .modified: counts.modified += 1
      case .deleted: counts.deleted += 1
      case .renamed: counts.renamed += 1
      }
    }
  }
}
