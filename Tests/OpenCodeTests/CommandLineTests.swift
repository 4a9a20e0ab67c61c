import JSON
import Testing

@testable import OpenCode

@Suite struct CommandLineTests {
  private func options(_ change: (inout RunOptions) -> Void = { _ in }) -> RunOptions {
    var options = RunOptions(cwd: "/home/u/a b")
    change(&options)
    return options
  }

  /// A person types these: a provider's id behind `login` is a URL for 1.x, and 2.x would start its service.
  @Test func whatAPersonTypesToSignIn() {
    #expect(OpenCodeVersion(1, 18, 34).commandLine.signIn("anthropic") == "opencode auth login --provider anthropic")
    #expect(OpenCodeVersion(1, 3, 2).commandLine.signIn("anthropic") == "opencode auth login (choose anthropic)")
    #expect(OpenCodeVersion(2, 0, 26).commandLine.signIn("anthropic") == "opencode auth login --standalone anthropic")
    #expect(OpenCodeVersion(1, 18, 34).commandLine.signIn(nil) == "opencode auth login")
    #expect(OpenCodeVersion(2, 3, 2).commandLine.signIn(nil) == "opencode auth login --standalone")
  }

  @Test func theSameWishInBothLines() throws {
    let wish = options {
      $0.model = "mock/org/m:free#high"
      $0.agent = "plan"
      $0.title = "--help me"
      $0.session = "ses_1"
      $0.fork = true
      $0.files = ["a.txt", "-b"]
      $0.skipPermissions = true
    }
    let shared = ["--agent=plan", "--title=--help me", "--session=ses_1", "--fork", "--file=a.txt", "--file=-b", "--auto"]
    #expect(
      try OpenCodeVersion(1, 18, 34).commandLine.runArguments(wish)
        == ["run", "--format", "json", "--dir", "/home/u/a b", "--print-logs", "--log-level=ERROR", "--model=mock/org/m:free", "--variant=high"] + shared)
    #expect(
      try OpenCodeVersion(2, 0, 22).commandLine.runArguments(wish)
        == ["run", "--standalone", "--format", "json", "--model=mock/org/m:free#high"] + shared)
  }

  @Test(arguments: [
    (OpenCodeVersion(1, 3, 2), nil), (OpenCodeVersion(1, 4, 0), "--dangerously-skip-permissions"),
    (OpenCodeVersion(1, 17, 11), "--dangerously-skip-permissions"),
    (OpenCodeVersion(1, 17, 12), "--auto"), (OpenCodeVersion(2, 0, 0), "--auto"),
  ])
  func autoApprovalIsWhateverThisVersionOffers(version: OpenCodeVersion, option: String?) throws {
    let line = version.commandLine
    let wish = options { $0.skipPermissions = true }
    #expect(try line.runArguments(wish).filter { $0.contains("auto") || $0.contains("skip") } == [option].compactMap { $0 })
    // Where there is no option, configuration says it.
    let environment = try line.environment(wish, base: [:], agents: [:])
    #expect((environment["OPENCODE_CONFIG_CONTENT"] != nil) == (option == nil))
  }

  @Test func noVariableIsSetWithoutNeed() throws {
    let base = ["OPENCODE_CONFIG_CONTENT": "{ /* mine */ }", "PATH": "/bin"]
    #expect(try OpenCode1(version: OpenCodeVersion(1, 18, 34)).environment(options(), base: base, agents: [:]) == base)
    #expect(try OpenCode2(version: OpenCodeVersion(2, 0, 22)).environment(options(), base: base, agents: [:])["PWD"] == "/home/u/a b")
  }

  @Test func whatCannotBeSaidIsRefusedByName() {
    let (one, two) = (OpenCode1(version: OpenCodeVersion(1, 18, 34)), OpenCode2(version: OpenCodeVersion(2, 0, 22)))
    func refused(_ line: any OpenCodeCommandLine, _ change: (inout RunOptions) -> Void) -> String? {
      do { _ = try line.runArguments(options(change)) } catch { return (error as? UnsupportedOption)?.option }
      return nil
    }
    #expect(refused(one) { $0.variant = "high" } == nil)
    #expect(refused(two) { $0.variant = "high" } == "variant")
    for line in [one, two] as [any OpenCodeCommandLine] {
      #expect(refused(line) { $0.fork = true } == "fork")
      #expect(refused(line) { ($0.session, $0.continueLast) = ("ses_1", true) } == "continueLast")
      #expect(refused(line) { ($0.model, $0.variant) = ("a/b#low", "high") } == "variant")
      #expect(refused(line) { $0.model = "a/b#" } == "model")
      #expect(refused(line) { $0.title = "a\0b" } == "title")
      #expect(refused(line) { $0.files = [""] } == "files")
      #expect(refused(line) { $0.cwd = "relative" } == "cwd")
      #expect(refused(line) { ($0.skipPermissions, $0.permissions) = (true, .full) } == "permissions")
    }
  }

  @Test func aPresetIsMergedIntoWhatTheUserHasSet() throws {
    let own = """
      { // my provider
        "provider": {"z": {"b": 1, "a": 2}}, "permission": {"bash": "ask"},
        "agent": {"mine": {"prompt": "p", "permission": {"bash": "allow"}},}, "permissions": [{"action": "shell", "effect": "allow"}],
      }
      """
    let wish = options { $0.permissions = .readOnly }
    let base = ["OPENCODE_CONFIG_CONTENT": own, "OPENCODE_PERMISSION": #"{"bash":"allow"}"#]
    let one = try OpenCode1(version: OpenCodeVersion(1, 18, 34)).environment(wish, base: base, agents: ["learned": ["mcp_*", "bash"]])
    let content = try ConfigText.parse(one["OPENCODE_CONFIG_CONTENT"] ?? "")
    #expect(content["provider"]?["z"]?.object?.keys == ["b", "a"])
    #expect(content["permission"]?["*"] == "deny" && content["permission"]?["read"]?["*.env"] == "deny")
    #expect(content["agent"]?.object?.keys.sorted() == ["build", "explore", "general", "learned", "mine", "plan"])
    #expect(content["agent"]?["mine"]?["prompt"] == "p")
    for agent in ["build", "mine"] { #expect(content["agent"]?[agent]?["permission"]?["bash"] == "deny") }
    #expect(content["agent"]?["learned"]?["permission"]?["mcp_*"] == ["**": "deny", "*": "deny"])
    #expect(try ConfigText.parse(one["OPENCODE_PERMISSION"] ?? "") == .object(PermissionPreset.readOnly.setting))

    let two = try OpenCode2(version: OpenCodeVersion(2, 0, 22)).environment(wish, base: base, agents: [:])
    let second = try ConfigText.parse(two["OPENCODE_CONFIG_CONTENT"] ?? "")
    #expect(second["permission"] == nil && second["agent"] == nil && second["provider"] != nil)
    #expect(second["agents"]?.object?.keys == ["mine", "build", "explore", "general", "plan"] && second["agents"]?["mine"]?["system"] == "p")
    for rules in [second["permissions"], second["agents"]?["mine"]?["permissions"], second["agents"]?["plan"]?["permissions"]] {
      #expect(rules?.array?.first == ["action": "*", "resource": "*", "effect": "deny"], "\(second.text)")
    }
  }

  @Test(arguments: ["{broken", "[]", "{\"a\": 1,, }", "{\"a\": }", "\"text"])
  func brokenConfigurationIsSaidNotDropped(text: String) {
    for version in [OpenCodeVersion(1, 18, 34), OpenCodeVersion(2, 0, 22)] {
      let error = #expect(throws: BrokenConfigContent.self) {
        try version.commandLine.environment(options(), base: ["OPENCODE_CONFIG_CONTENT": text], agents: [:])
      }
      #expect(error?.description.contains("OPENCODE_CONFIG_CONTENT") == true)
    }
  }

  @Test func companionCommandsByLine() throws {
    let (one, two) = (OpenCodeVersion(1, 18, 34).commandLine, OpenCodeVersion(2, 0, 22).commandLine)
    var models = ModelsQuery()
    (models.provider, models.verbose, models.refresh) = ("mock", true, true)
    #expect(one.modelsArguments(models) == ["models", "mock", "--verbose", "--refresh"])
    #expect(two.modelsArguments(models) == ["models", "--standalone"])
    var stats = StatsQuery()
    (stats.days, stats.project, stats.models) = (0, "", true)
    #expect(try one.statsArguments(stats) == ["stats", "--days=0", "--project=", "--models"])
    #expect(try two.statsArguments(stats) == ["stats", "--json", "--standalone", "--days=0", "--project=."])
    #expect(try two.statsArguments(StatsQuery()) == ["stats", "--json", "--standalone", "--all"])
    // Without it a command would start the background service, which takes up other processes' sessions.
    for arguments in [two.signedInArguments, two.modelsArguments(ModelsQuery()), two.sessionArguments("ses_1")] + two.exportArguments("ses_1") {
      #expect(arguments.contains("--standalone"), "\(arguments)")
    }
    #expect(two.exportArguments("ses_1") == [["session", "export", "--standalone", "ses_1"], ["export", "--standalone", "--session", "ses_1"]])
    #expect(two.sessionArguments("ses_1") == ["api", "--standalone", "GET", "/api/session/ses_1"])
    #expect(one.sessionArguments("a'b").contains { $0.contains("id = 'a''b'") })
  }
}

@Suite struct ConfigTextTests {
  @Test func commentsTrailingCommasAndOrderAreKeptAsOpenCodeReadsThem() throws {
    let value = try ConfigText.parse(
      "\u{FEFF}{ // c\n \"z\": [1, 2,], /* x */ \"a\": \"// no comment \\\" /* \", \"n\": -1.5e2, \"t\": true, \"u\": null,\n}\n// end")
    #expect(value.object?.keys == ["z", "a", "n", "t", "u"])
    #expect(value["z"] == [1, 2] && value["a"] == "// no comment \" /* " && value["n"]?.double == -150 && value["u"] == .null)
  }

  @Test func anErrorSaysWhereItIs() {
    let error = #expect(throws: JSONSyntaxError.self) { try ConfigText.parse("{\n  \"a\" 1\n}") }
    #expect(error?.reason == "`:` is missing at line 2, column 7")
  }

  @Test(arguments: ["", "{", "[", "{\"a\"", "{a: 1}", "\"\\", "/*", "{}{}", "[1 2]", "tru", "1e999", String(repeating: "[", count: 100_000)])
  func garbageIsAnErrorNeverACrash(text: String) { #expect(throws: JSONSyntaxError.self) { try ConfigText.parse(text) } }
}
