import JSON
import Testing

@testable import MCP

@Suite struct ClientTests {
  private func slice(_ name: String, _ version: String, _ environment: [String: String] = [:]) -> Double {
    WaitSlice.seconds(for: ClientInfo(["name": .string(name), "version": .string(version)]), environment: environment)
  }

  @Test func theLengthOfAWaitFollowsTheClient() {
    #expect(slice("codex-mcp-client", "0.163.0") == 280)
    #expect(slice("codex-mcp-client", "0.200.1-alpha.3") == 280)
    #expect(slice("codex-mcp-client", "1.0.0") == 280)
    #expect(slice("codex-mcp-client", "0.162.9") == 50)
    #expect(slice("codex-mcp-client", "nonsense") == 50)
    #expect(slice("another", "9.9") == 50)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "3540"]) == 3540)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "-1"]) == 50)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "nan"]) == 50)
  }

  private let readRoot: JSONValue = ["path": ["type": "special", "value": ["kind": "root"]], "access": "read"]
  private func managed(_ entries: [JSONValue]) -> JSONValue {
    ["type": "managed", "file_system": ["type": "restricted", "entries": .array(entries)], "network": "restricted"]
  }

  @Test func onlyAProfileWithoutAnyWritingIsReadOnly() {
    #expect(SandboxProfile.isReadOnly(managed([readRoot])))
    #expect(!SandboxProfile.isReadOnly(managed([readRoot, ["path": ["type": "path", "path": "/w"], "access": "write"]])))
    #expect(!SandboxProfile.isReadOnly(["type": "disabled"]))
    #expect(!SandboxProfile.isReadOnly(["type": "managed", "file_system": ["type": "unrestricted"]]))
    #expect(!SandboxProfile.isReadOnly(nil))
  }

  @Test func theWorkspaceIsAPathOrAFileURL() {
    #expect(CallContext.path(fromURLOrPath: "/a b") == "/a b")
    #expect(CallContext.path(fromURLOrPath: "file:///w%C3%B6rk%20dir") == "/wörk dir")
    #expect(CallContext.path(fromURLOrPath: "https://x/y") == nil)
    #expect(CallContext.path(fromURLOrPath: "relative") == nil)
  }
}
