import Foundation
import PosixSupport

extension WorkspaceBaseline {
  /// Deletes what only the comparison needed: of 200,000 files the indexes alone are tens of megabytes, and the objects of untracked files may be
  /// many more. What `ChangedFiles.patch` and `undo` read stays, the contents before of files that were committed included: so neither needs the
  /// repository to be as it was.
  package func tidy(runFolder: String, keeping changes: ChangedFiles) {
    let top = "\(runFolder)/git"
    unlink("\(top)/plain")
    let sources = Dictionary(changes.sources.map { ($0.name, $0) }) { first, _ in first }
    let program = git.map { GitProgram(path: $0, deadline: .after(WorkspaceBaseline.tidySeconds)) }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: top)) ?? [] {
      guard let source = sources[name] else {
        try? FileManager.default.removeItem(atPath: "\(top)/\(name)")
        continue
      }
      let kept: Set = [
        "HEAD", "config", "objects", "refs", "info", "alternates", "shallow", source.index, GitSnapshot.beginIndex, GitSnapshot.permissionsFile,
      ]
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: "\(top)/\(name)")) ?? [] where !kept.contains(entry) {
        try? FileManager.default.removeItem(atPath: "\(top)/\(name)/\(entry)")
      }
      guard let program else { continue }
      let format = trees.first { $0.name == name }?.objectFormat ?? trees.first?.objectFormat ?? "sha1"
      // What can't be made smaller stays as it is.
      try? GitSnapshot(directory: "\(top)/\(name)", workTree: source.folder, git: program, objectFormat: format).keepObjects(of: source)
    }
  }

  private static let tidySeconds = 10.0

  /// Whether that has been done: then the run's list of changes is all that there is.
  package func isTidied(runFolder: String) -> Bool { kind != .none && !trees.allSatisfy { $0.loaded(runFolder) != nil } }
}

extension GitSnapshot {
  /// Bytes of contents that are taken over from the user's repository; more stay there.
  private static let keptLimit = 256 << 20

  /// Puts the objects of what changed into one pack and deletes all others.
  /// - Throws: `WorkspaceError`, `PosixError`; then nothing was deleted
  fileprivate func keepObjects(of source: ChangedFiles.Source) throws {
    var ids: Set<String> = []
    for name in Set([source.index, GitSnapshot.beginIndex]) {
      let index = try GitIndex.read("\(directory)/\(name)", objectFormat: objectFormat)
      for entry in index.entries where !entry.isGitlink { ids.insert(index.hexID(entry)) }
    }
    var trees: [String] = []
    if let base = source.baseTree, base != emptyTree {
      let listed = try git.run(["ls-tree", "-r", "-t", "-d", "-z", base], folder: directory, place: GitPlace(directory: directory, workTree: nil))
      trees =
        [base]
        + listed.split(separator: 0).compactMap { $0.split(separator: 0x09).first?.split(separator: 0x20).last.map { String(decoding: $0, as: UTF8.self) } }
    }
    let own = try objectSizes(Array(ids) + trees, seesObjects: false)
    var total = 0
    let foreign = try objectSizes(ids.filter { own[$0] == nil }.sorted()).filter { _, size in
      total += size
      return total <= GitSnapshot.keptLimit
    }
    let before = try storedFiles()
    let wanted = Set(own.keys).union(foreign.keys)
    if before.packs.isEmpty, foreign.isEmpty, Set(before.loose).isSubset(of: wanted) { return }
    var pack: String?
    if !wanted.isEmpty {
      let output = try git.run(
        ["pack-objects", "-q", "--window=0", "\(directory)/objects/pack/pack"], folder: directory, place: GitPlace(directory: directory, workTree: nil),
        input: Array(wanted.sorted().map { "\($0)\n" }.joined().utf8))
      pack = "pack-" + String(decoding: output.filter { $0 != 0x0a }, as: UTF8.self)
      guard let pack, PrivateFiles.exists("\(directory)/objects/pack/\(pack).idx") else { throw WorkspaceError("git pack-objects: unexpected reply") }
    }
    for name in before.packs where pack.map({ !name.hasPrefix($0) }) ?? true { unlink("\(directory)/objects/pack/\(name)") }
    for id in before.loose {
      unlink("\(directory)/objects/\(id.prefix(2))/\(id.dropFirst(2))")
      rmdir("\(directory)/objects/\(id.prefix(2))")
    }
  }

  /// The objects that have a file each, and the files of packs.
  private func storedFiles() throws -> (loose: [String], packs: [String]) {
    func names(_ folder: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/objects/\(folder)")) ?? [] }
    let folders = names("").filter { $0.utf8.count == 2 }
    return (folders.flatMap { folder in names(folder).map { folder + $0 } }, names("pack"))
  }
}
