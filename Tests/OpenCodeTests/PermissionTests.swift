import JSON
import TestSupport
import Testing

@testable import OpenCode

@Suite struct PermissionTests {
  @Test func theListOfAgentsIsReadWithItsRules() throws {
    let agents = try AgentListing.parse(try Recording("1.18.34/agent-list").output)
    #expect(agents.map(\.name).sorted() == ["build", "compaction", "explore", "general", "plan", "summary", "title"])
    let build = try #require(agents.first { $0.name == "build" })
    #expect(build.mode == "primary" && build.rules.rules.count == 15)
    #expect(build.rules.action("bash", on: "rm -rf /") == .allow)
    #expect(build.rules.action("read", on: "conf/.env") == .ask)
    #expect(build.rules.action("read", on: ".env.example") == .allow)
    #expect(agents.first { $0.name == "plan" }?.rules.action("edit", on: "a.swift") == .deny)
  }

  @Test(arguments: ["", "Error: nope", "build (primary)\n  [ {", "build (primary)\n{}", "build (pretty)\n[]"])
  func whatIsNoSuchListIsUnreadable(text: String) {
    #expect(throws: OpenCodeCommandError.self) { try AgentListing.parse(text) }
  }

  @Test func theLastMatchingRuleWins() {
    let rules = PermissionRules([.init("*", "*", .allow), .init("bash", "git *", .ask), .init("mcp_?", "*", .deny), .init("bash", "git push*", .deny)])
    #expect(rules.action("bash", on: "ls") == .allow)
    #expect(rules.action("bash", on: "git") == .ask)
    #expect(rules.action("bash", on: "git push origin") == .deny)
    #expect(rules.action("bash", on: "gitk") == .allow)
    #expect(rules.action("mcp_x", on: "y") == .deny && rules.action("mcp_xy", on: "y") == .allow)
    #expect(PermissionRules([]).action("bash", on: "ls") == .ask)
  }

  @Test(arguments: PermissionPreset.allCases) func noPresetAsksAndEachHoldsAgainstItself(preset: PermissionPreset) {
    #expect(!preset.rules.rules.contains { $0.action == .ask })
    #expect(preset.rules.action("question", on: "x") == .deny)
    #expect(preset.holds(AgentListing(name: "a", mode: "primary", rules: preset.rules)))
  }

  @Test func thePresetsAllowWhatTheirNamesSay() {
    func actions(_ preset: PermissionPreset) -> [PermissionAction] {
      [("read", "a.txt"), ("read", "x/.env"), ("edit", "a"), ("bash", "ls"), ("external_directory", "/etc/*"), ("mcp_tool", "x")].map {
        preset.rules.action($0.0, on: $0.1)
      }
    }
    #expect(actions(.readOnly) == [.allow, .deny, .deny, .deny, .deny, .deny])
    #expect(actions(.workspace) == [.allow, .deny, .allow, .allow, .deny, .allow])
    #expect(actions(.full) == [.allow, .allow, .allow, .allow, .allow, .allow])
  }

  @Test func withoutAPresetTheDefaultsAskSoNoneHolds() throws {
    let build = try #require(try AgentListing.parse(try Recording("1.18.34/agent-list").output).first { $0.name == "build" })
    #expect(PermissionPreset.readOnly.problems(with: build).contains { $0.description == "agent \"build\": bash is allow" })
    #expect(PermissionPreset.workspace.problems(with: build).contains { $0.permission == "external_directory" && $0.action == .ask })
  }

  @Test func aUsersAgentRulesBeatAPresetInTheVariableAlone() throws {
    let agents = try AgentListing.parse(try Fixture.text("opencode/agent-list-beaten.txt"))
    let problems = agents.flatMap(PermissionPreset.readOnly.problems)
    #expect(Set(problems.map(\.agent)) == ["build", "mine", "globby", "reviewer"])
    #expect(problems.contains { $0.description == "agent \"mine\": webfetch is allow" })
    // A rule for some commands only is one all the same.
    #expect(problems.contains { $0.description == "agent \"reviewer\": bash (git x) is allow" })
  }

  @Test func writtenUnderEachAgentThePresetHolds() throws {
    let agents = try AgentListing.parse(try Fixture.text("opencode/agent-list-held.txt"))
    #expect(agents.count == 10)
    #expect(agents.flatMap(PermissionPreset.readOnly.problems) == [])
  }

  @Test func aPatternOfTheUsersIsTriedToo() {
    var rules = PermissionPreset.workspace.rules
    rules.rules.append(.init("read", "conf/prod.env", .allow))
    rules.rules.append(.init("mcp_*", "*", .ask))
    let problems = PermissionPreset.workspace.problems(with: AgentListing(name: "x y", mode: "all", rules: rules))
    #expect(problems.map(\.description) == ["agent \"x y\": read (conf/prod.env) is allow", "agent \"x y\": mcp_x is ask"])
  }

  @Test func stricterRulesOfTheUsersAreNoProblem() {
    var rules = PermissionPreset.full.rules
    rules.rules.append(.init("bash", "rm *", .deny))
    #expect(PermissionPreset.full.holds(AgentListing(name: "a", mode: "primary", rules: rules)))
  }
}
