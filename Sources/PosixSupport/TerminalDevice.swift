import Foundation

/// The terminal at the other end of a descriptor, if there is one.
package enum TerminalDevice {
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Columns at this moment; nil where there is no terminal or it doesn't tell.
  package static func width(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Rows at this moment; nil where there is no terminal or it doesn't tell.
  package static func height(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
  }

  /// At Ctrl-C says `text` on stderr and ends the process with 130, as shells count an interrupt.
  package static func onInterrupt(say text: String) {
    signal(SIGINT, SIG_DFL)
    lastWords = Array(text.utf8)
    signal(SIGINT) { _ in
      _ = TerminalDevice.lastWords.withUnsafeBytes { systemWrite(STDERR_FILENO, $0.baseAddress!, $0.count) }
      _exit(130)
    }
  }

  /// Written only while no handler is set; a handler must not wait for a lock.
  private nonisolated(unsafe) static var lastWords: [UInt8] = []
}
