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
      let (front, back) = (TextCut.prefix(head, bytes: limit / 2), TextCut.suffix(tail, bytes: limit / 2))
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
