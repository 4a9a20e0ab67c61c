import Foundation
import PosixSupport

/// A folder without git: names, kinds, sizes and times, nearest to the top first.
package struct PlainTree: Sendable {
  package static let limit = 50_000

  /// Everything but folders, by path.
  package var files: [PathBytes: FileFacts] = [:]
  /// Folders that weren't looked into: over the limit, out of time or unreadable.
  package var unlisted: Set<PathBytes> = []
  package var doubts: [String] = []

  /// Walks a folder, without following symlinks and without `.git`.
  /// - Parameters:
  ///   - skipping: folders that aren't looked into
  ///   - deadline: what isn't looked at by then is a doubt
  package static func record(_ root: PathBytes, limit: Int = limit, skipping: Set<PathBytes> = [], deadline: Deadline) -> PlainTree {
    var tree = PlainTree()
    tree.unlisted = skipping
    var queue: [PathBytes] = [[]]
    var next = 0
    var unreadable: [String] = []
    while next < queue.count {
      let folder = queue[next]
      next += 1
      if skipping.contains(folder) { continue }
      if tree.files.count >= limit || deadline.hasPassed {
        tree.unlisted.insert(folder)
        continue
      }
      guard let names = try? BytePaths.names(in: WorkspacePath.join(root, folder)) else {
        tree.unlisted.insert(folder)
        unreadable.append(WorkspacePath.shown(folder))
        continue
      }
      if tree.files.count + names.count > 2 * limit {
        tree.unlisted.insert(folder)
        continue
      }
      for name in names where name != Array(".git".utf8) {
        let path = WorkspacePath.join(folder, name)
        guard let facts = FileFacts.of(WorkspacePath.join(root, path)) else { continue }
        if facts.kind == .folder { queue.append(path) } else { tree.files[path] = facts }
      }
    }
    if !unreadable.isEmpty { tree.doubts.append("unreadable folders: \(unreadable.prefix(5).joined(separator: ", "))") }
    let left = tree.unlisted.count - skipping.count - unreadable.count
    if left > 0 { tree.doubts.append("over \(limit) entries or out of time: \(left) folders not looked into") }
    return tree
  }

  /// The rows from here to a later state.
  package func rows(to end: PlainTree) -> [ChangedFile] {
    func isUnseen(_ path: PathBytes) -> Bool {
      end.unlisted.contains([]) || WorkspacePath.parents(path).contains(where: end.unlisted.contains)
    }
    var rows: [ChangedFile] = []
    for (path, facts) in end.files {
      guard let before = files[path] else {
        rows.append(ChangedFile(path: WorkspacePath.shown(path), change: .added, end: .init(facts, id: nil)))
        continue
      }
      if before.kind != facts.kind || before.size != facts.size || before.modified != facts.modified || before.executable != facts.executable {
        rows.append(ChangedFile(path: WorkspacePath.shown(path), change: .modified, end: .init(facts, id: nil)))
      }
    }
    for path in files.keys where end.files[path] == nil && !isUnseen(path) {
      rows.append(ChangedFile(path: WorkspacePath.shown(path), change: .deleted))
    }
    return rows
  }

  // MARK: In a file: faster than JSON for 50,000 entries

  /// One record for each path, NUL at its end: letter, size, time, then the path.
  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for (path, facts) in files {
      let letter = facts.kind == .file ? (facts.executable ? "x" : "f") : facts.kind == .link ? "l" : "o"
      bytes += Array("\(letter) \(facts.size) \(facts.modified) ".utf8) + path + [0]
    }
    for folder in unlisted { bytes += Array("- 0 0 ".utf8) + folder + [0] }
    return bytes
  }

  /// - Throws: `WorkspaceError` when it isn't what `encoded` made
  package init(decoding bytes: [UInt8]) throws {
    self.init()
    for record in bytes.split(separator: 0) {
      let parts = record.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, let letter = parts[0].first, let size = Int64(String(decoding: parts[1], as: UTF8.self)),
        let modified = Int64(String(decoding: parts[2], as: UTF8.self))
      else { throw WorkspaceError("the record of the folder before the run is damaged") }
      let path = PathBytes(parts[3])
      switch letter {
      case UInt8(ascii: "-"): unlisted.insert(path)
      case UInt8(ascii: "l"): files[path] = FileFacts(kind: .link, executable: true, size: size, modified: modified)
      case UInt8(ascii: "o"): files[path] = FileFacts(kind: .other, executable: false, size: size, modified: modified)
      case let other: files[path] = FileFacts(kind: .file, executable: other == UInt8(ascii: "x"), size: size, modified: modified)
      }
    }
  }

  package init() {}
}
