import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

extension GitFixture {
  func record(cwd: String = "", git: String? = GitFixture.git, deadline: Deadline = .after(300)) -> WorkspaceBaseline {
    WorkspaceBaseline.record(cwd: path(cwd), runFolder: run, git: git, deadline: deadline)
  }

  func finish(_ baseline: WorkspaceBaseline, tools: [String] = [], endSeen: Bool = true, deadline: Deadline = .after(300)) -> ChangedFiles {
    baseline.finish(runFolder: run, toolPaths: tools, endSeen: endSeen, deadline: deadline)
  }

  /// Records, lets `change` happen, compares. The record goes through JSON, as it does between two supervisors.
  func changes(cwd: String = "", tools: [String] = [], seconds: Double = 300, _ change: () throws -> Void) throws -> ChangedFiles {
    let baseline = try JSONDecoder().decode(WorkspaceBaseline.self, from: JSONEncoder().encode(record(cwd: cwd, deadline: .after(seconds))))
    try change()
    let changes = finish(baseline, tools: tools, deadline: .after(seconds))
    return try JSONDecoder().decode(ChangedFiles.self, from: JSONEncoder().encode(changes))
  }

  /// Everything below a folder with content, mode and modification time.
  func fingerprint(_ folder: String = "", only: String? = nil) throws -> [String: String] {
    var all: [String: String] = [:]
    func visit(_ path: PathBytes, _ name: PathBytes) throws {
      guard let facts = FileFacts.of(path) else { return }
      var text = "\(facts.kind) \(facts.size) \(facts.modified) \(facts.changed) \(facts.inode) \(facts.executable)"
      if facts.kind == .file, facts.size < 16 << 20, let readable = String(validating: path, as: UTF8.self) {
        text += " \(try PrivateFiles.read(readable).hashValue)"
      }
      all[WorkspacePath.shown(name)] = text
      if facts.kind == .folder { for entry in try BytePaths.names(in: path) { try visit(WorkspacePath.join(path, entry), WorkspacePath.join(name, entry)) } }
    }
    try visit(Array(path(folder).utf8), [])
    return all
  }
}

extension ChangedFiles {
  /// `A new.txt`, `R old -> new`, with `*` for what was dirty before: one line a file.
  var lines: [String] {
    files.map { row in
      let letter = row.change.rawValue.prefix(1).uppercased()
      return letter + (row.dirtyBefore == true ? "*" : "") + " " + (row.from.map { "\($0) -> " } ?? "") + row.path
    }
  }
}

/// Says which files differ, not all that there are.
func expectSame(_ before: [String: String], _ after: [String: String], sourceLocation: SourceLocation = #_sourceLocation) {
  let differing = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().map { "\($0): \(before[$0] ?? "-") / \(after[$0] ?? "-")" }
  #expect(differing == [], sourceLocation: sourceLocation)
}
