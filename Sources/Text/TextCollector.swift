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
}
