import JSONRPC

/// Configuration that can't be read: what is wrong, and where.
struct ConfigSyntaxError: Error, Equatable {
  let reason: String
}

/// Configuration as OpenCode reads it: JSON with comments and trailing commas. Members keep their order, which decides between permission rules.
struct ConfigText {
  /// - Throws: `ConfigSyntaxError` with line and column
  static func parse(_ text: String) throws -> JSONValue {
    var parser = ConfigText(bytes: Array(text.utf8))
    if parser.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
    let value = try parser.value(depth: 0)
    try parser.skipBlanks()
    guard parser.position == parser.bytes.count else { throw parser.error("something follows the end") }
    return value
  }

  private let bytes: [UInt8]
  private var position = 0

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func error(_ what: String) -> ConfigSyntaxError {
    let before = bytes.prefix(position)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
    return ConfigSyntaxError(reason: "\(what) at line \(line), column \(column)")
  }

  private mutating func skipBlanks() throws {
    while let byte = next {
      if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
        position += 1
      } else if byte == UInt8(ascii: "/"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "/") {
        while let byte = next, byte != 0x0A { position += 1 }
      } else if byte == UInt8(ascii: "/"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "*") {
        try skipBlockComment()
      } else {
        return
      }
    }
  }

  private mutating func skipBlockComment() throws {
    var end = position + 2
    while end + 1 < bytes.count, !(bytes[end] == UInt8(ascii: "*") && bytes[end + 1] == UInt8(ascii: "/")) { end += 1 }
    guard end + 1 < bytes.count else { throw error("a comment without an end") }
    position = end + 2
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth < 128 else { throw error("nested deeper than 128 levels") }
    try skipBlanks()
    guard let next else { throw error("a value is missing") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    default: return try scalar()
    }
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    var members = JSONObject()
    try list(close: UInt8(ascii: "}")) { parser in
      guard parser.next == UInt8(ascii: "\""), let name = try parser.scalar().string else { throw parser.error("a name in quotes is missing") }
      try parser.skipBlanks()
      guard parser.next == UInt8(ascii: ":") else { throw parser.error("`:` is missing") }
      parser.position += 1
      members[name] = try parser.value(depth: depth + 1)
    }
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    var elements: [JSONValue] = []
    try list(close: UInt8(ascii: "]")) { elements.append(try $0.value(depth: depth + 1)) }
    return .array(elements)
  }

  private mutating func list(close: UInt8, element: (inout ConfigText) throws -> Void) throws {
    position += 1
    while true {
      try skipBlanks()
      if next == close { break }
      try element(&self)
      try skipBlanks()
      if next == UInt8(ascii: ",") { position += 1 } else if next != close { throw error("`,` or a closing bracket is missing") }
    }
    position += 1
  }

  /// Strings, numbers and words are left to the strict reader.
  private mutating func scalar() throws -> JSONValue {
    let start = position
    if next == UInt8(ascii: "\"") {
      position += 1
      while let byte = next, byte != UInt8(ascii: "\""), byte != 0x0A { position += byte == UInt8(ascii: "\\") ? 2 : 1 }
      guard next == UInt8(ascii: "\"") else {
        position = start
        throw error("a string without an end")
      }
      position += 1
    } else {
      let wordBytes = Array("+-.".utf8)
      while let byte = next, Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber || wordBytes.contains(byte) { position += 1 }
    }
    do {
      return try JSONValue(parsing: bytes[start..<position])
    } catch {
      // Not quoted: it may be a key.
      position = start
      throw self.error("not a value")
    }
  }
}
