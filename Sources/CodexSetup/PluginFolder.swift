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

    package init(hooks: Bool = false, wake: Bool = false) { (self.hooks, self.wake) = (hooks, wake) }
  }

  private static let hooksFile = "hooks/hooks.json"

  /// Every file but the binary.
  package static func texts(_ extras: Extras = Extras()) -> [(path: String, content: String)] {
    [
      (".codex-plugin/plugin.json", CodexSettings.manifest.prettyText + "\n"),
      (".mcp.json", CodexSettings.serverFile(wake: extras.wake).prettyText + "\n"),
      ("skills/\(CodexSettings.name)/SKILL.md", SkillText.file),
    ] + (extras.hooks ? [(hooksFile, HookSettings.pluginFile.prettyText + "\n")] : [])
  }

  /// What the plugin at that place has; an upgrade keeps it.
  package var extras: Extras {
    let server = (try? PrivateFiles.read(path + "/.mcp.json", limit: 1 << 20)).flatMap { try? JSONValue(parsing: $0) }
    let environment = server?["mcpServers"]?[CodexSettings.name]?["env"]
    return Extras(hooks: PrivateFiles.exists(path + "/" + PluginFolder.hooksFile), wake: environment?[CodexSettings.wakeVariable]?.string == "1")
  }

  /// The manifest's version; nil when there is no plugin of ours at that place.
  package var version: String? {
    guard let bytes = try? PrivateFiles.read(path + "/.codex-plugin/plugin.json", limit: 1 << 20), let manifest = try? JSONValue(parsing: bytes),
      manifest["name"]?.string == CodexSettings.name
    else { return nil }
    return manifest["version"]?.string ?? "?"
  }

  /// Assembles the folder beside its place and then moves it there: what Codex finds is whole, the old or the new.
  /// - Parameter binary: what becomes `bin/opencode-worker`; may be the one inside the old folder
  /// - Throws: `SetupRefusal`; the old folder is then unharmed
  package func write(binary: String, extras: Extras = Extras()) throws {
    let parent = (path as NSString).deletingLastPathComponent
    let tag = "\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let (new, old) = ("\(parent)/.\(CodexSettings.name).\(tag).new", "\(parent)/.\(CodexSettings.name).\(tag).old")
    Leftovers.remove(leftovers)
    do {
      defer { try? FileManager.default.removeItem(atPath: new) }
      for (name, content) in PluginFolder.texts(extras) { try PluginFolder.put(Array(content.utf8), at: new + "/" + name, mode: 0o644) }
      try PluginFolder.copy(binary, to: new + "/" + CodexSettings.binaryInPlugin)
      guard PrivateFiles.exists(path) else {
        guard rename(new, path) == 0 else { throw PosixError("rename", path: path) }
        return
      }
      guard rename(path, old) == 0 else { throw PosixError("rename", path: path) }
      guard rename(new, path) == 0 else {
        let failure = PosixError("rename", path: path)
        rename(old, path)
        throw failure
      }
      try? FileManager.default.removeItem(atPath: old)
    } catch let error as PosixError {
      throw SetupRefusal("can't write the plugin: \(error)")
    }
  }

  /// What an install that was killed has left beside the folder.
  package var leftovers: [String] {
    Leftovers.paths(of: "." + CodexSettings.name, in: (path as NSString).deletingLastPathComponent, kinds: ["new", "old"])
  }

  /// Removes the files that `write` makes, then the folders that are empty: what somebody else put there stays.
  /// - Returns: whether nothing is left
  package func remove() -> Bool {
    for name in PluginFolder.texts(Extras(hooks: true)).map(\.path) + [CodexSettings.binaryInPlugin] {
      unlink(path + "/" + name)
      var folder = (name as NSString).deletingLastPathComponent
      while !folder.isEmpty {
        rmdir(path + "/" + folder)
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
    rmdir(path)
    return !PrivateFiles.exists(path)
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
