import Foundation
import PosixSupport

/// One file that changed.
package struct ChangedFile: Codable, Sendable, Equatable {
  package enum Change: String, Codable, Sendable {
    case added, modified, deleted, renamed
    /// It was written; what it held before, and whether it was there, isn't known: it lies outside, or git ignored it then.
    case written
  }

  /// Relative to the root; names that aren't UTF-8 as `WorkspacePath` shows them.
  package var path: String
  package var change: Change
  /// Where a renamed file was.
  package var from: String?
  /// Lines; absent for binary files and where contents weren't kept.
  package var added: Int?
  package var removed: Int?
  package var binary: Bool?
  /// It had uncommitted changes (or was untracked) before the run.
  package var dirtyBefore: Bool?
  /// The uncommitted work that it held before the run is gone from the work tree; `patch` still shows it.
  package var lostWork: Bool?
  /// OpenCode's own edit, write or patch tool named it.
  package var byTool: Bool?
  /// git ignores it; it is listed because a tool named it, or because the rule was written during the run.
  package var ignored: Bool?
  /// It is no part of the workspace, or is git's own (`.git/hooks`): `path` is absolute, and nothing was recorded of it before.
  package var outside: Bool?
  /// git ignored it, or the folder it is in, before the run: what it held isn't known.
  package var hiddenBefore: Bool?
  /// git's file modes before and after when they differ: `100644 to 100755`.
  package var mode: String?
  /// What it was at the end; absent: it was gone. For `changedSince`.
  package var end: EndState?

  /// Nothing is known of it before but its name, and not always that: no lines can be counted.
  mutating func markHiddenBefore() {
    (change, hiddenBefore) = (.written, true)
    (added, removed, mode) = (nil, nil, nil)
  }

  package struct EndState: Codable, Sendable, Equatable {
    package var size: Int64
    /// Nanoseconds since 1970.
    package var modified: Int64
    package var kind: FileFacts.Kind
    package var executable: Bool
    /// The object name of its content, as git counts it; absent when it wasn't hashed.
    package var id: String?

    package init(_ facts: FileFacts, id: String?) {
      size = facts.size
      modified = facts.modified
      kind = facts.kind
      executable = facts.executable
      self.id = id
    }
  }
}

/// What changed between two states of a workspace: complete, sorted by path. May hold many thousands of rows.
package struct ChangedFiles: Codable, Sendable {
  package struct Counts: Codable, Sendable, Equatable {
    package var added = 0
    package var modified = 0
    package var deleted = 0
    package var renamed = 0
    /// Absent in what older versions wrote.
    package var written: Int?

    package var total: Int { added + modified + deleted + renamed + (written ?? 0) }
  }

  package struct Commit: Codable, Sendable, Equatable {
    package var id: String
    package var subject: String
    /// The submodule or nested repository that it is in, relative to the root; absent: the outer one.
    package var repository: String?
  }

  /// A git directory of the run's own with a tree (what was) and an index file (what is).
  package struct Source: Codable, Sendable {
    /// The folder below `git/` of the run's folder.
    package var name: String
    /// The work tree.
    package var folder: String
    /// Relative to the root, as `WorkspacePath` shows it; "" for the root's own.
    package var prefix: String
    /// nil: the contents are lost.
    package var baseTree: String?
    /// The index file in there that holds the end.
    package var index: String
  }

  /// The top of the repository, or the folder itself where there is none.
  package var root: String
  /// "HEAD" when compared with the last commit instead of a run's begin.
  package var basis: String?
  package var files: [ChangedFile] = []
  package var counts = Counts()
  /// Commits that exist now and didn't before, newest first, 200 of each repository at most.
  package var commits: [Commit] = []
  /// Of all repositories, those that aren't listed too.
  package var commitCount = 0
  package var headBefore: String?
  package var headAfter: String?
  /// Absent: no repository, or a detached HEAD.
  package var branchBefore: String?
  package var branchAfter: String?
  /// Of what was checked out before: its last commit is no part of that branch's history any more. Absent: unknown, or no repository.
  package var rewritten: Bool?
  /// Refs lost, rewritten or moved by a push; those that only grew aren't listed.
  package var refs: [RefChange] = []
  /// Ignored files and folders (with a slash at the end) that were there before and are gone, relative to the root.
  package var ignoredGone: [String] = []
  /// False when something couldn't be recorded fully; then `why` says what.
  package var exact = true
  package var why: String?
  package var sources: [Source] = []

  package init(root: String) { self.root = root }

  /// Rows whose uncommitted work from before the run is gone.
  package var lostWork: [ChangedFile] { files.filter { $0.lostWork == true } }

  /// Another branch is checked out than before, or none.
  package var switchedBranch: Bool { !GitRef.isSame(branchBefore, branchAfter) }

  /// Says that the list may not be the whole truth.
  package mutating func doubt(_ reasons: [String]) {
    guard !reasons.isEmpty else { return }
    exact = false
    why = ([why].compactMap { $0 } + reasons).joined(separator: "; ")
  }

  package mutating func settle(_ rows: [ChangedFile]) {
    files = rows.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    counts = Counts()
    for row in files where row.outside != true {
      switch row.change {
      case .added: counts.added += 1
      case .modified: counts.modified += 1
      case .deleted: counts.deleted += 1
      case .renamed: counts.renamed += 1
      case .written: counts.written = (counts.written ?? 0) + 1
      }
    }
  }
}

extension ChangedFiles {
  private enum CodingKeys: String, CodingKey {
    case root, basis, files, counts, commits, commitCount, headBefore, headAfter, branchBefore, branchAfter, rewritten, refs, ignoredGone, exact, why, sources
  }

  /// What older versions didn't record is absent.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    root = try values.decode(String.self, forKey: .root)
    basis = try values.decodeIfPresent(String.self, forKey: .basis)
    files = try values.decode([ChangedFile].self, forKey: .files)
    counts = try values.decode(Counts.self, forKey: .counts)
    commits = try values.decode([Commit].self, forKey: .commits)
    commitCount = try values.decodeIfPresent(Int.self, forKey: .commitCount) ?? commits.count
    headBefore = try values.decodeIfPresent(String.self, forKey: .headBefore)
    headAfter = try values.decodeIfPresent(String.self, forKey: .headAfter)
    branchBefore = try values.decodeIfPresent(String.self, forKey: .branchBefore)
    branchAfter = try values.decodeIfPresent(String.self, forKey: .branchAfter)
    rewritten = try values.decodeIfPresent(Bool.self, forKey: .rewritten)
    refs = try values.decodeIfPresent([RefChange].self, forKey: .refs) ?? []
    ignoredGone = try values.decodeIfPresent([String].self, forKey: .ignoredGone) ?? []
    exact = try values.decode(Bool.self, forKey: .exact)
    why = try values.decodeIfPresent(String.self, forKey: .why)
    sources = try values.decode([Source].self, forKey: .sources)
  }
}
