import Foundation
import Text

/// A finished line of OpenCode's stdout.
package struct SkimmedLine: Sendable {
  package enum Content: Sendable {
    /// An object with a string `type`.
    case event(EventRecord)
    /// Not an object: its beginning.
    case text(String)
    /// It began like an object, but is broken, cut off or has no `type`.
    case damaged
    case blank
  }

  package let content: Content
  /// The line's bytes in the file, the newline included.
  package let range: Range<Int64>
}

/// Reads JSON lines as they come, in pieces of any size, in constant memory: keeps the wanted members, each string bounded, and passes over
/// the rest. Iterative, so nesting costs nothing; nothing that a line holds can make it fail.
/// Lines may be megabytes, and other text occurs on stdout: recording `1.17.9/model-unknown`.
package struct EventSkimmer: Sendable {
  private enum State: UInt8 {
    case lineStart, textLine, brokenLine
    case value, elementOrEnd, keyOrEnd, key, inKey, colon, afterValue, afterLine
    /// A string whose bytes are wanted, one whose bytes aren't.
    case inWantedString, inString
    case inScalar
    /// Inside an object or list that isn't wanted; only its brackets are counted.
    case inTree, inTreeString
  }

  /// Within a wanted string: what a backslash began.
  private enum Escape {
    case none, backslash
    case unicode(digitsLeft: Int)
  }

  private struct Frame {
    let node: Int
    let isList: Bool
  }

  /// Where the line that is being read begins.
  package private(set) var lineStart: Int64
  /// The next byte to be fed.
  package private(set) var position: Int64

  private let shape = EventShape.events
  private var state = State.lineStart
  private var frames: [Frame] = []
  /// The node of the value to come or being read; nil: not wanted.
  private var target: Int?
  private var elementsSeen = 0
  private var depth = 0
  private var passNext = false
  private var name = EventShape.Name()
  private var collector = TextCollector(limit: EventSkimmer.textLimit)
  /// Of a line that isn't JSON.
  private static let textLimit = 1024
  private var escape = Escape.none
  private var codeUnit: UInt32 = 0
  private var highSurrogate: UInt32 = 0
  private var record = EventRecord()

  /// - Parameter offset: the place in the file of the first byte that will be fed, the beginning of a line
  package init(at offset: Int64 = 0) {
    lineStart = offset
    position = offset
  }

  /// Reads on; calls `body` for each line that ends in `bytes`.
  package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (SkimmedLine) -> Void) {
    let buffer = bytes.bindMemory(to: UInt8.self)
    guard let base = buffer.baseAddress else { return }
    let start = position
    var index = 0
    while index < buffer.count {
      index = step(base, index, buffer.count)
      if index < buffer.count, base[index] == Byte.newline {
        index += 1
        position = start + Int64(index)
        endLine(body)
      }
    }
    position = start + Int64(buffer.count)
  }

  /// The file has ended: a last line without a newline is a line, too.
  package mutating func finish(_ body: (SkimmedLine) -> Void) {
    if position > lineStart { endLine(body) }
  }

  private mutating func endLine(_ body: (SkimmedLine) -> Void) {
    let range = lineStart..<position
    switch state {
    case .afterLine where record.text(.type) != nil: body(SkimmedLine(content: .event(record), range: range))
    case .lineStart: body(SkimmedLine(content: .blank, range: range))
    case .textLine: body(SkimmedLine(content: .text(collector.text.head), range: range))
    default: body(SkimmedLine(content: .damaged, range: range))
    }
    lineStart = position
    state = .lineStart
    collector.reset(limit: EventSkimmer.textLimit)
    record.clear()
    frames.removeAll(keepingCapacity: true)
    target = nil
    elementsSeen = 0
    depth = 0
    passNext = false
    escape = .none
    highSurrogate = 0
  }

  // MARK: - The states

  /// Reads from `index` on until the state changes, the line ends (`index` is then the newline's) or the bytes do.
  private mutating func step(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    switch state {
    case .lineStart:
      while index < end, Byte.isSpace(bytes[index]) { index += 1 }
      // Indentation tells help text and log dumps apart.
      collector.append(UnsafeBufferPointer(start: bytes + start, count: index - start))
      guard index < end, bytes[index] != Byte.newline else { return index }
      if bytes[index] == Byte.openBrace {
        target = 0
        return beginValue(bytes, index)
      }
      state = .textLine
      return index

    case .textLine:
      let stop = Byte.newlineIndex(bytes, index, end)
      collector.append(UnsafeBufferPointer(start: bytes + index, count: stop - index))
      return stop

    case .brokenLine:
      return Byte.newlineIndex(bytes, index, end)

    case .value, .elementOrEnd, .keyOrEnd, .key, .colon, .afterValue, .afterLine:
      while index < end, Byte.isSpace(bytes[index]) { index += 1 }
      guard index < end, bytes[index] != Byte.newline else { return index }
      return structure(bytes, index)

    case .inKey:
      return wantedString(bytes, index, end)

    case .inWantedString:
      return wantedString(bytes, index, end)

    case .inString, .inTreeString:
      return unwantedString(bytes, index, end)

    case .inScalar:
      while index < end {
        let byte = bytes[index]
        if byte == Byte.comma || byte == Byte.closeBrace || byte == Byte.closeBracket || byte == Byte.newline || Byte.isSpace(byte) {
          endScalar()
          return index
        }
        collector.append(byte)
        index += 1
      }
      return index

    case .inTree:
      while index < end {
        switch bytes[index] {
        case Byte.quote:
          state = .inTreeString
          return unwantedString(bytes, index + 1, end)
        case Byte.openBrace, Byte.openBracket: depth += 1
        case Byte.closeBrace, Byte.closeBracket:
          depth -= 1
          if depth == 0 {
            state = .afterValue
            return index + 1
          }
        case Byte.newline: return index
        default: break
        }
        index += 1
      }
      return index
    }
  }

  /// One character of the structure around the values.
  private mutating func structure(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> Int {
    let byte = bytes[index]
    switch (state, byte) {
    case (.key, Byte.quote), (.keyOrEnd, Byte.quote):
      name = EventShape.Name()
      state = .inKey
    case (.colon, Byte.colon):
      target = frames.last.flatMap { frame in shape.nodes[frame.node].edges.first { $0.name == name }?.node }
      state = .value
    case (.keyOrEnd, Byte.closeBrace), (.elementOrEnd, Byte.closeBracket): pop()
    case (.value, _): return beginValue(bytes, index)
    case (.elementOrEnd, _):
      beginElement()
      return beginValue(bytes, index)
    case (.afterValue, Byte.comma):
      if let frame = frames.last, frame.isList {
        beginElement()
        state = .value
      } else {
        state = .key
      }
    case (.afterValue, Byte.closeBrace) where frames.last?.isList == false: pop()
    case (.afterValue, Byte.closeBracket) where frames.last?.isList == true: pop()
    default: state = .brokenLine
    }
    return index + 1
  }

  private mutating func beginElement() {
    elementsSeen += 1
    target = frames.last.flatMap { shape.nodes[$0.node].element }
  }

  private mutating func pop() {
    frames.removeLast()
    state = frames.isEmpty ? .afterLine : .afterValue
  }

  private mutating func beginValue(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> Int {
    let byte = bytes[index]
    switch byte {
    case Byte.quote:
      if let target, shape.nodes[target].field != nil {
        collector.reset(limit: shape.nodes[target].limit)
        state = .inWantedString
      } else {
        state = .inString
      }
    case Byte.openBrace:
      if let target, !shape.nodes[target].edges.isEmpty {
        frames.append(Frame(node: target, isList: false))
        state = .keyOrEnd
      } else {
        depth = 1
        state = .inTree
      }
    case Byte.openBracket:
      if let target, shape.nodes[target].element != nil {
        frames.append(Frame(node: target, isList: true))
        state = .elementOrEnd
      } else {
        depth = 1
        state = .inTree
      }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
      collector.reset(limit: 64)
      collector.append(byte)
      state = .inScalar
    default: state = .brokenLine
    }
    return index + 1
  }

  // MARK: - Strings and scalars

  private mutating func unwantedString(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    if passNext, index < end {
      passNext = false
      if bytes[index] != Byte.newline { index += 1 }
    }
    while true {
      index = Byte.endOfRun(bytes, index, end)
      if index == end { return end }
      switch bytes[index] {
      case Byte.quote:
        state = state == .inTreeString ? .inTree : .afterValue
        return index + 1
      case Byte.backslash:
        if index + 1 == end {
          passNext = true
          return end
        }
        index += bytes[index + 1] == Byte.newline ? 1 : 2
      default: return index
      }
    }
  }

  /// A member's name or a string that is kept: escapes are decoded.
  private mutating func wantedString(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end {
      if case .none = escape {
        let stop = Byte.endOfRun(bytes, index, end)
        if stop > index {
          endSurrogate()
          keep(UnsafeBufferPointer(start: bytes + index, count: stop - index))
          index = stop
        }
        if index == end { return end }
        switch bytes[index] {
        case Byte.quote:
          endSurrogate()
          endString()
          return index + 1
        case Byte.backslash:
          escape = .backslash
          index += 1
        default: return index
        }
      } else {
        if bytes[index] == Byte.newline { return index }
        unescape(bytes[index])
        if state == .brokenLine { return index }
        index += 1
      }
    }
    return index
  }

  private mutating func unescape(_ byte: UInt8) {
    switch escape {
    case .unicode(let left):
      guard let digit = Byte.hexDigit(byte) else {
        state = .brokenLine
        return
      }
      codeUnit = codeUnit << 4 | digit
      escape = left > 1 ? .unicode(digitsLeft: left - 1) : .none
      if left == 1 { endCodeUnit() }
    default:
      escape = .none
      if byte == UInt8(ascii: "u") {
        codeUnit = 0
        escape = .unicode(digitsLeft: 4)
        return
      }
      endSurrogate()
      switch byte {
      case UInt8(ascii: "n"): keep(0x0A)
      case UInt8(ascii: "t"): keep(0x09)
      case UInt8(ascii: "r"): keep(0x0D)
      case UInt8(ascii: "b"): keep(0x08)
      case UInt8(ascii: "f"): keep(0x0C)
      case Byte.quote, Byte.backslash, UInt8(ascii: "/"): keep(byte)
      default: state = .brokenLine
      }
    }
  }

  private mutating func endCodeUnit() {
    switch codeUnit {
    case 0xD800..<0xDC00:
      endSurrogate()
      highSurrogate = codeUnit
    case 0xDC00..<0xE000 where highSurrogate != 0:
      let scalar = 0x10000 + (highSurrogate - 0xD800) << 10 + (codeUnit - 0xDC00)
      highSurrogate = 0
      keep(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    default:
      endSurrogate()
      keep(Unicode.Scalar(codeUnit) ?? "\u{FFFD}")
    }
  }

  /// A high surrogate whose other half didn't follow.
  private mutating func endSurrogate() {
    if highSurrogate != 0 {
      highSurrogate = 0
      keep("\u{FFFD}" as Unicode.Scalar)
    }
  }

  private mutating func keep(_ run: UnsafeBufferPointer<UInt8>) {
    if state == .inKey {
      for byte in run.prefix(17) { name.append(byte) }
    } else {
      collector.append(run)
    }
  }

  private mutating func keep(_ byte: UInt8) {
    if state == .inKey { name.append(byte) } else { collector.append(byte) }
  }

  private mutating func keep(_ scalar: Unicode.Scalar) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { keep(byte) }
  }

  private mutating func endString() {
    if state == .inKey {
      state = .colon
    } else {
      if let target, let field = shape.nodes[target].field { set(field, .string(collector.text)) }
      state = .afterValue
    }
  }

  private mutating func endScalar() {
    state = .afterValue
    let text = collector.text
    guard !text.isCut, let value = EventSkimmer.scalar(text.head) else {
      state = .brokenLine
      return
    }
    guard let target, let field = shape.nodes[target].field else { return }
    // `0.5` and `1e-400` are no exit codes, and not 0.
    let isWhole = field != .exit || text.head.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    set(field, isWhole ? value : .null)
  }

  private mutating func set(_ field: EventField, _ value: FieldValue) {
    record.set(field, value, element: frames.contains { $0.isList } ? elementsSeen : 0)
  }

  private static func scalar(_ text: String) -> FieldValue? {
    switch text {
    case "true": .bool(true)
    case "false": .bool(false)
    case "null": .null
    // Foundation's own reading of numbers also takes names such as `nan`, but those never begin like a number.
    default: Double(text).flatMap { $0.isFinite ? .number($0) : nil }
    }
  }
}

/// The bytes that matter in JSON lines, and fast ways past the others.
enum Byte {
  static let newline = UInt8(ascii: "\n")
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let colon = UInt8(ascii: ":")
  static let comma = UInt8(ascii: ",")

  @inline(__always) static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

  static func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The index of the next newline; `end` if there is none.
  static func newlineIndex(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    guard start < end, let found = memchr(bytes + start, Int32(newline), end - start) else { return end }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes)
  }

  /// The index of the next quote, backslash or newline; `end` if there is none. Eight bytes at a time: a byte of a word that equals the
  /// wanted one becomes zero by exclusive or, and the lowest zero byte is found by the borrow it causes.
  @inline(__always) static func endOfRun(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    let raw = UnsafeRawPointer(bytes)
    while index + 8 <= end {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let hits = zeroBytes(word ^ 0x2222_2222_2222_2222) | zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C) | zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A)
      if hits != 0 { return index + hits.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < end {
      let byte = bytes[index]
      if byte == quote || byte == backslash || byte == newline { return index }
      index += 1
    }
    return end
  }

  @inline(__always) private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }
}
