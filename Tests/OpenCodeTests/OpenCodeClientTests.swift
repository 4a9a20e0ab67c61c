import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode

/// The client against scripts that stand for OpenCode and write down how they were called.
@Suite(.blocking) struct OpenCodeClientTests {
  private func client(_ scratch: Scratch, version: OpenCodeVersion = OpenCodeVersion(1, 18, 34), _ body: String) throws -> OpenCodeClient {
    let path = try scratch.script("opencode", "echo \"$*\" >> '\(scratch.path)/calls'\nF='\(Fixture.folder)'\n\(body)")
    return OpenCodeClient(Installation(path: path, version: version, foundBy: "test"), folder: scratch.path, environment: ["PATH": "/opt/x:/usr/bin:/bin"])
  }

  @Test func aCommandThatHangsIsEndedInTime() async throws {
    let scratch = try Scratch()
    let client = try client(scratch, "exec sleep 60")
    let error = await #expect(throws: OpenCodeCommandError.self) { try await onThread { try client.models(deadline: .after(0.5)) } }
    #expect(error == .timedOut(command: "models", seconds: 0.5))
  }

  @Test func aCommandThatFailsGivesItsWords() throws {
    let scratch = try Scratch()
    let failing = try client(scratch, "printf '\\033[91m\\033[1mError: \\033[0mProvider not found: nope\\n' >&2; exit 1")
    let error = #expect(throws: OpenCodeCommandError.self) { try failing.models() }
    #expect(error == .failed(command: "models", status: "exit 1", words: "Provider not found: nope") && error?.isProviderNotFound == true)
    let killed = try client(scratch, "kill -KILL $$")
    #expect(throws: OpenCodeCommandError.failed(command: "stats", status: "SIGKILL", words: "")) { try killed.stats() }
  }

  @Test func anEmptyListOfModelsIsAskedForOnceMore() throws {
    let scratch = try Scratch()
    let late = try client(scratch, version: OpenCodeVersion(2, 0, 26), "[ $(wc -l < '\(scratch.path)/calls') -gt 1 ] && echo a/b; exit 0")
    #expect(try late.models().models.map(\.id) == ["a/b"] && scratch.lines("calls").count == 2)
    let empty = try Scratch()
    let list = try client(empty, version: OpenCodeVersion(2, 0, 26), "exit 0").models()
    #expect(!list.isKnown && empty.lines("calls").count == 2)
    let one = try Scratch()
    #expect(try client(one, "exit 0").models().isKnown && one.lines("calls").count == 1)
  }

  @Test func theRulesOfTheSecondLinesShellAreToldOrUnknown() throws {
    let scratch = try Scratch()
    try scratch.file("agents/filed.md", "---\npermission:\n  bash: deny\n---\n")
    func rules(_ documents: String, _ agent: String?) throws -> PermissionAction {
      let body = "printf %s '[\(documents),{\"type\":\"directory\",\"path\":\"\(scratch.path)\"}]'"
      return try client(scratch, version: OpenCodeVersion(2, 0, 26), body).shellRules(of: agent, environment: ["PATH": "/usr/bin:/bin"]).action(
        "shell", on: "make test")
    }
    func document(_ info: String) -> String { #"{"type":"document","path":"/x","info":\#(info)}"# }
    let deny = #"[{"action":"shell","resource":"make *","effect":"deny"}]"#
    #expect(try rules(document("{}"), nil) == .allow && rules(document("{}"), "explore") == .deny)
    #expect(try rules(document(#"{"permissions":\#(deny)}"#), nil) == .deny)
    #expect(try rules(document(#"{"default_agent":"mine","agents":{"mine":{"permissions":\#(deny)}}}"#), nil) == .deny)
    #expect(try rules(document(#"{"agents":{"mine":{"permissions":\#(deny)}}}"#), "build") == .allow)
    #expect(throws: RulesUnknown(agent: "filed", place: "filed.md")) { try rules(document("{}"), "filed") }
    #expect(throws: RulesUnknown(agent: "old", place: "/x")) { try rules(document(#"{"agent":{"old":{"permission":"ask"}}}"#), "old") }
  }

  @Test func anOpenCodeThatIsGoneCannotBeStarted() throws {
    let scratch = try Scratch()
    let client = try client(scratch, "")
    try FileManager.default.removeItem(atPath: client.installation.path)
    let error = #expect(throws: OpenCodeCommandError.self) { try client.models() }
    #expect(error?.description.contains("could not be started") == true)
  }

  @Test func aSessionAndThoseBelowItTakeOneQuestion() throws {
    let scratch = try Scratch()
    let client = try client(scratch, "cat $F/opencode/db-session-tree.json")
    let tree = try client.sessionTree("ses_dfb788656ffe761VTAHKHItd7Y")
    #expect(tree.count == 2 && scratch.lines("calls").count == 1)
    #expect(try client.session("ses_dfb788656ffe761VTAHKHItd7Y")?.directory == "/work-root/ws2")
  }

  @Test func withoutTheStoresCommandTheExportsTellTheSame() throws {
    let scratch = try Scratch()
    let body = """
      case "$1 $2" in
        *b788656*) cat $F/opencode/export-subagent-root.json;;
        *b787da1*) cat $F/opencode/export-subagent-child.json;;
        export*) echo "Error: Session not found: $2" >&2; exit 1;;
        *) echo usage >&2; exit 1;;
      esac
      """
    let client = try client(scratch, version: OpenCodeVersion(1, 1, 0), "case $1 in db) exit 1;; esac\n" + body)
    let tree = try client.sessionTree("ses_dfb788656ffe761VTAHKHItd7Y")
    #expect(tree.map(\.id) == ["ses_dfb788656ffe761VTAHKHItd7Y", "ses_dfb787da1ffeN6CnXv0JhFOvnL"] && tree.map(\.cost) == [0.0042, 0.0042])
    #expect(try client.session("ses_unknown") == nil)
    #expect(try client.sessionTree("ses_unknown") == [])
  }

  @Test func whatIsNoSessionIDIsNotEvenAsked() throws {
    let scratch = try Scratch()
    let client = try client(scratch, "echo '[]'")
    for id in ["", "ses_", "../x", "ses_a'b", "ses_a b", "--help", "ses_" + String(repeating: "x", count: 500)] { #expect(try client.session(id) == nil) }
    #expect(scratch.lines("calls") == [])
  }

  @Test func theSecondLinesExportIsTriedInBothSpellings() throws {
    let scratch = try Scratch()
    try scratch.file("export.json", try Recording("2.0-preview-20260807/export").output)
    let client = try client(
      scratch, version: OpenCodeVersion(2, 0, 0), "case $1 in session) echo usage; exit 1;; export) cat '\(scratch.path)/export.json';; esac")
    #expect(try client.export("ses_1").info.cost == 0.0063)
    #expect(scratch.lines("calls") == ["session export --standalone ses_1", "export --standalone --session ses_1"])
  }

  @Test func anExportLargerThanAPipeArrivesWhole() throws {
    let scratch = try Scratch()
    let message = #"{"info":{"id":"m","role":"user"},"parts":[{"type":"text","text":"\#(String(repeating: "x", count: 300_000))"}]}"#
    try scratch.file("export.json", #"{"info":{"id":"ses_1"},"messages":[\#(message),\#(message)]}"#)
    let client = try client(scratch, "echo 'Exporting session' >&2; cat '\(scratch.path)/export.json'")
    #expect(try client.export("ses_1").messages.map(\.text.count) == [300_000, 300_000])
  }

  @Test func aPresetIsCheckedAndWrittenOutForAgentsThatAreLearned() throws {
    let scratch = try Scratch()
    let client = try client(
      scratch, "case $OPENCODE_CONFIG_CONTENT in *globby*) cat $F/opencode/agent-list-held.txt;; *) cat $F/opencode/agent-list-beaten.txt;; esac")
    var options = RunOptions(cwd: scratch.path)
    options.permissions = .readOnly
    let run = try client.prepare(options)
    #expect(run.presetHolds == true && scratch.lines("calls") == ["agent list", "agent list"])
    let content = try ConfigText.parse(run.environment["OPENCODE_CONFIG_CONTENT"] ?? "")
    #expect(content["agent"]?["globby"]?["permission"]?["bash"] == ["**": "deny", "*": "deny"])
    #expect(content["agent"]?["title"] == nil)
  }

  @Test func aPresetThatDoesNotHoldRefusesTheStart() throws {
    let scratch = try Scratch()
    let client = try client(scratch, "cat $F/opencode/agent-list-beaten.txt")
    var options = RunOptions(cwd: scratch.path)
    options.permissions = .readOnly
    let error = #expect(throws: PresetNotHeld.self) { try client.prepare(options) }
    #expect(error?.description.contains("agent \"build\": bash is allow") == true && error?.problems.isEmpty == false)
    options.permissions = nil
    #expect(try client.prepare(options).presetHolds == nil)
  }

  @Test func aPresetThatCannotBeCheckedRefusesTheStart() throws {
    let scratch = try Scratch()
    var options = RunOptions(cwd: scratch.path)
    options.permissions = .workspace
    for body in ["echo 'Error: Configuration is invalid' >&2; exit 1", "echo nonsense"] {
      let error = #expect(throws: PresetNotHeld.self) { try client(scratch, body).prepare(options) }
      #expect(error?.unchecked?.contains("agent list") == true)
    }
    // Of OpenCode 2 the own agents are known: one of them runs, and what isn't known is said.
    let two = try client(scratch, version: OpenCodeVersion(2, 0, 22), "echo 'Error: no such thing'; exit 1").prepare(options)
    #expect(two.presetHolds == nil && two.arguments.contains("--agent=build"))
    #expect(two.remark?.contains("OpenCode could not be asked for its agents (`opencode api` ended with exit 1)") == true, "\(two.remark ?? "")")
  }

  /// Documents as 2.x lists them, the last one being what it was given.
  private func listing(_ scratch: Scratch, before: String = "", after: String = "") throws -> OpenCodeClient {
    let own = #"{"type":"document","info":%s}"#
    return try client(
      scratch, version: OpenCodeVersion(2, 0, 26), "printf '[\(before)\(own)\(after)]' \"$OPENCODE_CONFIG_CONTENT\"")
  }

  private func readOnly(_ scratch: Scratch, _ change: (inout RunOptions) -> Void = { _ in }) -> RunOptions {
    var options = RunOptions(cwd: scratch.path)
    options.permissions = .readOnly
    change(&options)
    return options
  }

  @Test func theSecondLinesAgentsAreLearnedAndNamed() throws {
    let scratch = try Scratch()
    let agents = #"{"helper":{"mode":"subagent"},"gone":{"disabled":true},"plan":{"disabled":true},"title":{"model":"a/b"}}"#
    let before =
      #"{"type":"document","path":"/x/opencode.json","info":{"default_agent":"helper","agents":\#(agents),"providers":{"p":{"settings":{"apiKey":"sk-1"}}}}},"#
    let run = try listing(scratch, before: before).prepare(readOnly(scratch))
    #expect(run.presetHolds == true && run.remark == nil && scratch.lines("calls").count == 2)
    let content = try ConfigText.parse(run.environment["OPENCODE_CONFIG_CONTENT"] ?? "")
    #expect(content["agents"]?.object?.keys == ["build", "explore", "general", "helper"])
    #expect(!content.text.contains("sk-1"))
    // The configuration's own default runs, and is one of them.
    #expect(!run.arguments.contains { $0.hasPrefix("--agent") })
    let error = #expect(throws: AgentUnknown.self) { try listing(scratch, before: before).prepare(readOnly(scratch) { $0.agent = "plan" }) }
    #expect(error == AgentUnknown(name: "plan", isDisabled: true, known: ["build", "explore", "general", "helper"]))
    #expect(throws: AgentUnknown.self) { try listing(scratch, before: before).prepare(readOnly(scratch) { $0.agent = "nobody" }) }
    // Nobody knows what a default that there isn't leads to: one that is known runs.
    let unknown = #"{"type":"document","path":"/x","info":{"default_agent":"nobody"}},"#
    #expect(try listing(scratch, before: unknown).prepare(readOnly(scratch)).arguments.contains("--agent=build"))
  }

  /// A document that comes later than ours, as an administrator's may.
  @Test func rulesAfterThePresetRefuseTheStart() throws {
    let scratch = try Scratch()
    let rules = #"[{"action":"shell","resource":"git *","effect":"allow"}]"#
    func after(_ agents: String) -> String { #",{"type":"document","path":"/etc/x","info":{"agents":\#(agents)}}"# }
    let error = #expect(throws: PresetNotHeld.self) {
      try listing(scratch, after: after(#"{"build":{"permissions":\#(rules)}}"#)).prepare(readOnly(scratch))
    }
    #expect(error?.description.contains("agent \"build\": shell (git x) is allow") == true, "\(error?.description ?? "")")
    let top = #",{"type":"document","path":"/etc/x","info":{"permissions":\#(rules)}}"#
    #expect(try listing(scratch, after: top).prepare(readOnly(scratch)).presetHolds == true)
    // It isn't read at all: nothing is known to hold.
    let ignoring = try client(scratch, version: OpenCodeVersion(2, 0, 26), "echo '[]'")
    #expect(throws: PresetNotHeld.self) { try ignoring.prepare(readOnly(scratch)) }
    let dropping = try client(
      scratch, version: OpenCodeVersion(2, 0, 26),
      "printf '[{\"type\":\"document\",\"info\":%s}]' \"$(printf %s \"$OPENCODE_CONFIG_CONTENT\" | sed 's/\"build\":/\"other\":/')\"")
    let dropped = #expect(throws: PresetNotHeld.self) { try dropping.prepare(readOnly(scratch)) }
    #expect(dropped?.description.contains("drops agent \"build\"") == true, "\(dropped?.description ?? "")")
  }

  /// The answer holds API keys: whatever is wrong with it, none of it is quoted.
  @Test(arguments: [
    (#"echo '{"apiKey": "sk-secret"}'"#, 0), (#"echo 'Error: sk-secret'; exit 1"#, 1), (#"echo '{"_tag": "sk-secret"}'; exit 1"#, 1), ("echo sk-secret", 0),
  ])
  func nothingOfTheConfigurationIsQuoted(body: String, exit: Int) throws {
    let scratch = try Scratch()
    let run = try client(scratch, version: OpenCodeVersion(2, 0, 26), body).prepare(readOnly(scratch))
    #expect(run.presetHolds == nil && run.remark != nil)
    #expect(!"\(run)".contains("sk-secret"))
  }

  /// A variable takes 128 KiB: then fewer agents are named, which can be started as little as any that nobody knows.
  @Test(arguments: [(20, 24, nil), (60, 64, "only some of them may start subagents"), (400, 4, "only build, explore, general, plan can be started")])
  func manyAgentsFindRoom(count: Int, named: Int, remark: String?) throws {
    let scratch = try Scratch()
    let agents = (0..<count).map { #""agent-number-\#($0)":{}"# }.joined(separator: ",")
    let before = #"{"type":"document","path":"/x","info":{"agents":{\#(agents)}}},"#
    let run = try listing(scratch, before: before).prepare(readOnly(scratch) { $0.permissions = .workspace }, deadline: .after(300))
    let content = try #require(run.environment["OPENCODE_CONFIG_CONTENT"])
    #expect(content.utf8.count < 128 << 10 && run.presetHolds == true)
    #expect(try ConfigText.parse(content)["agents"]?.object?.keys.count == named)
    #expect(remark == nil ? run.remark == nil : run.remark?.contains(remark ?? "") == true, "\(run.remark ?? "")")
  }
}
