import Foundation
import PosixSupport

extension GitTree {
  package struct Hidden: Sendable {
    /// Files that appeared and that only rules written since hide from git.
    package var files: [PathBytes] = []
    package var doubts: [String] = []
    /// Ignored files and folders that were there before and are gone.
    package var gone: [PathBytes] = []
  }

  /// Hidden files up to this number are listed; of more only the number is told.
  private static let hiddenLimit = 100
  private static let walkLimit = 20_000

  /// What git ignores now, compared with what it ignored before.
  /// - Parameters:
  ///   - before, now: as in `GitSnapshot.Candidates.ignored`
  ///   - since: nanoseconds since 1970
  ///   - known: files that were there before and are in no index
  ///   - isOld: whether a file with rules in the work tree is as it was; nil: the whole repository has appeared since, and so have all its rules
  /// - Throws: `WorkspaceError`
  package static func hidden(
    _ snapshot: GitSnapshot, before old: Set<PathBytes>, now: [PathBytes], known: Set<PathBytes> = [], since: Int64, isOld: ((PathBytes) throws -> Bool)?
  ) throws -> Hidden {
    var found = Hidden()
    let new = Set(now)
    for path in old where !new.contains(path) && FileFacts.of(WorkspacePath.join(snapshot.root, withoutSlash(path))) == nil { found.gone.append(path) }
    // git lists a folder and, again, what is in it.
    let appeared = now.filter { path in
      !old.contains(path)
        && !WorkspacePath.parents(withoutSlash(path)).contains { old.contains($0 + [WorkspacePath.slash]) || new.contains($0 + [WorkspacePath.slash]) }
    }
    guard !appeared.isEmpty else { return found }
    var rules = RuleAges(snapshot, since: since, isOld: isOld)
    var files: [PathBytes] = []
    var unsure: [PathBytes] = []
    var more: [(folder: PathBytes, count: Int)] = []
    var left = walkLimit
    for (path, rule) in zip(appeared, try rules.deciding(appeared.map(withoutSlash))) {
      let isFolder = path.last == WorkspacePath.slash
      if rule == .old { continue }
      if !isFolder {
        if !known.contains(path) { files.append(path) }
        continue
      }
      let inside = walk(withoutSlash(path), snapshot.root, &left).filter { !known.contains($0) && !old.contains($0) }
      // No rule names the folder itself: its files may be ignored each for its own reason.
      if rule == .none { unsure += inside } else if inside.count > hiddenLimit { more.append((path, inside.count)) } else { files += inside }
    }
    let decided = zip(unsure, try rules.deciding(unsure)).filter { $1 == .new }.map(\.0)
    if files.count + decided.count <= hiddenLimit {
      found.files = files + decided
    } else {
      var folders: [PathBytes: Int] = [:]
      for path in files + decided { folders[WorkspacePath.parents(path).last.map { $0 + [WorkspacePath.slash] } ?? path, default: 0] += 1 }
      more += folders.map { (folder: $0.key, count: $0.value) }
    }
    if left == 0 { found.doubts.append("over \(walkLimit) ignored files appeared: not all were looked at") }
    if !more.isEmpty {
      let named = more.sorted { precedes($0.folder, $1.folder) }.prefix(5).map { "\(WorkspacePath.shown($0.folder)) (\($0.count))" }
      found.doubts.append(
        "files that ignore rules written since the start hide aren't listed: \(named.joined(separator: ", "))\(more.count > 5 ? ", ..." : "")")
    }
    return found
  }

  private static func withoutSlash(_ path: PathBytes) -> PathBytes { path.last == WorkspacePath.slash ? PathBytes(path.dropLast()) : path }

  /// Files and links below a folder, without `.git`, `left` at most.
  private static func walk(_ folder: PathBytes, _ root: PathBytes, _ left: inout Int) -> [PathBytes] {
    var files: [PathBytes] = []
    var queue = [folder]
    while let next = queue.popLast(), left > 0 {
      for name in (try? BytePaths.names(in: WorkspacePath.join(root, next))) ?? [] where name != Array(".git".utf8) {
        let path = WorkspacePath.join(next, name)
        switch FileFacts.of(WorkspacePath.join(root, path))?.kind {
        case .folder: queue.append(path)
        case .file, .link:
          left -= 1
          files.append(path)
        case .other, nil: break
        }
        if left == 0 { return files }
      }
    }
    return files
  }
}

/// Whether the ignore rule that decides about a path has been written since a moment.
private struct RuleAges {
  enum Rule { case none, old, new }

  private let snapshot: GitSnapshot
  private let since: Int64
  private let isOld: ((PathBytes) throws -> Bool)?
  private var known: [PathBytes: Rule] = [:]

  init(_ snapshot: GitSnapshot, since: Int64, isOld: ((PathBytes) throws -> Bool)?) {
    self.snapshot = snapshot
    self.since = since
    self.isOld = isOld
  }

  /// - Throws: `WorkspaceError`
  mutating func deciding(_ paths: [PathBytes]) throws -> [Rule] {
    guard !paths.isEmpty else { return [] }
    let output = try snapshot.git.run(
      ["check-ignore", "-v", "-n", "-z", "--stdin"], folder: snapshot.workTree, place: GitPlace(directory: snapshot.directory, workTree: snapshot.workTree),
      input: terminated(paths), accepting: [1])
    // Where the rule is, its line, the rule, the path.
    let fields = output.split(separator: 0, omittingEmptySubsequences: false)
    guard fields.count == 4 * paths.count + 1 else { throw WorkspaceError("git check-ignore: unexpected reply") }
    return try paths.indices.map { index in
      let (source, pattern) = (PathBytes(fields[4 * index]), fields[4 * index + 2])
      if source.isEmpty || pattern.first == UInt8(ascii: "!") { return .none }
      if let rule = known[source] { return rule }
      let rule: Rule
      if source.starts(with: Array("\(snapshot.directory)/".utf8)) {
        // Our copy of `info/exclude`, as it was at the beginning.
        rule = isOld == nil ? .new : .old
      } else if source.first == WorkspacePath.slash {
        // It may be a link to where it is kept.
        let files = [source, BytePaths.resolved(source) ?? source]
        rule = files.allSatisfy { (FileFacts.of($0)?.changed ?? .max) < since } ? .old : .new
      } else {
        rule = try isOld?(source) == true ? .old : .new
      }
      known[source] = rule
      return rule
    }
  }
}
