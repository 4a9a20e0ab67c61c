/// Shortening of texts: the one place where a text is cut. Bounds are bytes of UTF-8, and no code point is ever cut in two.
package enum TextCut {
  /// Stands where something was left out of the middle.
  package static let gap = " [...] "

  /// At most `bytes` bytes: two thirds from the beginning, the rest from the end.
  package static func headAndTail(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    let room = max(0, bytes - gap.utf8.count)
    let head = prefix(text, bytes: room * 2 / 3)
    return head + gap + suffix(text, bytes: room - head.utf8.count)
  }

  /// At most `bytes` bytes from the beginning.
  package static func prefix(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: max(0, bytes))
    while end > text.utf8.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }

  /// At most `bytes` bytes from the end.
  package static func suffix(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var start = text.utf8.index(text.utf8.endIndex, offsetBy: -max(0, bytes))
    while start < text.utf8.endIndex, UTF8.isContinuation(text.utf8[start]) { start = text.utf8.index(after: start) }
    return String(text[start...])
  }

  /// The first line that isn't blank, shortened.
  package static func firstLine(_ text: String, bytes: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
    return String(line.trimmingPrefix(while: \.isWhitespace)).shortened(to: bytes)
  }
}

extension String {
  /// At most `limit` bytes, `...` where it was cut.
  package func shortened(to limit: Int) -> String {
    utf8.count <= limit ? self : TextCut.prefix(self, bytes: max(0, limit - 3)) + "..."
  }

  /// On one line, without control characters, in at most `limit` bytes.
  package func oneLine(_ limit: Int) -> String {
    var out = ""
    var space = false
    for scalar in unicodeScalars {
      if scalar == " " || scalar.isControl || scalar.value == 0x2028 || scalar.value == 0x2029 {
        space = !out.isEmpty
        continue
      }
      if space { out.unicodeScalars.append(" ") }
      space = false
      out.unicodeScalars.append(scalar)
      if out.utf8.count > limit { break }
    }
    return out.shortened(to: limit)
  }
}
