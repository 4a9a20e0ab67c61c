/// Shortening of texts.
package enum TextCut {
  /// At most `bytes` bytes of UTF-8: two thirds from the beginning, the rest from the end, never half a character.
  package static func headAndTail(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    let mark = " [...] "
    let room = max(0, bytes - mark.utf8.count)
    let head = prefix(text, bytes: room * 2 / 3)
    return head + mark + suffix(text, bytes: room - head.utf8.count)
  }

  /// At most `bytes` bytes from the beginning.
  package static func prefix(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: max(0, bytes))
    while end > text.utf8.startIndex, end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }

  /// At most `bytes` bytes from the end.
  package static func suffix(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var start = text.utf8.index(text.utf8.endIndex, offsetBy: -max(0, bytes))
    while start < text.utf8.endIndex, start.samePosition(in: text.unicodeScalars) == nil { start = text.utf8.index(after: start) }
    return String(text[start...])
  }

  /// The first line, shortened.
  package static func firstLine(_ text: String, bytes: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
    let trimmed = line.trimmingPrefix(while: \.isWhitespace)
    return trimmed.utf8.count > bytes ? prefix(String(trimmed), bytes: bytes - 3) + "..." : String(trimmed)
  }
}
