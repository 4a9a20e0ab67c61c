import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// A stub that plays each client as it was measured.
@Suite(.blocking) struct ClientTableTests {
  let world: World

  init() throws {
    world = try World()
  }

  /// One column of what was measured.
  struct Column: Sendable, CustomTestStringConvertible {
    var name: String
    var version: String
    /// `2026-07-28`: no handshake, every request for itself.
    var era = "2025-11-25"
    var capabilities: JSONValue = ["roots": [:]]
    var rootHasName = false
    var token: JSONValue
    var environment: [String: String] = [:]
    var addedArguments = JSONObject()
    /// What the model is shown of a result.
    var shows: [String]
    /// Sends a cancellation for each answered id.
    var cancelsAnswered = false

    var testDescription: String { "\(name) \(era)" }
  }

  static let columns = [
    Column(
      name: "opencode", version: "1.18.34", token: 3, environment: ["OPENCODE": "1", "OPENCODE_PID": "1"], shows: ["content"], cancelsAnswered: true),
    Column(
      name: "gemini-cli-mcp-client", version: "0.61.0", era: "2025-06-18", rootHasName: true, token: "0c8f8f6e-5d1c-4b7e-9d5b-6f2b6a1f2c11",
      addedArguments: ["wait_for_previous": true], shows: ["content"]),
    Column(
      name: "claude-code", version: "2.1.331", capabilities: ["roots": [:], "elicitation": ["form": [:], "url": [:]]], token: 1,
      environment: ["CLAUDECODE": "1"], shows: ["structuredContent"]),
    Column(
      name: "claude-code", version: "2.1.331", era: "2026-07-28", capabilities: ["roots": [:], "elicitation": ["form": [:], "url": [:]]], token: 1,
      environment: ["CLAUDECODE": "1"], shows: ["structuredContent"]),
    Column(name: "qwen-cli-mcp-client-worker", version: "0.24.4", token: 4, shows: ["content", "structuredContent"]),
  ]

  /// The client, connected.
  private func connect(_ column: Column, root: String? = nil) throws -> MCPClient {
    let client = try MCPClient(world, extra: column.environment)
    var entry: JSONObject = ["uri": .string("file://" + (root ?? world.repository))]
    if column.rootHasName { entry["name"] = "repository" }
    client.respond(to: "roots/list", with: ["result": ["roots": [.object(entry)]]])
    if column.name == "claude-code" {
      let discovered = try client.request("server/discover", ["_meta": meta(column)])
      #expect(discovered["result"]?["supportedVersions"] == ["2026-07-28"])
    }
    if column.era != "2026-07-28" {
      let answer = try client.initialize(version: column.era, name: column.name, clientVersion: column.version, capabilities: column.capabilities)
      #expect(answer["result"]?["protocolVersion"]?.string == column.era)
    }
    if column.name.hasPrefix("qwen") {
      for method in ["prompts/list", "resources/list"] { #expect(try client.request(method)["error"]?["code"]?.int == -32601) }
    }
    return client
  }

  private func meta(_ column: Column) -> JSONValue {
    [
      "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": column.capabilities,
      "io.modelcontextprotocol/clientInfo": ["name": .string(column.name), "version": .string(column.version)], "progressToken": column.token,
    ]
  }

  /// Calls a tool as this client does.
  /// - Returns: what its model is shown
  private func call(_ tool: String, _ arguments: JSONObject = [:], _ column: Column, _ client: MCPClient) throws -> [JSONValue] {
    var given = arguments
    given.merge(column.addedArguments)
    let isModern = column.era == "2026-07-28"
    var params: JSONObject = [
      "name": .string(tool), "arguments": .object(given), "_meta": isModern ? meta(column) : ["progressToken": column.token],
    ]
    var result = try client.request("tools/call", params)["result"]
    if isModern, result?["resultType"]?.string == "input_required" {
      let questions = try #require(result?["inputRequests"]?.object)
      #expect(questions["roots"]?["method"]?.string == "roots/list")
      params["inputResponses"] = ["roots": ["roots": [["uri": .string("file://" + world.repository)]]]]
      params["requestState"] = result?["requestState"]
      result = try client.request("tools/call", params)["result"]
    }
    if column.cancelsAnswered {
      try client.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 1, "reason": "done"]])
    }
    let answer = try #require(result)
    return try column.shows.map { part in
      if part == "structuredContent" { return try #require(answer[part]) }
      return try JSONValue(parsing: Array(try #require(answer["content"]?.array?.first?["text"]?.string).utf8))
    }
  }

  @Test(arguments: columns)
  func aDelegationWithoutAFolderNeedsNoOtherCall(_ column: Column) throws {
    let write: JSONValue = ["name": "write", "arguments": ["filePath": "a.txt", "content": "a\n"]]
    try world.standIn(["turns": [["text": "Writing.", "tools": [write]], ["text": "All is done."]]])
    let client = try connect(column)
    for review in try call("opencode_run_and_wait", ["message": "Do it."], column, client) {
      #expect(review["state"]?.string == "completed", "\(review.text)")
      #expect(review["cwd"]?.string == world.repository)
      #expect(review["answer"]?.string == "All is done.")
      #expect(review["changedFiles"]?["files"]?.array?.first?["path"]?.string == "a.txt")
    }
    for refused in try call("opencode_status", ["run": "nope"], column, client) {
      #expect(refused["error"]?["code"]?.string == "no_such_run")
      #expect(refused["error"]?["hint"]?.string?.contains("opencode_runs") == true)
    }
    for runs in try call("opencode_runs", [:], column, client) { #expect(runs["runs"]?.array?.count == 1) }
    // Nothing came but answers, the questions for roots and progress with growing numbers under this client's token.
    let rest = client.unclaimed
    #expect(rest.allSatisfy { ["roots/list", "notifications/progress"].contains($0["method"]?.string) }, "\(rest.map(\.text))")
    let progress = rest.filter { $0["method"]?.string == "notifications/progress" }
    #expect(progress.allSatisfy { $0["params"]?["progressToken"] == column.token })
  }

  @Test func aRootThatIsNoFolderIsSaid() throws {
    let client = try connect(ClientTableTests.columns[0], root: "/nowhere/at/all")
    let reply = try client.call("opencode_start", ["message": "Do it."])
    #expect(reply["error"]?["code"]?.string == "cwd_needed")
    #expect(reply["error"]?["message"]?.string?.contains("file:///nowhere/at/all") == true, "\(reply.text)")
  }

  @Test func theServersOwnFolderWillDoWhereItIsARepository() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let inside = try MCPClient(world, folder: world.repository)
    try inside.initialize()
    #expect(try inside.call("opencode_run_and_wait", ["message": "Do it."])["cwd"]?.string == world.repository)
    let outside = try MCPClient(world, folder: world.root)
    try outside.initialize()
    #expect(try outside.call("opencode_start", ["message": "Do it."])["error"]?["code"]?.string == "cwd_needed")
    let told = try MCPClient(world, extra: ["CLAUDE_PROJECT_DIR": world.repository], folder: world.root)
    try told.initialize()
    #expect(try told.call("opencode_run_and_wait", ["message": "Do it."])["cwd"]?.string == world.repository)
    // A file URL is a path like any other, and a relative one is the workspace's.
    #expect(try outside.call("opencode_run_and_wait", ["message": "Do it.", "cwd": .string("file://" + world.repository)])["cwd"]?.string == world.repository)
    #expect(try told.call("opencode_run_and_wait", ["message": "Do it.", "cwd": "."])["cwd"]?.string == world.repository)
  }

  @Test(.waiting) func aSilentRunShowsASignOfLifeToWhoAskedForOne() throws {
    try world.standIn(["turns": [["text": "Done.", "delay": 24]]])
    let client = try connect(ClientTableTests.columns[0])
    let quiet = try client.begin("tools/call", ["name": "opencode_run_and_wait", "arguments": ["message": "Do it."], "_meta": ["progressToken": "quiet"]])
    #expect(try client.answer(to: quiet, within: 120)["result"]?["structuredContent"]?["state"]?.string == "completed")
    let notes = client.unclaimed.filter { $0["params"]?["progressToken"]?.string == "quiet" }.compactMap { $0["params"]?["progress"]?.int }
    #expect(notes.count >= 3 && notes == notes.sorted() && Set(notes).count == notes.count, "\(notes)")
  }

  // MARK: - Consent

  private func sandbox(_ profile: JSONValue) -> JSONObject {
    ["codex/sandbox-state-meta": ["sandboxCwd": .string(world.repository), "permissionProfile": profile]]
  }

  private let workspaceWrite: JSONValue = [
    "type": "managed", "file_system": ["type": "restricted", "entries": [["path": ["type": "path", "path": "/w"], "access": "write"]]],
  ]

  /// What becomes of a start that needs a person's word.
  private func start(
    _ arguments: JSONObject = ["permissions": "full"], answer: JSONObject?, profile: JSONValue? = nil, extra: [String: String] = [:]
  ) throws -> (reply: JSONValue, questions: [JSONValue]) {
    let client = try MCPClient(world, extra: extra)
    if let answer { client.respond(to: "elicitation/create", with: answer) }
    try client.initialize(
      name: profile == nil ? "test" : "codex-mcp-client", clientVersion: "0.163.0", capabilities: answer == nil ? [:] : ["elicitation": ["form": [:]]])
    var all: JSONObject = ["message": "Delete the old\u{1B}[2K files.", "cwd": .string(world.repository), "model": "stand-in/m2"]
    all.merge(arguments)
    let reply = try client.call("opencode_run_and_wait", all, meta: profile.map(sandbox) ?? [:])
    return (reply, client.unclaimed.filter { $0["method"]?.string == "elicitation/create" })
  }

  @Test func fullPermissionsNeedAPersonsWord() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let accept: JSONObject = ["result": ["action": "accept", "content": [:]]]
    let decline: JSONObject = ["result": ["action": "decline"]]
    for arguments in [["permissions": "full"], ["dangerouslySkipPermissions": true]] as [JSONObject] {
      let accepted = try start(arguments, answer: accept, profile: workspaceWrite)
      #expect(accepted.reply["state"]?.string == "completed", "\(accepted.reply.text)")
      let question = try #require(accepted.questions.first?["params"]?["message"]?.string)
      #expect(accepted.questions.count == 1)
      for part in ["Delete the old", world.repository, "stand-in/m2", "any command"] { #expect(question.contains(part), "\(question)") }
      #expect(!question.contains("\u{1B}"))
      let declined = try start(arguments, answer: decline, profile: workspaceWrite)
      #expect(declined.reply["error"]?["code"]?.string == "consent_needed")
      #expect(declined.reply["error"]?["hint"]?.string?.contains("OPENCODE_WORKER_ALLOW_FULL=1") == true)
      #expect(declined.questions.count == 1)
    }
    #expect(try start(["permissions": "workspace"], answer: decline, profile: workspaceWrite).questions.isEmpty)
    // Nobody is asked where the caller has full access itself, or the user has said so beforehand.
    let free = try start(answer: decline, profile: ["type": "disabled"])
    #expect(free.reply["state"]?.string == "completed" && free.questions.isEmpty, "\(free.reply.text)")
    let allowed = try start(answer: decline, profile: workspaceWrite, extra: ["OPENCODE_WORKER_ALLOW_FULL": "1"])
    #expect(allowed.reply["state"]?.string == "completed" && allowed.questions.isEmpty, "\(allowed.reply.text)")
    // A sandbox, and nobody to ask.
    #expect(try start(answer: nil, profile: workspaceWrite).reply["error"]?["code"]?.string == "consent_needed")
    #expect(
      try start(answer: ["error": ["code": -32601, "message": "no"]], profile: workspaceWrite).reply["error"]?["message"]?.string?.contains("no") == true)
    // A client without either: its own approval was the person's.
    #expect(try start(answer: nil).reply["state"]?.string == "completed")
    // One that can ask is asked, sandbox or not.
    #expect(try start(answer: decline).reply["error"]?["code"]?.string == "consent_needed")
  }

  // MARK: - Nested

  @Test func aRunStartsNoOtherAndDoesNotWaitForItself() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let client = try MCPClient(world)
    try client.initialize()
    let run = try #require(try client.call("opencode_start", ["message": "Do it.", "cwd": .string(world.repository)])["run"]?.string)
    let nested = try MCPClient(world, extra: ["OPENCODE_WORKER_RUN": run], folder: world.repository)
    try nested.initialize(name: "opencode")
    for tool in ["opencode_start", "opencode_run_and_wait"] {
      let refused = try nested.call(tool, ["message": "Do more."])
      #expect(refused["error"]?["code"]?.string == "nested")
      #expect(refused["error"]?["message"]?.string?.contains(run) == true)
    }
    #expect(try nested.call("opencode_status")["run"]?.string == run)
    let wait = try nested.call("opencode_wait", meta: ["progressToken": 1])
    #expect(wait["running"]?.bool == true && wait["next"]?.string?.contains("don't wait") == true, "\(wait.text)")
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
    #expect(try nested.call("opencode_wait")["state"]?.string == "completed")
  }
}
