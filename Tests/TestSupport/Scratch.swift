import Foundation
import PosixSupport

/// A folder that is gone with the test.
package final class Scratch: Sendable {
  package let path: String

  package init() throws {
    let raw = NSTemporaryDirectory() + "/opencode-tests-\(UInt64.random(in: 0 ... .max))"
    try PrivateFiles.createFolder(raw)
    path = PrivateFiles.resolved(raw) ?? raw
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult package func folder(_ name: String) throws -> String {
    let folder = "\(path)/\(name)"
    try PrivateFiles.createFolder(folder)
    return folder
  }

  /// Writes a shell script and returns its path.
  @discardableResult package func script(_ name: String, _ body: String, interpreter: String = "/bin/sh") throws -> String {
    try file(name, "#!\(interpreter)\n\(body)\n", mode: 0o755)
  }

  @discardableResult package func file(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try PrivateFiles.createFolder((file as NSString).deletingLastPathComponent)
    if mode & 0o111 != 0, !text.isEmpty { try Program.write(text, to: file) } else { try PrivateFiles.replace(file, with: Array(text.utf8), mode: mode) }
    return file
  }

  package func link(_ name: String, to target: String) throws -> String {
    let link = "\(path)/\(name)"
    try PrivateFiles.createFolder((link as NSString).deletingLastPathComponent)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    return link
  }

  package func lines(_ name: String) -> [String] {
    let bytes = (try? PrivateFiles.read("\(path)/\(name)")) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The path of a file in it.
  package func path(_ name: String) -> String { "\(path)/\(name)" }

  package func append(_ bytes: [UInt8], to name: String) throws {
    let file = try Descriptor.open(path(name), O_WRONLY | O_CREAT | O_APPEND)
    defer { file.close() }
    try file.writeAll(bytes)
  }
}
