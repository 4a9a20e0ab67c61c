import Foundation
import PosixSupport

extension WorkspaceBaseline {
  /// Deletes what only the comparison needed: of 200,000 files the indexes alone are tens of megabytes. What `ChangedFiles.patch` reads stays.
  package func tidy(runFolder: String, keeping changes: ChangedFiles) {
    let top = "\(runFolder)/git"
    unlink("\(top)/plain")
    let sources = Dictionary(changes.sources.map { ($0.name, $0) }) { first, _ in first }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: top)) ?? [] {
      guard let source = sources[name] else {
        try? FileManager.default.removeItem(atPath: "\(top)/\(name)")
        continue
      }
      let kept: Set = ["HEAD", "config", "objects", "refs", "info", "alternates", "shallow", source.index]
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: "\(top)/\(name)")) ?? [] where !kept.contains(entry) {
        try? FileManager.default.removeItem(atPath: "\(top)/\(name)/\(entry)")
      }
    }
  }

  /// Whether that has been done: then the run's list of changes is all that there is.
  package func isTidied(runFolder: String) -> Bool { kind != .none && !trees.allSatisfy { $0.loaded(runFolder) != nil } }
}
