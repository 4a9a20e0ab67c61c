/// The byte ranges of a file's lines (without their LF), last first.
package struct BackwardLines {
  private let file: Descriptor
  /// Where the lines that are still to come end.
  private var end: Int64
  private var buffer: [UInt8] = []
  /// Where `buffer` begins in the file.
  private var bufferStart: Int64
  private static let block: Int64 = 64 << 10

  package init(_ file: Descriptor, end: Int64) {
    self.file = file
    self.end = end
    bufferStart = end
  }

  /// - Throws: `PosixError`
  package mutating func next() throws -> Range<Int64>? {
    guard end > 0 else { return nil }
    // The LF that ends this line doesn't count.
    var lineEnd = end
    if try byte(at: end - 1) == UInt8(ascii: "\n") { lineEnd -= 1 }
    var position = lineEnd
    while position > 0 {
      if position <= bufferStart { try load(before: position) }
      let slice = buffer[..<Int(position - bufferStart)]
      if let newline = slice.lastIndex(of: UInt8(ascii: "\n")) {
        let start = bufferStart + Int64(newline) + 1
        end = start
        return start..<lineEnd
      }
      position = bufferStart
    }
    end = 0
    return 0..<lineEnd
  }

  private mutating func byte(at offset: Int64) throws -> UInt8? {
    if offset < bufferStart || offset >= bufferStart + Int64(buffer.count) { try load(before: offset + 1) }
    let index = Int(offset - bufferStart)
    return buffer.indices.contains(index) ? buffer[index] : nil
  }

  private mutating func load(before end: Int64) throws {
    bufferStart = max(0, end - BackwardLines.block)
    buffer = try file.bytes(at: bufferStart, limit: Int(end - bufferStart))
    // The file became shorter under our hands.
    if Int64(buffer.count) < end - bufferStart { buffer += [UInt8](repeating: 0, count: Int(end - bufferStart) - buffer.count) }
  }
}
