/// Where the parts of a JSON text stand, so that one of them can be added or removed and every other byte stays.
package struct JSONSpans: Sendable {
  package let bytes: [UInt8]

  /// - Throws: `JSONSyntaxError`: from then on the text is known to be well-formed
  package init(_ bytes: [UInt8]) throws {
    _ = try JSONValue(parsing: bytes)
    self.bytes = bytes
  }

  /// The whole value, without what surrounds it.
  package var root: Range<Int> {
    let start = skipSpaces(0)
    return start..<end(ofValueAt: start)
  }

  package func value(_ range: Range<Int>) -> JSONValue? { try? JSONValue(parsing: bytes[range]) }

  /// The values of the members of this name; empty when `object` isn't an object.
  package func members(named name: String, of object: Range<Int>) -> [Range<Int>] {
    guard !object.isEmpty, bytes[object.lowerBound] == UInt8(ascii: "{") else { return [] }
    var found: [Range<Int>] = []
    for key in items(of: object) {
      let colon = skipSpaces(key.upperBound)
      let start = skipSpaces(colon + 1)
      if value(key)?.string == name { found.append(start..<end(ofValueAt: start)) }
    }
    return found
  }

  /// The elements of an array; empty when it isn't one.
  package func elements(of array: Range<Int>) -> [Range<Int>] {
    guard !array.isEmpty, bytes[array.lowerBound] == UInt8(ascii: "[") else { return [] }
    return items(of: array)
  }

  /// The elements of an array, the keys of an object.
  private func items(of container: Range<Int>) -> [Range<Int>] {
    let isObject = bytes[container.lowerBound] == UInt8(ascii: "{")
    var found: [Range<Int>] = []
    var position = skipSpaces(container.lowerBound + 1)
    while position < container.upperBound - 1 {
      let item = position..<end(ofValueAt: position)
      guard !item.isEmpty else { break }
      found.append(item)
      position = skipSpaces(item.upperBound)
      if isObject { position = skipSpaces(end(ofValueAt: skipSpaces(position + 1))) }
      guard position < container.upperBound - 1 else { break }
      position = skipSpaces(position + 1)
    }
    return found
  }

  private func skipSpaces(_ start: Int) -> Int {
    var position = start
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    return position
  }

  private func end(ofValueAt start: Int) -> Int {
    var (position, depth, inString) = (start, 0, false)
    while position < bytes.count {
      let byte = bytes[position]
      if inString {
        if byte == UInt8(ascii: "\\") { position += 1 }
        if byte == UInt8(ascii: "\"") {
          inString = false
          if depth == 0 { return min(position + 1, bytes.count) }
        }
      } else {
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          if depth == 0 { return position }
          depth -= 1
          if depth == 0 { return position + 1 }
        case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: if depth == 0 { return position }
        default: break
        }
      }
      position += 1
    }
    return bytes.count
  }
}
