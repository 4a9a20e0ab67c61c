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

  /// At Ctrl-C says `text` on stderr and ends the process with 130, as shells count an interrupt.
  package static func onInterrupt(say text: String) {
    lastWords.withLock { $0 = Array(text.utf8) }
    signal(SIGINT) { _ in
      TerminalDevice.sayLastWords()
      _exit(130)
    }
  }

  private static let lastWords = LockedBytes()

  private static func sayLastWords() {
    let bytes = lastWords.unsafeBytes
    _ = bytes.withUnsafeBytes { systemWrite(STDERR_FILENO, $0.baseAddress!, $0.count) }
  }

  private final class LockedBytes: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes: [UInt8] = [0x0A]
    func withLock(_ body: (inout [UInt8]) -> Void) { lock.withLock { body(&bytes) } }
    /// Written once, before the handler is set: reading needs no lock, and a handler must not take one.
    var unsafeBytes: [UInt8] { bytes }
  }
}
