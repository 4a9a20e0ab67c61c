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
  /// All refs, and each entry of the stash.
  package let refs: [GitRef]

  /// What HEAD and the branches point to.
  package var tips: Set<String> { Set(refs.filter { $0.name.hasPrefix("refs/heads/") }.map(\.id) + (head.map { [$0] } ?? [])) }

  package enum Found: Sendable {
    case repository(GitRepository)
    /// Git's words, when it refused for another reason than that there is none.
    case none(String?)
  }

  /// - Throws: `WorkspaceError` when git is too slow or can't be run
  package static func find(_ folder: String, _ git: GitProgram) throws -> Found {
    // Without a commit git reads what follows HEAD as file names: it comes last. "true" is the divider's answer.
    let (placed, listed) = both(
      { Result { try git.run(["rev-parse", "--show-object-format"] + placeOptions + ["--is-inside-work-tree", "--revs-only", "HEAD"], folder: folder) } },
      { Result { try git.run(["for-each-ref", "--format=%(objectname) %(refname)"], folder: folder) } })
    let (output, refs): ([UInt8], [UInt8])
    do {
      (output, refs) = (try placed.get(), try listed.get())
    } catch let error as WorkspaceError {
      // The second: a bare repository, or the inside of a git directory.
      if error.description.contains("not a git repository") || error.description.contains("must be run in a work tree") { return .none(nil) }
      if git.deadline.hasPassed { throw error }
      return .none(error.description)
    }
    let lines = output.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    guard let format = lines.first, let divider = lines.lastIndex(of: "true"), divider >= 4 else { return .none("git rev-parse: unexpected reply") }
    var places = output.split(separator: 0x0a).dropFirst().prefix(3).map { PathBytes($0) }
    if divider != 4 {
      // A folder's name holds a newline: ask for each alone.
      places = try placeOptions.map { PathBytes(try git.run(["rev-parse", $0], folder: folder).dropLast()) }
    }
    let texts = try places.map {
      guard let text = String(validating: $0, as: UTF8.self) else { throw WorkspaceError("a folder of the repository isn't UTF-8: \(WorkspacePath.shown($0))") }
      return text
    }
    let common = texts[2].hasPrefix("/") ? texts[2] : "\(folder)/\(texts[2])"
    let resolved = PrivateFiles.resolved(common) ?? common
    return .repository(
      GitRepository(
        root: texts[0], directory: texts[1], common: resolved, objectFormat: format, head: lines[divider...].dropFirst().first,
        branch: try branch(texts[1], folder, git), refs: GitRef.decoded(refs).filter { $0.name != GitRef.stashName } + stashes(resolved, GitRef.decoded(refs))))
  }

  /// The stash is one ref; its entries are only in that ref's log. Where that can't be read, the ref stands for the newest.
  private static func stashes(_ common: String, _ refs: [GitRef]) -> [GitRef] {
    guard let newest = refs.first(where: { $0.name == GitRef.stashName }) else { return [] }
    let log = (try? PrivateFiles.read("\(common)/logs/\(GitRef.stashName)", limit: 16 << 20)) ?? []
    let entries = log.split(separator: 0x0a).compactMap { line -> GitRef? in
      let ids = line.split(separator: 0x20, maxSplits: 2)
      guard ids.count == 3, let tab = line.firstIndex(of: 0x09) else { return nil }
      return GitRef(
        name: GitRef.stashName, id: String(decoding: ids[1], as: UTF8.self), stash: String(decoding: line[tab...].dropFirst().prefix(200), as: UTF8.self))
    }
    return entries.last?.id == newest.id ? entries : [GitRef(name: newest.name, id: newest.id, stash: "stash")]
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
