/// Searching in texts, byte by byte.
enum ShellText {
  /// Whether there is a `&` that may put something into the background, wherever it stands: none of `&&`, `>&`, `<&`, `&>`.
  static func holdsBackground(_ text: [UInt8]) -> Bool {
    let mark = UInt8(ascii: "&")
    return text.indices.contains { index in
      guard text[index] == mark else { return false }
      let before = index > 0 ? text[index - 1] : 0
      let after = index + 1 < text.count ? text[index + 1] : 0
      return before != mark && after != mark && before != UInt8(ascii: ">") && before != UInt8(ascii: "<") && after != UInt8(ascii: ">")
    }
  }

  /// Without blanks around it.
  static func trimmed(_ text: [UInt8]) -> [UInt8] {
    func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") }
    var (start, end) = (0, text.count)
    while start < end, isBlank(text[start]) { start += 1 }
    // A blank behind a backslash belongs to the text.
    while end > start, isBlank(text[end - 1]), end - 1 == start || text[end - 2] != UInt8(ascii: "\\") { end -= 1 }
    return start == 0 && end == text.count ? text : Array(text[start..<end])
  }

  /// The words in it, joined by single spaces, whatever stands between them; without quotes.
  /// - Parameter escapes: a backslash and what it stands before is no part of a word (`\n` in a program's text); else only the backslash isn't
  static func rough(_ text: [UInt8], escapes: Bool = false) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var isEscaped = false
    for byte in text {
      switch byte {
      case UInt8(ascii: "\\") where !isEscaped: isEscaped = escapes
      case UInt8(ascii: "'") where !isEscaped, UInt8(ascii: "\"") where !isEscaped, UInt8(ascii: "\\"): isEscaped = false
      case _ where !isEscaped && (isPartOfWord(byte) || byte >= 0x80): out.append(byte)
      default:
        if let last = out.last, last != 32 { out.append(32) }
        isEscaped = false
      }
    }
    if out.last == 32 { out.removeLast() }
    return out
  }

  private static func isPartOfWord(_ byte: UInt8) -> Bool { ShellNames.isNameByte(byte) || byte == UInt8(ascii: "-") }

  /// Whether `text` holds `part`, which is short.
  static func holds(_ part: [UInt8], in text: [UInt8]) -> Bool {
    text.count >= part.count && (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
  }

  /// Whether the words of `wanted`, a rough text, stand in `text`, also right behind other letters: `sed 1et`, `env -St`.
  static func mentions(_ wanted: [UInt8], in text: [UInt8]) -> Bool {
    // It has no words to be found by.
    if wanted.isEmpty { return true }
    return stands(wanted, in: rough(text)) || (text.contains(UInt8(ascii: "\\")) && stands(wanted, in: rough(text, escapes: true)))
  }

  /// In linear time (Knuth, Morris, Pratt): both are foreign.
  private static func stands(_ wanted: [UInt8], in text: [UInt8]) -> Bool {
    guard text.count >= wanted.count else { return false }
    var borders = [0]
    var length = 0
    for byte in wanted.dropFirst() {
      while length > 0, byte != wanted[length] { length = borders[length - 1] }
      if byte == wanted[length] { length += 1 }
      borders.append(length)
    }
    length = 0
    for (index, byte) in text.enumerated() {
      while length > 0, length == wanted.count || byte != wanted[length] { length = borders[length - 1] }
      if byte == wanted[length] { length += 1 }
      if length == wanted.count, index + 1 == text.count || !isPartOfWord(text[index + 1]) { return true }
    }
    return false
  }
}
