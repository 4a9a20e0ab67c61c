import Foundation
import JSON
import JSONRPC
import PosixSupport

/// Answers MCP requests, each by itself and all at once. The era is told by each request, never fixed for the process.
package actor MCPServer {
  private let tools: ToolList
  private let send: @Sendable (JSONValue) -> Void
  private var negotiated: String?
  private var client = ClientInfo()
  private var running: [RequestID: Task<Void, Never>] = [:]
  /// What is done once the answer has been handed over.
  private var deliveries: [RequestID: @Sendable () -> Void] = [:]

  package init(tools: ToolList, send: @escaping @Sendable (JSONValue) -> Void) {
    self.tools = tools
    self.send = send
  }

  /// Takes one frame from the client. Requests go on in tasks of their own.
  package func receive(_ frame: Frame) {
    switch frame {
    case .tooLong(let prefix):
      let limit = LineFraming.defaultLimit >> 20
      send(Outgoing.error(RequestID(inPrefix: prefix), .invalidRequest("the message is longer than \(limit) MiB")))
    case .line(let bytes):
      let message = Message(line: bytes)
      if case .batch(let messages) = message {
        receiveBatch(messages)
      } else {
        let send = send
        receive(message) { if let answer = $0 { send(answer) } }
      }
    }
  }

  /// Ends the requests under way (a run goes on) and gives the quick ones a moment to answer first.
  package func drain(seconds: Double) async {
    let until = Monotonic.now + seconds
    while !running.isEmpty, Monotonic.now < until { try? await Task.sleep(nanoseconds: 5_000_000) }
    for task in running.values { task.cancel() }
  }

  private func receive(_ message: Message, reply: @escaping @Sendable (JSONValue?) -> Void) {
    switch message {
    case .request(let request): start(request, reply: reply)
    case .notification(let notification): take(notification)
    case .invalid(let id, let error): reply(Outgoing.error(id, error))
    case .response, .batch: break
    }
  }

  private func receiveBatch(_ messages: [Message]) {
    guard ProtocolVersion.hasBatches(negotiated) else {
      send(Outgoing.error(nil, .invalidRequest("batches are not part of this protocol version")))
      return
    }
    let answered = messages.filter {
      switch $0 {
      case .request, .invalid: true
      case .notification, .response, .batch: false
      }
    }
    let collector = BatchCollector(expecting: answered.count, send: send)
    for message in messages { receive(message, reply: collector.add) }
  }

  private func take(_ notification: JSONRPC.Notification) {
    guard notification.method == "notifications/cancelled", let id = RequestID(notification.params["requestId"]) else { return }
    // A cancelled request gets no answer. Its run, if any, is not touched.
    running.removeValue(forKey: id)?.cancel()
  }

  private func start(_ request: Request, reply: @escaping @Sendable (JSONValue?) -> Void) {
    guard running[request.id] == nil else {
      reply(Outgoing.error(request.id, .invalidRequest("this id belongs to a request that is still running")))
      return
    }
    running[request.id] = Task {
      let message: JSONValue
      do {
        message = Outgoing.result(request.id, try await self.result(of: request))
      } catch let error as RPCError {
        message = Outgoing.error(request.id, error)
      } catch {
        message = Outgoing.error(request.id, .internalError("\(error)"))
      }
      // Removed by a cancellation: then nothing more is sent for it.
      let isWanted = self.running[request.id] != nil
      reply(isWanted ? .some(message) : .none)
      if let delivered = self.deliveries.removeValue(forKey: request.id), isWanted { await onThread(delivered) }
      self.running[request.id] = nil
    }
  }

  private func result(of request: Request) async throws -> JSONObject {
    if request.method == "initialize" { return try initialize(request.params) }
    if let version = request.params["_meta"]?[MetaKey.protocolVersion] {
      return try await modernResult(of: request, version: version)
    }
    switch request.method {
    case "ping": return [:]
    case "tools/list":
      try requireHandshake()
      return try tools.page(cursor: request.params["cursor"])
    case "tools/call":
      try requireHandshake()
      return try await call(request, version: negotiated, client: client)
    default: throw RPCError.methodNotFound(request.method)
    }
  }

  // MARK: - Legacy era

  private func initialize(_ params: JSONObject) throws -> JSONObject {
    guard let asked = params["protocolVersion"]?.string else { throw RPCError.invalidParams("\"protocolVersion\" must be a string") }
    let version = ProtocolVersion.legacy.contains(asked) ? asked : ProtocolVersion.newestLegacy
    negotiated = version
    client = ClientInfo(params["clientInfo"])
    return [
      "protocolVersion": .string(version), "capabilities": ServerInfo.capabilities, "serverInfo": ServerInfo.json,
      "instructions": .string(ServerInfo.instructions),
    ]
  }

  private func requireHandshake() throws {
    if negotiated == nil { throw RPCError.invalidParams("\"initialize\" must come first") }
  }

  // MARK: - Modern era

  private func modernResult(of request: Request, version: JSONValue) async throws -> JSONObject {
    let meta = request.params["_meta"]
    guard let version = version.string else { throw RPCError.invalidParams("\(MetaKey.protocolVersion) must be a string") }
    guard version == ProtocolVersion.modern else {
      throw RPCError(
        code: -32022, message: "Unsupported protocol version",
        data: ["supported": [.string(ProtocolVersion.modern)], "requested": .string(version)])
    }
    guard meta?[MetaKey.clientCapabilities]?.object != nil else { throw RPCError.invalidParams("\(MetaKey.clientCapabilities) is missing") }
    let cached: JSONObject = ["ttlMs": 3_600_000, "cacheScope": "private"]
    var result: JSONObject
    switch request.method {
    case "server/discover":
      result = [
        "supportedVersions": [.string(ProtocolVersion.modern)], "capabilities": ServerInfo.capabilities,
        "instructions": .string(ServerInfo.instructions),
      ]
      result.merge(cached)
    case "tools/list":
      result = try tools.page(cursor: request.params["cursor"])
      result.merge(cached)
    case "tools/call": result = try await call(request, version: version, client: ClientInfo(meta?[MetaKey.clientInfo]))
    default: throw RPCError.methodNotFound(request.method)
    }
    result["resultType"] = "complete"
    result["_meta"] = [MetaKey.serverInfo: ["name": .string(ServerInfo.name), "version": .string(ServerInfo.version)]]
    return result
  }

  // MARK: - Tools

  private func call(_ request: Request, version: String?, client: ClientInfo) async throws -> JSONObject {
    guard let name = request.params["name"]?.string else { throw RPCError.invalidParams("\"name\" must be a string") }
    guard let tool = tools[name] else { throw RPCError.invalidParams("unknown tool: \(name.prefix(100)). \(tools.explanation(ofUnknown: name))") }
    var arguments = JSONObject()
    if let given = request.params["arguments"], given != .null {
      guard let object = given.object else { throw RPCError.invalidParams("\"arguments\" must be an object") }
      arguments = object
    }
    let meta = request.params["_meta"]
    let context = CallContext(client: client, meta: meta, progress: progress(for: meta?["progressToken"], of: request.id))
    let reply = await tool.reply(to: arguments, in: context)
    deliveries[request.id] = reply.whenDelivered
    let structured = JSONValue.object(reply.structured)
    var result = JSONObject()
    if ProtocolVersion.hasStructuredContent(version) {
      result["content"] = [["type": "text", "text": .string(reply.text)]]
      result["structuredContent"] = structured
    } else {
      result["content"] = [["type": "text", "text": .string(structured.text)]]
    }
    result["isError"] = .bool(reply.isError)
    return result
  }

  private func progress(for token: JSONValue?, of id: RequestID) -> ProgressReporter? {
    guard let token, RequestID(token) != nil else { return nil }
    return ProgressReporter { [weak self] progress, message in
      await self?.notify(progress, message, token: token, of: id)
    }
  }

  /// Nothing is said of a request that has been answered or cancelled.
  private func notify(_ progress: Int, _ message: String, token: JSONValue, of id: RequestID) {
    guard running[id] != nil else { return }
    send(Outgoing.notification("notifications/progress", ["progressToken": token, "progress": JSONValue(progress), "message": .string(message)]))
  }
}

/// Tells the client how far a request has come.
package struct ProgressReporter: Sendable {
  /// A number that grows with every call, and a short sentence.
  package let report: @Sendable (Int, String) async -> Void
}

/// Puts the answers to a batch together and sends them as one array.
private final class BatchCollector: @unchecked Sendable {
  private let lock = NSLock()
  private var missing: Int
  private var answers: [JSONValue] = []
  private let send: @Sendable (JSONValue) -> Void

  init(expecting count: Int, send: @escaping @Sendable (JSONValue) -> Void) {
    missing = count
    self.send = send
  }

  /// Takes one answer; nil for a request that was cancelled.
  func add(_ answer: JSONValue?) {
    let all: [JSONValue]? = lock.withLock {
      if let answer { answers.append(answer) }
      missing -= 1
      return missing == 0 ? answers : nil
    }
    if let all, !all.isEmpty { send(.array(all)) }
  }
}
