import Testing

@testable import CodexSetup

private func added(_ text: String?, command: String = "/opt/bin/opencode-worker") throws -> String {
  String(decoding: try CodexConfig.adding(command: command, to: text.map { Array($0.utf8) }), as: UTF8.self)
}

private func removed(_ text: String) throws -> CodexConfig.Removal { try CodexConfig.removing(from: Array(text.utf8)) }

@Suite struct CodexConfigTests {
  @Test(arguments: [
    "", "model = \"m\"\n", "model = \"m\"", "model = \"m\"\r\n[a]\r\nb = 1\r\n", "model = \"m\"\r\n# no end", "\u{FEFF}model = \"m\"\n", "\u{FEFF}", "\n\n",
    "# only a comment", "[mcp_servers.other]\ncommand = \"x\"\n\n\n", "[mcp_servers]\n", "[mcp_servers.\"odd name\"]\ncommand = 'y'",
    "text = \"\"\"\n[mcp_servers]\nmcp_servers = { a = 1 }\n\"\"\"\nlist = [ # [x]\n  \"]\",\n]\n",
    "[[array]]\nx = { y = [1, 2], z = \"}\" } # comment\n  [ spaced . \"quoted.name\" ]\n'a b' = 1979-05-27 07:32:00\n",
  ])
  func whatIsAddedIsTakenBackExactly(before: String) throws {
    let after = try added(before)
    #expect(after.hasPrefix(before))
    #expect(after.contains("[mcp_servers.opencode-worker]"))
    #expect(after.contains("\r\n") == before.contains("\r\n"))
    #expect(try removed(after) == .content(Array(before.utf8)))
  }

  @Test func aFileMadeForTheEntryGoesWithIt() throws {
    #expect(try removed(try added(nil)) == .wholeFile)
    #expect(try removed("theirs = 1\n" + (try added(nil))) == .content(Array("theirs = 1\n".utf8)))
  }

  @Test func theEntryHasWhatCodexNeeds() throws {
    let lines = try added(nil, command: "/with \"quotes\"/and \\ and\ttab").split(separator: "\n").map(String.init)
    #expect(lines.contains(#"command = "/with \"quotes\"/and \\ and\u0009tab""#))
    #expect(lines.contains("tool_timeout_sec = 3600"))
    #expect(lines.contains("supports_parallel_tool_calls = true"))
    #expect(lines.contains(#"env = { OPENCODE_WORKER_WAIT_SECONDS = "3540" }"#))
    #expect(lines.contains { $0.hasPrefix(#"env_vars = ["OPENCODE_BIN", "#) && $0.contains(#""XDG_CONFIG_HOME""#) && $0.contains(#""https_proxy""#) })
    #expect(CodexSettings.belongTogether(wait: CodexSettings.waitSeconds, timeout: CodexSettings.toolTimeout))
  }

  @Test(arguments: [
    "mcp_servers = {}\n", "mcp_servers.other.command = \"x\"\n", "[[mcp_servers]]\n", "[\"mcp_servers\".other]\ncommand = \"x\"\n",
    "[ mcp_servers.other ]\ncommand = \"x\"\n", "'mcp_servers' = { }\n",
  ])
  func serversInAnotherFormAreLeftAlone(text: String) throws {
    #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(try removed(text) == .nothingOfOurs)
  }

  @Test(arguments: [
    "[mcp_servers.opencode-worker]\ncommand = \"x\"\n", "[mcp_servers.\"opencode-worker\"]\n",
    "[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = \"approve\"\n",
    "[mcp_servers]\nopencode-worker = { command = \"x\" }\n", "[mcp_servers]\nopencode-worker.command = \"x\"\n",
  ])
  func anEntryOfTheUsersOwnIsLeftAlone(text: String) throws {
    #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(try CodexConfig.presence(in: Array(text.utf8)) == .foreign)
    #expect(try removed(text) == .nothingOfOurs)
  }

  @Test(arguments: [
    "a = \"open\n", "a = [1, 2\n", "[never closed\n", "just words\n", "a = \n", "a = 1 2 ]\n", "= 1\n", "a = '''x", "[a] b\n", "a = \"\\", "[[a]\n",
  ])
  func whatCannotBeReadIsNotEdited(text: String) {
    let refusal = #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(refusal?.description.hasPrefix("line 1: ") == true)
  }

  @Test func bytesThatAreNotTextAreRefused() {
    #expect(throws: SetupRefusal.self) { try CodexConfig.adding(command: "/x", to: [0x61, 0xFF, 0x0A]) }
  }

  @Test func anUpgradeKeepsTheUsersOwnKeys() throws {
    let first = try added("a = 1\n", command: "/old/opencode-worker")
    let edited =
      first
      .replacing("supports_parallel_tool_calls = true\n", with: "enabled_tools = [\"opencode_status\"] # mine\n")
      .replacing("env = { ", with: "env = { OPENCODE_BIN = \"/o\", ")
      + "[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = \"approve\"\n\n[other]\nx = 1\n"
    let upgraded = try added(edited, command: "/new/opencode-worker")
    #expect(upgraded.contains("command = \"/new/opencode-worker\"\n"))
    #expect(!upgraded.contains("/old/"))
    #expect(upgraded.contains("enabled_tools = [\"opencode_status\"] # mine\n"))
    #expect(upgraded.contains("env = { OPENCODE_BIN = \"/o\", OPENCODE_WORKER_WAIT_SECONDS = \"3540\" }"))
    #expect(upgraded.contains("supports_parallel_tool_calls = true\n"))
    #expect(upgraded.contains("approval_mode = \"approve\""))
    #expect(try added(upgraded, command: "/new/opencode-worker") == upgraded)
    // An approval without its server would break Codex's whole configuration.
    #expect(try removed(upgraded) == .content(Array("a = 1\n\n[other]\nx = 1\n".utf8)))
  }

  @Test(arguments: [
    ("3600", "3540", "3600", "3540"), ("7200", "7000", "7200", "7000"), ("60", "3540", "3600", "3540"), ("60.0", "45", "60.0", "45"),
    ("3600", "x", "3600", "3540"), ("1e400", "45", "3600", "3540"),
  ])
  func theTwoTimesAreMendedWhenTheyDoNotFit(timeout: String, wait: String, newTimeout: String, newWait: String) throws {
    let text = try added("").replacing("tool_timeout_sec = 3600", with: "tool_timeout_sec = \(timeout)").replacing("\"3540\"", with: "\"\(wait)\"")
    let upgraded = try added(text)
    #expect(upgraded.contains("tool_timeout_sec = \(newTimeout)\n"))
    #expect(upgraded.contains("\"\(newWait)\""))
  }

  @Test func aWaitThatIsMissingIsAddedWhereTheEnvironmentIs() throws {
    let whole = try added("")
    let inline = try added(whole.replacing("{ OPENCODE_WORKER_WAIT_SECONDS = \"3540\" }", with: "{}"))
    #expect(inline.contains("env = { OPENCODE_WORKER_WAIT_SECONDS = \"3540\" }"))
    let apart = try added(
      whole.replacing("env = { OPENCODE_WORKER_WAIT_SECONDS = \"3540\" }", with: "\n[mcp_servers.opencode-worker.env]\nOPENCODE_BIN = \"/o\""))
    #expect(apart.contains("[mcp_servers.opencode-worker.env]\nOPENCODE_WORKER_WAIT_SECONDS = \"3540\"\nOPENCODE_BIN = \"/o\"\n"))
    #expect(try TOMLOutline(parsing: Array(apart.utf8)).statements.count > 5)
  }

  /// As Codex leaves it after `codex mcp add zzz`: no first marker, the environment in a table, others' tables before the last marker.
  @Test func whatCodexPutBetweenTheMarkersStays() throws {
    let rewritten = """
      model = "m"

      [mcp_servers.opencode-worker]
      command = "/old/opencode-worker"
      tool_timeout_sec = 3600

      [mcp_servers.opencode-worker.env]
      OPENCODE_WORKER_WAIT_SECONDS = "3540"

      [mcp_servers.zzz]
      command = "/bin/true"

      [plugins."a@b"]
      enabled = true
      # <<< opencode-worker <<<

      """
    let upgraded = try added(rewritten, command: "/new/opencode-worker")
    #expect(upgraded.contains("command = \"/new/opencode-worker\""))
    #expect(upgraded.contains("[mcp_servers.opencode-worker.env]\nOPENCODE_WORKER_WAIT_SECONDS = \"3540\"\n"))
    #expect(!upgraded.contains("env = {"))
    guard case .content(let left) = try removed(upgraded) else {
      Issue.record("nothing was taken out")
      return
    }
    let rest = String(decoding: left, as: UTF8.self)
    #expect(!rest.contains("opencode-worker"))
    #expect(rest.contains("[mcp_servers.zzz]\ncommand = \"/bin/true\"\n\n[plugins.\"a@b\"]\nenabled = true\n"))
    #expect(rest.hasPrefix("model = \"m\"\n"))
  }

  @Test func markersWithoutATableAreSweptUp() throws {
    let left = "a = 1\n# <<< opencode-worker <<<\n"
    #expect(try removed(left) == .content(Array("a = 1\n".utf8)))
    #expect(try removed(try added(left)) == .content(Array("a = 1\n".utf8)))
  }
}
