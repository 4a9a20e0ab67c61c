import Desk
import Foundation
import JSON
import PosixSupport
import Text

/// What is printed for a person: lines on stdout, errors on stderr.
enum Terminal {
  /// Errors quote what they are about: nothing of it is obeyed.
  static func error(_ text: String) {
    let text = shown(TerminalText.printable(text), on: STDERR_FILENO)
    try? Descriptor(raw: STDERR_FILENO).writeAll(Array((text + "\n").utf8))
  }

  static func line(_ text: String) { write(text + "\n") }

  /// A question, on the terminal that there is.
  static func ask(_ text: String) {
    if isTerminal { return write(text) }
    try? Descriptor(raw: STDERR_FILENO).writeAll(Array(shown(TerminalText.printable(text), on: STDERR_FILENO).utf8))
  }

  /// For machines, and for whoever looks at it.
  static func json(_ value: JSONValue) { line(TerminalText.escapedInJSON(value.prettyText)) }

  private static let isUTF8 = Style.isUTF8(ProcessInfo.processInfo.environment)

  private static func shown(_ text: String, on descriptor: Int32) -> String {
    isUTF8 || !TerminalDevice.isTerminal(descriptor) ? text : Columns.ascii(text)
  }

  /// For what is told before or after something is done: whether anybody reads it changes nothing about that.
  /// - Returns: false: it couldn't be written
  @discardableResult static func tell(_ line: String) -> Bool {
    (try? Descriptor(raw: STDOUT_FILENO).writeAll(Array(shown(line + "\n", on: STDOUT_FILENO).utf8))) != nil
  }

  static func write(_ text: String) { write(Array(shown(text, on: STDOUT_FILENO).utf8)) }

  /// Nobody reads on: the command is over, as `head` and a closed pager mean it. Not for commands that still have something to do (`tell`).
  static func write(_ bytes: some ContiguousBytes) {
    do {
      try Descriptor(raw: STDOUT_FILENO).writeAll(bytes)
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
