import Foundation
import PosixSupport

extension GitTree {
  /// Branches beyond these aren't looked at for rewritten history.
  private static let rewrittenLimit = 50

  package struct RefChanges: Sendable {
    package var list: [RefChange] = []
    /// Of what was checked out; nil: unknown.
    package var rewritten: Bool?
    package var doubts: [String] = []
  }

  /// What became of the refs that were there before.
  package func refChanges(_ now: GitRepository, _ snapshot: GitSnapshot) -> RefChanges {
    let before = refsBefore(snapshot)
    var found = RefChanges()
    let repository = prefix.isEmpty ? nil : prefix
    func add(_ name: String, _ kind: RefChange.Kind, _ before: String?, _ after: String?, by: String? = nil) {
      found.list.append(RefChange(name: name, kind: kind, before: before, after: after, by: by, repository: repository))
    }
    let stashes = Set(now.refs.filter { $0.stash != nil }.map(\.id))
    let oldStashes = Set(before.filter { $0.stash != nil }.map(\.id))
    for ref in before where ref.stash != nil && !stashes.contains(ref.id) { add(ref.stash ?? ref.name, .deleted, ref.id, nil) }
    for ref in now.refs where ref.stash != nil && !oldStashes.contains(ref.id) { add(ref.stash ?? ref.name, .added, nil, ref.id) }

    // Bytes: names that differ in their normal form only are different refs.
    func byName(_ refs: [GitRef]) -> [PathBytes: GitRef] {
      Dictionary(refs.filter { $0.stash == nil }.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    }
    let (old, new) = (byName(before), byName(now.refs))
    var moved: [(name: String, before: String, after: String)] = []
    for (key, ref) in old.sorted(by: { precedes($0.key, $1.key) }) where new[key]?.id != ref.id {
      let (name, id) = (ref.name, ref.id)
      if name.hasPrefix("refs/remotes/") {
        add(name, .remote, id, new[key]?.id, by: lastMove(of: name, in: now))
      } else if let after = new[key]?.id {
        if name.hasPrefix("refs/heads/") { moved.append((name, id, after)) } else { add(name, .rewritten, id, after) }
      } else {
        add(name, .deleted, id, nil)
      }
    }
    for (key, ref) in new.sorted(by: { precedes($0.key, $1.key) }) where old[key] == nil {
      let (name, id) = (ref.name, ref.id)
      if name.hasPrefix("refs/remotes/") { add(name, .remote, nil, id, by: lastMove(of: name, in: now)) }
      if name.hasPrefix("refs/tags/") { add(name, .added, nil, id) }
    }
    if branch == nil, let head, now.branch == nil, let after = now.head, head != after { moved.append(("HEAD", head, after)) }
    judge(moved, &found, now, snapshot, repository)
    return found
  }

  /// Which of the moved branches lost commits, and whether what was checked out did.
  private func judge(
    _ moved: [(name: String, before: String, after: String)], _ found: inout RefChanges, _ now: GitRepository, _ snapshot: GitSnapshot, _ repository: String?
  ) {
    if moved.count > GitTree.rewrittenLimit {
      found.doubts.append("\(moved.count) branches moved: rewritten history was looked for in \(GitTree.rewrittenLimit)")
    }
    let looked = Array(moved.prefix(GitTree.rewrittenLimit))
    let verdicts = concurrently(
      looked.map { move in { @Sendable in Result { try snapshot.isAncestor(move.before, of: move.after) } } })
    let own = branch.map { "refs/heads/\($0)" } ?? "HEAD"
    // A branch that stands where it stood, or is gone (which is told), rewrote nothing.
    found.rewritten = moved.contains { GitRef.isSame($0.name, own) } ? nil : false
    for (move, verdict) in zip(looked, verdicts) {
      switch verdict {
      case .success(let isAncestor):
        if !isAncestor { found.list.append(RefChange(name: move.name, kind: .rewritten, before: move.before, after: move.after, repository: repository)) }
        if GitRef.isSame(move.name, own) { found.rewritten = !isAncestor }
      case .failure(let error): found.doubts.append("whether \(move.name) was rewritten is unknown: \(error)")
      }
    }
    if branch == nil, let head, let after = now.head, now.branch != nil {
      // A branch was checked out, or made, from a commit without one.
      found.rewritten = (try? snapshot.isAncestor(head, of: after)).map { !$0 && !now.tips.contains(head) }
    }
  }

  package func refsBefore(_ snapshot: GitSnapshot) -> [GitRef] {
    GitRef.decoded((try? PrivateFiles.read("\(snapshot.directory)/refs.before", limit: 256 << 20)) ?? [])
  }

  private func lastMove(of ref: String, in now: GitRepository) -> String? {
    guard !ref.split(separator: "/").contains(".."), let end = try? PrivateFiles.readEnd("\(now.common)/logs/\(ref)", limit: 4096),
      let last = end.split(separator: 0x0a).last, let tab = last.firstIndex(of: 0x09)
    else { return nil }
    let words = String(decoding: last[tab...].dropFirst(), as: UTF8.self)
    return words == "update by push" ? "push" : words.hasPrefix("fetch") || words.hasPrefix("pull") || words.hasPrefix("remote update") ? "fetch" : nil
  }
}

extension GitSnapshot {
  /// - Throws: `WorkspaceError` when it can't be told. A commit that is no longer there is part of no history.
  fileprivate func isAncestor(_ old: String, of new: String) throws -> Bool {
    let place = GitPlace(directory: directory, workTree: nil)
    do {
      return try git.runNoting(["merge-base", "--is-ancestor", old, new], folder: directory, place: place, accepting: [1]).status == 0
    } catch {
      if try git.runNoting(["cat-file", "-e", old], folder: directory, place: place, accepting: [1, 128]).status != 0 { return false }
      throw error
    }
  }
}
