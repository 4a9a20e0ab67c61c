import JSON

/// One line of input.
package enum Frame: Sendable, Equatable {
  case line([UInt8])
  /// A line over the limit: only its first bytes were kept.
  case tooLong(prefix: [UInt8])
}

/// Splits bytes into lines at LF; a CR before it is dropped, empty lines are passed over.
package struct LineFraming: Sendable {
  package static let defaultLimit = 8 << 20
  package static let keptPrefix = 4 << 10

  private let limit: Int
  private var partial: [UInt8] = []
  private var skipping = false

  package init(limit: Int = LineFraming.defaultLimit) { self.limit = limit }

  package mutating func feed(_ bytes: UnsafeRawBufferPointer) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      append(rest[..<newline])
      if let frame = endLine() { frames.append(frame) }
      rest = rest[rest.index(after: newline)...]
    }
    append(rest)
    return frames
  }

  /// What stood after the last LF, at end of file.
  package mutating func finish() -> Frame? { endLine() }

  private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    if skipping { return }
    partial.append(contentsOf: bytes)
    if partial.count > limit {
      skipping = true
      partial = Array(partial.prefix(LineFraming.keptPrefix))
    }
  }

  private mutating func endLine() -> Frame? {
    defer {
      partial = []
      skipping = false
    }
    if skipping { return .tooLong(prefix: partial) }
    if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
    return partial.isEmpty ? nil : .line(partial)
  }
}

extension RequestID {
  /// The top-level `id` of a message of which only the beginning is known.
  package init?(inPrefix bytes: [UInt8]) {
    var depth = 0
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        guard let end = RequestID.endOfString(bytes, from: index) else { return nil }
        let name = bytes[(index + 1)..<end]
        index = end
        guard depth == 1, name.elementsEqual("id".utf8) else { break }
        var value = bytes[(end + 1)...].drop { RequestID.isSpace($0) }
        guard value.first == UInt8(ascii: ":") else { break }
        value = value.dropFirst().drop { RequestID.isSpace($0) }
        let last =
          value.first == UInt8(ascii: "\"")
          ? RequestID.endOfString(bytes, from: value.startIndex).map { $0 + 1 } : value.firstIndex { !RequestID.isNumber($0) }
        guard let last, let parsed = try? JSONValue(parsing: bytes[value.startIndex..<last]) else { return nil }
        self.init(parsed)
        return
      default: break
      }
      index += 1
    }
    return nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
  private static func isNumber(_ byte: UInt8) -> Bool { "-+.eE".utf8.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func endOfString(_ bytes: [UInt8], from quote: Int) -> Int? {
    var index = quote + 1
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\"") { return index }
      index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }
}
