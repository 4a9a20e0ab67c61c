@testable import ShellReading

extension VerificationTally {
  /// In one subagent, as it were, where times tell the order.
  mutating func recordShell(command: String, isCut: Bool = false, exitCode: Int?, startedIn folder: String? = nil, at: Double, id: String) {
    recordShell(command: command, isCut: isCut, exitCode: exitCode, startedIn: folder, place: LogPlace(end: at), id: id)
  }

  mutating func recordEdit(at: Double) { recordEdit(LogPlace(end: at)) }
}
