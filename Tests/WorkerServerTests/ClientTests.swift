import JSON
import PosixSupport
import Testing

@testable import MCP

@Suite struct ClientTests {
  private func slice(_ name: String, _ version: String, _ environment: [String: String] = [:], progress: Bool = false) -> Double {
    WaitSlice.seconds(for: ClientInfo(["name": .string(name), "version": .string(version)]), hasProgress: progress, environment: environment)
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

  @Test func onlyAClientThatIsKnownToWaitLongerIsKeptWaiting() {
    // A client may take progress for a sign of life or not: that isn't known of it.
    #expect(slice("another", "9.9", progress: true) == 50)
    #expect(slice("opencode", "1.18.34") == 50)
    #expect(slice("opencode", "1.18.34", progress: true) == 3600)
    #expect(slice("codex-mcp-client", "0.163.0", progress: true) == 280)
    #expect(slice("gemini-cli-mcp-client", "0.61.0", progress: true) < 600)
    #expect(slice("qwen-cli-mcp-client-worker", "0.24.4") < 300)
    #expect(slice("claude-code", "2.1.331") <= 640)
    #expect(slice("claude-code", "2.1.331", ["MCP_TOOL_TIMEOUT": "30000"]) < 30)
    #expect(slice("claude-code", "2.1.331", ["MCP_TOOL_TIMEOUT": "6000"]) < 6)
    #expect(slice("claude-code", "2.1.331", ["MCP_TOOL_TIMEOUT": "no"]) == 600)
  }

  private let readRoot: JSONValue = ["path": ["type": "special", "value": ["kind": "root"]], "access": "read"]
  private func managed(_ entries: [JSONValue]) -> JSONValue {
    ["type": "managed", "file_system": ["type": "restricted", "entries": .array(entries)], "network": "restricted"]
  }

  @Test func onlyAProfileWithoutAnyWritingIsReadOnly() {
    #expect(SandboxProfile(managed([readRoot])) == .readOnly)
    #expect(SandboxProfile(managed([readRoot, ["path": ["type": "path", "path": "/w"], "access": "write"]])) == .limited)
    #expect(SandboxProfile(["type": "disabled"]) == .disabled)
    #expect(SandboxProfile(["type": "managed", "file_system": ["type": "unrestricted"]]) == .limited)
    #expect(SandboxProfile(nil) == .limited)
  }

  @Test func aWorkspaceIsAPathOrAFileURLOfThisMachine() {
    #expect(FileURL.path("/a b") == "/a b")
    #expect(FileURL.path("file:///w%C3%B6rk%20dir") == "/wörk dir")
    #expect(FileURL.path("file://localhost/a") == "/a")
    for other in ["https://x/y", "relative", "file://server/share", "vscode-remote://ssh/x", "file:", ""] { #expect(FileURL.path(other) == nil) }
  }
}
