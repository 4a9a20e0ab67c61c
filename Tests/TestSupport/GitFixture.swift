import Foundation
import PosixSupport

/// A folder of its own for one test: a workspace, a run's folder and a home, and git as a user would run it.
package final class GitFixture: Sendable {
  package static let git = "/usr/bin/git"
  package let top: String
  package let work: String
  package let run: String
  package let home: String

  /// - Parameter format: nil: a folder without git
  package init(format: String? = "sha1", withCommit: Bool = true) throws {
    top = (PrivateFiles.resolved(NSTemporaryDirectory()) ?? NSTemporaryDirectory()) + "/workspace-\(getpid())-\(UInt64.random(in: 0 ... .max))"
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
  deinit { _ = try? Command("/bin/rm", ["-rf", top], deadline: .after(60)).run() }

  /// - Throws: with git's words when it fails
  @discardableResult
  package func git(_ arguments: String..., folder: String = "", mayFail: Bool = false) throws -> String {
    try git(list: arguments, folder: folder, mayFail: mayFail)
  }

  /// - Throws: with git's words when it fails
  @discardableResult
  package func git(list arguments: [String], folder: String = "", mayFail: Bool = false) throws -> String {
    let environment = [
      "HOME": home, "PATH": "/usr/bin:/bin", "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "n@example.org", "GIT_COMMITTER_NAME": "n",
      "GIT_COMMITTER_EMAIL": "n@example.org", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file",
    ]
    let result = try Command(
      GitFixture.git, ["-c", "protocol.file.allow=always"] + arguments, environment: environment, folder: path(folder), deadline: .after(60)
    )
    .run()
    if !result.succeeded && !mayFail { throw TestFailure("git \(arguments.joined(separator: " ")): \(result.errorText)") }
    return result.outputText.trimmingCharacters(in: .newlines)
  }

  package func path(_ name: String) -> String { name.isEmpty ? work : name.hasPrefix("/") ? name : "\(work)/\(name)" }

  package func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  package func write(_ name: String, _ bytes: [UInt8], executable: Bool = false) throws {
    let target = path(name)
    try FileManager.default.createDirectory(atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let file = try Descriptor.open(target, O_WRONLY | O_CREAT | O_TRUNC, mode: executable ? 0o755 : 0o644)
    defer { file.close() }
    try file.writeAll(bytes)
  }

  /// A script that git or a test starts.
  package func program(_ name: String, _ text: String) throws { try Program.write(text, to: path(name)) }

  package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  package func link(_ name: String, to target: String) throws { try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target) }

  package func commit(_ subject: String, folder: String = "") throws {
    try git("add", "-A", folder: folder)
    try git("commit", "-q", "--allow-empty", "-m", subject, folder: folder)
  }

  package func executable(_ name: String, _ on: Bool = true) throws {
    if chmod(path(name), on ? 0o755 : 0o644) != 0 { throw PosixError("chmod", path: name) }
  }
}
