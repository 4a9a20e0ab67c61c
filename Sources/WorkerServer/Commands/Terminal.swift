import Desk
import Foundation
import PosixSupport

/// What is printed for a person: lines on stdout, errors on stderr.
enum Terminal {
  static func error(_ text: String) {
    try? Descriptor(raw: STDERR_FILENO).writeAll(Array((text + "\n").utf8))
  }

  static func line(_ text: String) { write(text + "\n") }

  /// Nobody reads on: the command is over, as `head` and a closed pager mean it.
  static func write(_ text: String) {
    do {
      try Descriptor(raw: STDOUT_FILENO).writeAll(Array(text.utf8))
    } catch let error as PosixError where error.code == EPIPE {
      exit(ExitCode.success)
    } catch {
      Terminal.error("opencode-worker: can't write: \(error)")
      exit(ExitCode.failure)
    }
  }

  static var isTerminal: Bool { TerminalDevice.isTerminal(STDOUT_FILENO) }

  static func style(_ environment: [String: String]) -> Style { Style(isTerminal: isTerminal, environment: environment) }
}
