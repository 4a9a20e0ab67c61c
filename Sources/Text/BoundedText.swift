/// Text of which, when it was long, only the beginning and the end were kept.
package struct BoundedText: Sendable, Equatable, Codable {
  package let head: String
  /// Empty unless something was left out.
  package let tail: String
  /// How many bytes between the two were left out.
  package let omitted: Int

  package init(_ text: String) {
    head = text
    tail = ""
    omitted = 0
  }

  package init(head: String, tail: String, omitted: Int) {
    self.head = head
    self.tail = tail
    self.omitted = omitted
  }

  package var isCut: Bool { omitted > 0 }
  package var isEmpty: Bool { head.isEmpty && tail.isEmpty }

  /// Nothing but white space.
  package var isBlank: Bool { head.allSatisfy(\.isWhitespace) && tail.allSatisfy(\.isWhitespace) }

  /// The text; where bytes are missing, a line that says how many.
  package var text: String { isCut ? "\(head)\n[... \(omitted) bytes left out ...]\n\(tail)" : head }

  /// The same text in at most `limit` bytes of UTF-8 (head and tail together), cut between characters' code points.
  package func bounded(to limit: Int) -> BoundedText {
    let size = head.utf8.count + tail.utf8.count
    guard size > limit else { return self }
    var collector = TextCollector(limit: limit)
    if isCut {
      let (front, back) = (TextCollector.prefix(of: head, bytes: limit / 2), TextCollector.suffix(of: tail, bytes: limit / 2))
      return BoundedText(head: front, tail: back, omitted: omitted + size - front.utf8.count - back.utf8.count)
    }
    var copy = head
    copy.withUTF8 { collector.append($0) }
    return collector.text
  }

  /// With spaces for control characters other than newline and tab: JSON would blow them up to six bytes each.
  package var withoutControls: BoundedText {
    BoundedText(head: head.withoutControls, tail: tail.withoutControls, omitted: omitted)
  }

  /// Two texts one after the other, a blank line between them, in at most `limit` bytes.
  package func followed(by next: BoundedText, limit: Int) -> BoundedText {
    let joined =
      isCut
      ? BoundedText(
        head: head, tail: tail + "\n\n" + next.head + next.tail, omitted: omitted + next.omitted)
      : BoundedText(head: head + "\n\n" + next.head, tail: next.tail, omitted: next.omitted)
    return joined.bounded(to: limit)
  }
}

/// Takes bytes as they come and keeps the first and the last of them: memory stays constant however long the text is.
package struct TextCollector: Sendable {
  package private(set) var total = 0
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  private var headLimit = 0
  private var tailLimit = 0

  package init(limit: Int) { reset(limit: limit) }

  /// Starts anew for at most `limit` bytes, keeping the memory it has.
  package mutating func reset(limit: Int) {
    total = 0
    head.removeAll(keepingCapacity: true)
    tail.removeAll(keepingCapacity: true)
    headLimit = limit - limit / 2
    tailLimit = limit / 2
  }

  package mutating func append(_ byte: UInt8) {
    total += 1
    if head.count < headLimit { head.append(byte) } else { appendTail(CollectionOfOne(byte)) }
  }

  package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard !bytes.isEmpty else { return }
    total += bytes.count
    let room = min(headLimit - head.count, bytes.count)
    if room > 0 { head.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[..<room])) }
    if room < bytes.count { appendTail(UnsafeBufferPointer(rebasing: bytes[max(room, bytes.count - tailLimit)...])) }
  }

  package mutating func append(_ scalar: Unicode.Scalar) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte) }
  }

  private mutating func appendTail(_ bytes: some Collection<UInt8>) {
    tail.append(contentsOf: bytes)
    if tail.count > 2 * tailLimit + 1024 { tail.removeFirst(tail.count - tailLimit) }
  }

  /// What was collected, invalid UTF-8 repaired.
  package var text: BoundedText {
    let (headCount, tailCount) = (head.count, min(tail.count, tailLimit))
    if total == headCount { return BoundedText(String(decoding: head, as: UTF8.self)) }
    let end = tail.suffix(tailCount)
    if total == headCount + tailCount { return BoundedText(String(decoding: head + end, as: UTF8.self)) }
    let front = head.prefix(TextCollector.wholeLength(head))
    let back = end.drop { $0 & 0xC0 == 0x80 }
    return BoundedText(
      head: String(decoding: front, as: UTF8.self), tail: String(decoding: back, as: UTF8.self), omitted: total - front.count - back.count)
  }

  /// The length of `bytes` without a code point that was cut off at its end.
  private static func wholeLength(_ bytes: [UInt8]) -> Int {
    for back in 1...4 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? bytes.count - back : bytes.count
    }
    return bytes.count
  }

  package static func prefix(of text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    let front = Array(text.utf8.prefix(max(0, bytes)))
    return String(decoding: front.prefix(wholeLength(front)), as: UTF8.self)
  }

  package static func suffix(of text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    return String(decoding: text.utf8.suffix(max(0, bytes)).drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
  }
}

extension String {
  /// With spaces for control characters other than newline and tab.
  package var withoutControls: String {
    let isControl = { (byte: UInt8) in byte < 0x20 && byte != 0x0A && byte != 0x09 || byte == 0x7F }
    return utf8.contains(where: isControl) ? String(decoding: utf8.map { isControl($0) ? 0x20 : $0 }, as: UTF8.self) : self
  }

  /// At most `limit` bytes of UTF-8, `...` where it was cut.
  package func shortened(to limit: Int) -> String {
    utf8.count <= limit ? self : TextCollector.prefix(of: self, bytes: max(0, limit - 3)) + "..."
  }

  /// On one line, without control characters, in at most `limit` bytes.
  package func oneLine(_ limit: Int) -> String {
    var out = ""
    var space = false
    for scalar in unicodeScalars {
      if scalar == " " || scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029 {
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
