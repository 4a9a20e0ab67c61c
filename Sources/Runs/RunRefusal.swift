/// Why nothing was started, found or told: what the caller can do something about.
package struct RunRefusal: Error, Sendable, CustomStringConvertible {
  /// The contract's codes.
  package enum Code: String, Sendable {
    case badArgument = "bad_argument"
    case cwdNeeded = "cwd_needed"
    case consentNeeded = "consent_needed"
    case nested
    case busy
    case noSuchRun = "no_such_run"
    case runDamaged = "run_damaged"
    case opencodeNotFound = "opencode_not_found"
    case opencodeFailed = "opencode_failed"
    case opencodeTimeout = "opencode_timeout"
    case stateUnwritable = "state_unwritable"
    case logUnavailable = "log_unavailable"
  }

  package let code: Code
  /// What is wrong, with the value.
  package let message: String
  /// What to do.
  package let hint: String
  /// The run that is alive.
  package var run: RunSnapshot?

  package init(code: Code, message: String, hint: String, run: RunSnapshot? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
    self.run = run
  }

  package static func badArgument(_ message: String, hint: String) -> RunRefusal { RunRefusal(code: .badArgument, message: message, hint: hint) }

  package var description: String { "\(code.rawValue): \(message)" }
}
