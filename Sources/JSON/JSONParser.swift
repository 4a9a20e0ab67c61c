import Foundation

extension JSONValue {
  /// What is taken beside JSON itself.
  package enum Dialect: Sendable {
    case strict
    /// As configuration is written by hand: comments, commas before a closing bracket, a byte order mark.
    case commented
  }

  /// Reads one JSON text: valid UTF-8 only, at most 128 levels deep, no number beyond `Double`. Members keep their order; of those with the same
  /// name the last one counts, in the first one's place.
  /// - Throws: `JSONSyntaxError`
  package init(parsing bytes: some Collection<UInt8>, as dialect: Dialect = .strict) throws {
    var parser = JSONParser(bytes: Array(bytes), dialect: dialect)
    self = try parser.parse()
  }
}

/// Text that isn't JSON: what is wrong and where. The text itself is not quoted, it may hold secrets.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible, Sendable {
  package let reason: String
  package init(reason: String) { self.reason = reason }
  package var description: String { reason }
}

/// Reads by recursive descent: Foundation's reader loses the order of members, takes UTF-16 for JSON and commas before a closing bracket, and
/// goes deeper than a stack may allow.
private struct JSONParser {
  private let bytes: [UInt8]
  private let dialect: JSONValue.Dialect
  private var position = 0

  private static let maximalDepth = 128
  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08,
    UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
  ]

  init(bytes: [UInt8], dialect: JSONValue.Dialect) {
    self.bytes = bytes
    self.dialect = dialect
  }

  mutating func parse() throws -> JSONValue {
    guard String(bytes: bytes, encoding: .utf8) != nil else { throw JSONSyntaxError(reason: "not valid UTF-8") }
    if dialect == .commented, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    let value = try value(depth: 0)
    try skipBlanks()
    guard position == bytes.count else { throw error("something follows the end") }
    return value
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func error(_ what: String) -> JSONSyntaxError {
    let before = bytes[..<min(position, bytes.count)]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    return JSONSyntaxError(reason: "\(what) at line \(line), column \(before.count - lineStart + 1)")
  }

  // MARK: Between values

  private mutating func skipBlanks() throws {
    while let byte = next {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: "/") where dialect == .commented: try skipComment()
      default: return
      }
    }
  }

  private mutating func skipComment() throws {
    switch position + 1 < bytes.count ? bytes[position + 1] : nil {
    case UInt8(ascii: "/")?:
      while let byte = next, byte != 0x0A { position += 1 }
    case UInt8(ascii: "*")?:
      var end = position + 2
      while end + 1 < bytes.count, !(bytes[end] == UInt8(ascii: "*") && bytes[end + 1] == UInt8(ascii: "/")) { end += 1 }
      guard end + 1 < bytes.count else { throw error("a comment without an end") }
      position = end + 2
    default: throw error("not a value")
    }
  }

  // MARK: Values

  private mutating func value(depth: Int) throws -> JSONValue {
    try skipBlanks()
    switch next {
    case UInt8(ascii: "{")?: return .object(try object(depth: depth + 1))
    case UInt8(ascii: "[")?: return .array(try array(depth: depth + 1))
    case UInt8(ascii: "\"")?: return .string(try string())
    case let byte? where byte == UInt8(ascii: "-") || JSONParser.digits.contains(byte): return try number()
    case UInt8(ascii: "t")?: return try word("true", .bool(true))
    case UInt8(ascii: "f")?: return try word("false", .bool(false))
    case UInt8(ascii: "n")?: return try word("null", .null)
    case nil: throw error("a value is missing")
    default: throw error("not a value")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw error("not a value") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws -> JSONObject {
    var members: [(key: String, value: JSONValue)] = []
    // By bytes: as strings a letter composed and decomposed would be the same name.
    var places: [[UInt8]: Int] = [:]
    try list(close: UInt8(ascii: "}"), depth: depth) { parser in
      guard parser.next == UInt8(ascii: "\"") else { throw parser.error("a name in quotes is missing") }
      let name = try parser.string()
      try parser.skipBlanks()
      guard parser.next == UInt8(ascii: ":") else { throw parser.error("`:` is missing") }
      parser.position += 1
      let value = try parser.value(depth: depth)
      let key = Array(name.utf8)
      if let place = places[key] {
        members[place].value = value
      } else {
        places[key] = members.count
        members.append((name, value))
      }
    }
    return JSONObject(members)
  }

  private mutating func array(depth: Int) throws -> [JSONValue] {
    var elements: [JSONValue] = []
    try list(close: UInt8(ascii: "]"), depth: depth) { elements.append(try $0.value(depth: depth)) }
    return elements
  }

  private mutating func list(close: UInt8, depth: Int, element: (inout JSONParser) throws -> Void) throws {
    guard depth <= JSONParser.maximalDepth else { throw error("nested deeper than \(JSONParser.maximalDepth) levels") }
    position += 1
    try skipBlanks()
    var mayClose = true
    while !(mayClose && next == close) {
      try element(&self)
      try skipBlanks()
      if next == close { break }
      guard next == UInt8(ascii: ",") else { throw error("`,` or a closing bracket is missing") }
      position += 1
      try skipBlanks()
      mayClose = dialect == .commented
      if next == close, !mayClose { throw error("comma before a closing bracket") }
    }
    position += 1
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    func digits(_ parser: inout JSONParser) throws {
      guard let first = parser.next, JSONParser.digits.contains(first) else { throw parser.error("not a number") }
      while let byte = parser.next, JSONParser.digits.contains(byte) { parser.position += 1 }
    }
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") { position += 1 } else { try digits(&self) }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try digits(&self)
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try digits(&self)
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else { throw error("a number out of range") }
    return Int64(exactly: number).map { .integer($0) } ?? .number(number)
  }

  // MARK: Strings

  private mutating func string() throws -> String {
    let opening = position
    position += 1
    var start = position
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        let end = position
        position += 1
        if text.isEmpty { return String(decoding: bytes[start..<end], as: UTF8.self) }
        return String(decoding: text + bytes[start..<end], as: UTF8.self)
      case UInt8(ascii: "\\"):
        text += bytes[start..<position]
        position += 1
        try escape(into: &text)
        start = position
      case 0..<0x20: throw error("a control character in a string")
      default: position += 1
      }
    }
    position = opening
    throw error("a string without an end")
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    guard let byte = next else { throw error("a string without an end") }
    position += 1
    if let meant = JSONParser.escapes[byte] {
      text.append(meant)
      return
    }
    guard byte == UInt8(ascii: "u") else { throw error("an unknown escape in a string") }
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") {
      let first = position
      position += 2
      let low = try hexadecimal()
      if (0xDC00..<0xE000).contains(low) { code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) } else { position = first }
    }
    // Half a pair is what other readers take, and what a text cut between two halves holds: the rest of it is worth reading.
    text += Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard position + 4 <= bytes.count else { throw error("a string without an end") }
    var code: UInt32 = 0
    for byte in bytes[position..<(position + 4)] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { throw error("an unknown escape in a string") }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }
}
