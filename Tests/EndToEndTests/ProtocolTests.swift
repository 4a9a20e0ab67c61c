import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The built server, spoken to over its pipes.
@Suite(.blocking) struct ProtocolTests {
  let world: World
  let client: MCPClient

  init() throws {
    world = try World()
    client = try MCPClient(world)
  }

  private func errorCode(_ text: String) throws -> Int? {
    try client.sendRaw(text)
    return client.receive(within: 10) { $0["error"] != nil }?["error"]?["code"]?.int
  }

  // MARK: - Legacy era

  @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
  func aKnownVersionIsEchoed(version: String) throws {
    let result = try client.initialize(version: version)["result"]
    #expect(result?["protocolVersion"]?.string == version)
    #expect(result?["serverInfo"]?["name"]?.string == "opencode-worker")
    #expect(result?["capabilities"]?["experimental"]?["codex/sandbox-state-meta"] != nil)
    let instructions = result?["instructions"]?.string ?? ""
    #expect(instructions.utf8.count < 512)
    let first = try #require(instructions.split(separator: "\n").first)
    #expect(first.count <= 256 && first.contains(#"// @exec: {"yield_time_ms": 3600000}"#), "all that Codex 0.169 shows of a deferred server: \(first)")
  }

  /// Claude Code defers every tool that doesn't say otherwise, and cuts instructions and descriptions at 4,096 characters.
  @Test func theTwoToolsThatMatterAreAlwaysLoadedAndNothingIsTooLong() throws {
    let instructions = try client.initialize()["result"]?["instructions"]?.string ?? ""
    let tools = try #require(try client.request("tools/list")["result"]?["tools"]?.array)
    let loaded = tools.filter { $0["_meta"]?["anthropic/alwaysLoad"]?.bool == true }.compactMap { $0["name"]?.string }
    #expect(loaded == ["opencode_run_and_wait", "opencode_wait"])
    #expect(tools.allSatisfy { $0["_meta"] == nil || loaded.contains($0["name"]?.string ?? "") })
    for text in [instructions] + tools.compactMap({ $0["description"]?.string }) { #expect((1...4_096).contains(text.count)) }
  }

  @Test func anUnknownVersionGetsTheNewestLegacyOne() throws {
    #expect(try client.initialize(version: "1999-01-01")["result"]?["protocolVersion"]?.string == "2025-11-25")
  }

  @Test func pingIsAnsweredBeforeTheHandshakeAndNothingElse() throws {
    #expect(try client.request("ping")["result"] == [:])
    #expect(try client.request("tools/list")["error"]?["code"]?.int == -32602)
    #expect(try client.request("nonsense")["error"]?["code"]?.int == -32601)
  }

  @Test func theToolListIsSmallAndOffersNoToolThatEndsARun() throws {
    try client.initialize()
    let answer = try client.request("tools/list")
    let tools = try #require(answer["result"]?["tools"]?.array)
    let names = tools.compactMap { $0["name"]?.string }
    #expect(
      Set(names) == [
        "opencode_start", "opencode_run_and_wait", "opencode_wait", "opencode_status", "opencode_logs", "opencode_run_summary", "opencode_changed_files",
        "opencode_usage", "opencode_models", "opencode_check_model", "opencode_delegation_template", "opencode_runs",
      ])
    #expect(!names.contains { $0.contains("stop") || $0.contains("cancel") || $0.contains("kill") })
    #expect(answer.bytes.count < 8 << 10, "tools/list has \(answer.bytes.count) bytes")
    for tool in tools {
      let acts = ["opencode_start", "opencode_run_and_wait"].contains(tool["name"]?.string)
      #expect(tool["annotations"]?["readOnlyHint"]?.bool == !acts)
      #expect((tool["annotations"]?["destructiveHint"]?.bool ?? false) == acts)
      #expect(tool["inputSchema"]?["type"]?.string == "object")
      #expect(tool["inputSchema"]?["additionalProperties"]?.bool == false)
    }
  }

  @Test func wrongCallsAreProtocolErrorsAndWrongValuesAreResults() throws {
    try client.initialize()
    #expect(try client.request("tools/call", ["name": "nope"])["error"]?["code"]?.int == -32602)
    #expect(try client.request("tools/call", ["name": 5])["error"]?["code"]?.int == -32602)
    #expect(try client.request("tools/call", ["name": "opencode_status", "arguments": [1]])["error"]?["code"]?.int == -32602)
    #expect(try client.request("tools/list", ["cursor": "x"])["error"]?["code"]?.int == -32602)
    let misspelled = try client.call("opencode_status", ["tailLine": 3])
    #expect(misspelled["error"]?["code"]?.string == "bad_argument")
    #expect(misspelled["error"]?["hint"]?.string?.contains("tailLines") == true)
    let wrongType = try client.call("opencode_start", ["message": 5])
    #expect(wrongType["error"]?["message"]?.string?.contains("5") == true)
    #expect(try client.call("opencode_start")["error"]?["code"]?.string == "bad_argument")
    #expect(try client.call("opencode_status", ["run": "../../etc"])["error"]?["code"]?.string == "no_such_run")
  }

  @Test func oldClientsGetEverythingAsText() throws {
    try client.initialize(version: "2024-11-05")
    let result = try client.request("tools/call", ["name": "opencode_status", "arguments": [:]])["result"]
    #expect(result?["structuredContent"] == nil)
    let text = try #require(result?["content"]?.array?.first?["text"]?.string)
    #expect(try JSONValue(parsing: Array(text.utf8))["state"]?.string == "none")
  }

  @Test func batchesAreTakenWhereTheProtocolHasThem() throws {
    try client.initialize(version: "2025-03-26")
    try client.sendRaw(
      "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"},{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"ping\"}]"
    )
    let answers = try #require(client.receive(within: 10) { $0.array != nil }?.array)
    #expect(Set(answers.compactMap { $0["id"]?.string }) == ["a", "b"])
  }

  @Test func batchesAreRefusedElsewhere() throws {
    try client.initialize()
    #expect(try errorCode("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]") == -32600)
  }

  // MARK: - Modern era

  private func modern(_ method: String, version: String = "2026-07-28", _ more: JSONObject = [:]) throws -> JSONValue {
    var params = more
    params["_meta"] = [
      "io.modelcontextprotocol/protocolVersion": .string(version), "io.modelcontextprotocol/clientCapabilities": [:],
      "io.modelcontextprotocol/clientInfo": ["name": "modern", "version": "1"],
    ]
    return try client.request(method, params)
  }

  @Test func theModernEraNeedsNoHandshake() throws {
    let discovered = try modern("server/discover")["result"]
    #expect(discovered?["supportedVersions"] == ["2026-07-28"])
    #expect(discovered?["resultType"]?.string == "complete")
    let list = try modern("tools/list")["result"]
    #expect(list?["ttlMs"]?.int == 3_600_000)
    #expect(list?["cacheScope"]?.string == "private")
    #expect(list?["tools"]?.array?.count == 12)
    let status = try modern("tools/call", ["name": "opencode_status", "arguments": [:]])["result"]
    #expect(status?["structuredContent"]?["state"]?.string == "none")
    #expect(status?["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"]?.string == "opencode-worker")
  }

  @Test func theErasAreToldApartRequestByRequest() throws {
    try client.initialize()
    #expect(try modern("tools/list")["result"]?["resultType"]?.string == "complete")
    #expect(try client.request("tools/list")["result"]?["resultType"] == nil)
    #expect(try modern("ping")["error"]?["code"]?.int == -32601)
  }

  @Test func anUnsupportedModernVersionIsNamed() throws {
    let error = try modern("tools/list", version: "2030-01-01")["error"]
    #expect(error?["code"]?.int == -32022)
    #expect(error?["data"]?["supported"] == ["2026-07-28"])
    let incomplete = try client.request("tools/list", ["_meta": ["io.modelcontextprotocol/protocolVersion": "2026-07-28"]])
    #expect(incomplete["error"]?["code"]?.int == -32602)
  }

  // MARK: - What goes wrong on the wire

  @Test func garbageIsAnsweredAndTheServerLivesOn() throws {
    try client.initialize()
    #expect(try errorCode("{nonsense") == -32700)
    #expect(try errorCode("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}") == -32600)
    #expect(try errorCode(String(repeating: "[", count: 100_000)) == -32700)
    try client.sendRaw(bytes: [0xFF, 0xFE, 0x0A])
    #expect(client.receive(within: 10) { $0["error"] != nil }?["error"]?["code"]?.int == -32700)
    // Codex answers what it doesn't understand with an error of its own.
    try client.sendRaw("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"x\"}}")
    try client.sendRaw("")
    #expect(try client.request("ping")["result"] == [:])
    #expect(client.unclaimed.isEmpty)
  }

  @Test func aLineOverEightMiBIsRefusedWithItsId() throws {
    try client.initialize()
    let filler = String(repeating: "x", count: 9 << 20)
    try client.sendRaw("{\"jsonrpc\":\"2.0\",\"id\":\"big\",\"method\":\"ping\",\"params\":{\"x\":\"\(filler)\"}}")
    let answer = try #require(client.receive(within: 20) { $0["id"]?.string == "big" })
    #expect(answer["error"]?["code"]?.int == -32600)
    #expect(try client.request("ping")["result"] == [:])
  }

  @Test func aThousandRequestsAtOnceAreAllAnswered() throws {
    try client.initialize()
    let ids = try (0..<1000).map { _ in try client.begin("ping", [:]) }
    for id in ids { #expect(try client.answer(to: id)["result"] == [:]) }
  }

  @Test func theServerEndsWithItsInput() throws {
    try client.initialize()
    client.closeInput()
    #expect(client.process.wait(deadline: .after(5)) == .exited(0))
  }

  @Test func requestsThatCameBeforeTheEndOfInputAreAnswered() throws {
    let script = "printf '%s\\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}' | \"$0\""
    let result = try Command("/bin/sh", ["-c", script, World.binary], environment: world.environment, deadline: .after(10)).run()
    #expect(result.outputText == "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n")
  }

  @Test func aClosedStdoutEndsTheServerCleanly() throws {
    let script = "(sleep 0.3; printf '%s\\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}'; sleep 5) | \"$0\" | true; echo done"
    let result = try Command("/bin/bash", ["-c", script, World.binary], environment: world.environment, deadline: .after(20)).run()
    #expect(result.status == .exited(0))
    #expect(result.errors.isEmpty)
  }

  #if os(Linux)
    /// A stray `print` goes to descriptor 1: that must not be the protocol's.
    @Test func nothingButTheProtocolReachesStdout() throws {
      try client.initialize()
      #expect(PrivateFiles.resolved("/proc/\(client.process.pid)/fd/1") == world.path("server-stderr.log"))
    }
  #endif

  @Test func aServerWithoutStdinOrStdoutSaysSo() throws {
    let result = try Command("/bin/sh", ["-c", "\"$0\" <&- ; \"$0\" >&- ; true", World.binary], environment: world.environment, deadline: .after(10)).run()
    #expect(result.status == .exited(0))
  }
}
