/// How long one call may wait, so that its reply comes before the client gives up on it.
package enum WaitSlice {
  /// Seconds: `OPENCODE_WORKER_WAIT_SECONDS` if set; else 280 for Codex from 0.163, whose tools may take 300; else 50.
  package static func seconds(for client: ClientInfo, environment: [String: String]) -> Double {
    if let set = environment["OPENCODE_WORKER_WAIT_SECONDS"].flatMap(Double.init), set > 0, set.isFinite { return min(set, 86_400) }
    return Double(standard(for: client))
  }

  /// Seconds of a wait when nothing is configured.
  package static func standard(for client: ClientInfo) -> Int { isRecentCodex(client) ? 280 : 50 }

  /// Seconds after which the client gives a tool call up when nothing is configured; 60 where that isn't known.
  package static func toolTimeout(of client: ClientInfo) -> Int { isRecentCodex(client) ? 300 : 60 }

  private static func isRecentCodex(_ client: ClientInfo) -> Bool {
    client.codexVersion.map { !$0.lexicographicallyPrecedes([0, 163]) } ?? false
  }
}
