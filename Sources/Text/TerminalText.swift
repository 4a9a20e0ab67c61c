/// Text that was meant for a terminal, or is going to one.
package enum TerminalText {
  private enum State { case text, escape, control, string, stringEscape }

  /// Without colours, cursor movements, titles and links: every escape sequence is left out with all that belongs to it.
  package static func plain(_ text: String) -> String {
    guard text.utf8.contains(0x1B) else { return text }
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var state = State.text
    for byte in text.utf8 {
      switch (state, byte) {
      case (.text, 0x1B): state = .escape
      case (.text, _): out.append(byte)
      case (.escape, UInt8(ascii: "[")): state = .control
      case (.escape, UInt8(ascii: "]")), (.escape, UInt8(ascii: "P")), (.escape, UInt8(ascii: "X")), (.escape, UInt8(ascii: "^")),
        (.escape, UInt8(ascii: "_")):
        state = .string
      case (.escape, 0x20...0x2F): break
      case (.escape, 0x1B): break
      case (.escape, _): state = .text
      case (.control, 0x40...0x7E): state = .text
      case (.control, 0x1B): state = .escape
      case (.control, _): break
      // A title or a link ends with BEL or ESC \; an unfinished one ends with its line.
      case (.string, 0x07): state = .text
      case (.string, 0x0A):
        out.append(byte)
        state = .text
      case (.string, 0x1B): state = .stringEscape
      case (.string, _): break
      case (.stringEscape, UInt8(ascii: "\\")): state = .text
      case (.stringEscape, UInt8(ascii: "[")): state = .control
      case (.stringEscape, _): state = .text
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// What may be printed on a terminal whatever it holds: no escape sequence, no control character but newline and tab, none that
  /// turns the direction of writing or hides.
  package static func printable(_ text: String) -> String {
    let plain = plain(text)
    guard plain.unicodeScalars.contains(where: isHostile) else { return plain }
    var out = String.UnicodeScalarView()
    for scalar in plain.unicodeScalars { out.append(isHostile(scalar) ? "\u{FFFD}" : scalar) }
    return String(out)
  }

  /// JSON in which what `printable` replaces is written `\uXXXX`: the same value, and nothing that a terminal would obey.
  /// - Parameter json: whole JSON: characters outside ASCII stand in its strings only
  package static func escapedInJSON(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: isHostile) else { return json }
    var out = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
      guard isHostile(scalar) else {
        out.append(scalar)
        continue
      }
      for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
        let digits = String(unit, radix: 16)
        out.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
      }
    }
    return String(out)
  }

  private static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A, 0x09: false
    case 0x200E, 0x200F, 0x061C, 0x202A...0x202E, 0x2066...0x2069, 0x2028, 0x2029, 0xFEFF, 0xE0000...0xE007F: true
    default: scalar.isControl
    }
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1.
  var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}

extension String {
  /// With spaces for control characters other than newline and tab.
  package var withoutControls: String {
    let isControl = { (byte: UInt8) in byte < 0x20 && byte != 0x0A && byte != 0x09 || byte == 0x7F }
    return utf8.contains(where: isControl) ? String(decoding: utf8.map { isControl($0) ? 0x20 : $0 }, as: UTF8.self) : self
  }
}
