import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// Presets on OpenCode 2, against each way in which rules of single agents have beaten one, with the stand-in that plays OpenCode's order of rules.
@Suite(.blocking) struct PresetTests {
  static let versions = ["2.0.26", "0.0.0-v2-20260807"]

  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private func play(_ turns: JSONValue, _ more: JSONObject = [:]) throws {
    var script: JSONObject = ["version": "2.0.26", "turns": turns]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private func put(_ path: String, _ text: String) throws {
    try PrivateFiles.createFolder((world.path(path) as NSString).deletingLastPathComponent)
    try world.write(path, text)
  }

  private func delegate(_ more: JSONObject, _ client: MCPClient? = nil) throws -> JSONValue {
    try (client ?? self.client).call("opencode_run_and_wait", world.task(more))
  }

  private static func shell(_ command: String) -> JSONValue { ["name": "shell", "arguments": ["command": .string(command), "description": "x"]] }

  private static func subagent(_ agent: String, _ turns: JSONValue) -> JSONValue {
    ["name": "subagent", "arguments": ["description": "Helps", "prompt": "p", "agent": .string(agent)], "turns": turns]
  }

  private static let allowed = #"[{"action":"*","resource":"*","effect":"allow"}]"#

  /// Where rules of a single agent may stand.
  enum Way: String, CaseIterable {
    case native, agent, mode, tools, project, nativeFile, legacyFile, modeFile, standard, content

    /// The run's own agent and one that it may start; the file that says so.
    var file: (path: String, text: String) {
      let user = "home/.config/opencode/opencode.json"
      func both(_ key: String, _ rules: String) -> String { #"{"\#(key)":{"build":\#(rules),"general":\#(rules)}}"# }
      return switch self {
      case .native, .content: (user, both("agents", #"{"permissions":\#(PresetTests.allowed)}"#))
      case .agent: (user, both("agent", #"{"permission":{"*":"allow","bash":"allow"}}"#))
      case .mode: (user, both("mode", #"{"permission":"allow"}"#))
      case .tools: (user, both("agent", #"{"tools":{"bash":true,"write":true}}"#))
      case .project: ("repository/opencode.json", both("agent", #"{"permission":{"bash":{"*":"allow"},"edit":"allow"}}"#))
      case .nativeFile:
        ("repository/.opencode/agents/build.md", "---\npermissions:\n  - action: \"*\"\n    resource: \"*\"\n    effect: allow\n---\nWork.\n")
      case .legacyFile: ("home/.config/opencode/agent/build.md", "---\npermission:\n  bash: allow\n  edit: allow\n---\nWork.\n")
      case .modeFile: ("repository/.opencode/mode/build.md", "---\ntools:\n  bash: true\n  write: true\n---\nWork.\n")
      case .standard:
        (user, #"{"default_agent":"team/mine","agents":{"team/mine":{"mode":"primary","permissions":\#(PresetTests.allowed)}}}"#)
      }
    }
  }

  @Test(arguments: Way.allCases) func readOnlyHolds(way: Way) throws {
    for version in PresetTests.versions {
      let write: JSONValue = ["name": "write", "arguments": ["path": "a.txt", "content": "x"]]
      let deeper: JSONValue = [["tools": [PresetTests.shell("touch c.txt")]], ["text": "Sub."]]
      try play(
        [["tools": [write, PresetTests.shell("touch b.txt"), PresetTests.subagent("general", deeper)]], ["text": "Tried."]], ["version": .string(version)])
      let (path, text) = way.file
      if way != .content { try put(path, text) }
      let client = try MCPClient(world, extra: way == .content ? ["OPENCODE_CONFIG_CONTENT": text] : [:])
      try client.initialize()
      let reply = try delegate(["permissions": "read-only"], client)
      #expect(reply["answer"]?.string == "Tried.", "\(reply.text)")
      #expect(reply["changedFiles"]?["files"]?.array?.isEmpty != false, "\(reply.text)")
      for name in ["a.txt", "b.txt", "c.txt"] { #expect(!world.exists("repository/\(name)"), "\(way) \(version) \(name)") }
      // It holds, and that isn't called unchecked.
      #expect(!attention(reply).contains("preset"), "\(reply.text)")
    }
  }

  /// In a workspace preset the rules hold in subagents too, and what nobody names can't be started.
  @Test func subagentsHaveThePresetAndNobodyElseIsStarted() throws {
    try put("home/.config/opencode/agents/team/helper.md", "---\nmode: subagent\npermission:\n  external_directory: allow\n  read: allow\n---\nHelp.\n")
    try put("home/.config/opencode/opencode.json", #"{"agents":{"gone":{"mode":"subagent","disabled":true}}}"#)
    try world.write("outside.txt", "x")
    let read: JSONValue = ["name": "read", "arguments": ["path": .string(world.path("outside.txt"))]]
    let turns: JSONValue = [["tools": [PresetTests.shell("touch made.txt"), read]], ["text": "Sub."]]
    try play([
      ["tools": [PresetTests.subagent("team/helper", turns)]], ["tools": [PresetTests.subagent("gone", [["text": "Back."]])]], ["text": "Done."],
    ])
    let reply = try delegate(["permissions": "workspace"])
    #expect(reply["state"]?.string == "completed" && world.exists("repository/made.txt"), "\(reply.text)")
    let run = try #require(reply["run"]?.string)
    let events = world.read("state/runs/\(run)/events.jsonl") ?? ""
    #expect(events.contains("Subagent denied: gone"), "\(events)")
    let child = try #require(try client.call("opencode_usage")["subagents"]?.array?.first?["session"]?.string)
    let told = try #require(world.read("bin/sessions/\(child).json"))
    #expect(told.contains("Permission denied: external_directory"), "\(told)")
  }

  @Test func aUsersAgentKeepsWhatElseItHas() throws {
    let own = #"{"agent":{"mine":{"model":"stand-in/m2","mode":"primary","prompt":"p","tools":{"bash":true}}},"model":"stand-in/m1"}"#
    try play([["tools": [PresetTests.shell("touch b.txt")]], ["text": "Done."]])
    let client = try MCPClient(world, extra: ["OPENCODE_CONFIG_CONTENT": own])
    try client.initialize()
    let reply = try delegate(["permissions": "read-only", "agent": "mine"], client)
    #expect(reply["model"]?.string == "stand-in/m2" && !world.exists("repository/b.txt"), "\(reply.text)")
  }

  @Test func anAgentThatIsDisabledOrUnknownIsRefused() throws {
    try put("home/.config/opencode/opencode.json", #"{"agents":{"plan":{"disabled":true}}}"#)
    try play([["text": "Done."]])
    for (agent, words) in [("plan", "which OpenCode's configuration disables"), ("nobody", "which OpenCode's configuration doesn't name")] {
      let reply = try delegate(["permissions": "read-only", "agent": .string(agent)])
      #expect(reply["error"]?["code"] == "bad_argument" && reply["error"]?["message"]?.string?.contains(words) == true, "\(reply.text)")
      #expect(reply["error"]?["hint"]?.string == "It has these: build, explore, general.", "\(reply.text)")
    }
  }

  /// OpenCode can't be asked: its own agents get the rules, one of them runs, no other can be started, and that is said.
  @Test func whatIsNotKnownIsSaid() throws {
    let rules = #"{"permissions":\#(PresetTests.allowed)}"#
    try put("home/.config/opencode/opencode.json", #"{"default_agent":"mine","agents":{"mine":\#(rules),"build":\#(rules),"sub":\#(rules)}}"#)
    try play(
      [["tools": [PresetTests.shell("cat /etc/hosts"), PresetTests.subagent("sub", [["text": "Sub."]])]], ["text": "Done."]],
      ["commands": ["api /api/config": ["error": "no such thing"]]])
    let reply = try delegate(["permissions": "workspace"])
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(
      attention(reply).contains(
        "preset workspace: OpenCode could not be asked for its agents (`opencode api` ended with exit 1: no such thing): "
          + "it was written for build, explore, general, plan, and no other can be started"), "\(reply.text)")
    let run = try #require(reply["run"]?.string)
    #expect((world.read("state/runs/\(run)/events.jsonl") ?? "").contains("Subagent denied: sub"))
    #expect((world.read("state/runs/\(run)/request.json") ?? "").contains("--agent=build"))
  }

  /// The answer about the configuration holds API keys.
  @Test(arguments: [JSONValue.null, ["stdout": #"[{"type":"document","info":{"apiKey":"sk-secret-1234567890"}}"#, "exit": 1]])
  func keysAreKeptNowhere(misbehaving: JSONValue) throws {
    let provider = #"{"provider":{"p":{"npm":"x","options":{"apiKey":"sk-secret-1234567890"},"models":{}}},"agents":{"mine":{}}}"#
    try put("home/.config/opencode/opencode.json", provider)
    try play([["text": "Done."]], misbehaving == .null ? [:] : ["commands": ["api /api/config": misbehaving]])
    let reply = try delegate(["permissions": "read-only"])
    #expect(reply["state"]?.string == "completed" && !reply.text.contains("sk-secret"), "\(reply.text)")
    #expect(attention(reply).contains("preset read-only") == (misbehaving != .null), "\(reply.text)")
    var files = [world.path("server-stderr.log")]
    for name in FileManager.default.enumerator(atPath: world.path("state"))?.compactMap({ $0 as? String }) ?? [] { files.append(world.path("state/" + name)) }
    #expect(files.count > 10)
    for file in files {
      guard let bytes = try? PrivateFiles.read(file) else { continue }
      #expect(!String(decoding: bytes, as: UTF8.self).contains("sk-secret"), "\(file)")
    }
  }

  /// What OpenCode itself put aside of a long output may be read, though the rest outside the workspace may not.
  @Test(arguments: versions) func outputsThatWereCutStayReadable(version: String) throws {
    try play([["tools": [PresetTests.shell("seq 1 20000")]], ["text": "Done."]], ["version": .string(version)])
    let first = try #require(try delegate(["permissions": "workspace"])["run"]?.string)
    let events = try #require(world.read("state/runs/\(first)/events.jsonl"))
    let path = String(try #require(events.firstMatch(of: /full output saved to: ([^\]]+)\]/)?.1))
    func read(_ path: String) -> JSONValue { ["name": "read", "arguments": ["path": .string(path)]] }
    try play([["tools": [read(path), read("/etc/hosts")]], ["text": "Done."]], ["version": .string(version)])
    let reply = try delegate(["permissions": "workspace"])
    let items = try client.call("opencode_run_summary", ["run": try #require(reply["run"])])["items"]?.array ?? []
    #expect(items.filter { $0["tool"] == "read" }.map { $0["status"]?.string } == ["completed", "denied"], "\(items)")
  }

  @Test func brokenConfigurationIsRefusedOrSaid() throws {
    try play([["text": "Done."]])
    try put("repository/opencode.json", #"{"agents": {"build": {"permissions": [}}"#)
    let reply = try delegate([:])
    #expect(
      attention(reply).contains("OpenCode 2 passes over a broken configuration file in silence: \(world.repository)/opencode.json ("), "\(reply.text)")
    let client = try MCPClient(world, extra: ["OPENCODE_CONFIG_CONTENT": "{not json"])
    try client.initialize()
    let refused = try delegate(["permissions": "read-only"], client)
    #expect(refused["error"]?["message"]?.string?.contains("OPENCODE_CONFIG_CONTENT in the environment is not valid") == true, "\(refused.text)")
  }
}
