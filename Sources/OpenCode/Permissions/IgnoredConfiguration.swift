import Foundation
import JSON
import PosixSupport

/// A configuration file that 2.x drops without a word because it is broken (recording `2.0-preview-20260807/config-broken`); 1.x refuses to start.
package struct IgnoredConfiguration: Sendable, Equatable, CustomStringConvertible {
  package let path: String
  package let reason: String

  package var description: String { "\(path) (\(reason))" }

  /// The broken ones among the files that OpenCode looks for: the user's own, `OPENCODE_CONFIG`, and those of the folder and of the folders around it up
  /// to the repository's.
  package static func find(folder: String, environment: [String: String]) -> [IgnoredConfiguration] {
    var folders: [String] = []
    let home = environment["HOME"] ?? NSHomeDirectory()
    folders.append((environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.config") + "/opencode")
    for path in upwards(from: folder) { folders += [path, path + "/.opencode"] }
    let named = environment["OPENCODE_CONFIG"].flatMap { $0.hasPrefix("/") ? [$0] : nil } ?? []
    let files = folders.flatMap { folder in ["opencode.json", "opencode.jsonc"].map { folder + "/" + $0 } } + named
    return files.compactMap(broken)
  }

  private static func upwards(from folder: String) -> [String] {
    var (folders, path) = ([folder], folder)
    while !PrivateFiles.exists(path + "/.git") {
      guard path != "/", !path.isEmpty else { return [folder] }
      path = (path as NSString).deletingLastPathComponent
      folders.append(path)
    }
    return folders
  }

  private static func broken(_ path: String) -> IgnoredConfiguration? {
    guard let bytes = try? PrivateFiles.read(path, limit: 1 << 20) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // These are filled in before the text is read.
    if ["{env:", "{file:"].contains(where: text.contains) { return nil }
    do {
      return try ConfigText.parse(text).object == nil ? IgnoredConfiguration(path: path, reason: "not a JSON object") : nil
    } catch {
      return IgnoredConfiguration(path: path, reason: (error as? JSONSyntaxError)?.reason ?? "\(error)")
    }
  }
}
