import Foundation
import PosixSupport

/// Where Codex and its plugins look.
package struct CodexPlaces: Sendable {
  package let home: String
  /// Codex's own folder.
  package let codexHome: String
  package let plugins: String

  /// - Throws: `SetupRefusal` without a home folder
  package init(environment: [String: String]) throws {
    guard let home = environment["HOME"], home.hasPrefix("/"), PrivateFiles.isFolder(home) else { throw SetupRefusal("HOME is not set to a folder") }
    let codexHome = environment["CODEX_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.codex"
    guard codexHome.hasPrefix("/") else { throw SetupRefusal("CODEX_HOME is not an absolute path: \(codexHome)") }
    self.init(home: home, codexHome: codexHome.count > 1 && codexHome.hasSuffix("/") ? String(codexHome.dropLast()) : codexHome)
  }

  private init(home: String, codexHome: String) {
    (self.home, self.codexHome, plugins) = (home, codexHome, home + "/.agents/plugins")
  }

  /// The same user's other Codex.
  package func with(codexHome: String) -> CodexPlaces { CodexPlaces(home: home, codexHome: codexHome) }

  /// Codex's `config.toml`.
  package var config: String { codexHome + "/config.toml" }

  package var marketplace: String { plugins + "/marketplace.json" }
  package var pluginFolder: String { plugins + "/" + CodexSettings.name }

  /// Where Codex keeps its copies of plugins, a folder for each marketplace.
  private var cache: String { codexHome + "/plugins/cache" }

  /// The marketplaces from which Codex has a copy of the plugin, or a setting for one. They stay when the marketplace is gone, and Codex then
  /// lists no such plugin, though it still starts its server (seen on 0.163).
  package var pluginCopies: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
    var found = Set(
      names.filter { name in
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(cache)/\(name)/\(CodexSettings.name)")) ?? []).contains { !$0.hasPrefix(".") }
      })
    if let bytes = try? PrivateFiles.read(config), let outline = try? TOMLOutline(parsing: bytes) {
      for statement in outline.statements {
        guard case .header(let path, _, _) = statement.kind, path.count == 2, path[0] == "plugins", path[1].hasPrefix(CodexSettings.name + "@") else {
          continue
        }
        found.insert(String(path[1].dropFirst(CodexSettings.name.count + 1)))
      }
    }
    return found.sorted()
  }

  /// The marketplace of the copy from which Codex starts a server; nil: it is another server.
  package func marketplace(ofCopyStarting server: CodexProgram.Server) -> String? {
    guard let folder = server.folder.flatMap(PrivateFiles.resolved), let cache = PrivateFiles.resolved(cache), folder.hasPrefix(cache + "/") else { return nil }
    return folder.dropFirst(cache.count + 1).split(separator: "/").first.map(String.init)
  }

  /// Whether Codex has the plugin, or its `config.toml` an entry of ours.
  package var hasOurs: Bool {
    if !pluginCopies.isEmpty { return true }
    guard let bytes = try? PrivateFiles.read(config) else { return false }
    return (try? CodexConfig.presence(in: bytes)) == .ours
  }
}
