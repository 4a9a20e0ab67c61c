import JSONRPC

/// The two eras of MCP: the legacy one begins with a handshake, the modern one tells its version with every request.
enum ProtocolVersion {
  static let legacy = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
  static let newestLegacy = "2025-11-25"
  static let modern = "2026-07-28"

  /// JSON-RPC batches exist in this version only.
  static func hasBatches(_ version: String?) -> Bool { version == "2025-03-26" }

  /// Older clients see only `content`.
  static func hasStructuredContent(_ version: String?) -> Bool { (version ?? newestLegacy) >= "2025-06-18" }
}

/// Names in `_meta`.
enum MetaKey {
  static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
  static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
  static let clientInfo = "io.modelcontextprotocol/clientInfo"
  static let serverInfo = "io.modelcontextprotocol/serverInfo"
  /// Codex tells its workspace and sandbox with each call to a server that advertises this.
  static let sandboxState = "codex/sandbox-state-meta"
}

/// The program at the other end.
struct ClientInfo: Sendable, Equatable {
  var name: String?
  var version: String?

  init(_ json: JSONValue? = nil) {
    name = json?["name"]?.string
    version = json?["version"]?.string
  }

  /// Codex's own version, as numbers; nil for other clients.
  var codexVersion: [Int]? {
    guard name?.hasPrefix("codex") == true, let version else { return nil }
    let numbers = version.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? -1 }
    return numbers.count == 2 && !numbers.contains(-1) ? numbers : nil
  }
}

enum ServerInfo {
  static let name = "opencode-worker"
  static let version = "1.0.0"

  static let json: JSONValue = ["name": .string(name), "title": "OpenCode Worker", "version": .string(version)]

  /// Read by the model before every tool: two sentences.
  static let instructions =
    "Delegates coding tasks to OpenCode in the background: opencode_run_and_wait starts a run, waits and returns the review (state, changed files, "
    + "verification, cost); call opencode_wait again while it says timedOut. Judge by verification and changedFiles, not by the answer; runs can't be "
    + "stopped from here."

  static let capabilities: JSONValue = ["tools": [:], "experimental": [MetaKey.sandboxState: [:]]]
}
