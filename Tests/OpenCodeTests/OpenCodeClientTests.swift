import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode

/// The client against scripts that stand for OpenCode and write down how they were called.
@Suite struct OpenCodeClientTests {
  private func client(_ scratch: Scratch, version: OpenCodeVersion = OpenCodeVersion(1, 18, 34), _ body: String) throws -> OpenCodeClient {
    let path = try scratch.script("opencode", "echo \"$*\" >> '\(scratch.path)/calls'\nF='\(Fixture.folder)'\n\(body)")
    return OpenCodeClient(Installation(path: path, version: version, foundBy: "test"), folder: scratch.path, environment: ["PATH": "/opt/x:/usr/bin:/bin"])
  }

  @Test func aCommandThatHangsIsEndedInTime() async throws {
    let scratch = try Scratch()
    let client = try client(scratch, "exec sleep 60")
    let error = await #expect(throws: OpenCodeCommandError.self) { try await onThread { try client.models(deadline: 0.5) } }
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
    // OpenCode 2 doesn't tell the rules that result: nothing is claimed.
    #expect(try client(scratch, version: OpenCodeVersion(2, 0, 22), "exit 1").prepare(options).presetHolds == nil)
  }
}
