import PosixSupport

/// Where Codex and its plugins look.
package struct CodexPlaces: Sendable {
  package let home: String
  /// Codex's `config.toml`.
  package let config: String
  package let plugins: String

  /// - Throws: `SetupRefusal` without a home folder
  package init(environment: [String: String]) throws {
    guard let home = environment["HOME"], home.hasPrefix("/"), PrivateFiles.isFolder(home) else { throw SetupRefusal("HOME is not set to a folder") }
    self.home = home
    let codexHome = environment["CODEX_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.codex"
    guard codexHome.hasPrefix("/") else { throw SetupRefusal("CODEX_HOME is not an absolute path: \(codexHome)") }
    config = codexHome + "/config.toml"
    plugins = home + "/.agents/plugins"
  }

  package var marketplace: String { plugins + "/marketplace.json" }
  package var pluginFolder: String { plugins + "/" + CodexSettings.name }
}
