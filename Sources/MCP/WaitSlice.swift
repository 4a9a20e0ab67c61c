/// How long one call may wait, so that its reply comes before the client gives up on it.
package enum WaitSlice {
  /// - Parameter hasProgress: the client gave a progress token, and hears of the call at least each `heartbeat` seconds
  /// - Returns: seconds: `OPENCODE_WORKER_WAIT_SECONDS` if set, else what this client is known to wait, else 50
  package static func seconds(for client: ClientInfo, hasProgress: Bool, environment: [String: String]) -> Double {
    if let set = environment["OPENCODE_WORKER_WAIT_SECONDS"].flatMap(Double.init), set > 0, set.isFinite { return min(set, 86_400) }
    let standard = Double(standard(for: client, hasProgress: hasProgress))
    // Claude Code's own setting, in milliseconds, which its servers inherit.
    if client.kind == .claudeCode, let limit = environment["MCP_TOOL_TIMEOUT"].flatMap(Double.init), limit > 0 {
      return min(standard, max(limit / 1000 - 10, limit / 2000))
    }
    return standard
  }

  /// Seconds of a wait when nothing is configured. Progress lengthens it only where the client was seen to take it as a sign of life:
  /// the protocol leaves that to each.
  package static func standard(for client: ClientInfo, hasProgress: Bool = false) -> Int {
    switch client.kind {
    case .codex?: isRecentCodex(client) ? 280 : unknown
    // 60 s, and each progress notification begins them anew.
    case .openCode?: hasProgress ? 3600 : unknown
    // 300 s without a sign.
    case .qwen?: hasProgress ? 3600 : 280
    // 600 s in all.
    case .gemini?: 540
    // 640 s of silence passed.
    case .claudeCode?: 600
    case nil: unknown
    }
  }

  private static let unknown = 50

  /// Seconds between two progress notifications at most.
  package static let heartbeat = 10.0

  /// Seconds after which the client gives a tool call up when nothing is configured; 60 where that isn't known.
  package static func toolTimeout(of client: ClientInfo) -> Int { isRecentCodex(client) ? 300 : 60 }

  private static func isRecentCodex(_ client: ClientInfo) -> Bool {
    client.codexVersion.map { !$0.lexicographicallyPrecedes([0, 163]) } ?? false
  }
}
