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

  /// Without quotes and backslashes, any white space as one space.
  static func rough(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    for byte in text {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"): continue
      case 9, 10, 13, 32: if let last = out.last, last != 32 { out.append(32) }
      default: out.append(byte)
      }
    }
    if out.last == 32 { out.removeLast() }
    return out
  }

  /// Whether the words of `wanted`, a rough text, stand in `text`. In linear time (Knuth, Morris, Pratt): both are foreign.
  static func mentions(_ wanted: [UInt8], in text: [UInt8]) -> Bool {
    guard !wanted.isEmpty else { return false }
    let text = rough(text)
    guard text.count >= wanted.count else { return false }
    func isEdge(_ index: Int) -> Bool { !text.indices.contains(index) || !(ShellNames.isNameByte(text[index]) || text[index] == UInt8(ascii: "-")) }
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
      if length == wanted.count, isEdge(index - length), isEdge(index + 1) { return true }
    }
    return false
  }
}
