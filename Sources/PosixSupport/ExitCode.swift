/// Exit codes of the worker's own commands, on which scripts can rely.
package enum ExitCode {
  package static let success: Int32 = 0
  /// The tool replied with an error; the run didn't complete; a check found a problem.
  package static let failure: Int32 = 1
  /// The command line was wrong.
  package static let usage: Int32 = 2
}
