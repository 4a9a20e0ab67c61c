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
  private var capabilities = ClientCapabilities()
  private var running: [RequestID: Work] = [:]
  private var lastWork = 0
  /// What was asked of the client and isn't answered yet.
  private var asked: [RequestID: CheckedContinuation<ClientAnswer, Never>] = [:]
  private var lastQuestion = 0
  /// The client's roots, until it says that they have changed.
  private var roots: ClientAnswer?

  /// A request under way. Its number tells it from a later one with the same id.
  private struct Work {
    let number: Int
    var task: Task<Void, Never>?
    /// How many notifications of its progress were sent.
    var progress = 0
    /// When the last of them was sent, or the request came.
    var toldAt = Monotonic.now
    /// Nothing more is said of it; what follows its answer may still be under way.
    var isAnswered = false
    /// What is done once the answer has been handed over.
    var delivered: (@Sendable () -> Void)?
  }

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
    let deadline = Deadline.after(seconds)
    while !running.isEmpty, !deadline.hasPassed { try? await Task.sleep(nanoseconds: 5_000_000) }
    for work in running.values { work.task?.cancel() }
  }

  private func receive(_ message: Message, reply: @escaping @Sendable (JSONValue?) -> Void) {
    switch message {
    case .request(let request): start(request, reply: reply)
    case .notification(let notification): take(notification)
    case .invalid(let id, let error): reply(Outgoing.error(id, error))
    case .response(let response): settle(response)
    case .ignored, .batch: break
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
      case .notification, .response, .ignored, .batch: false
      }
    }
    let collector = BatchCollector(expecting: answered.count, send: send)
    for message in messages { receive(message, reply: collector.add) }
  }

  private func take(_ notification: JSONRPC.Notification) {
    switch notification.method {
    case "notifications/cancelled":
      // A cancelled request gets no answer. Its run, if any, is not touched. One that was answered already isn't known here.
      guard let id = RequestID(notification.params["requestId"]), running[id]?.isAnswered == false else { return }
      running.removeValue(forKey: id)?.task?.cancel()
    case "notifications/roots/list_changed": roots = nil
    default: break
    }
  }

  private func start(_ request: Request, reply: @escaping @Sendable (JSONValue?) -> Void) {
    guard running[request.id]?.isAnswered != false else {
      reply(Outgoing.error(request.id, .invalidRequest("this id belongs to a request that is still running")))
      return
    }
    lastWork += 1
    let number = lastWork
    running[request.id] = Work(number: number)
    running[request.id]?.task = Task {
      let message: JSONValue
      do {
        message = Outgoing.result(request.id, try await self.result(of: request))
      } catch let error as RPCError {
        message = Outgoing.error(request.id, error)
      } catch {
        message = Outgoing.error(request.id, .internalError("\(error)"))
      }
      // Removed by a cancellation: then nothing more is sent for it, and the id may be another request's by now.
      guard self.running[request.id]?.number == number else { return reply(nil) }
      self.running[request.id]?.isAnswered = true
      reply(message)
      if let delivered = self.running[request.id]?.delivered { await onThread(delivered) }
      if self.running[request.id]?.number == number { self.running[request.id] = nil }
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
      return try await call(request, version: negotiated, client: client, channel: legacyChannel)
    default: throw RPCError.methodNotFound(request.method)
    }
  }

  // MARK: - Legacy era

  private func initialize(_ params: JSONObject) throws -> JSONObject {
    guard let asked = params["protocolVersion"]?.string else { throw RPCError.invalidParams("\"protocolVersion\" must be a string") }
    let version = ProtocolVersion.legacy.contains(asked) ? asked : ProtocolVersion.newestLegacy
    negotiated = version
    client = ClientInfo(params["clientInfo"])
    capabilities = ClientCapabilities(params["capabilities"])
    roots = nil
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
    guard let offered = meta?[MetaKey.clientCapabilities], offered.object != nil else {
      throw RPCError.invalidParams("\(MetaKey.clientCapabilities) is missing")
    }
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
    case "tools/call":
      let answers = try InputAnswers(request.params)
      do {
        let channel = ClientChannel(capabilities: ClientCapabilities(offered), ask: { question, _ in try answers.answer(to: question) })
        result = try await call(request, version: version, client: ClientInfo(meta?[MetaKey.clientInfo]), channel: channel)
      } catch let needed as InputRequired {
        result = answers.asking(needed.question)
      }
    default: throw RPCError.methodNotFound(request.method)
    }
    if result["resultType"] == nil { result["resultType"] = "complete" }
    result["_meta"] = [MetaKey.serverInfo: ["name": .string(ServerInfo.name), "version": .string(ServerInfo.version)]]
    return result
  }

  // MARK: - Questions to the client

  private var legacyChannel: ClientChannel {
    ClientChannel(capabilities: capabilities) { [weak self] question, seconds in
      await self?.ask(question, seconds: seconds) ?? ClientAnswer.silent(0)
    }
  }

  /// Asks the client and waits for its answer. When the call that needs it is cancelled, so is the question.
  private func ask(_ question: ClientQuestion, seconds: Double) async -> ClientAnswer {
    if question.key == ClientQuestion.roots.key, let roots { return roots }
    lastQuestion += 1
    let id = RequestID.string(Array("\(ServerInfo.name)-\(lastQuestion)".utf8))
    let timer = Task {
      guard (try? await Task.sleep(nanoseconds: UInt64(seconds * 1e9))) != nil else { return }
      self.giveUp(id, .silent(seconds))
    }
    defer { timer.cancel() }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<ClientAnswer, Never>) in
        if Task.isCancelled {
          continuation.resume(returning: .silent(0))
        } else {
          asked[id] = continuation
          send(Outgoing.request(id, question.method, question.params))
        }
      }
    } onCancel: {
      Task { await self.giveUp(id, .silent(0)) }
    }
    if question.key == ClientQuestion.roots.key, case .result = answer { roots = answer }
    return answer
  }

  private func settle(_ response: Response) {
    guard let continuation = asked.removeValue(forKey: response.id) else { return }
    switch response.result {
    case .success(let result): continuation.resume(returning: .result(result))
    case .failure(let error): continuation.resume(returning: .refused(error.message))
    }
  }

  private func giveUp(_ id: RequestID, _ answer: ClientAnswer) {
    guard let continuation = asked.removeValue(forKey: id) else { return }
    send(Outgoing.notification("notifications/cancelled", ["requestId": id.json]))
    continuation.resume(returning: answer)
  }

  // MARK: - Tools

  private func call(_ request: Request, version: String?, client: ClientInfo, channel: ClientChannel) async throws -> JSONObject {
    guard let name = request.params["name"]?.string else { throw RPCError.invalidParams("\"name\" must be a string") }
    guard let tool = tools[name] else { throw RPCError.invalidParams("unknown tool: \(name.prefix(100)). \(tools.explanation(ofUnknown: name))") }
    var arguments = JSONObject()
    if let given = request.params["arguments"], given != .null {
      guard let object = given.object else { throw RPCError.invalidParams("\"arguments\" must be an object") }
      arguments = object
    }
    let meta = request.params["_meta"]
    let context = CallContext(client: client, meta: meta, progress: progress(for: meta?["progressToken"], of: request.id), channel: channel)
    let beats = context.progress.map { progress in
      Task {
        while (try? await Task.sleep(nanoseconds: 2_000_000_000)) != nil {
          if self.isQuiet(request.id) { await progress.report("\(name) goes on") }
        }
      }
    }
    defer { beats?.cancel() }
    let reply = try await tool.reply(to: arguments, in: context)
    if !Task.isCancelled { running[request.id]?.delivered = reply.whenDelivered }
    let structured = JSONValue.object(reply.structured)
    let hasStructure = ProtocolVersion.hasStructuredContent(version)
    // Codex's model reads the structure and its user the text; of other clients several show their model the text alone.
    let text = hasStructure && client.kind == .codex ? reply.text : structured.text
    var result: JSONObject = ["content": [["type": "text", "text": .string(text)]]]
    if hasStructure { result["structuredContent"] = structured }
    result["isError"] = .bool(reply.isError)
    return result
  }

  private func progress(for token: JSONValue?, of id: RequestID) -> ProgressReporter? {
    guard let token, RequestID(token) != nil else { return nil }
    let number = running[id]?.number
    return ProgressReporter { [weak self] message in
      await self?.notify(message, token: token, of: id, number: number)
    }
  }

  /// Whether the client should hear of a request again, lest it takes it for dead.
  private func isQuiet(_ id: RequestID) -> Bool { running[id].map { Monotonic.now - $0.toldAt > WaitSlice.heartbeat + 2 } ?? false }

  /// Nothing is said of a request that has been answered or cancelled.
  private func notify(_ message: String, token: JSONValue, of id: RequestID, number: Int?) {
    guard var work = running[id], work.number == number, !work.isAnswered else { return }
    work.progress += 1
    work.toldAt = Monotonic.now
    running[id] = work
    send(
      Outgoing.notification(
        "notifications/progress", ["progressToken": token, "progress": JSONValue(work.progress), "message": .string(message)]))
  }
}

/// Tells the client that a request is being worked on.
package struct ProgressReporter: Sendable {
  /// Takes a short sentence.
  package let report: @Sendable (String) async -> Void

  package init(report: @escaping @Sendable (String) async -> Void) { self.report = report }
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
