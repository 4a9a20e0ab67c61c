import Foundation
import PosixSupport

extension ChangedFiles {
  /// Files of the list that have changed again since the end of the run. Touched files whose content is still the same aren't named.
  /// - Returns: their paths; nil when there wasn't time to look at all of them
  package func changedSince(runFolder: String, git: String?, deadline: Deadline) -> [String]? {
    var changed: Set<PathBytes> = []
    var unsure: [String: [(path: String, id: String)]] = [:]
    let top = Array(root.utf8)
    for (number, row) in files.enumerated() {
      if number % 256 == 0, deadline.hasPassed { return nil }
      let facts = FileFacts.of(WorkspacePath.join(top, WorkspacePath.bytes(row.path)))
      let state = facts.flatMap { $0.kind == .folder ? nil : ChangedFile.EndState($0, id: nil) }
      switch (row.end, state) {
      case (nil, nil): break
      case (let end?, let state?):
        if end.kind != state.kind || end.size != state.size || end.executable != state.executable {
          changed.insert(Array(row.path.utf8))
        } else if end.modified != state.modified {
          if let id = end.id, state.kind == .file, let source = sources.last(where: { isBelow(row.path, $0.prefix) }) {
            unsure[source.name, default: []].append((row.path, id))
          } else {
            changed.insert(Array(row.path.utf8))
          }
        }
      default: changed.insert(Array(row.path.utf8))
      }
    }
    for source in sources {
      guard let rows = unsure[source.name] else { continue }
      guard let git, let ids = try? hashed(rows.map(\.path), source, runFolder, GitProgram(path: git, deadline: deadline)), ids.count == rows.count else {
        if deadline.hasPassed { return nil }
        changed.formUnion(rows.map { Array($0.path.utf8) })
        continue
      }
      changed.formUnion(zip(rows, ids).filter { $0.id != $1 }.map { Array($0.0.path.utf8) })
    }
    return files.map(\.path).filter { changed.contains(Array($0.utf8)) }
  }

  private func isBelow(_ path: String, _ prefix: String) -> Bool {
    WorkspacePath.relative(WorkspacePath.bytes(path), to: WorkspacePath.bytes(prefix)) != nil
  }

  /// The object names that these files' contents have now.
  private func hashed(_ paths: [String], _ source: Source, _ runFolder: String, _ git: GitProgram) throws -> [String] {
    let top = WorkspacePath.bytes(source.prefix)
    let lines = paths.map { path in
      WorkspacePath.quotedForGit(WorkspacePath.relative(WorkspacePath.bytes(path), to: top) ?? [])
    }
    let place = GitPlace(directory: GitTree.directory(runFolder, source.name), workTree: source.folder)
    let output = try git.run(["hash-object", "--stdin-paths"], folder: source.folder, place: place, input: Array(lines.joined(separator: [0x0a])) + [0x0a])
    return output.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
  }
}
