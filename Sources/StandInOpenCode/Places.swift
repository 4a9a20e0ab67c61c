import Foundation
import JSON
import PosixSupport

/// Facts about the workspace and the configuration.
enum Places {
  static func isInGit(_ folder: String) -> Bool {
    var path = folder
    while true {
      if PrivateFiles.exists(path + "/.git") { return true }
      if path == "/" || path.isEmpty { return false }
      path = (path as NSString).deletingLastPathComponent
    }
  }

  /// Forty hex digits that change when a file at the top of the folder does.
  static func snapshot(_ folder: String) -> String {
    var state: UInt64 = 14_695_981_039_346_656_037
    func add(_ text: String) { for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 1_099_511_628_211 } }
    for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() where name != ".git" {
      var info = stat()
      if lstat("\(folder)/\(name)", &info) == 0 { add("\(name) \(info.st_size) \(info.st_mode)") }
    }
    var text = ""
    while text.count < 40 {
      add("\(text.count)")
      text += String(state, radix: 16)
    }
    return String(text.prefix(40))
  }

  static func agents(_ configuration: JSONValue) -> [String] {
    ["build", "plan", "general", "explore"] + (configuration["agent"]?.object?.keys ?? []).filter { !["build", "plan", "general", "explore"].contains($0) }
  }

  static func isSubagent(_ name: String, _ configuration: JSONValue) -> Bool {
    ["general", "explore"].contains(name) || configuration["agent"]?[name]?["mode"]?.string == "subagent"
  }

  /// The project's id: the same for every run in a folder.
  static func project(_ folder: String) -> String { isInGit(folder) ? snapshot("/nowhere" + folder) : "global" }

  /// One configuration over another, objects member by member.
  static func merged(_ base: JSONValue, _ over: JSONValue) -> JSONValue {
    guard case .object(var result) = base, let added = over.object else { return over }
    for (key, value) in added.members { result[key] = result[key].map { merged($0, value) } ?? value }
    return .object(result)
  }
}
