import Foundation
import PosixSupport
import Testing

@testable import Workspace

/// A folder of its own for one test: a workspace, a run's folder and a home, and git as a user would run it.
final class GitFixture: Sendable {
  static let git = "/usr/bin/git"
  let top: String
  let work: String
  let run: String
  let home: String

  /// - Parameter format: nil: a folder without git
  init(format: String? = "sha1", withCommit: Bool = true) throws {
    top = try #require(PrivateFiles.resolved(NSTemporaryDirectory())) + "/workspace-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    (work, run, home) = ("\(top)/work", "\(top)/run", "\(top)/home")
    for folder in [work, run, home] { try PrivateFiles.createFolder(folder) }
    guard let format else { return }
    try git("init", "-q", "-b", "main", "--object-format=\(format)")
    if withCommit {
      try write("a.txt", "one\ntwo\nthree\n")
      try write("b.txt", "b\n")
      try write("dir/c.txt", "c\n")
      try commit("first")
    }
  }

  /// Foundation can't remove names that aren't UTF-8.
  deinit { _ = try? Command("/bin/rm", ["-rf", top], deadline: 60).run() }

  /// - Throws: with git's words when it fails
  @discardableResult
  func git(_ arguments: String..., folder: String = "", mayFail: Bool = false) throws -> String {
    let environment = [
      "HOME": home, "PATH": "/usr/bin:/bin", "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "n@example.org", "GIT_COMMITTER_NAME": "n",
      "GIT_COMMITTER_EMAIL": "n@example.org", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file",
    ]
    let result = try Command(GitFixture.git, ["-c", "protocol.file.allow=always"] + arguments, environment: environment, folder: path(folder), deadline: 60)
      .run()
    if !result.succeeded && !mayFail { throw WorkspaceError("git \(arguments.joined(separator: " ")): \(result.errorText)") }
    return result.outputText.trimmingCharacters(in: .newlines)
  }

  func path(_ name: String) -> String { name.isEmpty ? work : name.hasPrefix("/") ? name : "\(work)/\(name)" }

  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8], executable: Bool = false) throws {
    let target = path(name)
    try FileManager.default.createDirectory(atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let file = try Descriptor.open(target, O_WRONLY | O_CREAT | O_TRUNC, mode: executable ? 0o755 : 0o644)
    defer { file.close() }
    try file.writeAll(bytes)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  func link(_ name: String, to target: String) throws { try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target) }

  func commit(_ subject: String, folder: String = "") throws {
    try git("add", "-A", folder: folder)
    try git("commit", "-q", "--allow-empty", "-m", subject, folder: folder)
  }

  func executable(_ name: String, _ on: Bool = true) throws {
    if chmod(path(name), on ? 0o755 : 0o644) != 0 { throw PosixError("chmod", path: name) }
  }

  func record(cwd: String = "", git: String? = GitFixture.git, deadline: Double = 20) -> WorkspaceBaseline {
    WorkspaceBaseline.record(cwd: path(cwd), runFolder: run, git: git, deadline: deadline)
  }

  func finish(_ baseline: WorkspaceBaseline, tools: [String] = [], endSeen: Bool = true) -> ChangedFiles {
    baseline.finish(runFolder: run, toolPaths: tools, endSeen: endSeen, deadline: 20)
  }

  /// Records, lets `change` happen, compares. The record goes through JSON, as it does between two supervisors.
  func changes(cwd: String = "", tools: [String] = [], _ change: () throws -> Void) throws -> ChangedFiles {
    let baseline = try JSONDecoder().decode(WorkspaceBaseline.self, from: JSONEncoder().encode(record(cwd: cwd)))
    try change()
    let changes = finish(baseline, tools: tools)
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

/// Runs a test's blocking body on a thread of its own, a few at a time: each runs dozens of programs.
func fixtureThread(_ body: @escaping @Sendable () throws -> Void) async throws {
  try await onThread {
    fixtureGate.wait()
    defer { fixtureGate.signal() }
    try body()
  }
}

private let fixtureGate = DispatchSemaphore(value: 4)

/// Says which files differ, not all that there are.
func expectSame(_ before: [String: String], _ after: [String: String], sourceLocation: SourceLocation = #_sourceLocation) {
  let differing = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted().map { "\($0): \(before[$0] ?? "-") / \(after[$0] ?? "-")" }
  #expect(differing == [], sourceLocation: sourceLocation)
}
