import Foundation
import PosixSupport

extension ChangedFiles {
  /// The run's own diff of `paths` (all when empty; folders include what is below) as one page of text: what the run left, whatever happened
  /// to the files since.
  /// - Parameters:
  ///   - paths: as the rows show them, relative to the root, or absolute
  ///   - offset: bytes of the whole diff before this page, 0 or a `nextOffset`
  ///   - limit: bytes of the page
  /// - Returns: the text, bytes that aren't UTF-8 replaced, and where the next page begins; nil after the last
  /// - Throws: `WorkspaceError` for a path that isn't in the list, or with git's words
  package func patch(
    paths: [String] = [], runFolder: String, git: String?, offset: Int = 0, limit: Int, deadline: Deadline = .after(10)
  ) throws -> (text: String, nextOffset: Int?) {
    let page = try patchBytes(paths: paths, runFolder: runFolder, git: git, offset: offset, limit: limit, deadline: deadline)
    return (String(decoding: page.bytes, as: UTF8.self), page.nextOffset)
  }

  /// The same in the bytes that the files have.
  /// - Parameter isForGit: `git apply` takes it, forwards and backwards: the contents of binary files are in it
  package func patchBytes(
    paths: [String] = [], isForGit: Bool = false, runFolder: String, git: String?, offset: Int = 0, limit: Int, deadline: Deadline = .after(10)
  ) throws -> (bytes: ArraySlice<UInt8>, nextOffset: Int?) {
    guard limit >= 4, offset >= 0, limit < 1 << 40, offset < 1 << 40 else { throw WorkspaceError("offset must be 0 or more, limit 4 or more") }
    guard !sources.isEmpty || (files.isEmpty && exact) else { throw WorkspaceError("no contents were kept: \(why ?? "there is no git repository")") }
    guard let git else { throw WorkspaceError("git is not installed") }
    let program = GitProgram(path: git, deadline: deadline)
    let wanted = try rows(atAll: paths)
    var bytes: [UInt8] = []
    let end = offset + limit
    for source in sources {
      let inSource = wanted.filter { self.source(of: $0)?.name == source.name }
      let compared = inSource.filter { $0.end == nil || $0.end?.id != nil }
      if !compared.isEmpty {
        guard let base = source.baseTree else {
          bytes += compared.flatMap { Array("# \($0.path): \($0.change.rawValue); its content wasn't kept\n".utf8) }
          continue
        }
        // One byte more than the page shows whether there is another.
        do {
          bytes += try diff(source, from: base, paths.isEmpty ? [] : compared, isForGit, runFolder, program, limit: end + 1 - min(end, bytes.count))
        } catch let error as WorkspaceError where sources.count > 1 {
          // A nested repository that was deleted took its objects along; the others' diffs are still there.
          bytes += Array("# \(source.prefix.isEmpty ? "." : source.prefix): \(error)\n".utf8)
        }
      }
      for row in inSource where row.end != nil && row.end?.id == nil {
        bytes += Array("# \(row.path): \(row.change.rawValue); its content wasn't kept\(row.ignored == true ? " (ignored by git)" : "")\n".utf8)
      }
      if bytes.count > end { break }
    }
    guard offset < bytes.count || offset == 0 else { return ([], nil) }
    var page = bytes[offset..<min(end, bytes.count)]
    let hasMore = bytes.count > end
    if hasMore { page = page.prefix(ChangedFiles.wholeCharacters(page)) }
    return (page, hasMore ? page.endIndex : nil)
  }

  /// How many bytes of a page end with a whole character.
  private static func wholeCharacters(_ page: ArraySlice<UInt8>) -> Int {
    for back in 1...min(4, page.count) {
      let byte = page[page.endIndex - back]
      if byte & 0xc0 == 0x80 { continue }
      let length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
      return length > back && page.count > back ? page.count - back : page.count
    }
    return page.count
  }

  /// The rows of files and of those below folders, under their names before and after, in the list's order.
  /// - Parameter paths: as the rows show them, relative to the root, or absolute
  /// - Returns: `missing`: those that no row is at
  package func rows(at paths: [String]) -> (rows: [ChangedFile], missing: [String]) {
    let places = paths.map(place)
    let wanted = Set(places.compactMap { $0 })
    var found: Set<PathBytes> = []
    let rows = files.filter { row in
      let hits = [row.path, row.from].compactMap { $0 }.flatMap { ChangedFiles.placesAbove(WorkspacePath.bytes($0)) }.filter(wanted.contains)
      found.formUnion(hits)
      return !hits.isEmpty
    }
    return (rows, zip(paths, places).filter { $1.map(found.contains) != true }.map(\.0))
  }

  /// The rows of several paths; all when there are none.
  /// - Throws: `WorkspaceError` for a path that isn't in the list
  package func rows(atAll paths: [String]) throws -> [ChangedFile] {
    guard !paths.isEmpty else { return files }
    // As of something that wasn't filled in: it isn't all. The root is `.`, or its absolute path.
    guard !paths.contains("") else { throw WorkspaceError("a path is empty") }
    let (rows, missing) = self.rows(at: paths)
    if let first = missing.first { throw WorkspaceError("not \(place(first) == nil ? "in the workspace" : "among the changed files"): \(first)") }
    return rows
  }

  /// Relative to the root, or absolute where it lies outside, as a file outside has it in its row; nil: it leads out of the workspace.
  private func place(_ path: String) -> PathBytes? {
    var bytes = WorkspacePath.bytes(path)
    if bytes.first == WorkspacePath.slash, let inside = WorkspacePath.relative(bytes, to: Array(root.utf8)) { bytes = inside }
    let isOutside = bytes.first == WorkspacePath.slash
    return WorkspacePath.normalized(bytes).map { (isOutside ? [WorkspacePath.slash] : []) + $0 }
  }

  /// A path itself, the folders above it, and the root; of an absolute one also `/`.
  private static func placesAbove(_ path: PathBytes) -> [PathBytes] {
    [path, []] + WorkspacePath.parents(path) + (path.first == WorkspacePath.slash ? [[WorkspacePath.slash]] : [])
  }

  private func source(of row: ChangedFile) -> Source? {
    sources.last { WorkspacePath.relative(WorkspacePath.bytes(row.path), to: WorkspacePath.bytes($0.prefix)) != nil }
  }

  private func diff(
    _ source: Source, from base: String, _ rows: [ChangedFile], _ isForGit: Bool, _ runFolder: String, _ git: GitProgram, limit: Int
  ) throws -> [UInt8] {
    let directory = GitTree.directory(runFolder, source.name)
    guard PrivateFiles.exists("\(directory)/HEAD") else { throw WorkspaceError("the run's record of contents is gone") }
    let top = WorkspacePath.bytes(source.prefix)
    let specs = rows.flatMap { [$0.path, $0.from].compactMap { $0 } }.compactMap {
      WorkspacePath.relative(WorkspacePath.bytes($0), to: top).map(ChangedFiles.pathspec)
    }
    guard specs.reduce(0, { $0 + $1.utf8.count }) < 100_000 else { throw WorkspaceError("too many paths at once: \(rows.count)") }
    let hasWorkTree = FileFacts.of(Array(source.folder.utf8))?.kind == .folder
    let shownPrefix = source.prefix.isEmpty ? "" : source.prefix + "/"
    return try git.run(
      [
        "diff-index", "-p", "-M", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--src-prefix=a/\(shownPrefix)",
        "--dst-prefix=b/\(shownPrefix)",
      ] + (isForGit ? ["--binary"] : []) + [base, "--"] + specs, folder: hasWorkTree ? source.folder : directory,
      place: GitPlace(directory: directory, workTree: hasWorkTree ? source.folder : nil, index: source.index),
      outputLimit: limit)
  }

  /// Arguments are text: a byte that isn't UTF-8 is matched by `?`, which may show another file that differs in that byte only.
  private static func pathspec(_ path: PathBytes) -> String {
    if let text = String(validating: path, as: UTF8.self) { return ":(top,literal)\(text)" }
    var glob: [UInt8] = []
    for byte in path {
      if byte >= 0x80 {
        glob.append(UInt8(ascii: "?"))
      } else {
        if Array("*?[\\".utf8).contains(byte) { glob.append(UInt8(ascii: "\\")) }
        glob.append(byte)
      }
    }
    return ":(top,glob)\(String(decoding: glob, as: UTF8.self))"
  }
}
