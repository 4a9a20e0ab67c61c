import Foundation
import JSON
import TestSupport
import Testing

@testable import OpenCode
@testable import Text

private let one = OpenCode1(version: OpenCodeVersion(1, 18, 34))
private let two = OpenCode2(version: OpenCodeVersion(2, 0, 22))
private let garbage = ["<html>502</html>", "{", "[1, 2", "null", "{\"a\": 1}", "\u{1B}[91mError: \u{1B}[0mboom", "┌──┐\n│x │\n├──┤"]

@Suite struct ModelParserTests {
  @Test func plainListsOfBothLines() throws {
    let expected = ["mock/m1", "mock/m2", "mock/org/nested:free"]
    for name in ["1.18.34/models-mock", "1.18.34/models-refresh", "2.0-preview-20260807/models-standalone"] {
      #expect(try ModelList.parse(try Recording(name).output, emptyIsUnknown: false).models.map(\.id) == expected)
    }
    let all = try one.parseModels(try Recording("1.18.34/models").output, ModelsQuery()).models
    #expect(all.count == 11 && all[0].provider == "opencode" && all[10].provider == "mock" && all[10].model == "org/nested:free")
  }

  @Test func theVerboseListHasLimitsPricesAndVariants() throws {
    let models = try one.parseModels(try Recording("1.18.34/models-verbose").output, ModelsQuery()).models
    #expect(models.map(\.id) == ["mock/m1", "mock/m2", "mock/org/nested:free"])
    #expect(models[0].name == "Mock One" && models[0].contextLimit == 128_000 && models[0].outputLimit == 8192)
    #expect(models[0].prices == Model.Prices(input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75))
    #expect(models[0].variants == ["low", "medium", "high"])
    #expect(models[2].prices?.isUnknown == true && models[1].prices?.isUnknown == false)
  }

  @Test func anEmptyListOfTheSecondLineIsUnknown() throws {
    for name in ["models-standalone-1", "models-standalone-2"] {
      #expect(try two.parseModels(try Recording("2.0-preview-20260807/\(name)").output, ModelsQuery()) == ModelList(models: [], isKnown: false))
    }
    #expect(try one.parseModels("", ModelsQuery()) == ModelList(models: [], isKnown: true))
  }

  @Test func theSecondLineIsFilteredHere() throws {
    var query = ModelsQuery()
    query.provider = "b"
    #expect(try two.parseModels("a/x\nb/y\n", query).models.map(\.id) == ["b/y"])
  }

  @Test(arguments: garbage) func garbageIsUnreadable(text: String) {
    #expect(throws: OpenCodeCommandError.self) { try one.parseModels(text, ModelsQuery()) }
  }

  @Test func detailsCutShortLeaveTheModel() throws {
    #expect(try one.parseModels("a/b\n{\n  \"name\": \"B\",\n", ModelsQuery()).models == [Model(id: "a/b")])
    #expect(try one.parseModels("a/b\n{\n  \"limit\": 3, \"name\": [}\n}\nc/d\n", ModelsQuery()).models.map(\.id) == ["a/b", "c/d"])
  }
}

@Suite struct ModelSuggestionTests {
  private let models = [
    "anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-5", "openai/gpt-5.2", "openai/gpt-5.2-codex", "openrouter/anthropic/claude-sonnet-4.5", "mock/m1",
    "mock/m2",
  ]

  @Test(arguments: [
    ("anthropic/claude-sonet-4-5", "anthropic/claude-sonnet-4-5"), ("anthropc/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
    ("claude-opus-4-5", "anthropic/claude-opus-4-5"), ("openai/gpt-5.2-Codex", "openai/gpt-5.2-codex"), ("mock/m3", "mock/m1"),
    ("openai/codex", "openai/gpt-5.2-codex"),
  ])
  func aNearMissIsFound(wanted: String, first: String) { #expect(closestModels(to: wanted, in: models).first == first) }

  @Test(arguments: [
    ("acme/claude-sonnet-4.5", "acme/claude-sonnet-4-5@20250929"), ("Acme/Claude-Sonnet-4-5", "acme/claude-sonnet-4-5@20250929"),
    ("acme/claude-4.5-sonnet", "acme/claude-sonnet-4-5@20250929"), ("acme/claude-sonet-4.5", "acme/claude-sonnet-4-5@20250929"),
    ("claude-sonnet-4.5", "acme/claude-sonnet-4-5@20250929"), ("acme/gpt5", "acme/gpt-5-2025-08-07"), ("acme/gpt_5-latest", "acme/gpt-5-2025-08-07"),
    ("acme/nova-pro", "acme/us.amazon.nova-pro-v1:0"), ("acme/haiku-4.5", "acme/claude-haiku-4-5-20251001"),
  ])
  func dotsDatesCaseAndOrderMakeNoDifference(wanted: String, first: String) {
    let dated = [
      "acme/claude-opus-4-1@20250805", "acme/claude-sonnet-4-5@20250929", "acme/claude-sonnet-4@20250514", "acme/claude-haiku-4-5-20251001",
      "acme/gpt-5-2025-08-07", "acme/gpt-5-mini-2025-08-07", "acme/us.amazon.nova-pro-v1:0", "other/m1",
    ]
    #expect(closestModels(to: wanted, in: dated).first == first)
  }

  @Test(arguments: ["--help", "-", "", "a b", "a/b", "a\nb", "a\u{0}", String(repeating: "x", count: 101)])
  func aProviderIsNoOption(name: String) { #expect(ModelsQuery.problem(withProvider: name) != nil) }

  @Test(arguments: ["anthropic", "amazon-bedrock", "my_provider.2", "提供者"])
  func aProvidersNameIsTaken(name: String) { #expect(ModelsQuery.problem(withProvider: name) == nil) }

  @Test func atMostThreeTheSameProvidersFirst() {
    let many = (1...9).map { "other/model-\($0)" } + ["mine/model-77"]
    let found = closestModels(to: "mine/model-7", in: many)
    #expect(found.count == 3 && found[0] == "mine/model-77" && found[1] == "other/model-7")
  }

  @Test func whatIsNothingLikeItIsNotSuggested() {
    #expect(closestModels(to: "zzz/qqqqqqqqqqqq", in: models) == [])
    #expect(closestModels(to: "", in: models) == [])
    #expect(closestModels(to: "anything", in: []) == [])
    _ = closestModels(to: String(repeating: "x", count: 100_000), in: models)
  }

  @Test func distancesAreThoseOfTyping() {
    #expect(EditDistance.between(Array("kitten"), Array("sitting")) == 3)
    #expect(EditDistance.between(Array("ab"), Array("ba")) == 1)
    #expect(EditDistance.between([], Array("abc")) == 3)
  }
}

@Suite struct SessionParserTests {
  @Test func anExportOfTheFirstLine() throws {
    let export = try one.parseExport(try Recording("1.18.34/export-tools").bytes)
    #expect(export.info.id == "ses_dfbf64140ffe1VXxAoiCBGVzW8" && export.info.directory == "/work-root/ws/write-edit-read")
    #expect(export.info.model == "mock/m1" && export.info.variant == nil && export.info.agent == "build" && export.info.cost == 0.0084)
    #expect(export.info.tokens == TokenCounts(input: 800, output: 256, reasoning: 64, cacheRead: 4000))
    #expect(export.messages.map(\.role) == ["user", "assistant", "assistant", "assistant", "assistant"])
    #expect(export.messages.compactMap(\.tokens).reduce(TokenCounts(), +) == export.info.tokens)
    #expect(export.messages.flatMap(\.toolCalls).map(\.tool) == ["read", "write", "edit"])
    #expect(export.messages.flatMap(\.toolCalls).map(\.files) == [[], ["/work-root/ws/write-edit-read/new.txt"], ["/work-root/ws/write-edit-read/hello.txt"]])
    #expect(export.messages.last?.text == "Changed two files." && export.messages.last?.finish == "stop")
    #expect(export.messages.last?.created == 1_795_364_081_161)
  }

  @Test(arguments: ["1.18.34/export", "1.18.34/export-sanitize"]) func otherExportsOfTheFirstLine(name: String) throws {
    let export = try one.parseExport(try Recording(name).bytes)
    #expect(export.info.cost == 0.0063 && export.messages.compactMap(\.cost).reduce(0, +).isApproximately(0.0063))
  }

  @Test(arguments: ["export", "export-standalone"]) func anExportOfTheSecondLine(name: String) throws {
    let export = try two.parseExport(try Recording("2.0-preview-20260807/\(name)").bytes)
    #expect(export.info.directory?.hasPrefix("/work-root/ws/") == true && export.info.cost == 0.0063)
    #expect(export.messages.first?.role == "user" && export.messages.first?.text.isEmpty == false)
    let call = try #require(export.messages.flatMap(\.toolCalls).first)
    #expect(call.tool == "shell" && call.command == "echo a" && call.exitCode == 0 && call.started != nil && call.ended != nil)
    #expect(export.messages.last?.finish == "stop" && export.messages.last?.model == "mock/m1")
  }

  @Test func aSubagentsSessionIsFoundWithItsExitCodes() throws {
    let root = try one.parseExport(try Fixture.bytes("opencode/export-subagent-root.json"))
    let child = try one.parseExport(try Fixture.bytes("opencode/export-subagent-child.json"))
    #expect(root.childSessions == [child.info.id] && child.info.parent == root.info.id && child.childSessions == [])
    let call = try #require(child.messages.flatMap(\.toolCalls).first)
    #expect(call.command == "echo hi; exit 3" && call.exitCode == 3 && call.status == "completed")
  }

  @Test func theStoreTellsASessionAndThoseBelow() throws {
    let rows = try Fixture.bytes("opencode/db-session-tree.json")
    let tree = try one.parseSession(rows, "ses_dfb788656ffe761VTAHKHItd7Y")
    #expect(tree.count == 2 && tree[0].parent == nil && tree[1].parent == tree[0].id)
    #expect(tree[0].directory == "/work-root/ws2" && tree[0].model == "scripted/m1" && tree[0].variant == nil)
    #expect(tree.map(\.cost) == [0.0042, 0.0042] && tree[1].tokens?.total == 2560)
    #expect(try one.parseSession(Array("[]".utf8), "ses_1") == [])
    #expect(try one.parseSession(Array(#"[{"id":"ses_1","model":"not json"}]"#.utf8), "ses_1") == [SessionInfo(id: "ses_1")])
  }

  @Test func theSecondLineTellsASessionOrThatThereIsNone() throws {
    let found = try two.parseSession(try Recording("2.0-preview-20260807/api-session").bytes, "x")
    #expect(found.first?.directory == "/work-root/ws/z-s1" && found.first?.tokens?.cacheRead == 3000 && found.first?.outcome == nil)
    #expect(try two.parseSession(try Recording("2.0-preview-20260807/api-session-missing").bytes, "x") == [])
    #expect(try two.parseSession(Array(#"{"data":{"id":"ses_1","outcome":"failed"}}"#.utf8), "x").first?.outcome == "failed")
    #expect(throws: OpenCodeCommandError.unreadable(command: "api", why: "NotAllowed")) { try two.parseSession(Array(#"{"_tag":"NotAllowed"}"#.utf8), "x") }
  }

  @Test(arguments: garbage + ["", "{\"info\": {\"id\": 3}, \"messages\": []}"]) func garbageIsUnreadable(text: String) {
    for line in [one, two] as [any OpenCodeCommandLine] {
      #expect(throws: OpenCodeCommandError.self) { try line.parseExport(Array(text.utf8)) }
      #expect(throws: OpenCodeCommandError.self) { try line.parseSession(Array(text.utf8), "ses_1") }
    }
  }

  @Test func exportsThatFailedHaveTheirReasonInWords() throws {
    let bogus = try Recording("1.18.34/export-bogus")
    #expect(Complaint.text(errors: bogus.errors, output: bogus.output) == "Session not found: ses_doesnotexist")
    let missing = try Recording("2.0-preview-20260807/export-missing")
    #expect(Complaint.text(errors: missing.errors, output: missing.output) == "Session not found: ses_dfbd6c580ffeQ0RqSWhSKv0nZZ")
    let unknown = try Recording("1.18.34/models-unknown")
    #expect(Complaint.text(errors: unknown.errors, output: unknown.output) == "Provider not found: nope")
    // A heading says nothing; what stands below it does.
    let refused = "\nERRORS\n  Unrecognized flag: --x in command opencode stats\n"
    #expect(Complaint.text(errors: refused, output: "USAGE\n  opencode stats [flags]\n") == "Unrecognized flag: --x in command opencode stats")
    #expect(Complaint.text(errors: "", output: "DESCRIPTION\n  Lists\n\nUSAGE\n  opencode stats\n") == "it printed its help")
    #expect(Complaint.text(errors: "ERRORS.\n", output: "") == "" && Complaint.text(errors: "WARNING:\nno such table\n", output: "") == "no such table")
    #expect(
      Complaint.text(errors: "\u{1B}[91mError: \u{1B}[0mUnexpected error\n\nno such column: nope\n", output: "")
        == "Error: Unexpected error: no such column: nope")
  }

  /// A tool may put anything into its own input: the rest of the session stays readable.
  @Test func aPartOfAnotherShapeIsLeftOutAlone() throws {
    let text = """
      {"info":{"id":"ses_1"},"messages":[{"info":{"id":"m","role":"assistant","tokens":"many","time":7},"parts":[17,{"type":"text","text":"hi"},
      {"type":"tool","tool":"bash","callID":"c","state":{"status":"error","input":"ls","metadata":[],"error":{"message":"no"}}},
      {"type":"tool","tool":"bash","state":{"status":"completed","input":{"command":"ls"},"metadata":{"exit":null}}}]}]}
      """
    let message = try #require(try one.parseExport(Array(text.utf8)).messages.first)
    #expect(message.text == "hi" && message.tokens == nil && message.created == nil)
    #expect(
      message.toolCalls.map(\.error) == ["no", nil] && message.toolCalls.map(\.command) == [nil, "ls"] && message.toolCalls.map(\.exitCode) == [nil, nil])
  }

  @Test func countsBeyondAllBoundsDoNotTrap() {
    let most = TokenCounts(input: .max, output: .max)
    #expect((most + most).total == .max)
  }
}

@Suite struct StatsParserTests {
  @Test func totalsOfTheFirstLineWithWhatIsRoundedMarked() throws {
    let stats = try one.parseStats(try Recording("1.18.34/stats").output)
    #expect(stats.sessions == Stats.Figure(value: 3, rounded: false) && stats.messages?.value == 7 && stats.days?.value == 1)
    #expect(stats.cost == Stats.Figure(value: 0.01, rounded: true))
    #expect(stats.input == Stats.Figure(value: 800, rounded: false) && stats.cacheRead == Stats.Figure(value: 4000, rounded: true))
    #expect(stats.models == [])
  }

  @Test func aProjectsTotals() throws {
    let stats = try one.parseStats(try Recording("1.18.34/stats-project").output)
    #expect(stats.sessions?.value == 2 && stats.input == Stats.Figure(value: 1400, rounded: true) && stats.output?.value == 448)
  }

  @Test func aRowForEachModel() throws {
    let stats = try one.parseStats(try Recording("1.18.34/stats-days-models").output)
    let row = try #require(stats.models.first)
    #expect(stats.models.count == 1 && row.model == "mock/m1" && row.messages?.value == 4 && row.input?.value == 800 && row.output?.value == 320)
    #expect(row.cacheRead == Stats.Figure(value: 4000, rounded: true) && row.cost == Stats.Figure(value: 0.0084, rounded: true))
  }

  @Test(arguments: [("1.4K", 1400.0), ("2.5M", 2_500_000), ("3B", 3_000_000_000), ("$1,234.50", 1234.5)]) func roundedFigures(text: String, value: Double) {
    #expect(Stats.Figure(printed: text[...]) == Stats.Figure(value: value, rounded: true))
  }

  @Test(arguments: ["", "K", "$", "-", "NaN", "inf", "1.2.3"]) func whatIsNoFigureIsNone(text: String) { #expect(Stats.Figure(printed: text[...]) == nil) }

  @Test func totalsOfTheSecondLine() throws {
    let stats = try two.parseStats(
      #"{"totalSessions":2,"totalCost":0.0125,"totalTokens":{"input":10,"output":5,"reasoning":1,"cache":{"read":3,"write":0}},"modelUsage":{"a/b":{"messages":1,"cost":0.0125}}}"#
    )
    #expect(stats.cost == Stats.Figure(value: 0.0125, rounded: false) && stats.reasoning?.value == 1 && stats.models.first?.cost?.value == 0.0125)
  }

  /// As 2.0.26 prints them (src).
  @Test func totalsOfTheReleases() throws {
    let tokens = #""tokens":{"input":7,"output":2,"reasoning":1,"cache":{"read":3,"write":0}}"#
    let stats = try two.parseStats(
      #"""
      {"range":{"from":0,"to":1},"sessions":2,"subagents":1,"prompts":3,"steps":5,"cost":0.25,\#(tokens),"activeDays":2,"streak":1,
       "models":[{"model":{"providerID":"a","id":"org/b","variant":"high"},"steps":4,"cost":0.2,\#(tokens)},{"model":{"providerID":"a","id":"c"},"steps":1,
       "cost":0.05,\#(tokens)}]}
      """#)
    #expect([stats.sessions, stats.prompts, stats.steps, stats.activeDays].map { $0?.value } == [2, 3, 5, 2] && stats.messages == nil && stats.days == nil)
    #expect(stats.models.map(\.model) == ["a/org/b#high", "a/c"] && stats.models.map { $0.steps?.value } == [4, 1] && stats.models[0].input?.value == 7)
  }

  @Test(arguments: garbage + [""]) func garbageIsUnreadable(text: String) {
    for line in [one, two] as [any OpenCodeCommandLine] { #expect(throws: OpenCodeCommandError.self) { try line.parseStats(text) } }
  }
}

@Suite struct OtherParserTests {
  @Test func signedInProvidersOfTheFirstLine() throws {
    #expect(try one.parseSignedIn(try Recording("1.18.34/auth-list").output) == [])
    let drawing =
      "┌  Credentials \u{1B}[90m~/x\u{1B}[0m\n│\n●  GitHub Copilot \u{1B}[90moauth\u{1B}[0m\n│\n└  1 credentials\n┌  Environment\n●  OpenAI OPENAI_API_KEY\n└  1"
    let providers = try one.parseSignedIn(drawing)
    #expect(providers.map(\.name) == ["GitHub Copilot", "OpenAI"] && providers.map(\.kind) == ["oauth", "OPENAI_API_KEY"])
    #expect(providers[0].matches("github-copilot") && !providers[0].matches("github") && providers[1].matches("openai"))
  }

  @Test func signedInProvidersOfTheSecondLine() throws {
    #expect(try two.parseSignedIn(#"[{"providerID":"openai","type":"api"}]"#) == [SignedInProvider(name: "openai", id: "openai", kind: "api")])
    #expect(try two.parseSignedIn(#"{"anthropic":{"type":"oauth"}}"#).first?.matches("anthropic") == true)
    // As 2.0.26 prints them (src): one without a connection could be signed in to.
    let listed = try two.parseSignedIn(
      #"""
      [{"id":"anthropic","name":"Anthropic","connections":[{"type":"credential","id":"cred_1","label":"default"}]},{"id":"x","name":"X","connections":[]},
       {"id":"openai","name":"OpenAI","connections":[{"type":"env","name":"OPENAI_API_KEY"}]}]
      """#)
    #expect(listed.map(\.id) == ["anthropic", "openai"] && listed.map(\.kind) == ["credential", "OPENAI_API_KEY"])
    #expect(throws: OpenCodeCommandError.self) { try two.parseSignedIn("no") }
    #expect(throws: OpenCodeCommandError.self) { try one.parseSignedIn(try Recording("1.18.34/auth-list-json").output) }
  }
}

extension Double {
  fileprivate func isApproximately(_ other: Double) -> Bool { abs(self - other) < 1e-9 }
}
