import Testing

@testable import CodexSetup

private func added(_ text: String) throws -> String? { try DirectNamespace.adding(to: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } }
private func removed(_ text: String) throws -> String? { try DirectNamespace.removing(from: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } }

@Suite struct DirectNamespaceTests {
  @Test(arguments: [
    "", "model = \"m\"", "model = \"m\"\n", "a = 1\r\nb = 2\r\n", "\u{FEFF}a = 1\n", "# only a comment", "[features]\nunified_exec = true\n",
    "[features.code_mode]\ndefault_exec_yield_time_ms = 3600000 # mine\n\n[other]\nx = 1\n", "[features.code_mode]\n",
    "[features.code_mode]\ndirect_only_tool_namespaces = [\"mcp__theirs\"]\n", "[features.code_mode]\r\ndirect_only_tool_namespaces = []\r\n",
    "[features.code_mode]\ndirect_only_tool_namespaces = [\n  # why\n  'mcp__theirs',\n]\nx = 1\n",
    "[features]\ncode_mode.direct_only_tool_namespaces = [ \"a\" ]\n", "features.code_mode.direct_only_tool_namespaces = []\n",
  ])
  func whatIsAddedIsTakenBackExactly(before: String) throws {
    let after = try #require(try added(before))
    #expect(try DirectNamespace.presence(in: Array(after.utf8)) == .ours)
    #expect(try added(after) == nil, "twice is once")
    #expect(try removed(after) == before, "\(after)")
  }

  @Test(arguments: [
    "[features]\ncode_mode = true\n", "[features]\ncode_mode = { enabled = true }\n", "features = { code_mode = false }\n", "features.code_mode = true\n",
    "[features]\ncode_mode.default_exec_yield_time_ms = 5\n", "[[features.code_mode]]\nx = 1\n",
    "[features.code_mode]\ndirect_only_tool_namespaces = \"mcp__theirs\"\n",
  ])
  func anotherFormIsLeftAloneWithWhatToWrite(text: String) throws {
    let refusal = #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(refusal?.description.contains("By hand: ") == true && refusal?.description.contains("\"mcp__opencode_worker\"") == true)
    #expect(try removed(text) == nil)
  }

  @Test func theUsersOwnNamespaceIsNeitherDoubledNorRemoved() throws {
    let own = "[features.code_mode]\ndirect_only_tool_namespaces = [\"x\", \"mcp__opencode_worker\"]\n"
    #expect(try DirectNamespace.presence(in: Array(own.utf8)) == .theirs)
    #expect(try added(own) == nil)
    #expect(try removed(own) == nil)
  }

  @Test func whatWasAddedToOurTableSinceStays() throws {
    let after = try #require(try added("a = 1\n"))
    let another = after.replacingOccurrences(of: "[\"mcp__opencode_worker\"]", with: "[\"mcp__opencode_worker\", \"mine\"]")
    #expect(try removed(another) == "a = 1\n\n[features.code_mode]\ndirect_only_tool_namespaces = [\"mine\"]\n")
    #expect(try removed(after + "x = 1\n") == "a = 1\n\n[features.code_mode]\nx = 1\n")
  }

  @Test(arguments: [("0.144.4", true), ("0.163.0", true), ("0.169.0-alpha.2", true), ("1.0.0", true), ("0.144.3", false), ("0.136.0", false), ("?", false)])
  func onlyACodexThatTakesTheTableGetsIt(version: String, takes: Bool) {
    #expect(CodexVersion.takesNamespaces(CodexVersion.numbers(version)) == takes)
  }
}

@Suite struct HookSettingsTests {
  private func added(_ text: String, _ executable: String = "/opt/it's here/opencode-worker") throws -> String {
    String(decoding: try HookSettings.adding(executable: executable, to: Array(text.utf8)), as: UTF8.self)
  }

  private func removed(_ text: String) throws -> String? {
    try HookSettings.removing(from: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [
    "", "model = \"m\"", "a = 1\r\n", "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"/theirs hook\"\n",
    "[hooks.state.\"x\"]\ntrusted_hash = \"y\"\n\n\n",
  ])
  func whatIsAddedIsTakenBackExactly(before: String) throws {
    let after = try added(before)
    #expect(after.hasPrefix(before))
    #expect(try HookSettings.isPresent(in: Array(after.utf8)) && !HookSettings.isPresent(in: Array(before.utf8)))
    #expect(try added(after, "/new/opencode-worker") == added(before, "/new/opencode-worker"), "an upgrade")
    #expect(try removed(after) == before)
    #expect(try removed(before) == nil)
  }

  /// The binary may have any name; markers that are there tell what stands between them.
  @Test(arguments: ["", "model = \"m\"", "a = 1\r\n"]) func hooksOfARenamedBinaryGoToo(before: String) throws {
    let after = try added(before, "/opt/ocw")
    #expect(try HookSettings.isPresent(in: Array(after.utf8)))
    #expect(try added(after, "/opt/other name") == added(before, "/opt/other name"), "an upgrade")
    #expect(try removed(after) == before)
  }

  /// What somebody wrote behind a section with a newline of its own doesn't end up on the last line before it.
  @Test func theNewlineStaysWhenSomethingFollows() throws {
    let theirs = "[x]\ny = 1\n"
    #expect(try removed(added("model = \"m\"") + theirs) == "model = \"m\"\n" + theirs)
    let hook = "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"mine\"\n"
    let between = try added("model = \"m\"").replacingOccurrences(of: "[[hooks.Stop]]\n", with: hook + "[[hooks.Stop]]\n")
    #expect(try removed(between) == "model = \"m\"\n" + hook)
    let entry = try CodexConfig.adding(command: "/opt/opencode-worker", to: Array("model = \"m\"".utf8))
    #expect(try CodexConfig.removing(from: entry + Array(theirs.utf8)) == .content(Array(("model = \"m\"\n" + theirs).utf8)))
  }

  @Test func whatStandsBetweenOurHooksStays() throws {
    let theirs = "[hooks.state.\"x\"]\ntrusted_hash = \"y\"\n"
    let after = try added("").replacingOccurrences(of: "[[hooks.Stop]]\n", with: theirs + "[[hooks.Stop]]\n")
    #expect(try removed(after) == theirs)
    let group = "[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"mine\"\n"
    let shared = try added("").replacingOccurrences(of: "[[hooks.Interrupt]]\n", with: group + "[[hooks.Interrupt]]\n")
    #expect(try removed(shared) == "[[hooks.Stop]]\n" + group)
  }

  @Test(arguments: ["hooks = {}\n", "[hooks]\nStop = []\n", "[hooks.Stop]\nx = 1\n"])
  func hooksInAnotherFormAreLeftAlone(text: String) {
    let refusal = #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(refusal?.description.contains("by hand") == true)
  }

  @Test func theEntryCanWake() throws {
    let plain = try CodexConfig.adding(command: "/opt/opencode-worker", to: Array("a = 1\n".utf8))
    let waking = try CodexConfig.adding(command: "/opt/opencode-worker", wake: true, to: plain)
    let text = String(decoding: waking, as: UTF8.self)
    #expect(text.contains(#"OPENCODE_WORKER_WAKE = "1""#) && text.contains(#"OPENCODE_WORKER_WAIT_SECONDS = "3540""#) && text.contains("\"CODEX_HOME\""))
    #expect(try CodexConfig.adding(command: "/opt/opencode-worker", to: waking) == waking, "an upgrade keeps it")
    #expect(try CodexConfig.adding(command: "/opt/opencode-worker", wake: true, to: waking) == waking)
    #expect(try CodexConfig.removing(from: waking) == .content(Array("a = 1\n".utf8)))
  }
}
