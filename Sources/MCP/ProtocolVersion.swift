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
  /// Codex tells its workspace and sandbox with each call to a server that advertises this.
  package static let sandboxState = "codex/sandbox-state-meta"
}

/// The program at the other end.
package struct ClientInfo: Sendable, Equatable {
  package var name: String?
  package var version: String?

  package init(_ json: JSONValue? = nil) {
    name = json?["name"]?.string
    version = json?["version"]?.string
  }

  /// Codex's own version, as numbers; nil for other clients.
  package var codexVersion: [Int]? {
    guard name?.hasPrefix("codex") == true, let version else { return nil }
    let numbers = version.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? -1 }
    return numbers.count == 2 && !numbers.contains(-1) ? numbers : nil
  }
}

package enum ServerInfo {
  package static let name = "opencode-worker"
  package static let version = "1.0.0"

  package static let json: JSONValue = ["name": .string(name), "title": "OpenCode Worker", "version": .string(version)]

  /// Read by the model before every tool: two sentences.
  package static let instructions =
    "Delegates coding tasks to OpenCode in the background: opencode_run_and_wait starts a run, waits and returns the review (state, changed files, "
    + "verification, cost); call opencode_wait again while it says timedOut. Judge by verification and changedFiles, not by the answer; runs can't be "
    + "stopped from here."

  package static let capabilities: JSONValue = ["tools": [:], "experimental": [MetaKey.sandboxState: [:]]]
}
