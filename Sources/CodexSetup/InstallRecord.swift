import JSON
import PosixSupport

/// What `install` wrote into the plugin's folder and to whom it gave it: kept in the folder, so that an upgrade knows what the user has
/// changed since, and `uninstall` whom to ask.
package struct InstallRecord: Sendable, Equatable {
  package static let file = ".install.json"

  /// The texts as they were written, by their path in the folder.
  package var files: [String: String] = [:]
  /// The name of the marketplace that lists the plugin.
  package var marketplace: String?
  /// Each CODEX_HOME whose Codex was told to add the plugin.
  package var codexHomes: [String] = []

  package init() {}

  /// nil: there is none, or none that can be read.
  package init?(inFolder path: String) {
    guard let bytes = try? PrivateFiles.read("\(path)/\(InstallRecord.file)", limit: 4 << 20), let json = try? JSONValue(parsing: bytes),
      let files = json["files"]?.object
    else { return nil }
    // Somebody else may have edited it: nothing outside the folder is named.
    for (name, content) in files.members where !name.hasPrefix("/") && !name.split(separator: "/").contains("..") { self.files[name] = content.string }
    marketplace = json["marketplace"]?.string
    codexHomes = json["codexHomes"]?.array?.compactMap(\.string).filter { $0.hasPrefix("/") } ?? []
  }

  var text: String {
    var object: JSONObject = ["codexHomes": JSONValue(strings: codexHomes)]
    object["marketplace"] = marketplace.map { .string($0) }
    object["files"] = .object(JSONObject(files.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) }))
    return JSONValue.object(object).prettyText + "\n"
  }
}
