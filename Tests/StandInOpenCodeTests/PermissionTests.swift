import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// Which rules hold in OpenCode 2, shown by what tools do and don't do.
@Suite(.blocking) struct PermissionTests {
  private static let shell: JSONValue = [["tools": [["name": "shell", "arguments": ["command": "echo hi > made.txt"]]]], ["text": "ok"]]

  private func stage(_ turns: JSONValue = shell, version: String = "2.0.26", config: JSONValue = [:]) throws -> Stage {
    try Stage(["version": .string(version), "turns": turns, "config": config])
  }

  private func content(_ value: JSONValue) -> [String: String] { ["OPENCODE_CONFIG_CONTENT": value.text] }

  private func tool(_ stage: Stage, _ environment: [String: String] = [:], _ arguments: String...) throws -> JSONValue? {
    let result = try stage.run(["run", "--standalone", "--format", "json"] + arguments + ["go"], environment: environment)
    return result.events.first { $0["type"] == "tool_use" }?["part"]?["state"]
  }

  private static let denied: JSONValue = ["permissions": [["action": "shell", "resource": "*", "effect": "deny"]]]
  private static let allowed: JSONValue = [["action": "shell", "resource": "*", "effect": "allow"]]

  /// Where rules of a single agent may stand; each beats top-level rules in OPENCODE_CONFIG_CONTENT.
  enum Place: String, CaseIterable {
    case native, agent, mode, tools, project, markdown, legacyMarkdown, modeMarkdown, environment
  }

  private func put(_ place: Place, _ stage: Stage) throws -> [String: String] {
    let files: [Place: (String, String)] = [
      .native: (".config/opencode/opencode.json", #"{"agents":{"build":{"permissions":\#(PermissionTests.allowed.text)}}}"#),
      .agent: (".config/opencode/opencode.jsonc", "{ // mine\n \"agent\": {\"build\": {\"permission\": {\"bash\": \"allow\"}}},\n}"),
      .mode: (".config/opencode/opencode.json", #"{"mode":{"build":{"permission":"allow"}}}"#),
      .tools: (".config/opencode/opencode.json", #"{"agent":{"build":{"tools":{"bash":true}}}}"#),
      .project: ("workspace/opencode.json", #"{"agent":{"build":{"permission":{"bash":"allow"}}}}"#),
      .markdown: ("workspace/.opencode/agents/build.md", "---\npermissions:\n  - action: shell\n    resource: \"*\"\n    effect: allow\n---\nWork.\n"),
      .legacyMarkdown: (".config/opencode/agent/build.md", "---\npermission:\n  bash:\n    \"*\": allow\n---\nWork.\n"),
      .modeMarkdown: ("workspace/.opencode/mode/build.md", "---\ntools:\n  bash: true\n---\n"),
      .environment: ("elsewhere.json", #"{"agents":{"build":{"permissions":\#(PermissionTests.allowed.text)}}}"#),
    ]
    let (path, text) = try #require(files[place])
    try stage.write(stage.folder + "/" + path, text)
    return place == .environment ? ["OPENCODE_CONFIG": stage.folder + "/elsewhere.json"] : [:]
  }

  @Test(arguments: Place.allCases) func anAgentsRulesBeatTopLevelOnes(place: Place) throws {
    let stage = try stage()
    #expect(try tool(stage, content(PermissionTests.denied))?["error"] == "Unknown tool: shell")
    #expect(!stage.exists("made.txt"))
    let more = try put(place, stage)
    #expect(try tool(stage, content(PermissionTests.denied).merging(more) { $1 })?["status"] == "completed")
    #expect(stage.exists("made.txt"))
    // The same agent's rules in the last document beat them.
    let last: JSONValue = ["agents": ["build": PermissionTests.denied]]
    #expect(try tool(stage, content(last).merging(more) { $1 })?["error"] == "Unknown tool: shell")
  }

  /// In one document the native spelling of an agent is all that counts, its other fields too.
  @Test func theNativeSpellingOfAnAgentStandsAlone() throws {
    let stage = try stage(config: ["agents": ["build": ["description": "d"]], "agent": ["build": ["model": "stand-in/m2", "permission": ["bash": "deny"]]]])
    #expect(try tool(stage)?["status"] == "completed")
    let listed = try stage.ask("api", "--standalone", "GET", "/api/config")
    #expect(listed.array?.first?["info"]?["agents"]?["build"] == ["description": "d"])
  }

  @Test func theVariableOfTheFirstGenerationDoesNothing() throws {
    #expect(try tool(try stage(), ["OPENCODE_PERMISSION": #"{"bash":"deny"}"#])?["status"] == "completed")
  }

  @Test func brokenDocumentsAreDroppedWithoutAWord() throws {
    let stage = try stage()
    try stage.write("opencode.json", #"{"permission": {"bash": "deny" "#)
    let result = try stage.run("run", "--standalone", "--format", "json", "go", environment: ["OPENCODE_CONFIG_CONTENT": "{not json"])
    #expect(result.exit == 0 && result.errors.isEmpty && stage.exists("made.txt"))
    // 1.x refuses.
    try stage.direct(["turns": PermissionTests.shell])
    let refused = try stage.run("run", "--format", "json", "go")
    #expect(refused.exit == 1 && refused.errors.contains("opencode.json is not valid JSON"))
  }

  @Test func namingADisabledAgentBringsItBack() throws {
    let stage = try stage(config: ["agents": ["helper": ["mode": "primary"], "plan": ["disabled": true]]])
    func isKnown(_ agent: String, _ environment: [String: String]) throws -> Bool {
      let result = try stage.run("run", "--standalone", "--format", "json", "--agent", agent, "go", environment: environment)
      return !result.output.contains("Agent not found: \\\"\(agent)\\\"")
    }
    #expect(try !isKnown("plan", [:]))
    #expect(try isKnown("plan", content(["agents": ["plan": ["permissions": []]]])))
    #expect(try isKnown("helper", [:]) && !isKnown("nope", [:]))
    #expect(try isKnown("nope", content(["agents": ["nope": ["permissions": []]]])))
    #expect(try !isKnown("helper", content(["agents": ["helper": ["disabled": true]]])))
  }

  @Test func theRuleForSubagentsNamesThem() throws {
    let call: JSONValue = ["tools": [["name": "subagent", "arguments": ["agent": "explore", "description": "d", "prompt": "p"]]]]
    let stage = try stage([call, ["text": "ok"]], config: ["agents": ["helper": ["mode": "subagent"]]])
    func rules(_ allowed: String...) -> JSONValue {
      let all = [("*", "deny")] + allowed.map { ($0, "allow") }
      return ["permissions": .array(all.map { ["action": "subagent", "resource": .string($0.0), "effect": .string($0.1)] })]
    }
    #expect(try tool(stage, content(rules("helper")))?["error"] == "Subagent denied: explore")
    #expect(try tool(stage, content(rules("explore")))?["status"] == "completed")
    #expect(try tool(stage, content(rules()))?["error"] == "Unknown tool: subagent")
    let unknown: JSONValue = [["tools": [["name": "subagent", "arguments": ["agent": "nobody"]]]], ["text": "ok"]]
    #expect(try tool(try self.stage(unknown))?["error"] == "Unknown agent: nobody")
    let primary: JSONValue = [["tools": [["name": "subagent", "arguments": ["agent": "plan"]]]], ["text": "ok"]]
    #expect(try tool(try self.stage(primary))?["error"] == "Agent plan cannot run as a subagent")
  }

  @Test func aSubagentWorksUnderItsOwnRules() throws {
    let sub: JSONValue = [["tools": [["name": "shell", "arguments": ["command": "touch made.txt"]]]], ["text": "sub"]]
    let call: JSONValue = ["name": "subagent", "arguments": ["agent": "general", "description": "d", "prompt": "p"], "turns": sub]
    let stage = try stage([["tools": [call]], ["text": "ok"]])
    let denied = content(["agents": ["build": PermissionTests.denied]])
    _ = try stage.run("run", "--standalone", "--format", "json", "go", environment: content(["agents": ["general": PermissionTests.denied]]))
    #expect(!stage.exists("made.txt"))
    _ = try stage.run("run", "--standalone", "--format", "json", "go", environment: denied)
    #expect(stage.exists("made.txt"))
  }

  @Test func outsideTheFolderAndCutOutputs() throws {
    let cut: JSONValue = [["tools": [["name": "shell", "arguments": ["command": "seq 1 20000"]]]], ["text": "ok"]]
    let stage = try stage(cut)
    let state = try tool(stage)
    #expect(state?["metadata"]?["metadata"]?["truncated"] == true)
    let recorded = try Recording("2.0-preview-20260807/bash-big-output").json
    let real = Stage.events(recorded["stdout"]?.string ?? "").first { $0["type"] == "tool_use" }?["part"]?["state"]
    #expect(paths(state ?? .null) == paths(real ?? .null).subtracting([".input.description string"]))
    let output = try #require(state?["output"]?.string)
    let path = try #require(output.firstMatch(of: /full output saved to: ([^\]]+)\]/)?.1)
    #expect(try String(decoding: PrivateFiles.read(String(path)), as: UTF8.self).hasPrefix("1\n2\n"))
    func read(_ environment: [String: String]) throws -> JSONValue? {
      try stage.direct(["version": "2.0.26", "turns": [["tools": [["name": "read", "arguments": ["path": .string(String(path))]]]], ["text": "ok"]]])
      return try tool(stage, environment)
    }
    #expect(try read([:])?["status"] == "completed")
    let external = JSONValue.object(["action": "external_directory", "resource": "*", "effect": "deny"])
    #expect(try read(content(["permissions": [external]]))?["error"] == "Permission denied: external_directory")
    let own: JSONValue = ["action": "external_directory", "resource": .string(stage.folder + "/.local/share/opencode/shell/**"), "effect": "allow"]
    #expect(try read(content(["permissions": [external, own]]))?["status"] == "completed")
    try stage.direct(["version": "2.0.26", "turns": [["tools": [["name": "shell", "arguments": ["command": "pwd", "workdir": "/"]]]], ["text": "ok"]]])
    #expect(try tool(stage, content(["permissions": [external]]))?["error"] == "Permission denied: external_directory")
  }

  /// `api GET /api/config` in a folder as the recorded one.
  @Test func theDocumentsInTheirOrder() throws {
    let recorded = try Recording("2.0-preview-20260807/sessions/config-documents").json
    let wanted = try JSONValue(parsing: Array((recorded["stdout"]?.string ?? "").utf8))
    let stage = try stage(version: "2.0-preview")
    try stage.write(
      stage.folder + "/.config/opencode/opencode.json",
      #"""
      {"agents": {"helper": {"description": "h", "mode": "subagent", "permissions": [{"action": "shell", "resource": "*", "effect": "allow"}]}},
       "mode": {"old": {"description": "o"}}, "agent": {"build": {"permission": {"*": "allow"}}}}
      """#)
    try stage.write("opencode.json", #"{"permission": {"bash": "ask"}}"#)
    try stage.write(".opencode/agent/team/tester.md", "---\nmode: subagent\n---\nTest.\n")
    let model: JSONValue = ["name": "One", "tool_call": true, "limit": ["context": 1, "output": 1], "cost": ["input": 3, "output": 15, "cache_read": 0.3]]
    let uncached: JSONValue = ["name": "Two", "tool_call": true, "limit": ["context": 1, "output": 1], "cost": ["input": 1, "output": 2]]
    let priceless: JSONValue = ["name": "Two", "tool_call": true, "limit": ["context": 1, "output": 1]]
    let provider: JSONValue = [
      "npm": "@ai-sdk/openai-compatible", "name": "Scripted", "options": ["baseURL": "http://127.0.0.1/v1", "apiKey": "secret"],
      "models": ["m1": model, "m2": uncached, "org/nested:free": priceless],
    ]
    let last: JSONValue = ["$schema": "s", "model": "scripted/m1", "autoupdate": false, "share": "disabled", "provider": ["scripted": provider]]
    let answer = try stage.ask("api", "--standalone", "GET", "/api/config", environment: content(last))
    #expect(paths(answer).symmetricDifference(paths(wanted)) == [])
    let kinds = (answer.array ?? []).map { "\($0["type"]?.string ?? "") \($0["path"]?.string?.replacing(stage.folder, with: "") ?? "-")" }
    #expect(
      kinds == [
        "document /.config/opencode/opencode.json", "directory /.config/opencode", "document /workspace/opencode.json", "file /workspace/opencode.json",
        "directory /workspace/.opencode", "document -",
      ])
    #expect(answer.text.contains("secret"))
    // The file's agent isn't in the list, and yet it is one.
    #expect(!answer.text.contains("tester"))
    for (agent, isKnown) in [("team/tester", true), ("tester", false)] {
      let result = try stage.run("run", "--standalone", "--format", "json", "--agent", agent, "go")
      #expect(result.output.contains("Agent not found") != isKnown)
    }
  }

  @Test func anAgentHasItsModelAndAConfigurationItsAgent() throws {
    let stage = try stage([["text": "ok"]], config: ["default_agent": "helper", "agents": ["helper": ["mode": "primary", "model": "stand-in/m2"]]])
    let result = try stage.run("run", "--standalone", "--format", "json", "go")
    let session = try #require(result.events.first?["sessionID"]?.string)
    let message = try stage.ask("api", "--standalone", "GET", "/api/session/\(session)/message")["data"]?.array?.first { $0["type"] == "assistant" }
    #expect(message?["agent"] == "helper" && message?["model"]?["id"] == "m2")
  }

  @Test func theHeadOfAMarkdownFile() throws {
    let head = FrontMatter(
      """
      ---
      description: "a: b" 
      # a comment
      steps: 5
      permissions:
      - action: shell
        resource: 'git *'
        effect: allow
      - {"action": "edit", "resource": "*", "effect": "deny"}
      permission:
        bash:
          "*": ask
          "git *": allow
        edit: deny
      ---

      You are one.
      """)
    #expect(head.body == "You are one.")
    #expect(head.members["description"] == "a: b" && head.members["steps"] == 5)
    #expect(Rules.native(head.members["permissions"]).map(\.resource) == ["git *", "*"])
    #expect(
      Rules.legacy(head.members["permission"], sorted: false).map { "\($0.action) \($0.resource) \($0.effect)" } == [
        "bash * ask", "bash git * allow", "edit * deny",
      ])
  }
}
