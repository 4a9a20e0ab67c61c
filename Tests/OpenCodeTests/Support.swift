import Foundation
import JSON
import PosixSupport
import Testing

/// What a real OpenCode printed, from Tests/Fixtures.
struct Recording {
  let output: String
  let errors: String
  let exit: Int

  /// - Parameter name: `1.18.34/export`
  init(_ name: String) throws {
    let json = try JSONValue(parsing: try Fixture.bytes("recordings/\(name).json"))
    output = json["stdout"]?.string ?? ""
    errors = json["stderr"]?.string ?? ""
    exit = json["exit"]?.int ?? -1
  }

  var bytes: [UInt8] { Array(output.utf8) }
}

enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  static func bytes(_ path: String) throws -> [UInt8] { try PrivateFiles.read("\(folder)/\(path)") }
  static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }
}

/// A folder that is gone with the test.
final class Scratch {
  let path: String

  init() throws {
    let raw = NSTemporaryDirectory() + "/opencode-tests-\(UInt64.random(in: 0 ... .max))"
    try PrivateFiles.createFolder(raw)
    path = try #require(PrivateFiles.resolved(raw))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult func folder(_ name: String) throws -> String {
    let folder = "\(path)/\(name)"
    try PrivateFiles.createFolder(folder)
    return folder
  }

  /// Writes a shell script and returns its path.
  @discardableResult func script(_ name: String, _ body: String, interpreter: String = "/bin/sh") throws -> String {
    try file(name, "#!\(interpreter)\n\(body)\n", mode: 0o755)
  }

  @discardableResult func file(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try PrivateFiles.createFolder((file as NSString).deletingLastPathComponent)
    try PrivateFiles.replace(file, with: Array(text.utf8), mode: mode)
    return file
  }

  func link(_ name: String, to target: String) throws -> String {
    let link = "\(path)/\(name)"
    try PrivateFiles.createFolder((link as NSString).deletingLastPathComponent)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    return link
  }

  func lines(_ name: String) -> [String] {
    let bytes = (try? PrivateFiles.read("\(path)/\(name)")) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
