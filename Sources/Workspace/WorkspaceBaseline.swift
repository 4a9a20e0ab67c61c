import Foundation
import PosixSupport

/// The workspace just before OpenCode was spawned. What is large lies in `git/` of the run's folder.
package struct WorkspaceBaseline: Codable, Sendable {
  package enum Kind: String, Codable, Sendable {
    /// Trees in git directories of the run's own.
    case git
    /// Names, sizes and times.
    case plain
    /// Nothing could be recorded.
    case none
  }

  package var kind: Kind
  /// The top of the repository; without one, `cwd`. Symlinks resolved.
  package var root: String
  package var cwd: String
  /// The git program; nil: not installed.
  package var git: String?
  /// The root's repository first, then submodules and nested repositories, one level deep.
  package var trees: [GitTree] = []
  package var branch: String?
  package var head: String?
  /// Nanoseconds since 1970, when recording began.
  package var began: Int64
  /// False when it couldn't be recorded fully; then `why` says what.
  package var exact = true
  package var why: String?

  /// Submodules and nested repositories beyond these aren't compared.
  package static let innerLimit = 64

  /// Records the workspace of `cwd`, blocking the calling thread.
  /// - Parameters:
  ///   - runFolder: the run's folder; `git/` is made in there
  ///   - git: the path of the git program, nil if it isn't installed
  ///   - deadline: seconds
  ///   - asked: what git has been asked of this folder already
  /// - Returns: always a baseline; what couldn't be recorded makes it inexact and is said in `why`
  package static func record(
    cwd: String, runFolder: String, git: String?, deadline: Deadline, asked: Begun<GitAnswers>? = nil
  ) -> WorkspaceBaseline {
    var baseline = WorkspaceBaseline(kind: .none, root: cwd, cwd: cwd, git: git, began: GitTree.now())
    guard let resolved = PrivateFiles.resolved(cwd), PrivateFiles.isFolder(resolved) else {
      baseline.doubt(["no such folder: \(cwd)"])
      return baseline
    }
    (baseline.root, baseline.cwd) = (resolved, resolved)
    do { try PrivateFiles.createFolder("\(runFolder)/git") } catch {
      baseline.doubt(["the workspace's state can't be kept: \(error)"])
      return baseline
    }
    guard let git else {
      baseline.recordPlain(runFolder, "git is not installed", deadline)
      return baseline
    }
    let program = GitProgram(path: git, deadline: deadline)
    do {
      let answers = asked?.value ?? GitAnswers(resolved, program)
      switch try answers.found.get() {
      case .none(let words): baseline.recordPlain(runFolder, words ?? "no git repository", deadline)
      case .repository(let found): try baseline.recordTrees(found, runFolder, program, settings: answers.settings.get())
      }
    } catch {
      baseline.trees = []
      baseline.root = resolved
      baseline.recordPlain(runFolder, "\(error)", deadline)
    }
    return baseline
  }

  /// Asks git what `record` needs to know first: before there is a folder of the run.
  package static func ask(cwd: String, git: String?, deadline: Deadline) -> Begun<GitAnswers>? {
    guard let git, let resolved = PrivateFiles.resolved(cwd), PrivateFiles.isFolder(resolved) else { return nil }
    return Begun { GitAnswers(resolved, GitProgram(path: git, deadline: deadline)) }
  }

  /// Of a workspace that nobody could look at.
  package static func notRecorded(cwd: String, why: String) -> WorkspaceBaseline {
    var baseline = WorkspaceBaseline(kind: .none, root: cwd, cwd: cwd, git: nil, began: GitTree.now())
    baseline.doubt([why])
    return baseline
  }

  private mutating func recordPlain(_ runFolder: String, _ reason: String, _ deadline: Deadline) {
    guard !deadline.hasPassed else {
      kind = .none
      doubt(["the workspace's state before the run wasn't recorded: \(reason)"])
      return
    }
    let tree = PlainTree.record(Array(root.utf8), deadline: deadline)
    do {
      try PrivateFiles.replace("\(runFolder)/git/plain", with: tree.encoded)
      kind = .plain
      doubt(["\(reason): names, sizes and times are compared"] + tree.doubts)
    } catch {
      kind = .none
      doubt(["\(reason); the workspace's state can't be kept: \(error)"])
    }
  }

  private mutating func recordTrees(_ found: GitRepository, _ runFolder: String, _ program: GitProgram, settings: [UInt8]) throws {
    let recorded = try GitTree.recordAll(found, runFolder: runFolder, git: program, settings: settings)
    kind = .git
    root = found.root
    (head, branch) = (found.head, found.branch)
    trees = recorded.trees
    doubt(recorded.doubts)
  }

  package mutating func doubt(_ reasons: [String]) {
    guard !reasons.isEmpty else { return }
    exact = false
    why = ([why].compactMap { $0 } + reasons).joined(separator: "; ")
  }
}

extension GitTree {
  /// Records a repository and, one level deep, the submodules and nested repositories in it.
  /// - Throws: `WorkspaceError`, `PosixError`, when the outer one can't be recorded
  package static func recordAll(_ found: GitRepository, runFolder: String, git: GitProgram, settings: [UInt8]) throws -> (trees: [GitTree], doubts: [String]) {
    let budget = HashBudget()
    let outer = try record(found, name: "0", prefix: "", runFolder: runFolder, git: git, settings: settings, budget: budget)
    var trees = [outer]
    var doubts = outer.doubts
    let inner = outer.innerFolders(outer.inner.map(WorkspacePath.bytes))
    if inner.count > WorkspaceBaseline.innerLimit { doubts.append("\(inner.count) repositories inside: only \(WorkspaceBaseline.innerLimit) are compared") }
    let work = inner.prefix(WorkspaceBaseline.innerLimit).enumerated().map { number, path in
      { @Sendable in
        Result { try outer.recordInner(path, name: "\(number + 1)", runFolder: runFolder, git: git, budget: budget) }.mapError { error in
          WorkspaceError("\(WorkspacePath.shown(path)): not recorded: \(error)")
        }
      }
    }
    for result in concurrently(work) {
      switch result {
      case .success(let tree?):
        trees.append(tree)
        doubts += tree.doubts + tree.deeper()
      case .success(nil): break
      case .failure(let error): doubts.append("\(error)")
      }
    }
    return (trees, doubts)
  }

  /// Those of `paths` (relative to this tree) that are repositories on disk.
  package func innerFolders(_ paths: [PathBytes]) -> [PathBytes] {
    paths.filter { path in
      let folder = WorkspacePath.join(Array(self.folder.utf8), path)
      return FileFacts.of(folder)?.kind == .folder && FileFacts.of(WorkspacePath.join(folder, Array(".git".utf8))) != nil
    }
  }

  /// Records the repository in a folder of this tree; nil when git finds none there.
  package func recordInner(_ path: PathBytes, name: String, runFolder: String, git: GitProgram, budget: HashBudget) throws -> GitTree? {
    guard let folder = String(validating: WorkspacePath.join(Array(self.folder.utf8), path), as: UTF8.self) else {
      throw WorkspaceError("its name isn't UTF-8")
    }
    switch try GitRepository.find(folder, git) {
    case .none(let words?): throw WorkspaceError(words)
    case .repository(let found) where found.root == folder:
      let prefix = WorkspacePath.under(prefix, WorkspacePath.shown(path))
      return try GitTree.record(
        found, name: name, prefix: prefix, runFolder: runFolder, git: git, settings: try GitTree.settings(folder, git), budget: budget)
    default: return nil
    }
  }

  /// Says which repositories lie too deep to be compared.
  package func deeper() -> [String] {
    let found = innerFolders(inner.map(WorkspacePath.bytes))
    guard !found.isEmpty else { return [] }
    return [
      "repositories two levels down aren't compared: " + found.prefix(5).map { WorkspacePath.under(prefix, WorkspacePath.shown($0)) }.joined(separator: ", ")
    ]
  }

  package static func settings(_ folder: String, _ git: GitProgram) throws -> [UInt8] {
    try git.run(["config", "-z", "--get-regexp", GitSnapshot.settingsWanted], folder: folder, accepting: [1])
  }
}

/// What git says of a folder. The settings of a folder are those of its repository, so that both can be asked for at the same time.
package struct GitAnswers: Sendable {
  let found: Result<GitRepository.Found, any Error>
  let settings: Result<[UInt8], any Error>

  init(_ folder: String, _ git: GitProgram) {
    (settings, found) = both({ Result { try GitTree.settings(folder, git) } }, { Result { try GitRepository.find(folder, git) } })
  }
}
