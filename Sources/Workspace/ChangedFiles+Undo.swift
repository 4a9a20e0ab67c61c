import Foundation
import PosixSupport

/// Makes the entries of a journal: what each path was before the run, in the bytes that it had on disk, and what it is now.
package struct UndoRecording {
  package let changes: ChangedFiles
  package let baseline: WorkspaceBaseline
  package let runFolder: String
  package let git: GitProgram
  package let store: UndoStore
  /// Nothing is written into the store.
  package let isDryRun: Bool

  package init(changes: ChangedFiles, baseline: WorkspaceBaseline, runFolder: String, git: GitProgram, store: UndoStore, isDryRun: Bool) {
    self.changes = changes
    self.baseline = baseline
    self.runFolder = runFolder
    self.git = git
    self.store = store
    self.isDryRun = isDryRun
  }

  package struct Found {
    package var entries: [UndoJournal.Entry] = []
    package var obstacles: [UndoMove.Obstacle] = []
    /// Paths that are as before the run by themselves.
    package var alreadyThere: [String] = []
  }

  /// One path, as the run's two indexes have it.
  private struct Candidate {
    let path: PathBytes
    let row: ChangedFile
    var before: Object?
    var after: Object?
    /// What it is now.
    var facts: FileFacts?
  }

  private struct Object {
    let mode: UInt32
    let id: String
    let diskSize: UInt32

    var isLink: Bool { mode & 0o170000 == 0o120000 }
    var isExecutable: Bool { mode & 0o111 != 0 }
  }

  /// Bytes of objects that are held at the same time, and of the largest.
  private static let batch = 32 << 20
  private static let largest = 200 << 20

  /// - Parameters:
  ///   - rows: those that are meant
  ///   - nextContent: the next free name in the store
  /// - Throws: `WorkspaceError`, `PosixError`
  package func entries(_ rows: [ChangedFile], nextContent: inout Int) throws -> Found {
    var found = Found()
    var bySource: [(source: ChangedFiles.Source?, rows: [ChangedFile])] = []
    for row in rows {
      let source = changes.sources.last { WorkspacePath.relative(WorkspacePath.bytes(row.path), to: WorkspacePath.bytes($0.prefix)) != nil }
      if let place = bySource.firstIndex(where: { $0.source?.name == source?.name }) {
        bySource[place].rows.append(row)
      } else {
        bySource.append((source, [row]))
      }
    }
    for (source, rows) in bySource {
      let usable = rows.filter { row in
        guard let why = refusal(row, source) else { return true }
        found.obstacles.append(.init(row.path, why))
        return false
      }
      if let source, !usable.isEmpty { try add(usable, source, &found, &nextContent) }
    }
    return found
  }

  /// Why a row can't be put back, whatever is on disk.
  private func refusal(_ row: ChangedFile, _ source: ChangedFiles.Source?) -> String? {
    if row.outside == true { return "it isn't in the workspace: what it held before isn't known" }
    if row.hiddenBefore == true { return "git ignored it before the run: whether it was there isn't known" }
    if row.ignored == true, row.end?.id == nil { return "git ignores it: what it held before isn't known" }
    guard let source else { return "what it held before wasn't kept" }
    if source.name.hasPrefix("new") { return "it belongs to \(source.prefix), a repository that the run made: delete that yourself if you want it gone" }
    guard FileFacts.of(WorkspacePath.join(Array(source.folder.utf8), Array(".git".utf8))) != nil else {
      return "the repository \(source.prefix.isEmpty ? changes.root : source.prefix) itself is gone"
    }
    let top = WorkspacePath.bytes(source.prefix)
    let inner = Set((baseline.trees.first { $0.name == source.name }?.inner ?? []).map { WorkspacePath.join(top, WorkspacePath.bytes($0)) })
    for path in [row.path, row.from].compactMap({ $0 }).map({ WorkspacePath.bytes($0) }) where inner.contains(path) {
      return "a repository was in its place before the run"
    }
    return nil
  }

  private func add(_ rows: [ChangedFile], _ source: ChangedFiles.Source, _ found: inout Found, _ nextContent: inout Int) throws {
    let directory = GitTree.directory(runFolder, source.name)
    guard let tree = baseline.trees.first(where: { $0.name == source.name }) else {
      throw WorkspaceError("the record of the workspace before the run is damaged")
    }
    let snapshot = GitSnapshot(directory: directory, workTree: source.folder, git: git, objectFormat: tree.objectFormat)
    let (old, new) = (try objects(GitSnapshot.beginIndex, snapshot), try objects(source.index, snapshot))
    if old.isEmpty, let base = source.baseTree, base != snapshot.emptyTree {
      found.obstacles += rows.map { .init($0.path, "the run was recorded by an older version of the worker, which kept too little for that") }
      return
    }
    let (top, root) = (WorkspacePath.bytes(source.prefix), Array(changes.root.utf8))
    var candidates: [Candidate] = []
    for row in rows {
      for path in [row.path, row.from].compactMap({ $0 }).map({ WorkspacePath.bytes($0) }) {
        guard let inside = WorkspacePath.relative(path, to: top) else { continue }
        let facts = UndoMove.isReachable(path, in: root) ? FileFacts.of(WorkspacePath.join(root, path)) : nil
        candidates.append(Candidate(path: path, row: row, before: old[inside], after: new[inside], facts: facts))
      }
    }
    var blocked: [PathBytes: String] = [:]
    for candidate in candidates {
      let isWhole = candidate.before != nil || candidate.after != nil || (candidate.row.change == .added && candidate.row.end != nil)
      if !isWhole { blocked[candidate.path] = "what it held before wasn't kept" }
      if let why = unreadable(candidate, in: root) { blocked[candidate.path] = why }
      if candidate.before?.isLink == true, snapshot.hasNoLinks { blocked[candidate.path] = "git was told that there are no symlinks here (core.symlinks)" }
    }
    try noteEncodings(candidates, tree, snapshot, top, &blocked)
    let (permissions, ignoresMode) = (GitSnapshot.permissions(in: directory), snapshot.ignoresFileMode)
    let contents = try loadBefore(candidates.filter { blocked[$0.path] == nil }, snapshot, top, &blocked, &nextContent)
    let unchanged = try unchangedSince(candidates.filter { blocked[$0.path] == nil }, snapshot, top)
    for candidate in candidates {
      let shown = WorkspacePath.shown(candidate.path)
      if let why = blocked[candidate.path] {
        found.obstacles.append(.init(shown, why))
        continue
      }
      let content = contents[candidate.path]
      if content?.isThere ?? (candidate.before == nil && (candidate.facts == nil || candidate.facts?.kind == .folder)) {
        found.alreadyThere.append(shown)
        content.map { store.remove([$0.name]) }
        continue
      }
      guard unchanged.contains(candidate.path) else {
        let isOther = candidate.facts?.kind == .other
        found.obstacles.append(.init(shown, isOther ? "what is in its place is no file, symlink or folder" : "it has changed since the run"))
        continue
      }
      var entry = UndoJournal.Entry(path: shown, wanted: .after, isSettled: true)
      let full = WorkspacePath.join(root, candidate.path)
      let now = candidate.facts.flatMap { $0.kind == .file ? BytePaths.attributes(full)?.permissions : nil }
      if let facts = candidate.facts, facts.kind == .file || facts.kind == .link {
        let name = "\(nextContent)"
        nextContent += 1
        if !isDryRun {
          try facts.kind == .link ? store.add(BytePaths.target(ofLink: full), as: name) : store.add(copyOf: full, as: name)
          // What was hashed is what was copied.
          guard FileFacts.of(full) == facts else { throw WorkspaceError("\(shown): it has changed just now") }
        }
        entry.after = .init(kind: facts.kind, permissions: now ?? 0, content: name)
      }
      if let before = candidate.before, let content {
        let inside = WorkspacePath.relative(candidate.path, to: top) ?? []
        let wasNoted = candidate.row.dirtyBefore == true
        let mode = ignoresMode ? permissions[inside] ?? 0o644 : chosen(permissions[inside], wasNoted: wasNoted, now, before.isExecutable)
        entry.before = .init(kind: before.isLink ? .link : .file, permissions: before.isLink ? 0 : mode, content: content.name)
      }
      found.entries.append(entry)
    }
  }

  /// Why what a path is now can't be told.
  private func unreadable(_ candidate: Candidate, in root: PathBytes) -> String? {
    if let folder = UndoMove.closedFolder(above: candidate.path, in: root) { return "no right to look into the folder \(WorkspacePath.shown(folder))" }
    let isReadable = candidate.facts?.kind != .file || BytePaths.canRead(WorkspacePath.join(root, candidate.path))
    return isReadable ? nil : "it can't be read"
  }

  /// The permissions of a file that git knows to be executable or not.
  /// - Parameter wasNoted: they had been noted if they had been unusual
  private func chosen(_ recorded: UInt32?, wasNoted: Bool, _ now: UInt32?, _ isExecutable: Bool) -> UInt32 {
    if let recorded, (recorded & 0o100 != 0) == isExecutable { return recorded }
    let usual = (isExecutable ? 0o777 : 0o666) & ~FileMask.current
    guard let now else { return usual }
    let likely = !isExecutable ? now & ~0o111 : now & 0o100 != 0 ? now : now | (now & 0o444) >> 2
    return wasNoted && !GitSnapshot.usual.contains(likely) ? usual : likely
  }

  private func objects(_ index: String, _ snapshot: GitSnapshot) throws -> [PathBytes: Object] {
    let index = try GitIndex.read("\(snapshot.directory)/\(index)", objectFormat: snapshot.objectFormat)
    return Dictionary(
      index.entries.map { (index.path($0), Object(mode: $0.mode, id: index.hexID($0), diskSize: $0.diskSize)) }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: - Before

  private struct Content {
    let name: String
    /// The path holds it already.
    let isThere: Bool
  }

  /// Files whose objects hold another encoding than the files did.
  private func noteEncodings(
    _ candidates: [Candidate], _ tree: GitTree, _ snapshot: GitSnapshot, _ top: PathBytes, _ blocked: inout [PathBytes: String]
  ) throws {
    guard tree.convertsEncodings != false else { return }
    let files = candidates.filter { $0.before?.isLink == false }
    guard !files.isEmpty else { return }
    let why = "git converts its encoding: the bytes that it had weren't kept"
    let name = Array(".gitattributes".utf8)
    if candidates.contains(where: { $0.path.suffix(name.count).elementsEqual(name) }) {
      for file in files { blocked[file.path] = why }
      return
    }
    let paths = files.map { WorkspacePath.relative($0.path, to: top) ?? [] }
    let fields = try snapshot.run(["check-attr", "-z", "--stdin", "working-tree-encoding"], input: terminated(paths)).split(
      separator: 0, omittingEmptySubsequences: false)
    guard fields.count == 3 * paths.count + 1 else { throw WorkspaceError("git check-attr: unexpected reply") }
    for (number, file) in files.enumerated() where !["unspecified", "unset"].contains(String(decoding: fields[3 * number + 2], as: UTF8.self)) {
      blocked[file.path] = why
    }
  }

  /// Brings what was before into the store.
  private func loadBefore(
    _ candidates: [Candidate], _ snapshot: GitSnapshot, _ top: PathBytes, _ blocked: inout [PathBytes: String], _ nextContent: inout Int
  ) throws -> [PathBytes: Content] {
    let wanted = candidates.filter { $0.before != nil }
    guard !wanted.isEmpty else { return [:] }
    let ids = Array(Set(wanted.compactMap { $0.before?.id }))
    let sizes = try snapshot.objectSizes(ids)
    let longer = wanted.filter { candidate in candidate.before.map { sizes[$0.id] != Int($0.diskSize) } ?? false }
    let converted = try withLineEndings(longer.map(\.path), snapshot, top)
    var contents: [PathBytes: Content] = [:]
    var group: [Candidate] = []
    var total = 0
    func load() throws {
      let objects = try snapshot.objects(Array(Set(group.compactMap { $0.before?.id })))
      for candidate in group {
        guard let before = candidate.before, let object = objects[before.id] else {
          blocked[candidate.path] = "what it held before is gone from the repository"
          continue
        }
        guard let bytes = UndoRecording.onDisk(object, size: before.diskSize, isLink: before.isLink, hasCRLF: converted.contains(candidate.path)) else {
          blocked[candidate.path] = "git converted it (line endings, a filter): the bytes that it had weren't kept"
          continue
        }
        let name = "\(nextContent)"
        nextContent += 1
        if !isDryRun { try store.add(bytes, as: name) }
        contents[candidate.path] = Content(name: name, isThere: try isThere(candidate, before, bytes))
      }
      (group, total) = ([], 0)
    }
    for candidate in wanted {
      guard let before = candidate.before, let size = sizes[before.id] else {
        blocked[candidate.path] = "what it held before is gone from the repository"
        continue
      }
      guard size <= UndoRecording.largest else {
        blocked[candidate.path] = "it is too large: \(size) bytes"
        continue
      }
      if total + size > UndoRecording.batch { try load() }
      group.append(candidate)
      total += size
    }
    try load()
    return contents
  }

  /// The bytes that a file had whose object is `object` and whose size git remembers. What git does to contents on the way into an object makes them
  /// shorter (line endings, `$Id$`): of the same size they are the same, and where every line lost a byte each had CRLF.
  /// - Parameter hasCRLF: git converts this file's line endings: otherwise a filter has made it shorter, and nothing tells how
  /// - Returns: nil: that can't be told
  package static func onDisk(_ object: [UInt8], size: UInt32, isLink: Bool, hasCRLF: Bool) -> [UInt8]? {
    // Nothing converts a symlink's target. (Of one that is as new as the index git keeps no size.)
    if isLink || UInt32(truncatingIfNeeded: object.count) == size { return object }
    guard hasCRLF, object.count < size else { return nil }
    let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    guard object.count + object.count(where: { $0 == lf }) == Int(size), !object.contains(cr), object.firstRange(of: Array("$Id".utf8)) == nil else {
      return nil
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(size))
    for byte in object {
      if byte == lf { bytes.append(cr) }
      bytes.append(byte)
    }
    return bytes
  }

  /// The paths whose line endings git converts, by the rules of now or those that the run has changed.
  private func withLineEndings(_ paths: [PathBytes], _ snapshot: GitSnapshot, _ top: PathBytes) throws -> Set<PathBytes> {
    guard !paths.isEmpty else { return [] }
    let configuration = String(decoding: (try? PrivateFiles.read("\(snapshot.directory)/config")) ?? [], as: UTF8.self).lowercased()
    let isOn = ["true", "input", "yes", "on", "1"]
    if configuration.split(separator: "\n").contains(where: { line in line.hasPrefix("autocrlf = ") && isOn.contains { line.contains($0) } }) {
      return Set(paths)
    }
    let inside = paths.map { WorkspacePath.relative($0, to: top) ?? [] }
    var found: Set<PathBytes> = []
    for source in [[], ["--cached"]] {
      let place = GitPlace(
        directory: snapshot.directory, workTree: snapshot.workTree, seesObjects: true, index: source.isEmpty ? "index" : GitSnapshot.beginIndex)
      let output = try git.run(
        ["check-attr"] + source + ["-z", "--stdin", "text", "eol", "crlf"], folder: snapshot.workTree, place: place, input: terminated(inside))
      let fields = output.split(separator: 0, omittingEmptySubsequences: false)
      guard fields.count == 9 * paths.count + 1 else { throw WorkspaceError("git check-attr: unexpected reply") }
      for (number, path) in paths.enumerated() {
        let values = (0..<3).map { String(decoding: fields[9 * number + 3 * $0 + 2], as: UTF8.self) }
        if values.contains(where: { !["unspecified", "unset"].contains($0) }) { found.insert(path) }
      }
    }
    return found
  }

  private func isThere(_ candidate: Candidate, _ before: Object, _ bytes: [UInt8]) throws -> Bool {
    guard let facts = candidate.facts, facts.kind == (before.isLink ? .link : .file) else { return false }
    let full = WorkspacePath.join(Array(changes.root.utf8), candidate.path)
    if before.isLink { return try BytePaths.target(ofLink: full) == bytes }
    guard facts.executable == before.isExecutable, facts.size == Int64(bytes.count) else { return false }
    let file = try BytePaths.open(full, O_RDONLY)
    defer { file.close() }
    return try file.bytes(limit: bytes.count) == bytes
  }

  // MARK: - After

  /// Those that are as the run left them.
  private func unchangedSince(_ candidates: [Candidate], _ snapshot: GitSnapshot, _ top: PathBytes) throws -> Set<PathBytes> {
    var unchanged: Set<PathBytes> = []
    var hashed: [(Candidate, String)] = []
    var links: [(Candidate, String)] = []
    for candidate in candidates {
      let end = WorkspacePath.bytes(candidate.row.path) == candidate.path ? candidate.row.end : nil
      guard let after = candidate.after else {
        if let end, end.id == nil, candidate.before == nil {
          // Its content wasn't hashed; then size and time tell, as for everything that large.
          if let facts = candidate.facts, ChangedFile.EndState(facts, id: nil) == end { unchanged.insert(candidate.path) }
        } else if candidate.facts == nil || candidate.facts?.kind == .folder {
          unchanged.insert(candidate.path)
        }
        continue
      }
      guard let facts = candidate.facts, facts.kind == (after.isLink ? .link : .file) else { continue }
      if let end, end.size != facts.size || end.executable != facts.executable { continue }
      after.isLink ? links.append((candidate, after.id)) : hashed.append((candidate, after.id))
    }
    if !hashed.isEmpty {
      let lines = hashed.map { WorkspacePath.quotedForGit(WorkspacePath.relative($0.0.path, to: top) ?? []) }
      let output = try snapshot.run(["hash-object", "--stdin-paths"], input: Array(lines.joined(separator: [0x0a])) + [0x0a], seesObjects: false)
      let ids = output.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
      guard ids.count == hashed.count else { throw WorkspaceError("git hash-object: unexpected reply") }
      for (pair, id) in zip(hashed, ids) where pair.1 == id { unchanged.insert(pair.0.path) }
      // Without the index of then git may convert line endings that it left alone then: the bytes tell.
      let unsure = hashed.filter { !unchanged.contains($0.0.path) }
      for part in stride(from: 0, to: unsure.count, by: 16) {
        let group = unsure[part..<min(part + 16, unsure.count)]
        let contents = try snapshot.objects(Array(Set(group.map(\.1))))
        for (candidate, id) in group {
          guard let content = contents[id], let facts = candidate.facts, facts.size == Int64(content.count) else { continue }
          let file = try BytePaths.open(WorkspacePath.join(Array(changes.root.utf8), candidate.path), O_RDONLY)
          defer { file.close() }
          if try file.bytes(limit: content.count) == content { unchanged.insert(candidate.path) }
        }
      }
    }
    if !links.isEmpty {
      let targets = try snapshot.objects(Array(Set(links.map(\.1))))
      for (candidate, id) in links where try BytePaths.target(ofLink: WorkspacePath.join(Array(changes.root.utf8), candidate.path)) == targets[id] {
        unchanged.insert(candidate.path)
      }
    }
    return unchanged
  }
}

extension GitSnapshot {
  /// `core.symlinks` is off: links are files.
  package var hasNoLinks: Bool { isOff("symlinks") }
  /// `core.filemode` is off: whether a file is executable is the disk's to say, and git's index doesn't know it.
  package var ignoresFileMode: Bool { isOff("filemode") }

  private func isOff(_ setting: String) -> Bool {
    let text = String(decoding: (try? PrivateFiles.read("\(directory)/config")) ?? [], as: UTF8.self).lowercased()
    return text.split(separator: "\n").contains { line in
      line.hasPrefix("\(setting) = ") && ["false", "no", "off", "0"].contains { line.contains($0) }
    }
  }

  /// Bytes of each object that is there: in the run's own store, and in the repository's if that is to be looked at.
  /// - Throws: `WorkspaceError`
  package func objectSizes(_ ids: [String], seesObjects: Bool = true) throws -> [String: Int] {
    guard !ids.isEmpty else { return [:] }
    let output = try store(["cat-file", "--batch-check"], ids, seesObjects: seesObjects)
    var sizes: [String: Int] = [:]
    for line in output.split(separator: 0x0a) {
      let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
      if words.count == 3, words[1] == "blob" || words[1] == "tree" { sizes[words[0]] = Int(words[2]) }
    }
    return sizes
  }

  /// The contents of objects; those that are missing are left out.
  /// - Throws: `WorkspaceError`
  package func objects(_ ids: [String]) throws -> [String: [UInt8]] {
    guard !ids.isEmpty else { return [:] }
    let output = try store(["cat-file", "--batch"], ids, seesObjects: true)
    var found: [String: [UInt8]] = [:]
    var at = 0
    while at < output.count, let end = output[at...].firstIndex(of: 0x0a) {
      let words = output[at..<end].split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
      at = end + 1
      guard words.count == 3, let size = Int(words[2]) else { continue }
      guard at + size < output.count else { throw WorkspaceError("git cat-file: unexpected reply") }
      found[words[0]] = Array(output[at..<(at + size)])
      at += size + 1
    }
    return found
  }

  private func store(_ arguments: [String], _ ids: [String], seesObjects: Bool) throws -> [UInt8] {
    try git.run(
      arguments, folder: directory, place: GitPlace(directory: directory, workTree: nil, seesObjects: seesObjects),
      input: Array(ids.map { "\($0)\n" }.joined().utf8),
      outputLimit: 1 << 30)
  }
}
