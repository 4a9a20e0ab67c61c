import Foundation
import JSON
import JSONRPC
import TestSupport
import Testing

@testable import MCP

/// The server in process, with a tool that asks its client.
@Suite(.blocking) struct ClientChannelTests {
  /// Does what its argument says.
  private struct AskingTool: Tool {
    let name = "ask"
    let description = "Asks."
    let annotations = ToolAnnotations.reads
    let parameters = [
      Parameter("what", .choice(["roots", "consent", "both", "sleep", "progress"]), required: true), Parameter("seconds", .integer(0...1000)),
    ]

    func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
      var structured = JSONObject()
      let what = arguments.string("what")
      if what == "sleep" { try await Task.sleep(nanoseconds: 3_600_000_000_000) }
      if what == "progress" {
        for word in ["a", "b", "c"] { await context.progress?.report(word) }
      }
      if what == "roots" || what == "both" {
        let roots = try await context.channel?.roots()
        structured["roots"] = roots.map { JSONValue(strings: $0.map(\.uri)) }
      }
      if what == "consent" || what == "both" {
        switch try await context.channel?.consent("May I?", seconds: Double(arguments.integer("seconds") ?? 60)) {
        case .given?: structured["consent"] = "given"
        case .notGiven(let why)?: structured["consent"] = .string(why)
        case nil: structured["consent"] = "not offered"
        }
      }
      return ToolReply(text: "Line one.\nLine two.", structured: structured)
    }
  }

  /// What the server has written, and a way to wait for it.
  private final class Wire: @unchecked Sendable {
    private let lock = NSLock()
    private var messages: [JSONValue] = []

    func add(_ message: JSONValue) { lock.withLock { messages.append(message) } }
    var all: [JSONValue] { lock.withLock { messages } }

    func first(where matches: (JSONValue) -> Bool) async throws -> JSONValue {
      for _ in 0..<6000 {
        if let found = all.first(where: matches) { return found }
        try await Task.sleep(nanoseconds: 10_000_000)
      }
      throw TestFailure("not among \(all.map(\.text))")
    }

    func answer(to id: JSONValue) async throws -> JSONValue { try await first { $0["id"] == id && $0["method"] == nil } }
    func request(_ method: String) async throws -> JSONValue { try await first { $0["method"]?.string == method } }
  }

  private let wire = Wire()
  private let server: MCPServer

  init() {
    server = MCPServer(tools: ToolList([AskingTool()])) { [wire] in wire.add($0) }
  }

  private func send(_ message: JSONValue) async { await server.receive(.line(message.bytes)) }

  private func initialize(_ name: String = "test", capabilities: JSONValue = [:]) async throws {
    await send([
      "jsonrpc": "2.0", "id": "init", "method": "initialize",
      "params": ["protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": ["name": .string(name), "version": "0.163.0"]],
    ])
    _ = try await wire.answer(to: "init")
  }

  private func call(_ id: JSONValue, _ what: String, _ more: JSONObject = [:], meta: JSONObject = [:], params: JSONObject = [:]) async {
    var arguments: JSONObject = ["what": .string(what)]
    arguments.merge(more)
    var all: JSONObject = ["name": "ask", "arguments": .object(arguments), "_meta": .object(meta)]
    all.merge(params)
    await send(["jsonrpc": "2.0", "id": id, "method": "tools/call", "params": .object(all)])
  }

  private func modernMeta(_ capabilities: JSONValue) -> JSONObject {
    ["io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": capabilities]
  }

  // MARK: - Cancelling

  @Test func nothingIsWrittenForACancelledRequestAndItsIDIsFree() async throws {
    try await initialize()
    let before = wire.all.count
    await call(7, "sleep")
    await send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 7]])
    await call(7, "roots")
    let answer = try await wire.answer(to: 7)
    #expect(answer["result"]?["structuredContent"] == [:])
    // The cancelled one ends in the meantime, in silence.
    try await Task.sleep(nanoseconds: 200_000_000)
    #expect(wire.all.count == before + 1, "\(wire.all.map(\.text))")
    #expect(!wire.all.contains(.null))
  }

  @Test func cancellingWhatIsAnsweredOrUnknownDoesNothing() async throws {
    try await initialize()
    await call(1, "roots")
    _ = try await wire.answer(to: 1)
    let before = wire.all.count
    for id in [1, 99, "x", .null, 1.5, [:]] as [JSONValue] {
      await send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": id]])
    }
    await send(["jsonrpc": "2.0", "method": "notifications/cancelled"])
    await call(2, "roots")
    _ = try await wire.answer(to: 2)
    #expect(wire.all.count == before + 1)
  }

  @Test func anIDWrittenAsADecimalNumberIsAnsweredAndCancelled() async throws {
    try await initialize()
    await server.receive(.line(Array("{\"jsonrpc\":\"2.0\",\"id\":5.0,\"method\":\"ping\"}".utf8)))
    #expect(try await wire.answer(to: 5)["result"] == [:])
    let before = wire.all.count
    await call(6, "sleep")
    await server.receive(.line(Array("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":6.0}}".utf8)))
    await call(6, "roots")
    _ = try await wire.answer(to: 6)
    #expect(wire.all.count == before + 1)
  }

  // MARK: - Asking

  @Test func rootsAreAskedForOnceUntilTheyChange() async throws {
    try await initialize(capabilities: ["roots": ["listChanged": true]])
    await call(1, "roots")
    let question = try await wire.request("roots/list")
    await send(["jsonrpc": "2.0", "id": question["id"] ?? .null, "result": ["roots": [["uri": "file:///a", "name": "a"]]]])
    #expect(try await wire.answer(to: 1)["result"]?["structuredContent"]?["roots"] == ["file:///a"])
    await call(2, "roots")
    #expect(try await wire.answer(to: 2)["result"]?["structuredContent"]?["roots"] == ["file:///a"])
    await send(["jsonrpc": "2.0", "method": "notifications/roots/list_changed"])
    await call(3, "roots")
    let again = try await wire.first { $0["method"]?.string == "roots/list" && $0["id"] != question["id"] }
    await send(["jsonrpc": "2.0", "id": again["id"] ?? .null, "error": ["code": -32601, "message": "no"]])
    #expect(try await wire.answer(to: 3)["result"]?["structuredContent"]?["roots"] == nil)
  }

  @Test func aClientThatOffersNothingIsAskedNothing() async throws {
    try await initialize(capabilities: ["elicitation": ["url": [:]]])
    await call(1, "both")
    let structured = try await wire.answer(to: 1)["result"]?["structuredContent"]
    #expect(structured == ["consent": "not offered"])
    #expect(!wire.all.contains { $0["method"] != nil })
  }

  @Test(
    arguments: [
      ([:], nil), (["form": [:], "url": [:]], "form"),
    ] as [(JSONValue, String?)])
  func consentIsAskedForAsTheClientNamesIt(capability: JSONValue, mode: String?) async throws {
    try await initialize(capabilities: ["elicitation": capability])
    let answers: [(JSONObject, String)] = [
      (["result": ["action": "accept", "content": [:]]], "given"), (["result": ["action": "decline"]], "declined"),
      (["result": ["action": "cancel"]], "declined"), (["result": [:]], "declined"),
      (["error": ["code": -32601, "message": "no such thing"]], "the client could not ask: no such thing"),
    ]
    var seen = 0
    for (number, (answer, consent)) in answers.enumerated() {
      await call(JSONValue(number), "consent")
      let question = try await wire.first { $0["method"]?.string == "elicitation/create" && $0["id"]?.string?.hasSuffix("-\(number + 1)") == true }
      seen += 1
      #expect(question["params"]?["message"]?.string == "May I?")
      #expect(question["params"]?["mode"]?.string == mode)
      #expect(question["params"]?["requestedSchema"]?["type"]?.string == "object")
      var message: JSONObject = ["jsonrpc": "2.0", "id": question["id"] ?? .null]
      message.merge(answer)
      await send(.object(message))
      #expect(try await wire.answer(to: JSONValue(number))["result"]?["structuredContent"]?["consent"]?.string == consent)
    }
    #expect(seen == answers.count)
  }

  @Test func aQuestionThatNobodyAnswersIsTakenBack() async throws {
    try await initialize(capabilities: ["elicitation": [:]])
    await call(1, "consent", ["seconds": 0])
    #expect(try await wire.answer(to: 1)["result"]?["structuredContent"]?["consent"]?.string == "nobody answered within 0 s")
    let question = try await wire.request("elicitation/create")
    #expect(try await wire.request("notifications/cancelled")["params"]?["requestId"] == question["id"])
    // A late answer, and one to nothing, are no answers to anything else.
    await send(["jsonrpc": "2.0", "id": question["id"] ?? .null, "result": ["action": "accept"]])
    await send(["jsonrpc": "2.0", "id": 12345, "result": ["action": "accept"]])
    await call(2, "roots")
    _ = try await wire.answer(to: 2)
  }

  @Test func aCancelledCallTakesItsQuestionBack() async throws {
    try await initialize(capabilities: ["elicitation": [:]])
    await call(1, "consent", ["seconds": 1000])
    let question = try await wire.request("elicitation/create")
    await send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 1]])
    #expect(try await wire.request("notifications/cancelled")["params"]?["requestId"] == question["id"])
    #expect(!wire.all.contains { $0["id"] == 1 })
  }

  // MARK: - Asking in the protocol of 2026-07-28

  @Test func aCallIsAnsweredWithTheQuestionAndRepeatedWithTheAnswer() async throws {
    let meta = modernMeta(["roots": [:], "elicitation": ["form": [:]]])
    await call(1, "both", meta: meta)
    let first = try #require(try await wire.answer(to: 1)["result"])
    #expect(first["resultType"]?.string == "input_required")
    #expect(first["inputRequests"]?["roots"]?["method"]?.string == "roots/list")
    #expect(first["_meta"]?["io.modelcontextprotocol/serverInfo"] != nil)
    await call(2, "both", meta: meta, params: ["inputResponses": ["roots": ["roots": [["uri": "file:///a"]]]]])
    let second = try #require(try await wire.answer(to: 2)["result"])
    let questions = try #require(second["inputRequests"]?.object)
    let key = try #require(questions.keys.first)
    #expect(questions.keys.count == 1 && questions[key]?["method"]?.string == "elicitation/create")
    // The client sends the newest answers only; the state brings the earlier ones back.
    let state = try #require(second["requestState"])
    var answers = JSONObject()
    answers[key] = ["action": "accept", "content": [:]]
    await call(3, "both", meta: meta, params: ["inputResponses": .object(answers), "requestState": state])
    let last = try #require(try await wire.answer(to: 3)["result"])
    #expect(last["resultType"]?.string == "complete")
    #expect(last["structuredContent"] == ["roots": ["file:///a"], "consent": "given"])
    // Nothing was asked otherwise: there are no requests to a client in this protocol.
    #expect(!wire.all.contains { $0["method"] != nil })
  }

  @Test func answersThatAreNoneAreRefused() async throws {
    let meta = modernMeta(["roots": [:], "elicitation": [:]])
    await call(1, "roots", meta: meta, params: ["inputResponses": [1]])
    #expect(try await wire.answer(to: 1)["error"]?["code"]?.int == -32602)
    await call(2, "roots", meta: meta, params: ["requestState": "nonsense"])
    #expect(try await wire.answer(to: 2)["error"]?["code"]?.int == -32602)
    await call(3, "roots", meta: meta, params: ["inputResponses": ["roots": "nonsense"]])
    #expect(try await wire.answer(to: 3)["result"]?["structuredContent"]?["roots"] == nil)
    // Consent to another question is none, and the state can't carry one.
    let other: JSONValue = ["action": "accept"]
    let carried = JSONObject([("consent", other), (ClientQuestion.consent("May I?", namesModes: false).key, other)])
    let state = JSONValue.string(JSONValue.object(carried).text)
    await call(4, "consent", meta: meta, params: ["inputResponses": ["consent-1": other], "requestState": state])
    #expect(try await wire.answer(to: 4)["result"]?["resultType"]?.string == "input_required")
  }

  // MARK: - What each client sees

  @Test func onlyCodexGetsLinesForAPersonBesideTheStructure() async throws {
    try await initialize("codex-mcp-client")
    await call(1, "consent")
    #expect(try await wire.answer(to: 1)["result"]?["content"]?.array?.first?["text"]?.string == "Line one.\nLine two.")
    try await initialize("opencode")
    await call(2, "consent")
    let text = try #require(try await wire.answer(to: 2)["result"]?["content"]?.array?.first?["text"]?.string)
    #expect(try JSONValue(parsing: Array(text.utf8)) == ["consent": "not offered"])
  }

  @Test func progressGrowsByItselfAndEndsWithTheReply() async throws {
    try await initialize()
    for (id, token) in [(1, 7), (2, "4f1c-uuid")] as [(JSONValue, JSONValue)] {
      await call(id, "progress", meta: ["progressToken": token])
      _ = try await wire.answer(to: id)
      let notes = wire.all.filter { $0["method"]?.string == "notifications/progress" && $0["params"]?["progressToken"] == token }
      #expect(notes.map { $0["params"]?["progress"]?.int } == [1, 2, 3])
      #expect(notes.map { $0["params"]?["message"]?.string } == ["a", "b", "c"])
    }
  }

  @Test(.waiting) func aLongCallShowsASignOfLifeWhateverItDoes() async throws {
    try await initialize()
    await call(1, "sleep", meta: ["progressToken": "long"])
    await call(2, "sleep")
    let note = try await wire.request("notifications/progress")
    #expect(note["params"]?["progressToken"]?.string == "long" && note["params"]?["progress"]?.int == 1)
    // Nothing more of it once it is cancelled, and never anything of a call that gave no token.
    for id in [1, 2] { await send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": JSONValue(id)]]) }
    #expect(wire.all.filter { $0["method"] != nil }.count == 1)
  }

  @Test func whatAClientAddsToEachCallIsDropped() async throws {
    try await initialize("gemini-cli-mcp-client")
    await call(1, "consent", ["wait_for_previous": true])
    #expect(try await wire.answer(to: 1)["result"]?["isError"]?.bool == false)
    await call(2, "consent", ["wait_for_next": true])
    #expect(try await wire.answer(to: 2)["result"]?["isError"]?.bool == true)
  }
}
