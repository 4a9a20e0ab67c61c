import Foundation
import JSON
import PosixSupport
import Testing

@testable import StandInOpenCode

/// A folder with a workspace and a stand-in, for one test.
final class Stage {
  struct Result {
    let exit: Int32
    let output: String
    let errors: String

    /// The events; other text is skipped, as a reader must.
    var events: [JSONValue] { Stage.events(output) }
    var types: [String] { events.compactMap { $0["type"]?.string } }
  }

  let folder: String
  let workspace: String

  init(_ script: JSONValue? = nil) throws {
    let temporary = NSTemporaryDirectory() + "/stand-in-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: temporary + "/workspace/.git", withIntermediateDirectories: true)
    folder = try #require(PrivateFiles.resolved(temporary))
    workspace = folder + "/workspace"
    try PrivateFiles.replace(workspace + "/hello.txt", with: Array("hello\nworld\n".utf8))
    if let script { try direct(script) }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Replaces the script.
  func direct(_ script: JSONValue) throws { try PrivateFiles.replace(folder + "/stand-in.json", with: script.bytes) }

  func run(_ arguments: String..., input: String = "", in place: String? = nil, environment: [String: String] = [:]) throws -> Result {
    try run(arguments, input: input, in: place, environment: environment)
  }

  func run(_ arguments: [String], input: String = "", in place: String? = nil, environment: [String: String] = [:]) throws -> Result {
    let streams = try ["in", "out", "err"].map { try Descriptor.open("\(folder)/\($0)", O_RDWR | O_CREAT | O_TRUNC) }
    defer { for stream in streams { stream.close() } }
    try streams[0].writeAll(Array(input.utf8))
    lseek(streams[0].raw, 0, SEEK_SET)
    let console = Console(input: streams[0], output: streams[1], errors: streams[2])
    let all = ["PATH": "/usr/bin:/bin", "HOME": folder, "PWD": place ?? workspace].merging(environment) { $1 }
    let exit = StandIn.run(arguments, configuration: folder + "/stand-in.json", environment: all, console: console, ownsProcess: false)
    return Result(exit: exit, output: try text(streams[1]), errors: try text(streams[2]))
  }

  private func text(_ file: Descriptor) throws -> String { String(decoding: try file.bytes(limit: Int(try file.size())), as: UTF8.self) }

  static func events(_ output: String) -> [JSONValue] {
    output.utf8.split(separator: UInt8(ascii: "\n")).compactMap { try? JSONValue(parsing: $0) }.filter { $0["type"]?.string != nil }
  }
}
