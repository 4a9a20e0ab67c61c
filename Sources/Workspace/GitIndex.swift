import Foundation
import PosixSupport

/// The entries of a git index file (versions 2 to 4), read without running git: 20,000 entries in about a millisecond.
package struct GitIndex: Sendable {
  package struct Entry: Sendable {
    fileprivate let name: Range<Int>
    fileprivate let id: Range<Int>
    package let mode: UInt32
    /// Bytes that the file had on disk when git last looked, modulo 2^32: more or less than its object where git converts contents.
    package let diskSize: UInt32
    /// Nanoseconds since 1970: the file's modification time then.
    package let modified: Int64
    package let stage: UInt16
    package let assumedUnchanged: Bool
    package let skipsWorkTree: Bool
    package let intendedToAdd: Bool

    package var isLink: Bool { mode & 0o170000 == 0o120000 }
    package var isGitlink: Bool { mode & 0o170000 == 0o160000 }
    fileprivate var isContent: Bool { !isGitlink && !intendedToAdd && stage == 0 }
  }

  package let entries: [Entry]
  /// A part of a split index, or a sparse one: git has to write it as a whole before it can be read here.
  package let isPartial: Bool
  /// The other part of a split index: the end of its file's name.
  package let sharedName: String?
  private let data: [UInt8]
  private let names: [UInt8]

  package func path(_ entry: Entry) -> PathBytes { PathBytes(names[entry.name]) }
  package func hasSuffix(_ entry: Entry, _ suffix: [UInt8]) -> Bool { names[entry.name].suffix(suffix.count).elementsEqual(suffix) }
  package func id(_ entry: Entry) -> ArraySlice<UInt8> { data[entry.id] }
  package func hexID(_ entry: Entry) -> String { GitIndex.hex(id(entry)) }
  private static func hex(_ id: ArraySlice<UInt8>) -> String { id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// No file: an index without entries.
  /// - Throws: `WorkspaceError` when the file isn't an index that can be read here
  package static func read(_ path: String, objectFormat: String) throws -> GitIndex {
    guard PrivateFiles.exists(path) else { return GitIndex(entries: [], isPartial: false, sharedName: nil, data: [], names: []) }
    let bytes: [UInt8]
    do { bytes = try PrivateFiles.read(path, limit: 256 << 20) } catch { throw WorkspaceError("index: \(error)") }
    return try GitIndex(bytes, idLength: objectFormat == "sha256" ? 32 : 20)
  }

  private init(entries: [Entry], isPartial: Bool, sharedName: String?, data: [UInt8], names: [UInt8]) {
    self.entries = entries
    self.isPartial = isPartial
    self.sharedName = sharedName
    self.data = data
    self.names = names
  }

  /// Names in version 4 share their beginnings: a small file may unfold to any size. No path that a system takes is longer.
  private static let longestName = 4096
  private static let allNames = 128 << 20

  /// - Throws: `WorkspaceError` when it isn't an index, or one that nobody could have made from files
  package init(_ data: [UInt8], idLength: Int) throws {
    let damaged = WorkspaceError("index: unexpected content")
    func number(_ at: Int) -> UInt32 { UInt32(data[at]) << 24 | UInt32(data[at + 1]) << 16 | UInt32(data[at + 2]) << 8 | UInt32(data[at + 3]) }
    guard data.count >= 12 + idLength, data[..<4].elementsEqual("DIRC".utf8), (2...4).contains(number(4)) else { throw damaged }
    let version = number(4)
    let end = data.count - idLength
    let count = Int(number(8))
    guard count <= data.count / 20 else { throw damaged }
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    var names: [UInt8] = []
    names.reserveCapacity(data.count)
    // Apart from `names`: a slice of itself, appended, would copy it whole each time.
    var name: [UInt8] = []
    // The part of a split index that changes has no names for what it replaces.
    var isPart = false
    var at = 12
    for _ in 0..<count {
      let start = at
      let fixed = 40 + idLength + 2
      // At least a NUL follows; a name of one letter ends an entry with no room to spare.
      guard start + fixed < end else { throw damaged }
      let flags = UInt16(data[start + fixed - 2]) << 8 | UInt16(data[start + fixed - 1])
      var extended: UInt16 = 0
      at = start + fixed
      if flags & 0x4000 != 0 {
        guard at + 2 < end else { throw damaged }
        extended = UInt16(data[at]) << 8 | UInt16(data[at + 1])
        at += 2
      }
      let from = names.count
      if version == 4 {
        guard let (drop, next) = GitIndex.offset(data, at, end), drop <= name.count else { throw damaged }
        at = next
        name.removeLast(drop)
      } else {
        name.removeAll(keepingCapacity: true)
      }
      guard let zero = data[at..<end].firstIndex(of: 0) else { throw damaged }
      name.append(contentsOf: data[at..<zero])
      names.append(contentsOf: name)
      guard name.count <= GitIndex.longestName, names.count <= GitIndex.allNames else { throw WorkspaceError("index: names too long to be files'") }
      at = version == 4 ? zero + 1 : start + ((zero - start + 8) & ~7)
      if name.isEmpty {
        isPart = true
        continue
      }
      entries.append(
        Entry(
          name: from..<names.count, id: (start + 40)..<(start + 40 + idLength), mode: number(start + 24), diskSize: number(start + 36),
          modified: Int64(number(start + 8)) * 1_000_000_000 + Int64(number(start + 12)), stage: flags >> 12 & 3,
          assumedUnchanged: flags & 0x8000 != 0, skipsWorkTree: extended & 0x4000 != 0, intendedToAdd: extended & 0x2000 != 0))
    }
    var isPartial = false
    var sharedName: String?
    while at + 8 <= end {
      let name = String(decoding: data[at..<(at + 4)], as: UTF8.self)
      if name == "link" || name == "sdir" { isPartial = true }
      let shared = data[(at + 8)...].prefix(idLength)
      if name == "link", shared.count == idLength, shared.contains(where: { $0 != 0 }) { sharedName = GitIndex.hex(shared) }
      at += 8 + Int(number(at + 4))
    }
    guard !isPart || isPartial else { throw damaged }
    self.init(entries: entries, isPartial: isPartial, sharedName: sharedName, data: data, names: names)
  }

  /// The variable-length number of version 4: how many bytes of the previous name are dropped.
  private static func offset(_ data: [UInt8], _ from: Int, _ end: Int) -> (Int, Int)? {
    var at = from
    var value = 0
    while at < end {
      let byte = data[at]
      at += 1
      value = value << 7 | Int(byte & 0x7f)
      if byte & 0x80 == 0 { return (value, at) }
      value += 1
      if value > 1 << 40 { return nil }
    }
    return nil
  }

  /// Paths that are here and not in `other`; both are sorted by their bytes.
  package func paths(named name: [UInt8]) -> [PathBytes] {
    entries.lazy.filter { hasSuffix($0, name) }.map(path).filter { $0.count == name.count || $0[$0.count - name.count - 1] == WorkspacePath.slash }
  }

  package func paths(missingIn other: GitIndex) -> [PathBytes] {
    var missing: [PathBytes] = []
    walk(other) { mine, theirs in
      if let mine, theirs == nil { missing.append(path(mine)) }
    }
    return missing
  }

  /// The entries that differ between here and `after`, without submodules': those here, and those there.
  package func differences(to after: GitIndex) -> (old: [Entry], new: [Entry]) {
    var (olds, news): ([Entry], [Entry]) = ([], [])
    walk(after) { old, new in
      let (old, new) = (old.flatMap { $0.isContent ? $0 : nil }, new.flatMap { $0.isContent ? $0 : nil })
      if let old, let new, old.mode == new.mode, id(old).elementsEqual(after.id(new)) { return }
      if let old { olds.append(old) }
      if let new { news.append(new) }
    }
    return (olds, news)
  }

  /// The same as changes, read from the two alone: no renames, no line counts.
  package func changes(to after: GitIndex) -> [GitChange] {
    let (old, new) = differences(to: after)
    let olds = Dictionary(old.map { (path($0), $0) }) { first, _ in first }
    let news = Dictionary(new.map { (after.path($0), $0) }) { first, _ in first }
    return olds.filter { news[$0.key] == nil }.map { GitChange(.deleted, path: $0, oldMode: $1.mode) }
      + news.map { path, entry in
        GitChange(olds[path] == nil ? .added : .modified, path: path, oldMode: olds[path]?.mode, newMode: entry.mode, newID: after.hexID(entry))
      }
  }

  /// An index file (version 2) of these entries only, of what git remembers of their files with the size alone; its checksum is left out.
  package func encoded(_ chosen: [Entry], idLength: Int) -> [UInt8] {
    func number(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
    var bytes: [UInt8] = Array("DIRC".utf8) + number(2) + number(UInt32(chosen.count))
    for entry in chosen {
      let start = bytes.count
      bytes += [UInt8](repeating: 0, count: 24) + number(entry.mode) + [UInt8](repeating: 0, count: 8) + number(entry.diskSize)
      bytes += id(entry)
      let length = UInt16(min(entry.name.count, 0xfff))
      bytes += [UInt8(length >> 8), UInt8(length & 0xff)]
      bytes += names[entry.name]
      bytes += [UInt8](repeating: 0, count: 8 - (bytes.count - start) % 8)
    }
    return bytes + [UInt8](repeating: 0, count: idLength)
  }

  private func walk(_ other: GitIndex, _ visit: (Entry?, Entry?) -> Void) {
    var (left, right) = (0, 0)
    while left < entries.count || right < other.entries.count {
      if right == other.entries.count {
        visit(entries[left], nil)
        left += 1
      } else if left == entries.count {
        visit(nil, other.entries[right])
        right += 1
      } else {
        let (mine, theirs) = (names[entries[left].name], other.names[other.entries[right].name])
        if mine.elementsEqual(theirs) {
          visit(entries[left], other.entries[right])
          left += 1
          right += 1
        } else if mine.lexicographicallyPrecedes(theirs) {
          visit(entries[left], nil)
          left += 1
        } else {
          visit(nil, other.entries[right])
          right += 1
        }
      }
    }
  }
}

/// One difference between two trees, as git tells it.
package struct GitChange: Sendable {
  package let change: ChangedFile.Change
  package var path: PathBytes
  package var from: PathBytes?
  package var oldMode: UInt32?
  package var newMode: UInt32?
  /// Of the content at the end; nil when it is gone.
  package var newID: String?
  package var added: Int?
  package var removed: Int?
  package var binary = false

  package init(_ change: ChangedFile.Change, path: PathBytes, from: PathBytes? = nil, oldMode: UInt32? = nil, newMode: UInt32? = nil, newID: String? = nil) {
    self.change = change
    self.path = path
    self.from = from
    self.oldMode = oldMode
    self.newMode = newMode
    self.newID = newID
  }

  /// Reads `git diff-index -z -M --raw --numstat --no-abbrev`.
  /// - Throws: `WorkspaceError` when that isn't what it is
  package static func parse(_ output: [UInt8]) throws -> [GitChange] {
    let damaged = WorkspaceError("git diff-index: unexpected reply")
    var fields = output.split(separator: 0, omittingEmptySubsequences: false)[...]
    if fields.last?.isEmpty == true { fields.removeLast() }
    var changes: [GitChange] = []
    var places: [PathBytes: Int] = [:]
    while let head = fields.first, head.first == UInt8(ascii: ":") {
      fields.removeFirst()
      let parts = head.dropFirst().split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
      guard parts.count == 5, let old = UInt32(parts[0], radix: 8), let new = UInt32(parts[1], radix: 8), let letter = parts[4].first,
        let first = fields.popFirst()
      else { throw damaged }
      var change: GitChange
      switch letter {
      case "A": change = GitChange(.added, path: PathBytes(first))
      case "D": change = GitChange(.deleted, path: PathBytes(first))
      case "R":
        guard let second = fields.popFirst() else { throw damaged }
        change = GitChange(.renamed, path: PathBytes(second), from: PathBytes(first))
      default: change = GitChange(.modified, path: PathBytes(first))
      }
      change.oldMode = old == 0 ? nil : old
      change.newMode = new == 0 ? nil : new
      change.newID = new == 0 ? nil : parts[3]
      places[change.path] = changes.count
      changes.append(change)
    }
    while let head = fields.popFirst() {
      let parts = head.split(separator: 0x09, maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { throw damaged }
      var path = PathBytes(parts[2])
      if path.isEmpty {
        guard fields.popFirst() != nil, let to = fields.popFirst() else { throw damaged }
        path = PathBytes(to)
      }
      guard let place = places[path] else { throw damaged }
      if parts[0].elementsEqual("-".utf8) {
        changes[place].binary = true
      } else {
        changes[place].added = Int(String(decoding: parts[0], as: UTF8.self))
        changes[place].removed = Int(String(decoding: parts[1], as: UTF8.self))
      }
    }
    return changes.compactMap(\.withoutGitlinks)
  }

  /// A submodule's entry is no file: what took its place was added, what it replaced was deleted.
  private var withoutGitlinks: GitChange? {
    let gitlink: UInt32 = 0o160000
    switch (oldMode == gitlink, newMode == gitlink) {
    case (false, false): return self
    case (true, false) where newMode != nil: return GitChange(.added, path: path, newMode: newMode, newID: newID)
    case (false, true) where oldMode != nil: return GitChange(.deleted, path: from ?? path, oldMode: oldMode)
    default: return nil
    }
  }
}
