/// A companion command of OpenCode (`models`, `export`, ...) that gave no usable answer.
/// Recordings: `1.18.34/models-unknown`, `1.18.34/export-bogus`.
package enum OpenCodeCommandError: Error, Sendable, Equatable, CustomStringConvertible {
  /// It couldn't be started.
  case notStarted(command: String, why: String)
  /// It was killed after so many seconds.
  case timedOut(command: String, seconds: Double)
  /// It ended with another status than 0 ("exit 1", "SIGTERM"); `words` are its own, possibly empty.
  case failed(command: String, status: String, words: String)
  /// It ended well, but what it printed isn't what is known of it.
  case unreadable(command: String, why: String)

  package var description: String {
    switch self {
    case .notStarted(let command, let why): "`opencode \(command)` could not be started: \(why)"
    case .timedOut(let command, let seconds): "`opencode \(command)` did not end within \(Int(clamping: Int64(seconds.rounded()))) s"
    case .failed(let command, let status, let words): "`opencode \(command)` ended with \(status)" + (words.isEmpty ? "" : ": \(words)")
    case .unreadable(let command, let why): "the output of `opencode \(command)` can't be read: \(why)"
    }
  }

  /// OpenCode's own words, when it failed saying something.
  package var words: String? {
    if case .failed(_, _, let words) = self, !words.isEmpty { words } else { nil }
  }

  /// Whether it failed because the session doesn't exist.
  package var isSessionNotFound: Bool { words?.contains("Session not found") ?? false }
  /// Whether it failed by what may be gone at the next try: 2.x's private servers share one store.
  var mayPass: Bool {
    words.map { $0.contains("Standalone server exited before reporting readiness") || $0.contains("database is locked") } ?? false
  }
  /// Whether it failed because the provider doesn't exist.
  package var isProviderNotFound: Bool { words?.contains("Provider not found") ?? false }
}
