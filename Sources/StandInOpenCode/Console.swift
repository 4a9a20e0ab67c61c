import Foundation
import JSON
import PosixSupport

/// The stand-in's three standard streams.
struct Console {
  let input: Descriptor
  let output: Descriptor
  let errors: Descriptor

  func print(_ text: String) throws { try output.writeAll(Array(text.utf8)) }
  func print(_ value: JSONValue) throws { try output.writeAll(value.bytes + [UInt8(ascii: "\n")]) }

  /// Standard error may be gone; that ends nothing.
  func complain(_ text: String) { try? errors.writeAll(Array(text.utf8)) }

  /// OpenCode 1.x colours its errors even without a terminal.
  func fail(_ text: String) -> Int32 {
    complain("\u{1B}[91m\u{1B}[1mError: \u{1B}[0m\(text)\n")
    return 1
  }

  /// Everything up to the end of standard input; nothing from a terminal.
  func readAll() -> String {
    if isatty(input.raw) != 0 { return "" }
    var all: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      guard let count = try? part.withUnsafeMutableBytes({ try input.read(into: $0) }), count > 0 else { break }
      all += part[..<count]
    }
    return String(decoding: all, as: UTF8.self)
  }
}

/// What signals do to a run: 1.x dies of them; 2.x prints an error, ends its shell command and exits with 130.
enum Interruption {
  nonisolated(unsafe) private static var message: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var length = 0
  nonisolated(unsafe) private static var currentChild: Int32 = 0

  static func child(_ pid: Int32) { currentChild = pid }

  /// Puts the time into the prepared message, digit by digit.
  private static func stamp() {
    guard let message else { return }
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var left = Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
    for index in stride(from: stampStart + 12, through: stampStart, by: -1) {
      message[index] = CChar(48 + left % 10)
      left /= 10
    }
  }

  private static let stampStart = #"{"type":"error","timestamp":"#.utf8.count

  static func prepare(session: String) {
    let event: JSONValue = [
      "type": "error", "timestamp": JSONValue(Player.now()), "sessionID": .string(session), "error": ["type": "unknown", "message": "Transport"],
    ]
    let text = event.text + "\n"
    length = text.utf8.count
    _ = stampStart
    message = strdup(text)
    // Handled, not ignored: its shell commands don't inherit that.
    signal(SIGHUP) { _ in }
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        // Only calls that a signal handler may make.
        Interruption.stamp()
        if let message = Interruption.message { _ = write(1, message, Interruption.length) }
        if Interruption.currentChild > 0 { kill(-Interruption.currentChild, SIGKILL) }
        _exit(130)
      }
    }
  }
}
