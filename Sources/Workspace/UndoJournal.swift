import Foundation
import PosixSupport

/// What `undo` has put back of a run, or is just putting back: for each path what it was before the run and after it. The contents lie beside
/// it, so that neither git nor the repository is needed to finish or to take it back.
package struct UndoJournal: Codable, Sendable {
  package enum Side: String, Codable, Sendable {
    case before, after

    package var other: Side { self == .before ? .after : .before }
  }

  /// A file or a symlink. None: nothing was there (or a folder with other entries).
  package struct State: Codable, Sendable, Equatable {
    package var kind: FileFacts.Kind
    /// As `chmod` counts them; 0 for a symlink.
    package var permissions: UInt32
    /// The file below the store that holds the content, or a symlink's target.
    package var content: String

    package var isExecutable: Bool { permissions & 0o100 != 0 }
  }

  package struct Entry: Codable, Sendable {
    /// Relative to the root, as `WorkspacePath` shows it.
    package var path: String
    package var before: State?
    package var after: State?
    /// What it is to be now.
    package var wanted: Side
    /// It is that.
    package var isSettled: Bool
    /// The file beside it that is renamed over it; there only while it is being put back. Relative to the root.
    package var temporary: String?

    package func state(_ side: Side) -> State? { side == .before ? before : after }
  }

  package struct Folder: Codable, Sendable, Equatable {
    package var path: String
    package var permissions: UInt32
  }

  package var root: String
  package var entries: [Entry] = []
  /// Folders that putting back made, or found empty and deleted.
  package var madeFolders: [String] = []
  package var removedFolders: [Folder] = []
  /// The next free name in the store.
  package var nextContent = 0
  /// Seconds since 1970: when it was last changed.
  package var at: Double

  package init(root: String, at: Double) { (self.root, self.at) = (root, at) }

  /// Something that was begun isn't finished.
  package var isInterrupted: Bool { entries.contains { !$0.isSettled } }
  /// How many paths are as before the run because of `undo`.
  package var undoneCount: Int { entries.filter { $0.wanted == .before }.count }
}

/// Where a run's `undo` keeps its journal and the contents.
package struct UndoStore: Sendable {
  /// `undo/` of the run's folder.
  package let folder: String

  package init(runFolder: String) { folder = "\(runFolder)/undo" }

  package var journalPath: String { "\(folder)/journal.json" }
  package func content(_ name: String) -> PathBytes { Array("\(folder)/\(name)".utf8) }

  /// nil: nothing of this run was ever undone.
  /// - Throws: `WorkspaceError` when it is there and can't be read: what was begun mustn't be forgotten
  package func load() throws -> UndoJournal? {
    guard PrivateFiles.exists(journalPath) else { return nil }
    do {
      return try JSONDecoder().decode(UndoJournal.self, from: Data(PrivateFiles.read(journalPath, limit: 1 << 30)))
    } catch {
      throw WorkspaceError("what was undone of this run can't be read: \(journalPath): \(error)")
    }
  }

  /// - Throws: `PosixError`
  package func save(_ journal: UndoJournal) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try PrivateFiles.createFolder(folder)
    try PrivateFiles.replace(journalPath, with: try encoder.encode(journal), durable: true)
  }

  /// Writes a content under a new name.
  /// - Throws: `PosixError`
  package func add(_ bytes: [UInt8], as name: String) throws {
    let file = try fresh(name)
    defer { file.close() }
    try file.writeAll(bytes)
  }

  /// Copies a file's content under a new name.
  /// - Throws: `PosixError`
  package func add(copyOf path: PathBytes, as name: String) throws {
    let source = try BytePaths.open(path, O_RDONLY)
    defer { source.close() }
    let file = try fresh(name)
    defer { file.close() }
    try source.copyAll(to: file)
  }

  private func fresh(_ name: String) throws -> Descriptor {
    try PrivateFiles.createFolder(folder)
    // Left by one that was ended before its journal was written.
    unlink("\(folder)/\(name)")
    return try Descriptor.openPrivate("\(folder)/\(name)", O_WRONLY | O_EXCL)
  }

  /// - Throws: `PosixError`
  package func bytes(_ name: String) throws -> [UInt8] { try PrivateFiles.read("\(folder)/\(name)", limit: .max) }

  package func remove(_ names: [String]) { for name in names { unlink("\(folder)/\(name)") } }
}
