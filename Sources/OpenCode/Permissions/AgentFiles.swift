import PosixSupport

/// The agents of a configuration folder that are `.md` files. 2.x reads them and lists the folder alone:
/// `{agent,agents}/**/*.md` and `{mode,modes}/*.md`, named by their path below that folder, symlinks followed
/// (`docs/facts/opencode-cli.md`, "Permissions"). Whoever can write there may have put anything there: all of it is bounded, nothing waits.
struct AgentFiles: Sendable, Equatable {
  struct File: Sendable, Equatable {
    let name: String
    /// Its head says so: it is no agent, and takes one of that name away.
    let isDisabled: Bool
    /// It has rules of its own, or may have.
    let hasRules: Bool
  }

  private(set) var files: [File] = []
  /// There was more than is looked at.
  private(set) var isCut = false
  private var left: Int

  /// - Parameter entries: how many names of files and folders are looked at
  init(in folder: String, entries: Int = 5_000) {
    left = entries
    for kind in ["agent", "agents"] { look(folder + "/" + kind, "", above: []) }
    for kind in ["mode", "modes"] { look(folder + "/" + kind, "", above: nil) }
    files.sort { $0.name < $1.name }
  }

  private static let depth = 20

  /// - Parameter above: the folders in which this one lies, against loops; nil: folders in it don't count
  private mutating func look(_ folder: String, _ prefix: String, above: [String]?) {
    guard let real = PrivateFiles.resolved(folder), PrivateFiles.isFolder(real), above?.contains(real) != true else { return }
    guard (above?.count ?? 0) < AgentFiles.depth, left > 0 else {
      isCut = true
      return
    }
    let names = ((try? BytePaths.names(in: Array(real.utf8), limit: left + 1)) ?? []).map { String(decoding: $0, as: UTF8.self) }
    if names.count > left { isCut = true }
    let shown = names.prefix(left)
    left -= shown.count
    for name in shown.sorted() {
      let path = real + "/" + name
      if PrivateFiles.isFolder(path) {
        if let above { look(path, prefix + name + "/", above: above + [real]) }
      } else if name.hasSuffix(".md"), PrivateFiles.resolved(path) != nil {
        files.append(AgentFiles.file(prefix + name.dropLast(3), path))
      }
    }
  }

  private static func file(_ name: String, _ path: String) -> File {
    // What can't be read as a plain file may be anything.
    guard let bytes = try? PrivateFiles.read(path, limit: 1 << 20) else { return File(name: name, isDisabled: false, hasRules: true) }
    let head = head(String(decoding: bytes, as: UTF8.self))
    let isDisabled = ["disabled", "disable"].contains { key in head.contains { $0.key == key && ["true", "True", "TRUE"].contains($0.value) } }
    return File(name: name, isDisabled: isDisabled, hasRules: head.contains { ["permissions", "permission", "tools", "{"].contains($0.key) })
  }

  /// The keys at the left edge of the YAML between the first two lines of `---`, with what stands behind them.
  private static func head(_ text: String) -> [(key: String, value: String)] {
    func trimmed(_ text: Substring) -> Substring {
      var text = text.drop(while: \.isWhitespace)
      while text.last?.isWhitespace == true { text.removeLast() }
      return text
    }
    let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard lines.first.map(trimmed)?.hasPrefix("---") == true else { return [] }
    return lines.dropFirst().prefix { trimmed($0) != "---" }.compactMap { line in
      if line.hasPrefix("{") { return ("{", "") }
      guard line.first?.isWhitespace == false, !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].prefix { $0 != "#" }
      return (trimmed(line[..<colon]).filter { $0 != "\"" && $0 != "'" }, String(trimmed(value)))
    }
  }
}
