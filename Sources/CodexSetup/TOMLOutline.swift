import Foundation

/// The statements of a TOML text and where they stand: enough to add or remove a table and leave every other byte alone.
package struct TOMLOutline: Sendable {
  package enum Kind: Sendable, Equatable {
    case blank
    /// The whole line without its end.
    case comment(String)
    /// `[a.b]`. Plain: the first name is bare and touches the bracket.
    case header(path: [String], isArray: Bool, isPlain: Bool)
    /// `a.b = value`; the value's bytes, without a comment behind it.
    case value(key: [String], bytes: Range<Int>)
  }

  package struct Statement: Sendable, Equatable {
    package let kind: Kind
    /// Whole lines, their ends included.
    package let range: Range<Int>
  }

  package private(set) var statements: [Statement] = []

  /// - Throws: `SetupRefusal` naming the line that can't be read
  package init(parsing bytes: [UInt8]) throws {
    guard String(bytes: bytes, encoding: .utf8) != nil else { throw SetupRefusal("it is not valid UTF-8") }
    var scanner = TOMLScanner(bytes: bytes)
    while let statement = try scanner.next() { statements.append(statement) }
  }

  /// A table's lines: its header, what follows up to its last key. Comments and blank lines behind that belong to what comes next.
  package func section(ofHeader index: Int) -> Range<Int> {
    var end = statements[index].range.upperBound
    for statement in statements[(index + 1)...] {
      if case .header = statement.kind { break }
      if case .value = statement.kind { end = statement.range.upperBound }
    }
    return statements[index].range.lowerBound..<end
  }

  /// The values in the section of a header.
  package func values(ofHeader index: Int) -> [(key: [String], bytes: Range<Int>)] {
    var found: [(key: [String], bytes: Range<Int>)] = []
    for statement in statements[(index + 1)...] {
      if case .header = statement.kind { break }
      if case .value(let key, let bytes) = statement.kind { found.append((key, bytes)) }
    }
    return found
  }
}

/// A TOML string for any text.
package func tomlString(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F:
      let hex = String(scalar.value, radix: 16)
      out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

private struct TOMLScanner {
  let bytes: [UInt8]
  var position: Int

  init(bytes: [UInt8]) {
    self.bytes = bytes
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func at(_ text: StaticString) -> Bool {
    let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    return bytes[position...].starts(with: wanted)
  }

  private func problem(_ what: String) -> SetupRefusal {
    let line = bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") } + 1
    return SetupRefusal("line \(line): \(what)")
  }

  mutating func next() throws -> TOMLOutline.Statement? {
    guard current != nil else { return nil }
    let start = position
    skipSpaces()
    let kind: TOMLOutline.Kind
    switch current {
    case nil, UInt8(ascii: "\n"), UInt8(ascii: "\r"): kind = .blank
    case UInt8(ascii: "#"):
      skipComment()
      kind = .comment(String(decoding: bytes[start..<position], as: UTF8.self))
    case UInt8(ascii: "["): kind = try header()
    default:
      let key = try path()
      guard current == UInt8(ascii: "=") else { throw problem("expected \"=\" after a key") }
      position += 1
      skipSpaces()
      let valueStart = position
      try skipValue()
      kind = .value(key: key, bytes: valueStart..<position)
    }
    try endLine()
    return TOMLOutline.Statement(kind: kind, range: start..<position)
  }

  private mutating func header() throws -> TOMLOutline.Kind {
    let isArray = at("[[")
    position += isArray ? 2 : 1
    let isPlain = current.map(TOMLScanner.isBare) ?? false
    let names = try path()
    guard isArray ? at("]]") : at("]") else { throw problem("a table's name is not closed") }
    position += isArray ? 2 : 1
    return .header(path: names, isArray: isArray, isPlain: isPlain)
  }

  private mutating func path() throws -> [String] {
    var names: [String] = []
    while true {
      skipSpaces()
      names.append(try name())
      skipSpaces()
      guard current == UInt8(ascii: ".") else { return names }
      position += 1
    }
  }

  private mutating func name() throws -> String {
    let start = position
    if at("\"") || at("'") {
      guard !at("\"\"\""), !at("'''") else { throw problem("a key can't be a multi-line string") }
      try skipString()
      let inner = String(decoding: bytes[(start + 1)..<(position - 1)], as: UTF8.self)
      if bytes[start] == UInt8(ascii: "'") || !inner.contains("\\") { return inner }
      // JSON's escapes are nearly TOML's; a key with another escape is not ours to judge.
      guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<position])) else { throw problem("an escape in a key") }
      return text
    }
    while let byte = current, TOMLScanner.isBare(byte) { position += 1 }
    guard position > start else { throw problem("expected a key or a table's name") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  static func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Ends behind the value's last byte. Arrays and inline tables may go over several lines, with comments.
  private mutating func skipValue() throws {
    var open: [UInt8] = []
    var end = position
    let start = position
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        try skipString()
        end = position
        continue
      case UInt8(ascii: "#"):
        if open.isEmpty {
          position = end
          guard end > start else { throw problem("a value is missing") }
          return
        }
        skipComment()
        continue
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        if open.isEmpty {
          position = end
          guard end > start else { throw problem("a value is missing") }
          return
        }
      case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
      case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard open.popLast() == byte else { throw problem("brackets that don't match") }
      default: break
      }
      position += 1
      if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { end = position }
    }
    guard open.isEmpty else {
      position = start
      throw problem("a bracket is never closed")
    }
    position = end
    guard end > start else { throw problem("a value is missing") }
  }

  private mutating func skipString() throws {
    let quote = bytes[position]
    let isLiteral = quote == UInt8(ascii: "'")
    let isLong = isLiteral ? at("'''") : at("\"\"\"")
    let start = position
    position += isLong ? 3 : 1
    while let byte = current {
      if byte == UInt8(ascii: "\\"), !isLiteral {
        position = min(position + 2, bytes.count)
      } else if byte == quote, !isLong {
        position += 1
        return
      } else if byte == quote, isLiteral ? at("'''") : at("\"\"\"") {
        position += 3
        // Up to two quotes may stand right before the closing three.
        for _ in 0..<2 where current == quote { position += 1 }
        return
      } else if byte == UInt8(ascii: "\n"), !isLong {
        break
      } else {
        position += 1
      }
    }
    position = start
    throw problem("a string is never closed")
  }

  private mutating func skipSpaces() {
    while current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") { position += 1 }
  }

  private mutating func skipComment() {
    while let byte = current, byte != UInt8(ascii: "\n") {
      if byte == UInt8(ascii: "\r"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") { return }
      position += 1
    }
  }

  private mutating func endLine() throws {
    skipSpaces()
    if current == UInt8(ascii: "#") { skipComment() }
    if at("\r\n") {
      position += 2
    } else if current == UInt8(ascii: "\n") {
      position += 1
    } else if current != nil {
      throw problem("something stands behind the end of a statement")
    }
  }
}
