import Foundation
import PosixSupport

/// A repository as git finds it from a folder, with the user's own configuration. Nothing asked here runs a program.
package struct GitRepository: Sendable {
  /// The top of the work tree.
  package let root: String
  /// This work tree's own git directory (index, HEAD).
  package let directory: String
  /// Shared by all work trees (objects, exclude, refs).
  package let common: String
  package let objectFormat: String
  /// nil: no commit yet.
  package let head: String?
  /// nil: HEAD is detached.
  package let branch: String?
  /// What HEAD and the branches point to.
  package let tips: Set<String>
  /// What HEAD and all refs point to: nothing that these reach is new.
  package let reachable: Set<String>

  package enum Found: Sendable {
    case repository(GitRepository)
    /// Git's words, when it refused for another reason than that there is none.
    case none(String?)
  }

  /// - Throws: `WorkspaceError` when git is too slow or can't be run
  package static func find(_ folder: String, _ git: GitProgram) throws -> Found {
    // "true" stands as a divider. HEAD comes last: without a commit git reads what follows as file names.
    let divider = "--is-inside-work-tree"
    let ids = ["--revs-only", divider, "--branches", divider, "--all", divider, "HEAD"]
    let output: [UInt8]
    do {
      output = try git.run(["rev-parse", "--show-object-format"] + placeOptions + ids, folder: folder)
    } catch let error as WorkspaceError {
      // The second: a bare repository, or the inside of a git directory.
      if error.description.contains("not a git repository") || error.description.contains("must be run in a work tree") { return .none(nil) }
      if git.until <= Monotonic.now { throw error }
      return .none(error.description)
    }
    let lines = output.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    let dividers = lines.indices.filter { lines[$0] == "true" }
    guard let format = lines.first, dividers.count >= 3, let last = dividers.last else { return .none("git rev-parse: unexpected reply") }
    let branchesFrom = dividers[dividers.count - 3]
    var places = output.split(separator: 0x0a).dropFirst().prefix(3).map { PathBytes($0) }
    if branchesFrom != 4 {
      // A folder's name holds a newline: ask for each alone.
      places = try placeOptions.map { PathBytes(try git.run(["rev-parse", $0], folder: folder).dropLast()) }
    }
    let texts = try places.map {
      guard let text = String(validating: $0, as: UTF8.self) else { throw WorkspaceError("a folder of the repository isn't UTF-8: \(WorkspacePath.shown($0))") }
      return text
    }
    let common = texts[2].hasPrefix("/") ? texts[2] : "\(folder)/\(texts[2])"
    let head = lines[last...].dropFirst().first
    let branches = lines[branchesFrom..<dividers[dividers.count - 2]].dropFirst()
    return .repository(
      GitRepository(
        root: texts[0], directory: texts[1], common: PrivateFiles.resolved(common) ?? common, objectFormat: format, head: head,
        branch: try branch(texts[1], folder, git), tips: Set(branches + lines[last...].dropFirst()),
        reachable: Set(lines[branchesFrom...].filter { $0 != "true" })))
  }

  private static let placeOptions = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir"]

  private static func isObjectName(_ text: String) -> Bool {
    (text.utf8.count == 40 || text.utf8.count == 64) && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  private static func branch(_ directory: String, _ folder: String, _ git: GitProgram) throws -> String? {
    let text = (try? PrivateFiles.read("\(directory)/HEAD", limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    var ref = text.split(separator: "\n").first.map(String.init) ?? ""
    if isObjectName(ref) { return nil }
    // The second: a repository whose refs are kept in tables.
    if !ref.hasPrefix("ref: ") || ref == "ref: refs/heads/.invalid" {
      ref = String(decoding: try git.run(["symbolic-ref", "-q", "HEAD"], folder: folder, accepting: [1]), as: UTF8.self)
    } else {
      ref.removeFirst(5)
    }
    ref = ref.trimmingCharacters(in: .whitespacesAndNewlines)
    return ref.isEmpty ? nil : ref.hasPrefix("refs/heads/") ? String(ref.dropFirst(11)) : ref
  }
}
