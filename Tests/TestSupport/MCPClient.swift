import Foundation
import JSON
import JSONRPC
import PosixSupport

/// An MCP client talking to a server process of its own over pipes.
package final class MCPClient: @unchecked Sendable {
  package let process: ChildProcess
  private let input: Descriptor
  private let output: Descriptor
  private let lock = NSCondition()
  private var answers: [JSONValue] = []
  private var ended = false
  private var isInputOpen = true
  private var lastID = 0
  /// What is answered to the server's own requests, by method.
  private var responses: [String: JSONObject] = [:]

  /// Starts the built server.
  package init(_ world: World, extra: [String: String] = [:], folder: String? = nil) throws {
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
        let message = (try? JSONValue(parsing: line)) ?? .string("not JSON: " + String(decoding: line, as: UTF8.self))
        lock.lock()
        answers.append(message)
        let response = message["method"]?.string.flatMap { responses[$0] }
        lock.broadcast()
        lock.unlock()
        if let response, let id = message["id"] {
          var answer: JSONObject = ["jsonrpc": "2.0", "id": id]
          answer.merge(response)
          try? send(.object(answer))
        }
      }
    }
    output.close()
    lock.lock()
    ended = true
    lock.broadcast()
    lock.unlock()
  }

  /// The reading thread holds it until the server has gone.
  deinit { closeInput() }

  package func sendRaw(_ text: String) throws { try input.writeAll(Array((text + "\n").utf8)) }
  package func sendRaw(bytes: [UInt8]) throws { try input.writeAll(bytes) }
  package func send(_ message: JSONValue) throws { try sendRaw(message.text) }

  package func closeInput() {
    lock.withLock {
      if isInputOpen { input.close() }
      isInputOpen = false
    }
  }

  /// Waits for a message that `matches`.
  package func receive(within seconds: Double = 60, _ matches: (JSONValue) -> Bool) -> JSONValue? {
    let until = Date(timeIntervalSinceNow: seconds)
    lock.lock()
    defer { lock.unlock() }
    while true {
      if let index = answers.firstIndex(where: matches) { return answers.remove(at: index) }
      if ended || !lock.wait(until: until) { return nil }
    }
  }

  /// All that has come and was not asked for.
  package var unclaimed: [JSONValue] { lock.withLock { answers } }

  /// Answers each request of the server's with this method from now on: with a `result` or an `error`.
  package func respond(to method: String, with answer: JSONObject) { lock.withLock { responses[method] = answer } }

  @discardableResult
  package func initialize(
    version: String = "2025-06-18", name: String = "test", clientVersion: String = "1.0", capabilities: JSONValue = [:]
  ) throws -> JSONValue {
    let answer = try request(
      "initialize",
      ["protocolVersion": .string(version), "capabilities": capabilities, "clientInfo": ["name": .string(name), "version": .string(clientVersion)]])
    try send(["jsonrpc": "2.0", "method": "notifications/initialized"])
    return answer
  }

  /// Sends a request and returns its id.
  package func begin(_ method: String, _ params: JSONObject) throws -> Int {
    lastID += 1
    try send(["jsonrpc": "2.0", "id": JSONValue(lastID), "method": .string(method), "params": .object(params)])
    return lastID
  }

  package func answer(to id: Int, within seconds: Double = 960) throws -> JSONValue {
    guard let answer = receive(within: seconds, { $0["id"]?.int == id && $0["method"] == nil }) else { throw TestFailure("no answer to request \(id)") }
    return answer
  }

  package func request(_ method: String, _ params: JSONObject = [:], within seconds: Double = 960) throws -> JSONValue {
    try answer(to: try begin(method, params), within: seconds)
  }

  /// Calls a tool and returns its `structuredContent`.
  package func call(_ tool: String, _ arguments: JSONObject = [:], meta: JSONObject = [:], within seconds: Double = 960) throws -> JSONValue {
    let answer = try request("tools/call", ["name": .string(tool), "arguments": .object(arguments), "_meta": .object(meta)], within: seconds)
    guard let structured = answer["result"]?["structuredContent"] else { throw TestFailure("\(tool): \(answer.text)") }
    return structured
  }

  package func kill(_ signal: Int32 = SIGKILL) { _ = Foundation.kill(process.pid, signal) }
}
