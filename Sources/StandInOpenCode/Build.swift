/// Which OpenCode is played, and what sets that build apart. Each difference is seen in a recording (1.x, the preview of 2.0) or read in the
/// source of 2.0.26 and later.
struct Build {
  enum Generation { case one, two }

  let version: String
  let generation: Generation
  /// A build of 2.x from before 2.0: `0.0.0-v2-20260807` was recorded; `-beta-N` and `-next-N` are its like.
  let isPreview: Bool
  private let number: [Int]

  /// nil: a version that can't be played.
  init?(_ version: String) {
    self.version = version.hasPrefix("2.0-preview") ? "0.0.0-v2-20260807" : version
    isPreview = self.version.hasPrefix("0.0.0-")
    generation = isPreview || version.hasPrefix("2.") ? .two : .one
    guard isPreview || generation == .two || version.hasPrefix("1.") else { return nil }
    number = isPreview ? [2, 0, 0] : version.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
  }

  var isTwo: Bool { generation == .two }

  /// What `--version` prints.
  var banner: String { !isTwo ? version : isPreview ? "opencode2 v\(version)" : "opencode v\(version)" }

  private func isAtLeast(_ wanted: Int...) -> Bool { !number.lexicographicallyPrecedes(wanted) }
  /// A release of 2.x, no older than this.
  private func isRelease(_ wanted: Int...) -> Bool { isTwo && !isPreview && !number.lexicographicallyPrecedes(wanted) }

  // MARK: 1.x

  var isAncient: Bool { version.hasPrefix("1.3.") }
  var takesAuto: Bool { isTwo || isAtLeast(1, 17, 12) }
  var takesSkipPermissions: Bool { isTwo || isAtLeast(1, 4, 0) }

  // MARK: 2.x

  /// A session has an `outcome`, a run keeps a claim on its session, a rejection or a question goes on, and there are `stats`, `auth` and `session`.
  var isReleased: Bool { isRelease(2) }
  var takesPrintLogs: Bool { !isTwo || isRelease(2, 0, 17) }
  /// `run --session` of an unknown one makes it.
  var inventsSessions: Bool { isRelease(2, 0, 18) }
  /// `api` ends with 1 and says so on standard error when the answer isn't one of success.
  var tellsHTTPErrors: Bool { isRelease(2, 0, 26) }
  /// Tries of a failing request before the run fails.
  var attempts: Int { isRelease(2, 0, 26) ? 10 : 5 }
  /// A run waits for its background shells and subagents instead of killing them.
  var waitsForBackground: Bool { isRelease(2, 2) }
  /// A message of its own marks that the session went idle.
  var marksIdle: Bool { isRelease(2, 2) }
}
