import JSON
import Testing

@testable import JSONRPC

@Suite struct FramingTests {
  private func frames(_ chunks: [String], limit: Int = 64) -> [Frame] {
    var framing = LineFraming(limit: limit)
    var all = chunks.flatMap { Array($0.utf8).withUnsafeBytes { framing.feed($0) } }
    if let last = framing.finish() { all.append(last) }
    return all
  }

  private func line(_ text: String) -> Frame { .line(Array(text.utf8)) }

  @Test func linesAreFoundWhereverTheChunksAreCut() {
    #expect(frames(["{\"a\"", ":1}\n{\"b\":2}\n", "{\"c\":3}"]) == [line("{\"a\":1}"), line("{\"b\":2}"), line("{\"c\":3}")])
  }

  @Test func aCarriageReturnAndEmptyLinesArePassedOver() {
    #expect(frames(["a\r\n\n\r\nb\n"]) == [line("a"), line("b")])
  }

  @Test func aLineSeparatorOfUnicodeIsNoLineEnd() {
    #expect(frames(["a\u{2028}b\n"]) == [line("a\u{2028}b")])
  }

  @Test func aLineOverTheLimitIsRefusedAndTheNextOneIsReadAgain() {
    let long = String(repeating: "x", count: 100)
    #expect(frames([long, long + "\nshort\n"]) == [.tooLong(prefix: Array(long.utf8)), line("short")])
    #expect(frames([long + long]) == [.tooLong(prefix: Array((long + long).utf8))])
  }

  @Test(arguments: [
    ("{\"jsonrpc\":\"2.0\",\"id\":17,\"method\":\"x", RequestID.integer(17)),
    ("{ \"id\" : \"a\\\"b\" , \"params\": {", .string(Array("a\"b".utf8))),
    ("{\"params\":{\"id\":1},\"id\":2,", .integer(2)),
  ])
  func theIdOfAnOversizedMessageIsFoundAtItsBeginning(prefix: String, id: RequestID) {
    #expect(RequestID(inPrefix: Array(prefix.utf8)) == id)
  }

  @Test(arguments: ["{\"params\":{\"id\":1},\"x\":\"", "{\"id\":1", "{\"id\":\"abc", "{\"id\":null,", "[{\"id\":1}", "", "{\"id"])
  func anIdThatIsNotCertainIsNotInvented(prefix: String) {
    #expect(RequestID(inPrefix: Array(prefix.utf8)) == nil)
  }
}
