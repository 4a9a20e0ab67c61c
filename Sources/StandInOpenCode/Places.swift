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
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().filter { $0 != ".git" }
    return digest(
      names.compactMap { name in
        var info = stat()
        return lstat("\(folder)/\(name)", &info) == 0 ? "\(name) \(info.st_size) \(info.st_mode)" : nil
      }.joined(separator: "\n"))
  }

  /// Forty hex digits for a text.
  static func digest(_ text: String) -> String {
    var state: UInt64 = 14_695_981_039_346_656_037
    func add(_ text: String) { for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 1_099_511_628_211 } }
    add(text)
    var digits = ""
    while digits.count < 40 {
      add("\(digits.count)")
      digits += String(state, radix: 16)
    }
    return String(digits.prefix(40))
  }

  /// The project's id: the same for every run in a folder.
  static func project(_ folder: String) -> String { isInGit(folder) ? digest(folder) : "global" }
}
