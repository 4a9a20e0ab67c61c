import Foundation
import PosixSupport

/// Brings paths of a workspace from one side of a run to the other: what was before it, or what it left. Nothing is written before everything has
/// been looked at and every new content lies in the workspace under a temporary name; then come renames only.
package struct UndoMove {
  package let store: UndoStore
  package var journal: UndoJournal
  package let side: UndoJournal.Side
  /// Those of the journal's entries that are meant.
  package let chosen: [Int]
  /// Nanoseconds since 1970; a folder made later is none of before.
  package let began: Int64

  /// Why a path can't be brought there.
  package struct Obstacle: Sendable, Equatable {
    package let path: String
    package let why: String

    package init(_ path: String, _ why: String) { (self.path, self.why) = (path, why) }
  }

  /// How an entry stands on disk.
  package enum Standing: Sendable, Equatable {
    /// As it is to be.
    case there
    /// As it was on the other side.
    case toMove
    case blocked(String)
  }

  private let root: PathBytes
  private let byPath: [PathBytes: Int]

  package init(_ journal: UndoJournal, to side: UndoJournal.Side, chosen: [Int], store: UndoStore, began: Int64) {
    self.journal = journal
    self.side = side
    self.chosen = chosen
    self.store = store
    self.began = began
    root = Array(journal.root.utf8)
    byPath = Dictionary(journal.entries.indices.map { (WorkspacePath.bytes(journal.entries[$0].path), $0) }) { first, _ in first }
  }

  // MARK: - Looking

  /// How each chosen entry stands, in their order.
  /// - Parameter recorded: entries that were made of what is on disk just now
  package func standings(recorded: Set<Int> = []) -> [Standing] {
    var result = chosen.map { recorded.contains($0) ? .toMove : standing(journal.entries[$0]) }
    var leaving: Set<PathBytes> = []
    for (index, standing) in zip(chosen, result) where standing == .toMove && journal.entries[index].state(side) == nil {
      leaving.insert(WorkspacePath.bytes(journal.entries[index].path))
    }
    for (number, index) in chosen.enumerated() where result[number] == .toMove {
      if let why = obstacle(journal.entries[index], leaving: leaving) { result[number] = .blocked(why) }
    }
    return result
  }

  private func standing(_ entry: UndoJournal.Entry) -> Standing {
    let path = WorkspacePath.bytes(entry.path)
    do {
      if try isThere(path, entry.state(side)) { return .there }
      if try isThere(path, entry.state(side.other)) { return .toMove }
      return .blocked(changedWords)
    } catch {
      return .blocked("it can't be read: \(error)")
    }
  }

  private var changedWords: String { side == .before ? "it has changed since the run" : "it has changed since the undo" }

  /// Whether a path is in a state.
  private func isThere(_ path: PathBytes, _ state: UndoJournal.State?) throws -> Bool {
    let full = WorkspacePath.join(root, path)
    // What can't be seen isn't gone.
    if let folder = UndoMove.closedFolder(above: path, in: root) { throw WorkspaceError("no right to look into the folder \(WorkspacePath.shown(folder))") }
    let facts = UndoMove.isReachable(path, in: root) ? FileFacts.of(full) : nil
    guard let state else { return facts == nil || facts?.kind == .folder }
    guard let facts, facts.kind == state.kind else { return false }
    let content = store.content(state.content)
    if state.kind == .link { return try BytePaths.target(ofLink: full) == store.bytes(state.content) }
    guard facts.executable == state.isExecutable, facts.size == FileFacts.of(content)?.size else { return false }
    let (one, other) = (try BytePaths.open(full, O_RDONLY), try BytePaths.open(content, O_RDONLY))
    defer {
      one.close()
      other.close()
    }
    return try one.holdsTheSame(as: other)
  }

  /// Whether the way to a path leads through real folders only.
  package static func isReachable(_ path: PathBytes, in root: PathBytes) -> Bool {
    WorkspacePath.parents(path).allSatisfy { FileFacts.of(WorkspacePath.join(root, $0))?.kind == .folder }
  }

  /// The first folder on the way to a path into which this user can't look.
  package static func closedFolder(above path: PathBytes, in root: PathBytes) -> PathBytes? {
    WorkspacePath.parents(path).reversed().first { parent in
      let folder = WorkspacePath.join(root, parent)
      return FileFacts.of(folder)?.kind == .folder && !BytePaths.mayEnter(folder)
    }
  }

  /// What is in the way of an entry.
  /// - Parameter leaving: the paths that will be deleted first
  private func obstacle(_ entry: UndoJournal.Entry, leaving: Set<PathBytes>) -> String? {
    let path = WorkspacePath.bytes(entry.path)
    let full = WorkspacePath.join(root, path)
    let facts = UndoMove.isReachable(path, in: root) ? FileFacts.of(full) : nil
    if facts?.kind == .file, entry.state(side)?.kind == .file, let names = BytePaths.attributes(full)?.names, names > 1 {
      return "it has \(names) names (hard links); the others would keep what it is now"
    }
    var isBelow = true
    for parent in WorkspacePath.parents(path) {
      let folder = WorkspacePath.join(root, parent)
      switch FileFacts.of(folder)?.kind {
      case .folder?:
        if isBelow, !BytePaths.mayChange(folder) { return "no right to change the folder \(WorkspacePath.shown(parent))" }
        isBelow = false
      case nil: break
      default:
        if !leaving.contains(parent) { return "\(WorkspacePath.shown(parent)) is no folder any more" }
        isBelow = false
      }
    }
    if isBelow, !BytePaths.mayChange(root) { return "no right to change the folder" }
    if entry.state(side) == nil {
      // Folders that go with it are taken from those above them.
      for parent in WorkspacePath.parents(path) where isOurs(parent) {
        let above = WorkspacePath.parents(parent).first ?? []
        if !BytePaths.mayChange(WorkspacePath.join(root, above)), isEmptied(parent, by: leaving) {
          return "no right to change the folder \(WorkspacePath.shown(above))"
        }
      }
    }
    guard entry.state(side) != nil, facts?.kind == .folder else { return nil }
    // A folder is in its place: everything in there must be ours to delete.
    var queue = [path]
    while let folder = queue.popLast() {
      guard BytePaths.mayChange(WorkspacePath.join(root, folder)) else { return "no right to change the folder \(WorkspacePath.shown(folder))" }
      guard let names = try? BytePaths.names(in: WorkspacePath.join(root, folder)) else { return "the folder in its place can't be read" }
      for name in names {
        let inside = WorkspacePath.join(folder, name)
        if FileFacts.of(WorkspacePath.join(root, inside))?.kind == .folder {
          queue.append(inside)
        } else if !leaving.contains(inside) {
          return "a folder is in its place now, with \(WorkspacePath.shown(inside)) in it"
        }
      }
    }
    return nil
  }

  private func isFolder(_ path: PathBytes) -> Bool {
    UndoMove.isReachable(path, in: root) && FileFacts.of(WorkspacePath.join(root, path))?.kind == .folder
  }

  /// Undone, a folder goes that the run made; done again, one that the undo made.
  private func isOurs(_ folder: PathBytes) -> Bool {
    guard isFolder(folder) else { return false }
    if side == .after { return journal.madeFolders.contains { WorkspacePath.bytes($0) == folder } }
    return BytePaths.born(WorkspacePath.join(root, folder)).map { $0 >= began } ?? true
  }

  /// Whether nothing but folders would be left in a folder.
  private func isEmptied(_ folder: PathBytes, by leaving: Set<PathBytes>) -> Bool {
    var queue = [folder]
    while let next = queue.popLast() {
      for name in (try? BytePaths.names(in: WorkspacePath.join(root, next))) ?? [] {
        let inside = WorkspacePath.join(next, name)
        if isFolder(inside) { queue.append(inside) } else if !leaving.contains(inside) { return false }
      }
    }
    return true
  }

  // MARK: - Moving

  /// Carries it out: the journal says first what is intended, and what is done at last. When it fails half way, or its process is killed, the
  /// same call, or one to the other side, goes on from there.
  /// - Parameter now: seconds since 1970
  /// - Throws: `PosixError`, `WorkspaceError`
  package mutating func carryOut(now: Double) throws {
    removeTemporaries()
    let untouched = journal
    let standings = standings()
    for (index, standing) in zip(chosen, standings) {
      if case .blocked(let why) = standing { throw WorkspaceError("\(journal.entries[index].path): \(why)") }
      journal.entries[index].wanted = side
      journal.entries[index].isSettled = standing == .there
      journal.entries[index].temporary = nil
    }
    let moving = zip(chosen, standings).filter { $1 == .toMove }.map(\.0)
    for (number, index) in moving.enumerated() where journal.entries[index].state(side) != nil {
      journal.entries[index].temporary = WorkspacePath.shown(temporary(for: index, number))
    }
    let superfluous = superfluousFolders(moving)
    if side == .before { noteFolders(moving, superfluous) }
    journal.at = now
    try store.save(journal)
    do {
      for index in moving { try writeTemporary(index, alone: moving.count <= 100) }
      if moving.count > 100 { sync() }
    } catch {
      // Nothing of the workspace has changed yet.
      removeTemporaries()
      journal = untouched
      try? store.save(journal)
      throw error
    }
    for index in moving where journal.entries[index].state(side) == nil { try delete(journal.entries[index]) }
    for folder in superfluous { try removeIfEmpty(folder) }
    if side == .after { try makeAgain(moving) }
    for index in moving where journal.entries[index].state(side) != nil { try place(journal.entries[index]) }
    for index in chosen {
      journal.entries[index].isSettled = true
      journal.entries[index].temporary = nil
    }
    try store.save(journal)
  }

  private func removeTemporaries() {
    for entry in journal.entries {
      guard let temporary = entry.temporary.map(WorkspacePath.bytes), UndoMove.isReachable(temporary, in: root) else { continue }
      try? BytePaths.remove(WorkspacePath.join(root, temporary))
    }
  }

  /// A name in the nearest folder that is there.
  private func temporary(for index: Int, _ number: Int) -> PathBytes {
    let path = WorkspacePath.bytes(journal.entries[index].path)
    let folder = WorkspacePath.parents(path).first {
      UndoMove.isReachable($0 + [WorkspacePath.slash], in: root) && FileFacts.of(WorkspacePath.join(root, $0))?.kind == .folder
    }
    return WorkspacePath.join(folder ?? [], Array(".opencode-worker-undo-\(UInt32.random(in: 0 ... .max))-\(number)".utf8))
  }

  private func writeTemporary(_ index: Int, alone: Bool) throws {
    let entry = journal.entries[index]
    guard let state = entry.state(side), let name = entry.temporary else { return }
    let temporary = WorkspacePath.join(root, WorkspacePath.bytes(name))
    if state.kind == .link { return try BytePaths.makeLink(temporary, to: store.bytes(state.content)) }
    let source = try BytePaths.open(store.content(state.content), O_RDONLY)
    defer { source.close() }
    let file = try BytePaths.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
    defer { file.close() }
    try source.copyAll(to: file)
    let full = WorkspacePath.join(root, WorkspacePath.bytes(entry.path))
    if FileFacts.of(full)?.kind == .file, let old = BytePaths.attributes(full) {
      try file.set(permissions: state.permissions, owner: old.owner, group: old.group)
    } else {
      try file.set(permissions: state.permissions)
    }
    if alone { try file.sync() }
  }

  private func delete(_ entry: UndoJournal.Entry) throws {
    let path = WorkspacePath.bytes(entry.path)
    guard try isThere(path, entry.state(side.other)) else { throw WorkspaceError("\(entry.path): it has changed just now") }
    guard UndoMove.isReachable(path, in: root) else { return }
    let full = WorkspacePath.join(root, path)
    if let kind = FileFacts.of(full)?.kind, kind == .file || kind == .link { try BytePaths.remove(full) }
  }

  private struct Superfluous {
    let path: PathBytes
    /// Something else takes its place.
    let mustGo: Bool
  }

  /// Folders that the other side needed and this one doesn't, the deepest first.
  private func superfluousFolders(_ moving: [Int]) -> [Superfluous] {
    var found: [PathBytes: Bool] = [:]
    // Of those that are there already, too: an earlier attempt may have been ended before it came to the folders.
    for index in chosen where journal.entries[index].state(side) == nil {
      for parent in WorkspacePath.parents(WorkspacePath.bytes(journal.entries[index].path)) where found[parent] == nil && isOurs(parent) {
        found[parent] = false
      }
    }
    for index in moving where journal.entries[index].state(side) != nil {
      var queue = [WorkspacePath.bytes(journal.entries[index].path)]
      while let folder = queue.popLast() {
        guard isFolder(folder) else { continue }
        found[folder] = true
        queue += ((try? BytePaths.names(in: WorkspacePath.join(root, folder))) ?? []).map { WorkspacePath.join(folder, $0) }
      }
    }
    return found.map { Superfluous(path: $0.key, mustGo: $0.value) }.sorted { $0.path.count > $1.path.count }
  }

  /// What putting back will do to folders, so that it can be taken back: one more than it comes to does no harm.
  private mutating func noteFolders(_ moving: [Int], _ superfluous: [Superfluous]) {
    let known = Set(journal.removedFolders.map { WorkspacePath.bytes($0.path) })
    for folder in superfluous where !known.contains(folder.path) {
      guard let permissions = BytePaths.attributes(WorkspacePath.join(root, folder.path))?.permissions else { continue }
      journal.removedFolders.append(.init(path: WorkspacePath.shown(folder.path), permissions: permissions))
    }
    var made = Set(journal.madeFolders.map(WorkspacePath.bytes))
    for index in moving where journal.entries[index].state(side) != nil {
      for parent in WorkspacePath.parents(WorkspacePath.bytes(journal.entries[index].path)) {
        let isThere = UndoMove.isReachable(parent, in: root) && FileFacts.of(WorkspacePath.join(root, parent))?.kind == .folder
        if !isThere, made.insert(parent).inserted { journal.madeFolders.append(WorkspacePath.shown(parent)) }
      }
    }
  }

  private func removeIfEmpty(_ folder: Superfluous) throws {
    guard UndoMove.isReachable(folder.path, in: root) else { return }
    // With something in it, it stays, whoever may change the folder above it.
    if !folder.mustGo, (try? BytePaths.names(in: WorkspacePath.join(root, folder.path)))?.isEmpty == false { return }
    do {
      try BytePaths.removeFolder(WorkspacePath.join(root, folder.path))
    } catch let error as PosixError where error.code == ENOENT || (!folder.mustGo && [ENOTEMPTY, EEXIST].contains(error.code)) {
      return
    }
  }

  /// The folders that the undo deleted, empty ones too.
  private func makeAgain(_ moving: [Int]) throws {
    let paths = moving.map { WorkspacePath.bytes(journal.entries[$0].path) }
    for folder in journal.removedFolders.sorted(by: { $0.path.utf8.count < $1.path.utf8.count }) {
      let path = WorkspacePath.bytes(folder.path)
      let isMeant = paths.contains { WorkspacePath.relative($0, to: path) != nil || WorkspacePath.relative(path, to: $0) != nil }
      if isMeant { try makeFolder(path) }
    }
  }

  private func place(_ entry: UndoJournal.Entry) throws {
    guard let name = entry.temporary else { return }
    let path = WorkspacePath.bytes(entry.path)
    for folder in WorkspacePath.parents(path).reversed() { try makeFolder(folder) }
    guard UndoMove.isReachable(path, in: root), try isThere(path, entry.state(side.other)) else {
      throw WorkspaceError("\(entry.path): it has changed just now")
    }
    try BytePaths.move(WorkspacePath.join(root, WorkspacePath.bytes(name)), to: WorkspacePath.join(root, path))
  }

  /// Makes a folder where none is, with the permissions that it had.
  private func makeFolder(_ path: PathBytes) throws {
    let full = WorkspacePath.join(root, path)
    guard FileFacts.of(full) == nil, UndoMove.isReachable(path, in: root) else { return }
    try BytePaths.makeFolder(full)
    guard side == .after, let permissions = journal.removedFolders.last(where: { WorkspacePath.bytes($0.path) == path })?.permissions else { return }
    let file = try BytePaths.open(full, O_RDONLY | O_DIRECTORY)
    defer { file.close() }
    try file.set(permissions: permissions)
  }
}
