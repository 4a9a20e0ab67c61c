import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// A folder with a workspace and a stand-in, for one test.
final class Stage: Sendable {
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

  init(_ script: JSONValue? = nil, isRepository: Bool = true) throws {
    let temporary = NSTemporaryDirectory() + "/stand-in-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: temporary + "/workspace" + (isRepository ? "/.git" : ""), withIntermediateDirectories: true)
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

  /// - Parameter inputIsFile: standard input is a regular file, not a pipe
  func run(_ arguments: [String], input: String = "", inputIsFile: Bool = false, in place: String? = nil, environment: [String: String] = [:]) throws
    -> Result
  {
    let streams = try ["out", "err"].map { try Descriptor.open("\(folder)/\($0)-\(UUID().uuidString)", O_RDWR | O_CREAT | O_TRUNC) }
    defer { for stream in streams { stream.close() } }
    let standardInput = try inputIsFile ? file(input) : pipe(input)
    defer { standardInput.close() }
    let console = Console(input: standardInput, output: streams[0], errors: streams[1])
    let all = ["PATH": "/usr/bin:/bin", "HOME": folder, "PWD": place ?? workspace].merging(environment) { $1 }
    let exit = StandIn.run(arguments, configuration: folder + "/stand-in.json", environment: all, console: console, ownsProcess: false)
    return Result(exit: exit, output: try text(streams[0]), errors: try text(streams[1]))
  }

  private func file(_ text: String) throws -> Descriptor {
    let file = try Descriptor.open(folder + "/in", O_RDWR | O_CREAT | O_TRUNC)
    try file.writeAll(Array(text.utf8))
    lseek(file.raw, 0, SEEK_SET)
    return file
  }

  /// The reader may never read all of it.
  private func pipe(_ text: String) throws -> Descriptor {
    signal(SIGPIPE, SIG_IGN)
    let pipe = try Descriptor.pipe()
    Thread.detachNewThread {
      try? pipe.write.writeAll(Array(text.utf8))
      pipe.write.close()
    }
    return pipe.read
  }

  /// Runs on a thread of its own.
  func runBeside(_ arguments: String...) { Thread.detachNewThread { [self] in _ = try? run(arguments) } }

  func exists(_ name: String) -> Bool { PrivateFiles.exists(workspace + "/" + name) }

  /// A file in the workspace, or with an absolute path.
  func write(_ path: String, _ text: String) throws {
    let path = path.hasPrefix("/") ? path : workspace + "/" + path
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try PrivateFiles.replace(path, with: Array(text.utf8))
  }

  /// Asks again and again until there is an answer.
  static func first<Value>(_ ask: () throws -> Value?) rethrows -> Value? {
    var value: Value?
    _ = try eventually(within: 60) {
      value = try ask()
      return value != nil
    }
    return value
  }

  /// What a companion answered, as JSON.
  func ask(_ arguments: String..., environment: [String: String] = [:]) throws -> JSONValue {
    try JSONValue(parsing: Array(try run(arguments, environment: environment).output.utf8))
  }

  private func text(_ file: Descriptor) throws -> String { String(decoding: try file.bytes(limit: Int(try file.size())), as: UTF8.self) }

  static func events(_ output: String) -> [JSONValue] {
    output.utf8.split(separator: UInt8(ascii: "\n")).compactMap { try? JSONValue(parsing: $0) }.filter { $0["type"]?.string != nil }
  }
}
