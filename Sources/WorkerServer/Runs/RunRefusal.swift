/// Why nothing was started, found or told: what the caller can do something about.
struct RunRefusal: Error, Sendable, CustomStringConvertible {
  /// The contract's codes.
  enum Code: String, Sendable {
    case badArgument = "bad_argument"
    case cwdNeeded = "cwd_needed"
    case busy
    case noSuchRun = "no_such_run"
    case opencodeNotFound = "opencode_not_found"
    case opencodeFailed = "opencode_failed"
    case opencodeTimeout = "opencode_timeout"
    case stateUnwritable = "state_unwritable"
    case logUnavailable = "log_unavailable"
  }

  let code: Code
  /// What is wrong, with the value.
  let message: String
  /// What to do.
  let hint: String
  /// The run that is alive.
  var run: RunSnapshot?

  static func badArgument(_ message: String, hint: String) -> RunRefusal { RunRefusal(code: .badArgument, message: message, hint: hint) }

  var description: String { "\(code.rawValue): \(message)" }
}
