import Foundation
import PosixSupport

/// Facts about the workspace.
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

  /// The project's id: the same for every run in a folder.
  static func project(_ folder: String) -> String { isInGit(folder) ? snapshot("/nowhere" + folder) : "global" }
}
