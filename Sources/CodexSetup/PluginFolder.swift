import Foundation
import JSON
import PosixSupport

/// The small folder that Codex copies whole: real files only, the binary too.
package struct PluginFolder: Sendable {
  package let path: String

  /// What the user has chosen besides the plugin itself.
  package struct Extras: Sendable, Equatable {
    package var hooks = false
    package var wake = false
    /// Where OpenCode is, for a Codex that doesn't get OPENCODE_BIN from a shell.
    package var openCode: String?

    package init(hooks: Bool = false, wake: Bool = false, openCode: String? = nil) {
      (self.hooks, self.wake, self.openCode) = (hooks, wake, openCode)
    }
  }

  private static let hooksFile = "hooks/hooks.json"

  /// The server's file, which the user may have changed.
  static let serverFile = ".mcp.json"

  /// Every file but the binary and the record.
  package static func texts(_ extras: Extras = Extras()) -> [(path: String, content: String)] {
    [
      (".codex-plugin/plugin.json", CodexSettings.manifest.prettyText + "\n"),
      (serverFile, CodexSettings.serverFile(extras).prettyText + "\n"),
      ("skills/\(CodexSettings.name)/SKILL.md", SkillText.file),
    ] + (extras.hooks ? [(hooksFile, HookSettings.pluginFile.prettyText + "\n")] : [])
  }

  /// What the plugin at that place has; an upgrade keeps it.
  package var extras: Extras {
    let server = (try? PrivateFiles.read(path + "/.mcp.json", limit: 1 << 20)).flatMap { try? JSONValue(parsing: $0) }
    let environment = server?["mcpServers"]?[CodexSettings.name]?["env"]
    return Extras(
      hooks: PrivateFiles.exists(path + "/" + PluginFolder.hooksFile), wake: environment?[CodexSettings.wakeVariable]?.string == "1",
      openCode: environment?[CodexSettings.openCodeVariable]?.string)
  }

  /// The manifest's version; nil when there is no plugin of ours at that place.
  package var version: String? {
    guard let bytes = try? PrivateFiles.read(path + "/.codex-plugin/plugin.json", limit: 1 << 20), let manifest = try? JSONValue(parsing: bytes),
      manifest["name"]?.string == CodexSettings.name
    else { return nil }
    return manifest["version"]?.string ?? "?"
  }

  /// Whether `install` made it: its manifest or its record is there.
  package var isOurs: Bool { version != nil || InstallRecord(inFolder: path) != nil }

  /// Assembles the folder beside its place and then moves it there: what Codex finds is whole, the old or the new. What the user put into the
  /// old one or changed there is kept: files as they are, `.mcp.json` with the user's values, other texts of ours beside the new ones.
  /// - Parameters:
  ///   - binary: what becomes `bin/opencode-worker`; may be the one inside the old folder
  ///   - marketplace: the name of the marketplace that lists it
  ///   - codexHome: of the Codex that is going to add it; nil: of none
  /// - Returns: what was kept, in words for the person at the terminal
  /// - Throws: `SetupRefusal`; the old folder is then unharmed
  @discardableResult
  package func write(binary: String, extras: Extras = Extras(), marketplace: String? = nil, codexHome: String? = nil) throws -> [String] {
    let parent = (path as NSString).deletingLastPathComponent
    let tag = "\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let (new, old) = ("\(parent)/.\(CodexSettings.name).\(tag).new", "\(parent)/.\(CodexSettings.name).\(tag).old")
    Leftovers.remove(leftovers)
    do {
      defer { try? FileManager.default.removeItem(atPath: new) }
      let before = InstallRecord(inFolder: path)
      var record = InstallRecord()
      record.marketplace = marketplace ?? before?.marketplace
      record.codexHomes = before?.codexHomes ?? []
      if let codexHome, !record.codexHomes.contains(codexHome) { record.codexHomes.append(codexHome) }
      var notes: [String] = []
      for (name, content) in PluginFolder.texts(extras) {
        record.files[name] = content
        let upgrade = try keeping(name, content, extras: extras, written: before?.files[name], in: new)
        if let backup = upgrade.backup { notes.append("what you changed in \(path)/\(name) is kept as \(backup)") }
        if let own = upgrade.replaced { notes.append("\(path)/\(name): set anew: \(own)") }
        try PluginFolder.put(Array(upgrade.text.utf8), at: new + "/" + name, mode: 0o644)
      }
      try PluginFolder.put(Array(record.text.utf8), at: "\(new)/\(InstallRecord.file)", mode: 0o644)
      try PluginFolder.copy(binary, to: new + "/" + CodexSettings.binaryInPlugin)
      let kept = try carryOver(to: new, before)
      if !kept.isEmpty { notes.append("kept in \(path): \(PluginFolder.list(kept))") }
      guard PrivateFiles.exists(path) else {
        guard rename(new, path) == 0 else { throw PosixError("rename", path: path) }
        return notes
      }
      guard rename(path, old) == 0 else { throw PosixError("rename", path: path) }
      guard rename(new, path) == 0 else {
        let failure = PosixError("rename", path: path)
        rename(old, path)
        throw failure
      }
      try? FileManager.default.removeItem(atPath: old)
      return notes
    } catch let error as PosixError {
      throw SetupRefusal("can't write the plugin: \(error)")
    }
  }

  static func list(_ names: [String]) -> String { names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "") }

  private func text(_ name: String) -> String? {
    (try? PrivateFiles.read("\(path)/\(name)", limit: 4 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// What a text of ours becomes, and under which name the user's stays where it can't be kept as it is.
  private func keeping(
    _ name: String, _ content: String, extras: Extras, written: String?, in new: String
  ) throws -> (text: String, backup: String?, replaced: String?) {
    guard let theirs = text(name), theirs != content, theirs != written else { return (content, nil, nil) }
    var (text, replaced) = (content, String?.none)
    if name == PluginFolder.serverFile, let upgrade = ServerFile.upgraded(theirs, written: written, now: CodexSettings.serverFile(extras)) {
      if upgrade.replaced.isEmpty { return (upgrade.text, nil, nil) }
      (text, replaced) = (upgrade.text, upgrade.replaced.joined(separator: ", "))
    }
    let backup = PluginFolder.backupName(name) { PrivateFiles.exists("\(path)/\($0)") }
    try PluginFolder.put(Array(theirs.utf8), at: "\(new)/\(backup)", mode: 0o644)
    return (text, (backup as NSString).lastPathComponent, replaced)
  }

  /// A name beside the file's own that is free.
  private static func backupName(_ name: String, isTaken: (String) -> Bool) -> String {
    let first = "\(name).before-\(CodexSettings.name)"
    return ([first] + (2...99).map { "\(first)-\($0)" }).first { !isTaken($0) } ?? first
  }

  /// Copies what `install` has not written. A file of an older version that has none in this one goes, unless the user changed it.
  /// - Returns: their paths in the folder
  private func carryOver(to new: String, _ before: InstallRecord?) throws -> [String] {
    guard PrivateFiles.isFolder(path) else { return [] }
    var own = Set(PluginFolder.texts(Extras(hooks: true)).map(\.path) + [CodexSettings.binaryInPlugin, InstallRecord.file])
    for (name, content) in before?.files ?? [:] where text(name) == content { own.insert(name) }
    var kept: [String] = []
    func carry(_ folder: String) throws {
      for entry in try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted() {
        let name = folder.isEmpty ? entry : "\(folder)/\(entry)"
        if own.contains(name) { continue }
        if own.contains(where: { $0.hasPrefix(name + "/") }), isRealFolder("\(path)/\(name)") {
          try carry(name)
          continue
        }
        try PrivateFiles.createFolder(("\(new)/\(name)" as NSString).deletingLastPathComponent)
        try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: "\(new)/\(name)")
        kept.append(name)
      }
    }
    do {
      try carry("")
    } catch let error as PosixError {
      throw error
    } catch {
      throw SetupRefusal("can't keep what is in \(path): \(error.localizedDescription)")
    }
    return kept
  }

  /// What an install that was killed has left beside the folder.
  package var leftovers: [String] {
    Leftovers.paths(of: "." + CodexSettings.name, in: (path as NSString).deletingLastPathComponent, kinds: ["new", "old"])
  }

  private func isRealFolder(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes the files that `write` makes, then the folders that are empty: what somebody else put there stays, and a text of ours that was
  /// changed stays under another name. Where anything stays, so does the record, by which a later install knows the folder.
  /// - Returns: the paths in the folder of what is left
  package func remove() -> [String] {
    let record = InstallRecord(inFolder: path)
    let texts = Set(PluginFolder.texts(Extras(hooks: true)).map(\.path)).union(record?.files.keys.map { $0 } ?? [])
    for name in texts.sorted() + [CodexSettings.binaryInPlugin] {
      let file = "\(path)/\(name)"
      if let written = record?.files[name], let now = text(name), now != written {
        rename(file, "\(path)/" + PluginFolder.backupName(name) { PrivateFiles.exists("\(path)/\($0)") })
      } else {
        unlink(file)
      }
      var folder = (name as NSString).deletingLastPathComponent
      while !folder.isEmpty {
        rmdir(path + "/" + folder)
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
    let left = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0 != InstallRecord.file }.sorted()
    if left.isEmpty { unlink("\(path)/\(InstallRecord.file)") }
    rmdir(path)
    return left
  }

  private static func put(_ bytes: [UInt8], at path: String, mode: mode_t) throws {
    try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
    try PrivateFiles.replace(path, with: bytes, durable: true, mode: mode)
  }

  private static func copy(_ source: String, to path: String) throws {
    try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
    let input = try Descriptor.open(source, O_RDONLY)
    defer { input.close() }
    let output = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o755)
    defer { output.close() }
    if fchmod(output.raw, 0o755) != 0 { throw PosixError("fchmod", path: path) }
    var offset: Int64 = 0
    while true {
      let chunk = try input.bytes(at: offset, limit: 4 << 20)
      if chunk.isEmpty { break }
      try output.writeAll(chunk)
      offset += Int64(chunk.count)
    }
    try output.sync()
  }
}
