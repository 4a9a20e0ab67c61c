import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What OpenCode's tools, models and agents say, on both generations.
@Suite(.blocking) struct ToolWordsTests {
  static let versions = ["1.18.34", "2.0.26"]

  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private func play(_ version: String, _ turns: JSONValue, _ more: JSONObject = [:]) throws {
    var script: JSONObject = ["version": .string(version), "turns": turns]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private func delegate(_ more: JSONObject = [:]) throws -> JSONValue { try client.call("opencode_run_and_wait", world.task(more)) }

  private func items(_ reply: JSONValue) throws -> [JSONValue] {
    try client.call("opencode_run_summary", ["run": try #require(reply["run"], "\(reply.text)")])["items"]?.array ?? []
  }

  private static func bash(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "x"]] }

  @Test(arguments: versions) func whatARuleDeniesIsTold(version: String) throws {
    let read: JSONValue = ["name": "read", "arguments": ["filePath": "/etc/hosts"]]
    let helper: JSONValue = ["name": "task", "arguments": ["description": "d", "prompt": "p", "subagent_type": "general"], "turns": [["text": "Sub."]]]
    let config: JSONValue = ["permission": ["external_directory": "deny", "task": ["*": "allow", "general": "deny"]]]
    try play(version, [["tools": [read, helper]], ["text": "Done."]], ["config": config])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(try items(reply).filter { $0["tool"] != nil }.map { $0["status"]?.string } == ["denied", "denied"], "\(reply.text)")
    #expect(attention(reply).contains("denied by a rule: read (/etc/hosts)"), "\(reply.text)")
    #expect(attention(reply).contains(version == "1.18.34" ? "denied by a rule: task" : "denied by a rule: subagent"), "\(reply.text)")
  }

  @Test func aQuestionThatNobodyCouldAnswerIsTold() throws {
    try play("2.0.26", [["tools": [["name": "question", "arguments": ["questions": []]]]], ["text": "Went on."]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "completed" && attention(reply).contains("asked the user 1 x a question (tool question)"), "\(reply.text)")
    #expect(try items(reply).first { $0["tool"] == "question" }?["status"]?.string == "dismissed")
  }

  /// 2.x names a file by `path`, 1.x by `filePath`.
  @Test(arguments: versions, ["path", "filePath"]) func whatToolsWroteOutsideIsTold(version: String, key: String) throws {
    try world.write("outside.txt", "one\n")
    let (new, old) = (world.path("new.txt"), world.path("outside.txt"))
    let write: JSONValue = ["name": "write", "arguments": .object(JSONObject([(key: key, value: .string(new)), (key: "content", value: "x")]))]
    let edit: JSONValue = [
      "name": "edit", "arguments": .object(JSONObject([(key: key, value: .string(old)), (key: "oldString", value: "one"), (key: "newString", value: "two")])),
    ]
    try play(version, [["tools": [write, edit]], ["text": "Done."]], ["config": ["permission": ["external_directory": "allow"]]])
    let reply = try delegate()
    #expect(world.read("outside.txt") == "two\n" && world.exists("new.txt"), "\(reply.text)")
    #expect(attention(reply).contains("tools wrote outside the workspace: \(new), \(old)"), "\(reply.text)")
    let outside = reply["changedFiles"]?["files"]?.array?.filter { $0["outside"]?.bool == true }.compactMap { $0["path"]?.string }
    #expect(outside.map(Set.init) == [new, old], "\(reply.text)")
  }

  /// A tool of an MCP server may have changed anything: a check before it isn't one of the end, in a subagent either.
  @Test(arguments: versions, [false, true]) func filesOfMCPToolsMakeACheckUncertain(version: String, inSubagent: Bool) throws {
    let put: JSONValue = ["name": "files_put", "arguments": ["path": "a"], "result": "ok", "files": ["by-mcp.txt": "x\n"]]
    let helper: JSONValue = [
      "name": "task", "arguments": ["description": "d", "prompt": "p", "subagent_type": "general"], "turns": [["tools": [put]], ["text": "Sub."]],
    ]
    let check: JSONValue = ["tools": [ToolWordsTests.bash("test -s README.md")]]
    try play(version, [check, ["tools": [inSubagent ? helper : put]], ["text": "Done."]])
    let reply = try delegate(["verificationCommands": ["test -s README.md"]])
    let row = reply["verification"]?["declared"]?.array?.first
    #expect(row?["result"]?.string == "passed" && row?["editedAfter"] == "maybe", "\(reply.text)")
    // OpenCode's own tools didn't name it.
    let file = reply["changedFiles"]?["files"]?.array?.first { $0["path"] == "by-mcp.txt" }
    #expect(file?["change"]?.string == "added" && file?["byTool"] == nil, "\(reply.text)")
    // One that reads only takes nothing away.
    try play(version, [check, ["tools": [["name": "read", "arguments": ["filePath": "README.md"]]]], ["text": "Done."]])
    let quiet = try delegate(["verificationCommands": ["test -s README.md"]])["verification"]?["declared"]?.array?.first
    #expect(quiet?["editedAfter"]?.bool == false, "\(quiet?.text ?? "")")
  }

  @Test(arguments: versions) func aModelNamedWronglyComesWithTheNearestOne(version: String) throws {
    try play(version, [["text": "Done."]])
    let reply = try delegate(["model": "stand-in/m9"])
    #expect(reply["state"]?.string == "failed" && reply["reason"]?.string?.contains("stand-in/m9") == true, "\(reply.text)")
    #expect(attention(reply).contains("did you mean: stand-in/m1, stand-in/m2"), "\(reply.text)")
    #expect(reply["next"]?.string?.contains("did you mean: stand-in/m1") == true, "\(reply.text)")
  }

  @Test(arguments: versions) func theModelOfAnAgentIsTold(version: String) throws {
    try play(version, [["text": "Done."]], ["config": ["agent": ["mine": ["mode": "primary", "model": "stand-in/m2"]]]])
    let reply = try delegate(["agent": "mine"])
    #expect(reply["state"]?.string == "completed" && reply["model"]?.string == "stand-in/m2" && reply["agent"]?.string == "mine", "\(reply.text)")
  }

  @Test func anExitOf130IsAnInterruption() throws {
    try play("2.0.26", [["tools": [ToolWordsTests.bash("true")]], ["exit": 130]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "failed" && reply["exitCode"]?.int == 130, "\(reply.text)")
    #expect(reply["reason"]?.string?.contains("interrupted (SIGINT or SIGTERM)") == true, "\(reply.text)")
  }

  /// `verify` runs nothing that OpenCode's own rules keep its shell from.
  @Test(arguments: versions) func verifyIsRefusedWhereTheShellIsDenied(version: String) throws {
    let deny: JSONObject = ["config": ["agent": ["build": ["permission": ["bash": ["*": "allow", "make *": "deny"]]]]]]
    try play(version, [["text": "Done."]], deny)
    func verify(_ command: String, _ more: JSONObject = [:]) throws -> JSONValue {
      var all: JSONObject = ["verify": true, "verificationCommands": [.string(command)]]
      all.merge(more)
      return try delegate(all)
    }
    let refused = try verify("make test")
    #expect(refused["error"]?["message"]?.string?.contains("\"make test\", which OpenCode's own rules deny") == true, "\(refused.text)")
    #expect(try verify("test -s README.md")["state"]?.string == "completed")
    // A preset replaces those rules.
    #expect(try verify("make --version", ["permissions": "workspace"])["state"]?.string == "completed")
    guard version != "1.18.34" else { return }
    try PrivateFiles.createFolder(world.path("repository/.opencode/agents"))
    try world.write("repository/.opencode/agents/build.md", "---\npermission:\n  bash: ask\n---\n")
    let unknown = try verify("test -s README.md")
    #expect(unknown["error"]?["message"]?.string?.contains("the rules of agent \"build\" in build.md are not known") == true, "\(unknown.text)")
  }
}
