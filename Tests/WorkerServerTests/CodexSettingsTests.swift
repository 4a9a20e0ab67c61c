import Foundation
import JSON
import Testing

@testable import CodexSetup
@testable import MCP
@testable import Runs
@testable import WorkerServer

/// The repository's top level: `plugin.json` and the examples there.
private func topLevel(_ name: String) throws -> String {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  return try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
}

@Suite struct CodexSettingsTests {
  @Test func theManifestAndTheMarketplaceExampleAreWhatInstallWrites() throws {
    #expect(try topLevel("plugin.json") == CodexSettings.manifest.prettyText + "\n")
    #expect(try topLevel("marketplace.example.json") == CodexSettings.newMarketplace.prettyText + "\n")
  }

  @Test func theExampleConfigurationHasTheValuesThatInstallWrites() throws {
    let bytes = Array(try topLevel("config.example.toml").utf8)
    let outline = try TOMLOutline(parsing: bytes)
    let headers = outline.statements.indices.filter { if case .header = outline.statements[$0].kind { true } else { false } }
    #expect(headers.count == 1)
    let values = outline.values(ofHeader: try #require(headers.first))
    let expected = CodexSettings.server(command: "/usr/local/bin/opencode-worker")
    #expect(Set(values.map(\.key)) == Set(expected.keys.map { [$0] }))
    for (key, range) in values where key != ["env_vars"] {
      #expect(String(decoding: bytes[range], as: UTF8.self) == expected[key[0]].map(CodexConfig.toml))
    }
    let list = try #require(values.first { $0.key == ["env_vars"] })
    let lines = String(decoding: bytes[list.bytes], as: UTF8.self).split(separator: "\n").filter { !$0.contains("#") }
    let names = lines.joined().matches(of: /"([^"]*)"/).map { String($0.1) }
    #expect(names == CodexSettings.passedVariables)
    #expect(Set(names).count == names.count)
  }

  /// Codex drops what isn't named, so a setting that is only described would do nothing.
  @Test func everySettingInTheReadmeReachesTheServer() throws {
    let names = Set(try topLevel("README.md").matches(of: /`(OPENCODE_[A-Z_]+)`/).map { String($0.1) })
    #expect(names.count > 5)
    // The hooks are Codex's own children, with its environment.
    let others = [CodexSettings.waitVariable, "OPENCODE_WORKER_STOP_HOOK"]
    #expect(names.subtracting(others + CodexSettings.passedVariables) == [])
  }

  /// What is commented out must be right too when it is uncommented.
  @Test func theExamplesInCommentsNameRealTools() throws {
    let text = try topLevel("config.example.toml")
    let tools = ToolList.all(RunManager(state: StateFolder(root: "/nowhere"), environment: [:]))
    let acting = tools.names.filter { tools[$0]?.annotations == .acts }
    #expect(acting.sorted() == ["opencode_run_and_wait", "opencode_start"])
    for tool in acting { #expect(text.contains("# [mcp_servers.opencode-worker.tools.\(tool)]\n# approval_mode = \"approve\"")) }
    #expect(text.contains("[plugins.\"opencode-worker@\(CodexSettings.marketplaceName)\".mcp_servers.\(CodexSettings.name).tools."))
  }

  @Test func theManifestIsOneThatCodexTakes() throws {
    let version = try #require(CodexSettings.manifest["version"]?.string)
    #expect(version.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".+_-".contains($0)) })
    #expect(CodexSettings.manifest["name"] == CodexSettings.marketplaceEntry["name"])
    // With a schema, Codex would expect another layout.
    #expect(CodexSettings.manifest["$schema"] == nil)
    #expect(CodexSettings.marketplaceEntry["source"]?["path"]?.string?.hasPrefix("./") == true)
  }

  @Test func theSkillIsShortAndHasItsFrontMatter() throws {
    let lines = SkillText.file.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "---" && lines[1] == "name: opencode-worker" && lines[2].hasPrefix("description: ") && lines[3] == "---")
    #expect(lines[2].utf8.count < 500)
    #expect(SkillText.file.utf8.count < 4096)
    #expect(SkillText.file.hasSuffix("\n"))
  }
}
