import JSON

/// The two eras of MCP: the legacy one begins with a handshake, the modern one tells its version with every request.
package enum ProtocolVersion {
  package static let legacy = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
  package static let newestLegacy = "2025-11-25"
  package static let modern = "2026-07-28"

  /// JSON-RPC batches exist in this version only.
  package static func hasBatches(_ version: String?) -> Bool { version == "2025-03-26" }

  /// Older clients see only `content`.
  package static func hasStructuredContent(_ version: String?) -> Bool { (version ?? newestLegacy) >= "2025-06-18" }
}

/// Names in `_meta`.
package enum MetaKey {
  package static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
  package static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
  package static let clientInfo = "io.modelcontextprotocol/clientInfo"
  package static let serverInfo = "io.modelcontextprotocol/serverInfo"
  /// Claude Code offers such a tool at once instead of behind its search.
  package static let alwaysLoad = "anthropic/alwaysLoad"
  /// Codex tells its workspace and sandbox with each call to a server that advertises this.
  package static let sandboxState = "codex/sandbox-state-meta"
  /// Comes with it: how Codex would start its sandbox, its own binary among it.
  package static let sandboxLauncher = "codex/sandbox-launcher"
}

package enum ServerInfo {
  package static let name = "opencode-worker"
  package static let version = "1.0.0"

  package static let json: JSONValue = ["name": .string(name), "title": "OpenCode Worker", "version": .string(version)]

  /// The first line of a code-mode script that waits: without it Codex asks the model again every ten seconds.
  package static let codeModePragma = #"// @exec: {"yield_time_ms": 3600000}"#

  /// Read by the model before every tool: short. Of a deferred server Codex 0.169 shows the first line alone, cut at 256 characters.
  package static let instructions =
    "Delegates coding tasks to OpenCode in the background: opencode_run_and_wait starts a run, waits and returns the review. "
    + "A code-mode script that calls it begins with the line \(codeModePragma): one request, however long it runs.\n"
    + "timedOut: call opencode_wait again; early: tell the user first. Judge by verification and changedFiles, not by the answer. "
    + "Review every run before the turn ends. No tool stops a run."

  package static let capabilities: JSONValue = ["tools": [:], "experimental": [MetaKey.sandboxState: [:]]]
}
