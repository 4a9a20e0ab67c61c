import Foundation
import JSON
import PosixSupport
import Testing

@testable import JSONRPC

/// An MCP client talking to a server process of its own over pipes.
final class MCPClient: @unchecked Sendable {
  let process: ChildProcess
  private let input: Descriptor
  private let output: Descriptor
  private let lock = NSCondition()
  private var answers: [JSONValue] = []
  private var ended = false
  private var lastID = 0

  /// Starts the built server.
  init(_ world: World, extra: [String: String] = [:], folder: String? = nil) throws {
    let toServer = try Descriptor.pipe()
    let fromServer = try Descriptor.pipe()
    let errors = try Descriptor.open(world.path("server-stderr.log"), O_WRONLY | O_CREAT | O_APPEND)
    process = try ChildProcess(
      World.binary, [], environment: world.environment.merging(extra) { $1 }, folder: folder ?? world.root, input: toServer.read,
      output: fromServer.write, errors: errors)
    toServer.read.close()
    fromServer.write.close()
    errors.close()
    input = toServer.write
    output = fromServer.read
    Thread.detachNewThread { [self] in readAnswers() }
  }

  private func readAnswers() {
    var framing = LineFraming()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while let count = try? output.read(into: buffer), count > 0 {
      for case .line(let line) in framing.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
        lock.lock()
        answers.append((try? JSONValue(parsing: line)) ?? .string("not JSON: " + String(decoding: line, as: UTF8.self)))
        lock.broadcast()
        lock.unlock()
      }
    }
    lock.lock()
    ended = true
    lock.broadcast()
    lock.unlock()
  }

  func sendRaw(_ text: String) throws { try input.writeAll(Array((text + "\n").utf8)) }
  func sendRaw(bytes: [UInt8]) throws { try input.writeAll(bytes) }
  func send(_ message: JSONValue) throws { try sendRaw(message.text) }
  func closeInput() { input.close() }

  /// Waits for a message that `matches`.
  func receive(within seconds: Double = 60, _ matches: (JSONValue) -> Bool) -> JSONValue? {
    let until = Date(timeIntervalSinceNow: seconds)
    lock.lock()
    defer { lock.unlock() }
    while true {
      if let index = answers.firstIndex(where: matches) { return answers.remove(at: index) }
      if ended || !lock.wait(until: until) { return nil }
    }
  }

  /// All that has come and was not asked for.
  var unclaimed: [JSONValue] { lock.withLock { answers } }

  @discardableResult
  func initialize(version: String = "2025-06-18", name: String = "test", clientVersion: String = "1.0") throws -> JSONValue {
    let answer = try request(
      "initialize",
      ["protocolVersion": .string(version), "capabilities": [:], "clientInfo": ["name": .string(name), "version": .string(clientVersion)]])
    try send(["jsonrpc": "2.0", "method": "notifications/initialized"])
    return answer
  }

  /// Sends a request and returns its id.
  func begin(_ method: String, _ params: JSONObject) throws -> Int {
    lastID += 1
    try send(["jsonrpc": "2.0", "id": JSONValue(lastID), "method": .string(method), "params": .object(params)])
    return lastID
  }

  func answer(to id: Int, within seconds: Double = 60) throws -> JSONValue {
    try #require(receive(within: seconds) { $0["id"]?.int == id && $0["method"] == nil }, "no answer to request \(id)")
  }

  func request(_ method: String, _ params: JSONObject = [:], within seconds: Double = 60) throws -> JSONValue {
    try answer(to: try begin(method, params), within: seconds)
  }

  /// Calls a tool and returns its `structuredContent`.
  func call(_ tool: String, _ arguments: JSONObject = [:], meta: JSONObject = [:], within seconds: Double = 60) throws -> JSONValue {
    let answer = try request("tools/call", ["name": .string(tool), "arguments": .object(arguments), "_meta": .object(meta)], within: seconds)
    return try #require(answer["result"]?["structuredContent"], "\(tool): \(answer.text)")
  }

  func kill(_ signal: Int32 = SIGKILL) { _ = Foundation.kill(process.pid, signal) }
}

/// A folder with a repository, a state folder, a home and a stand-in OpenCode: everything that one test needs, and nothing else's.
final class World {
  let root: String
  var environment: [String: String]

  /// The built worker.
  static let binary: String = (OwnProcess.executable as NSString).deletingLastPathComponent + "/opencode-worker"

  init() throws {
    root = try #require(PrivateFiles.resolved(NSTemporaryDirectory())) + "/worker-test-\(UInt64.random(in: 0 ... .max))"
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": root + "/home", "LANG": "C.UTF-8",
      "OPENCODE_WORKER_STATE_DIR": root + "/state", "WORKER_TEST_WORLD": root,
    ]
    for folder in ["home", "bin", "repository"] { try PrivateFiles.createFolder(root + "/" + folder) }
    try FileManager.default.createSymbolicLink(atPath: root + "/bin/opencode", withDestinationPath: World.binary)
    environment["OPENCODE_BIN"] = root + "/bin/opencode"
    try git("init", "-q", "-b", "main")
    try write("repository/README.md", "# Repository\n")
    try git("add", ".")
    try git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "Begin")
  }

  deinit {
    for process in ProcessTable.carrying("WORKER_TEST_WORLD", root) { Foundation.kill(process.pid, SIGKILL) }
    try? FileManager.default.removeItem(atPath: root)
  }

  func path(_ name: String) -> String { root + "/" + name }
  var repository: String { path("repository") }

  func write(_ name: String, _ text: String) throws { try PrivateFiles.replace(path(name), with: Array(text.utf8)) }
  func read(_ name: String) -> String? { (try? PrivateFiles.read(path(name))).map { String(decoding: $0, as: UTF8.self) } }
  func exists(_ name: String) -> Bool { PrivateFiles.exists(path(name)) }

  @discardableResult
  func git(_ arguments: String...) throws -> String {
    let result = try Command("/usr/bin/env", ["git"] + arguments, environment: environment, folder: repository, deadline: 30).run()
    try #require(result.succeeded, "git \(arguments): \(result.errorText)")
    return result.outputText
  }

  /// What the stand-in OpenCode plays.
  func standIn(_ configuration: JSONValue) throws { try write("bin/stand-in.json", configuration.text) }

  /// Runs one command of the worker.
  func worker(_ arguments: String..., extra: [String: String] = [:], deadline: Double = 60) throws -> Command.Result {
    try Command(World.binary, arguments, environment: environment.merging(extra) { $1 }, folder: repository, deadline: deadline).run()
  }

  /// The files of a run.
  func file(_ name: String, of run: String) -> String { path("state/runs/\(run)/\(name)") }
}

/// The sentences of a reply's `attention`, a line each.
func attention(_ reply: JSONValue) -> String { reply["attention"]?.array?.compactMap(\.string).joined(separator: "\n") ?? "" }

/// Waits until something is so.
func eventually(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
  let until = Monotonic.now + seconds
  while Monotonic.now < until {
    if try condition() { return true }
    usleep(10_000)
  }
  return false
}
