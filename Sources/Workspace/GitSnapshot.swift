import Foundation
import PosixSupport

/// How much content is read and hashed; files beyond are compared by size and times.
package final class HashBudget: @unchecked Sendable {
  package static let file: Int64 = 8 << 20
  package static let standardFiles = 20_000
  private let lock = NSLock()
  private var left: Int64
  private var files: Int

  /// - Parameters: bytes and files in all
  package init(_ total: Int64 = 256 << 20, files: Int = standardFiles) {
    left = total
    self.files = files
  }

  /// No further file will be hashed.
  package var isSpent: Bool { lock.withLock { files == 0 } }

  package func take(_ size: Int64) -> Bool {
    guard size <= HashBudget.file else { return false }
    return lock.withLock {
      guard size <= left, files > 0 else { return false }
      left -= size
      files -= 1
      return true
    }
  }
}

/// A file whose content wasn't hashed.
package struct Unhashed: Sendable {
  package enum Reason: String, Sendable {
    case large = "over 8 MiB"
    case total = "beyond 256 MiB or 20,000 files in all"
    case unreadable
    /// `.gitmodules` as a symlink, `.GIT` and its like; what isn't in the encoding that an attribute names.
    case refused = "that git doesn't take, for its name or its encoding"
  }
  package var path: String
  package var facts: FileFacts
  package var reason: Reason
  /// Its entry in the index was up to date: git's own record of size and times says that it is as committed.
  package var isTrackedClean = false

  private static let reasons: [Reason] = [.large, .total, .unreadable, .refused]

  /// One record for each, NUL at its end: reason and kind, size, time, then the path.
  package static func encoded(_ files: [Unhashed]) -> [UInt8] {
    var bytes: [UInt8] = []
    for file in files {
      let reason = reasons.firstIndex(of: file.reason) ?? 0
      let kind = file.facts.kind == .link ? "l" : file.facts.executable ? "x" : "f"
      bytes += Array("\(reason)\(kind)\(file.isTrackedClean ? "c" : "d") \(file.facts.size) \(file.facts.modified) \(file.path)".utf8) + [0]
    }
    return bytes
  }

  /// Reads the same; what isn't one is left out.
  package static func decoded(_ bytes: [UInt8]) -> [Unhashed] {
    bytes.split(separator: 0).compactMap { record in
      let parts = record.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0].count == 3, let size = Int64(String(decoding: parts[1], as: UTF8.self)),
        let modified = Int64(String(decoding: parts[2], as: UTF8.self))
      else { return nil }
      let letters = Array(parts[0])
      let reason = Int(letters[0]) - 0x30
      guard reasons.indices.contains(reason) else { return nil }
      let isLink = letters[1] == UInt8(ascii: "l")
      return Unhashed(
        path: String(decoding: parts[3], as: UTF8.self),
        facts: FileFacts(kind: isLink ? .link : .file, executable: isLink || letters[1] == UInt8(ascii: "x"), size: size, modified: modified),
        reason: reasons[reason], isTrackedClean: letters[2] == UInt8(ascii: "c"))
    }
  }
}

/// A git directory of our own that looks at a work tree of the user's.
package struct GitSnapshot: Sendable {
  package let directory: String
  package let workTree: String
  package let git: GitProgram
  package let objectFormat: String

  /// Whether git reads the object of a file's last state before it hashes its new one (line endings are converted).
  package var convertsLineEndings = false

  package var root: PathBytes { Array(workTree.utf8) }
  package var indexPath: String { "\(directory)/index" }

  package func run(_ arguments: [String], input: [UInt8] = [], seesObjects: Bool = true) throws -> [UInt8] {
    let place = GitPlace(directory: directory, workTree: workTree, seesObjects: seesObjects)
    return try git.run(arguments, folder: workTree, place: place, input: input)
  }

  package func runNoting(_ arguments: [String], input: [UInt8] = []) throws -> (output: [UInt8], warnings: [String]) {
    let reply = try git.runNoting(arguments, folder: workTree, place: GitPlace(directory: directory, workTree: workTree), input: input)
    return (reply.output, reply.warnings)
  }

  /// On another index file; without the work tree when it is gone.
  package func run(_ arguments: [String], index: String, seesObjects: Bool) throws -> [UInt8] {
    let tree = PrivateFiles.isFolder(workTree) ? workTree : nil
    let place = GitPlace(directory: directory, workTree: tree, seesObjects: seesObjects, index: index)
    return try git.run(arguments, folder: tree ?? directory, place: place)
  }

  package func index() throws -> GitIndex { try GitIndex.read(indexPath, objectFormat: objectFormat) }

  /// git's name for a tree without files, which it knows without having it.
  package var emptyTree: String {
    objectFormat == "sha256" ? "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321" : "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
  }

  // MARK: Making it

  /// Makes the git directory: a copy of the user's index, a way to the user's objects, and settings that decide what a file's content is.
  /// - Throws: `WorkspaceError`, `PosixError`
  package func create(_ repository: GitRepository, settings: [UInt8]) throws {
    for folder in ["objects", "refs", "info"] { try PrivateFiles.createFolder("\(directory)/\(folder)") }
    func write(_ name: String, _ bytes: [UInt8]) throws { try PrivateFiles.replace("\(directory)/\(name)", with: bytes) }
    try write("HEAD", Array("ref: refs/heads/none\n".utf8))
    // Whether two names are one is the disk's to say, not a setting's: git would leave one of the two out.
    let ignoresCase = FileFacts.of(Array("\(repository.directory)/head".utf8)) != nil
    try write("config", GitSnapshot.configuration(objectFormat: objectFormat, settings: settings, ignoresCase: ignoresCase))
    try write("alternates", GitSnapshot.alternates(of: "\(repository.common)/objects"))
    for name in ["exclude", "attributes"] {
      let bytes = GitSnapshot.information(name, of: repository.common)
      if bytes.isEmpty { unlink("\(directory)/info/\(name)") } else { try write("info/\(name)", bytes) }
    }
    // Where a shallow clone ends; without it its oldest commits seem damaged.
    if let shallow = try? PrivateFiles.read("\(repository.common)/shallow") { try write("shallow", shallow) }
    try copyIndex(from: repository.directory)
  }

  /// The most that the files of an index may take in all: two million entries. More isn't copied, sparse files included.
  private static let indexLimit = 256 << 20

  /// Its modification time comes along: without it git would take a file changed in the same instant for unchanged.
  private func copyIndex(from source: String) throws {
    unlink("\(directory)/index.lock")
    unlink(indexPath)
    func copy(_ name: String) throws {
      let original = "\(source)/\(name)"
      guard let facts = FileFacts.of(Array(original.utf8)) else { return }
      guard facts.kind == .file else { throw WorkspaceError("\(name) isn't a plain file") }
      do {
        try PrivateFiles.copy(original, to: "\(directory)/\(name)", limit: GitSnapshot.indexLimit)
      } catch let error as PosixError where error.code == EFBIG {
        throw WorkspaceError("\(name): \(error.reason ?? "too large")")
      }
      try BytePaths.setModified("\(directory)/\(name)", facts.modified)
    }
    try copy("index")
    if let shared = try index().sharedName { try copy("sharedindex.\(shared)") }
  }

  /// What is ignored besides `.gitignore` (`exclude`), or the attributes besides `.gitattributes`. The end is looked at with those of the
  /// beginning: rules that a run has written mustn't hide what else it has done.
  package static func information(_ name: String, of common: String) -> [UInt8] {
    (try? PrivateFiles.read("\(common)/info/\(name)", limit: 4 << 20)) ?? []
  }

  /// Where the user's objects are, as git's environment takes it. The user's own alternates too: relative ones would be lost one level deeper.
  private static func alternates(of objects: String) -> [UInt8] {
    var places = [Array(objects.utf8)]
    let own = (try? PrivateFiles.read("\(objects)/info/alternates", limit: 1 << 20)) ?? []
    for line in own.split(separator: 0x0a) where line.first != UInt8(ascii: "#") {
      let path = WorkspacePath.bytes(String(decoding: line, as: UTF8.self))
      places.append(path.first == WorkspacePath.slash ? path : WorkspacePath.join(Array(objects.utf8), path))
    }
    return Array(places.map(WorkspacePath.quotedForGit).joined(separator: [UInt8(ascii: ":")]))
  }

  /// The settings asked of the user's configuration: what a file's content is, what counts as changed, what is ignored.
  package static let settingsWanted = "^core\\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|excludesfile|attributesfile)$"

  private static func configuration(objectFormat: String, settings: [UInt8], ignoresCase: Bool) -> [UInt8] {
    var lines = ["[core]", "bare = false", "repositoryformatversion = \(objectFormat == "sha1" ? 0 : 1)"].map { Array($0.utf8) }
    // Names that git would refuse in a checkout may still lie in a work tree; nothing is ever checked out from here.
    let ours = [
      "fsmonitor = false", "untrackedCache = false", "splitIndex = false", "sparseCheckout = false", "protectHFS = false", "protectNTFS = false",
      "hooksPath = /dev/null", "safecrlf = false", "looseCompression = 1", "bigFileThreshold = \(HashBudget.file + 1)", "fsync = none",
    ]
    lines += ours.map { Array($0.utf8) }
    for setting in settings.split(separator: 0) {
      let parts = setting.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(decoding: parts[0].dropFirst(5), as: UTF8.self)
      if name == "ignorecase", !ignoresCase { continue }
      // A name without a value means true.
      lines.append(Array("\(name) = ".utf8) + (parts.count == 2 ? WorkspacePath.quotedForGit(parts[1]) : Array("true".utf8)))
    }
    if objectFormat != "sha1" { lines += ["[extensions]", "objectFormat = \(objectFormat)"].map { Array($0.utf8) } }
    lines += ["[diff]", "renameLimit = 1000", "[index]", "sparse = false"].map { Array($0.utf8) }
    return Array(lines.joined(separator: [0x0a])) + [0x0a]
  }

  // MARK: Bringing its index up to date

  /// Paths whose content may differ from the index, as git found them.
  package struct Candidates: Sendable {
    package var tracked: [PathBytes] = []
    package var untracked: [PathBytes] = []
    /// Repositories inside, without the slash at the end.
    package var nested: [PathBytes] = []
    /// What git ignores; folders of which nothing else is known as one entry with a slash at its end.
    package var ignored: [PathBytes] = []
    /// What git couldn't look at, in its words.
    package var warnings: [String] = []

    mutating func add(untracked list: [UInt8]) {
      for path in list.split(separator: 0) {
        if path.last == WorkspacePath.slash { nested.append(PathBytes(path.dropLast())) } else { untracked.append(PathBytes(path)) }
      }
    }
  }

  /// What differs from the index: three git processes at the same time.
  package func candidates() throws -> Candidates {
    let commands = [
      ["diff-files", "-z", "--name-only", "--ignore-submodules=all"],
      ["ls-files", "-z", "-o", "--exclude-standard"],
      ["ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory"],
    ]
    let replies = try concurrently(commands.map { command in { @Sendable in Result { try runNoting(command) } } }).map { try $0.get() }
    var found = Candidates(tracked: replies[0].output.split(separator: 0).map { PathBytes($0) })
    found.add(untracked: replies[1].output)
    found.ignored = replies[2].output.split(separator: 0).map { PathBytes($0) }
    var seen: Set<String> = []
    found.warnings = replies.flatMap(\.warnings).filter { seen.insert($0).inserted }
    return found
  }

  /// What git ignores, with what lies in folders that it doesn't ignore themselves: it shows a folder in which everything is ignored, each for its own
  /// reason, as one that is ignored as a whole. Of very many the rest stay as they are.
  /// - Throws: `WorkspaceError`
  package func ignoredByName(_ ignored: [PathBytes]) throws -> [PathBytes] {
    var found = ignored.filter { $0.last != WorkspacePath.slash }
    var folders = ignored.filter { $0.last == WorkspacePath.slash }.map { PathBytes($0.dropLast()) }
    let place = GitPlace(directory: directory, workTree: workTree)
    var left = HashBudget.standardFiles
    while !folders.isEmpty {
      let output = try git.run(["check-ignore", "-z", "--stdin"], folder: workTree, place: place, input: terminated(folders), accepting: [1])
      let whole = Set(output.split(separator: 0).map { PathBytes($0) })
      var next: [PathBytes] = []
      for folder in folders {
        let names = whole.contains(folder) ? [] : (try? BytePaths.names(in: WorkspacePath.join(root, folder), limit: left + 1)) ?? []
        guard !names.isEmpty, names.count <= left else {
          found.append(folder + [WorkspacePath.slash])
          continue
        }
        left -= names.count
        for name in names {
          let path = WorkspacePath.join(folder, name)
          // Nothing in there isn't ignored.
          if FileFacts.of(WorkspacePath.join(root, path))?.kind == .folder { next.append(path) } else { found.append(path) }
        }
      }
      folders = next
    }
    return found
  }

  /// Adds what isn't ignored by rules that have changed since the beginning.
  package func addUnignored(by exclusions: [UInt8], to found: inout Candidates) throws {
    try PrivateFiles.replace("\(directory)/info/exclude.now", with: exclusions)
    var command = ["ls-files", "-z", "-o", "--exclude-per-directory=.gitignore", "--exclude-from=\(directory)/info/exclude.now"]
    let configured = try git.run(
      ["config", "-z", "--path", "--get", "core.excludesfile"], folder: directory, place: GitPlace(directory: directory, workTree: nil), accepting: [1])
    if let path = configured.split(separator: 0).first { command.append("--exclude-from=\(String(decoding: path, as: UTF8.self))") }
    var more = Candidates()
    more.add(untracked: try run(command))
    let (listed, nested) = (Set(found.untracked), Set(found.nested))
    found.untracked += more.untracked.filter { !listed.contains($0) }
    found.nested += more.nested.filter { !nested.contains($0) }
  }

  /// Brings the index to the state of these paths on disk.
  /// - Returns: what wasn't hashed, and stays in the index as it was
  package func record(_ candidates: Candidates, budget: HashBudget) throws -> [Unhashed] {
    var unhashed: [Unhashed] = []
    var folders = RealFolders(root: root)
    var gone: [PathBytes] = []
    var refused: [PathBytes] = []
    var present: [PathBytes] = []
    func sort(_ path: PathBytes, tracked: Bool) {
      if tracked, folders.isBeyondLink(path) {
        refused.append(path)
        return
      }
      let full = WorkspacePath.join(root, path)
      guard let facts = FileFacts.of(full), facts.kind == .file || facts.kind == .link else {
        // A FIFO or a socket in its place is refused by git.
        if tracked { FileFacts.of(full)?.kind == .other ? refused.append(path) : gone.append(path) }
        return
      }
      guard facts.kind == .file else {
        present.append(path)
        return
      }
      let shown = WorkspacePath.shown(path)
      if budget.isSpent {
        unhashed.append(Unhashed(path: shown, facts: facts, reason: .total))
      } else if !BytePaths.canRead(full) {
        unhashed.append(Unhashed(path: shown, facts: facts, reason: .unreadable))
      } else if !budget.take(facts.size) {
        unhashed.append(Unhashed(path: shown, facts: facts, reason: facts.size > HashBudget.file ? .large : .total))
      } else {
        present.append(path)
      }
    }
    var seen: Set<PathBytes> = []
    for path in candidates.tracked where seen.insert(path).inserted { sort(path, tracked: true) }
    for path in candidates.untracked where seen.insert(path).inserted { sort(path, tracked: false) }
    try remove(refused)
    // Deletions first: a file may now be where a folder was.
    do {
      return try update(gone + present) ? unhashed : unhashed + notTaken(present)
    } catch {
      guard gone.count + present.count <= GitSnapshot.singleLimit else { throw error }
      // One that can't be read, or can't be encoded as its attributes say, keeps git from taking any.
      try update(gone)
      for path in present { do { try update([path]) } catch { try remove([path]) } }
      return try unhashed + notTaken(present)
    }
  }

  /// So many files are given to git one by one when it refuses them together.
  private static let singleLimit = 200

  /// Those that git has left as they were in the index.
  private func notTaken(_ paths: [PathBytes]) throws -> [Unhashed] {
    let index = try index()
    var links: [PathBytes: Bool] = [:]
    for entry in index.entries where entry.stage == 0 { links[index.path(entry)] = entry.isLink }
    return paths.compactMap { path in
      // Where links are files the index has them as links all the same.
      guard let facts = FileFacts.of(WorkspacePath.join(root, path)), links[path] == nil || (facts.kind == .link && links[path] == false) else { return nil }
      return Unhashed(path: WorkspacePath.shown(path), facts: facts, reason: .refused)
    }
  }

  /// Takes paths out of the index, whatever is on disk.
  package func remove(_ paths: [PathBytes]) throws {
    guard !paths.isEmpty else { return }
    _ = try run(["update-index", "-z", "--force-remove", "--stdin"], input: terminated(paths), seesObjects: false)
  }

  /// - Returns: git had nothing to say: it has taken all of them
  @discardableResult private func update(_ paths: [PathBytes]) throws -> Bool {
    guard !paths.isEmpty else { return true }
    // Many contents go into one pack instead of a file each, which is several times as fast; older versions would make a pack of each.
    let packs = paths.count > 200 && (try? git.version(folder: directory)).map { $0 >= (2, 39) } ?? false
    let place = GitPlace(directory: directory, workTree: workTree, seesObjects: convertsLineEndings)
    return try git.runNoting(
      (packs ? ["-c", "core.bigFileThreshold=1"] : []) + ["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], folder: workTree, place: place,
      input: terminated(paths)
    ).warnings.isEmpty
  }

  /// Takes marks off entries that would make git believe the index instead of the disk.
  package func unmark(_ option: String, _ paths: [PathBytes]) throws {
    guard !paths.isEmpty else { return }
    _ = try run(["update-index", "-z", option, "--stdin"], input: terminated(paths), seesObjects: false)
  }

  /// Entries of a sparse checkout that are on disk all the same.
  package func unsparse(_ index: GitIndex) throws {
    try unmark("--no-skip-worktree", index.entries.filter(\.skipsWorkTree).map(index.path).filter { FileFacts.of(WorkspacePath.join(root, $0)) != nil })
  }

  /// Entries of which nothing is on disk: a sparse checkout's, and submodules that were never fetched (git looks at no file in there).
  package func absent(_ index: GitIndex) -> [PathBytes] {
    // git reads these from the index where they aren't on disk.
    let rules = [".gitignore", ".gitattributes"].map { Array($0.utf8) }
    return index.entries.filter { $0.skipsWorkTree || $0.isGitlink }.filter { entry in
      let place = WorkspacePath.join(root, index.path(entry))
      if entry.skipsWorkTree, rules.contains(where: { index.hasSuffix(entry, $0) }) { return false }
      return FileFacts.of(entry.isGitlink ? WorkspacePath.join(place, Array(".git".utf8)) : place) == nil
    }.map(index.path)
  }

  /// Whether the attributes that apply here (as text, `.gitattributes` files and others) speak of filters, of automatic line endings and of
  /// other encodings; and whether the repository has a filter that none of them names (any more): then nothing tells which objects it made.
  /// (git-lfs's are told by their size.)
  package func attributes(
    _ index: GitIndex, _ candidates: Candidates, repository: GitRepository
  ) -> (filters: Bool, lineEndings: Bool, encodings: Bool, forgotten: Bool) {
    let name = Array(".gitattributes".utf8)
    let tracked = index.entries.filter { index.hasSuffix($0, name) }.map(index.path)
    let paths = tracked + candidates.untracked.filter { $0.suffix(name.count).elementsEqual(name) }
    let configuration = String(decoding: (try? PrivateFiles.read("\(directory)/config")) ?? [], as: UTF8.self)
    var text = String(decoding: (try? PrivateFiles.read("\(directory)/info/attributes", limit: 4 << 20)) ?? [], as: UTF8.self)
    for path in paths.map({ WorkspacePath.join(root, $0) }) {
      guard FileFacts.of(path)?.kind == .file, let readable = String(validating: path, as: UTF8.self) else { continue }
      text += String(decoding: (try? PrivateFiles.read(readable, limit: 4 << 20)) ?? [], as: UTF8.self) + "\n"
    }
    let files = ["\(repository.common)/config", "\(repository.directory)/config.worktree"]
    let own = files.map { String(decoding: (try? PrivateFiles.read($0, limit: 4 << 20)) ?? [], as: UTF8.self) }.joined(separator: "\n")
    let forgotten = own.matches(of: /\[\s*[Ff]ilter\s+"([^"]+)"\s*\]/).contains { $0.1 != "lfs" && !text.contains("filter=\($0.1)") }
    // A file of the user's own elsewhere may say anything, and so may one that git ignores or that is in the index alone.
    let isElsewhere =
      configuration.contains("attributesfile") || GitSnapshot.hasOwnAttributes
      || candidates.ignored.contains { $0.suffix(name.count).elementsEqual(name) }
      || tracked.contains { FileFacts.of(WorkspacePath.join(root, $0))?.kind != .file }
    if isElsewhere { return (true, true, true, forgotten) }
    return (text.contains("filter"), text.contains("auto") || configuration.contains("autocrlf"), text.contains("working-tree-encoding"), forgotten)
  }

  /// The file that git reads where `core.attributesFile` isn't set.
  private static var hasOwnAttributes: Bool {
    let home = OwnProcess.environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? OwnProcess.environment["HOME"].map { "\($0)/.config" }
    return home.map { PrivateFiles.exists("\($0)/git/attributes") } ?? false
  }

  /// Tracked paths with a `filter` attribute (git-lfs and its like): their index entries don't hold what is on disk.
  package func filtered(_ index: GitIndex) throws -> [PathBytes] {
    guard !index.entries.isEmpty else { return [] }
    let fields = try run(["check-attr", "-z", "--stdin", "filter"], input: terminated(index.entries.map(index.path))).split(separator: 0)
    return stride(from: 0, to: fields.count - 2, by: 3).compactMap {
      fields[$0 + 2].elementsEqual("unspecified".utf8) || fields[$0 + 2].elementsEqual("unset".utf8) ? nil : PathBytes(fields[$0])
    }
  }

  /// Filtered files that have been touched since git looked: only the filter could tell whether they are as committed, unless their size does.
  package static let unsureFile = "unsure"
  /// Staged, and not on disk (a sparse checkout).
  package static let stagedOnlyFile = "staged-only"

  package func noteUnsure(_ paths: Set<PathBytes>, _ index: GitIndex) throws {
    guard !paths.isEmpty else { return }
    let unsure = index.entries.filter { entry in
      let path = index.path(entry)
      // Of one that is as new as the index git keeps no size.
      guard paths.contains(path), let facts = FileFacts.of(WorkspacePath.join(root, path)), facts.kind == .file else { return false }
      return entry.diskSize == 0 || entry.diskSize == UInt32(truncatingIfNeeded: facts.size)
    }
    try PrivateFiles.replace("\(directory)/\(GitSnapshot.unsureFile)", with: terminated(unsure.map(index.path)))
  }

  /// The paths in a file of this directory.
  package func names(_ file: String) -> Set<PathBytes> { GitTree.paths(in: "\(directory)/\(file)") }

  /// The differences from `tree` to an index file; the work tree's attributes decide what is binary.
  package func changes(from tree: String, index: String = "index") throws -> [GitChange] {
    let arguments = ["diff-index", "-z", "-M", "--raw", "--numstat", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--cached", tree]
    return try GitChange.parse(run(arguments, index: index, seesObjects: true))
  }

  /// Of what differs between two indexes, makes a tree (the old entries) and an index file (the new ones): all that a comparison needs,
  /// whatever became of the user's repository.
  /// - Returns: the tree's name; nil when nothing differs
  package func distill(_ before: GitIndex, _ after: GitIndex) throws -> String? {
    let (old, new) = before.differences(to: after)
    unlink("\(directory)/\(GitSnapshot.beginIndex)")
    if old.isEmpty && new.isEmpty { return nil }
    let idLength = objectFormat == "sha256" ? 32 : 20
    try PrivateFiles.replace("\(directory)/\(GitSnapshot.endIndex)", with: after.encoded(new, idLength: idLength))
    if old.isEmpty { return emptyTree }
    try PrivateFiles.replace("\(directory)/\(GitSnapshot.beginIndex)", with: before.encoded(old, idLength: idLength))
    return String(decoding: try run(["write-tree", "--missing-ok"], index: GitSnapshot.beginIndex, seesObjects: false).filter { $0 != 0x0a }, as: UTF8.self)
  }

  package static let beginIndex = "begin.index"
  package static let endIndex = "end.index"
}

package func terminated(_ paths: [PathBytes]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(paths.reduce(0) { $0 + $1.count + 1 })
  for path in paths {
    bytes += path
    bytes.append(0)
  }
  return bytes
}

/// Which folders of a work tree are real ones: git refuses paths that lead through a symlink.
package struct RealFolders {
  package let root: PathBytes
  private var known: [PathBytes: Bool] = [:]

  package init(root: PathBytes) { self.root = root }

  package mutating func isBeyondLink(_ path: PathBytes) -> Bool {
    for folder in WorkspacePath.parents(path) {
      let isLink = known[folder] ?? (FileFacts.of(WorkspacePath.join(root, folder))?.kind == .link)
      known[folder] = isLink
      if isLink { return true }
    }
    return false
  }
}
