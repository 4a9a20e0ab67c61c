import Testing

@testable import CodexSetup

@Suite struct ApprovalsTests {
  private func added(_ text: String, _ place: Approvals.Place = .entry) throws -> String? {
    try Approvals.adding(place, to: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func removed(_ text: String) throws -> String? { try Approvals.removing(from: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } }

  private let table = "[mcp_servers.opencode-worker]\ncommand = \"x\"\n"

  @Test(arguments: ["", "a = 1", "a = 1\r\n", "# end\n\n", "\u{FEFF}a = 1\n", "[features]\nx = true"])
  func whatIsAddedIsTakenBackExactly(before: String) throws {
    for place in [Approvals.Place.entry, .plugin(marketplace: "my own.market")] {
      let after = try #require(try added(before, place))
      #expect(Array(after.utf8).starts(with: before.utf8))
      #expect(try TOMLOutline(parsing: Array(after.utf8)).statements.count > 4)
      #expect(try added(after, place) == nil, "once")
      #expect(try removed(after) == before)
    }
    #expect(try removed(before) == nil)
  }

  @Test func whatTheUserHasSettledStays() throws {
    let own = table + "[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = \"prompt\"\n"
    let after = try #require(try added(own))
    #expect(after.contains("opencode_run_and_wait") && after.hasPrefix(own))
    #expect(!after.dropFirst(own.count).contains("opencode_start"))
    #expect(try removed(after) == own)
    // A key that somebody has put into a table of ours keeps the table.
    let more = try #require(try added(table)).replacing("approval_mode = \"approve\"\n", with: "approval_mode = \"approve\"\nother = 1\n")
    #expect(try removed(more)?.contains("other = 1") == true)
  }

  @Test(arguments: [
    "mcp_servers = {}\n", "[mcp_servers]\nopencode-worker = { command = \"x\" }\n", "[mcp_servers.opencode-worker]\ntools = {}\n",
    "[mcp_servers.opencode-worker]\ntools.opencode_start.approval_mode = \"approve\"\n",
  ])
  func anotherFormIsLeftAlone(text: String) {
    let refusal = #expect(throws: SetupRefusal.self) { try added(text) }
    #expect(refusal?.description.contains("By hand:\n[mcp_servers.opencode-worker.tools.opencode_run_and_wait]\napproval_mode = \"approve\"") == true)
  }
}
