import JSON
import Testing

@testable import CodexSetup

@Suite struct ServerFileTests {
  private let now = CodexSettings.serverFile(PluginFolder.Extras(wake: true))
  private let written = CodexSettings.serverFile(PluginFolder.Extras()).prettyText + "\n"

  private func upgraded(_ change: (inout JSONObject) -> Void, written base: String? = nil) throws -> (server: JSONObject, replaced: [String]) {
    var server = CodexSettings.server(command: "./bin/opencode-worker", folder: ".")
    change(&server)
    let theirs: JSONValue = ["mcpServers": ["opencode-worker": .object(server)]]
    let upgrade = try #require(ServerFile.upgraded(theirs.text, written: base ?? written, now: now))
    let json = try JSONValue(parsing: Array(upgrade.text.utf8))
    return (try #require(json["mcpServers"]?["opencode-worker"]?.object), upgrade.replaced)
  }

  @Test func whatNobodyChangedIsAsThisVersionWritesIt() {
    #expect(ServerFile.upgraded(written, written: written, now: now) == .init(text: now.prettyText + "\n", replaced: []))
    let old = written.replacing("\"startup_timeout_sec\": 30", with: "\"startup_timeout_sec\": 10")
    #expect(ServerFile.upgraded(old, written: old, now: now)?.text == now.prettyText + "\n")
  }

  @Test func onlyTheCommandAndTimesThatDoNotFitGiveWay() throws {
    let command = try upgraded { $0["command"] = "/mine" }
    #expect(command.server["command"] == "./bin/opencode-worker" && command.replaced == ["command"])
    let times = try upgraded { $0["tool_timeout_sec"] = 60 }
    #expect(times.server["tool_timeout_sec"]?.int == 3600 && !times.replaced.isEmpty)
    let longer = try upgraded {
      $0["tool_timeout_sec"] = 9000
      $0["env"] = ["OPENCODE_WORKER_WAIT_SECONDS": "8000", "MINE": "1"]
    }
    #expect(longer.server["tool_timeout_sec"]?.int == 9000 && longer.replaced == [])
    #expect(longer.server["env"] == ["OPENCODE_WORKER_WAIT_SECONDS": "8000", "MINE": "1", "OPENCODE_WORKER_WAKE": "1"])
  }

  @Test func aNameThatWasTakenOutStaysOutAndANewOneComesIn() throws {
    let base = written.replacing("        \"GH_TOKEN\",\n", with: "")
    let names = try upgraded({ $0["env_vars"] = ["MINE", "OPENAI_API_KEY"] }, written: base).server["env_vars"]?.array
    #expect(names == ["MINE", "OPENAI_API_KEY", "GH_TOKEN"])
  }

  @Test(arguments: ["", "{", "[]", "{}", "{\"mcpServers\": {}}", "{\"mcpServers\": {\"opencode-worker\": 1}}"])
  func whatIsNotUnderstoodIsNotMerged(text: String) { #expect(ServerFile.upgraded(text, written: written, now: now) == nil) }
}
