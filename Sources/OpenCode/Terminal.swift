/// Text that was meant for a terminal.
enum Terminal {
  /// Without colours and cursor movements.
  static func plain(_ text: String) -> String {
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

  /// What a failed command has to say: the text after `Error:` if there is one, else its first line; at most 300 characters.
  static func complaint(errors: String, output: String) -> String {
    let texts = [errors, output].map(plain)
    for text in texts {
      for line in text.split(whereSeparator: \.isNewline) {
        guard let range = line.range(of: "Error: ") else { continue }
        var rest = line[range.upperBound...]
        if rest.hasPrefix("Error: ") { rest = rest.dropFirst(7) }
        // "Unexpected error" alone says nothing: what it was stands below.
        if rest == "Unexpected error" { return short(text[range.lowerBound...].split(whereSeparator: \.isNewline).joined(separator: ": ")) }
        if !rest.allSatisfy(\.isWhitespace) { return short(String(rest)) }
      }
    }
    let first = texts.lazy.flatMap { $0.split(whereSeparator: \.isNewline) }.first { !$0.allSatisfy(\.isWhitespace) }
    return short(first.map(String.init) ?? "")
  }

  private static func short(_ text: String) -> String {
    let trimmed = text.drop(while: \.isWhitespace)
    return trimmed.count > 300 ? trimmed.prefix(299) + "…" : String(trimmed)
  }
}
