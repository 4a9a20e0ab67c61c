/// Text that was meant for a terminal.
package enum TerminalText {
  /// Without colours and cursor movements.
  package static func plain(_ text: String) -> String {
    guard text.utf8.contains(0x1B) else { return text }
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var state = 0  // 0: text, 1: after ESC, 2: in a control sequence
    for byte in text.utf8 {
      switch state {
      case 1: state = byte == UInt8(ascii: "[") ? 2 : 0
      case 2: if (0x40...0x7E).contains(byte) { state = 0 }
      default: if byte == 0x1B { state = 1 } else { out.append(byte) }
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
