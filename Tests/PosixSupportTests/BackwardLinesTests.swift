import Foundation
import TestSupport
import Testing

@testable import PosixSupport

@Suite struct BackwardLinesTests {
  /// The lines of a file as `BackwardLines` finds them, put back into their order.
  private func lines(_ bytes: [UInt8], end: Int64? = nil) throws -> [[UInt8]] {
    let scratch = try Scratch()
    try scratch.append(bytes, to: "log")
    let file = try Descriptor.open(scratch.path("log"), O_RDONLY)
    defer { file.close() }
    var backward = BackwardLines(file, end: end ?? Int64(bytes.count))
    var found: [[UInt8]] = []
    while let range = try backward.next() { found.insert(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]), at: 0) }
    return found
  }

  /// What reading from the beginning finds.
  private func forward(_ bytes: [UInt8]) -> [[UInt8]] {
    var all = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    if all.last?.isEmpty == true { all.removeLast() }
    return all
  }

  @Test(arguments: ["", "\n", "\n\n", "a", "a\n", "a\nb", "a\n\nb\n", "\na", "é\n\u{2028}\n"])
  func smallFilesAreReadAsTheyAreFromTheFront(text: String) throws {
    #expect(try lines(Array(text.utf8)) == forward(Array(text.utf8)))
  }

  /// Lines that end just before, at and after the edge of a block, and lines longer than several blocks.
  @Test(arguments: [65_534, 65_535, 65_536, 65_537, 131_072, 200_000])
  func aLineMayCrossTheEdgeOfABlock(length: Int) throws {
    for before in [0, 1, 3] {
      var bytes: [UInt8] = []
      for _ in 0..<before { bytes += Array("short\n".utf8) }
      bytes += [UInt8](repeating: 0x78, count: length) + [0x0A] + Array("last".utf8)
      #expect(try lines(bytes) == forward(bytes))
      #expect(try lines(bytes + [0x0A]) == forward(bytes + [0x0A]))
    }
  }

  @Test func readingBeginsWhereItIsTold() throws {
    let bytes = Array("one\ntwo\nthree\n".utf8)
    #expect(try lines(bytes, end: 8) == [Array("one".utf8), Array("two".utf8)])
    #expect(try lines(bytes, end: 7) == [Array("one".utf8), Array("two".utf8)])
    #expect(try lines(bytes, end: 0) == [])
  }

  @Test func aFileThatBecameShorterIsNoCrash() throws {
    let scratch = try Scratch()
    try scratch.append([UInt8](repeating: 0x0A, count: 200_000), to: "log")
    let file = try Descriptor.open(scratch.path("log"), O_RDONLY)
    defer { file.close() }
    var backward = BackwardLines(file, end: 200_000)
    _ = try backward.next()
    #expect(truncate(scratch.path("log"), 10) == 0)
    var count = 0
    while try backward.next() != nil { count += 1 }
    #expect(count < 200_000)
  }
}
