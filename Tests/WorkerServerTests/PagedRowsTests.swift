import JSON
import Testing

@testable import MCP

@Suite struct PagedRowsTests {
  /// A row larger than all the room must not hold up those behind it.
  @Test func followingTheCursorShowsEveryRowOnce() {
    let rows: [JSONValue] = ["a", .string(String(repeating: "b", count: 500)), "c", "d"]
    var (offset, seen, pages): (Int, [JSONValue], Int) = (0, [], 0)
    while offset < rows.count, pages < 10 {
      var structured = JSONObject()
      ReplyBound.add(rows, as: "rows", from: offset, bytes: 100, to: &structured)
      seen += structured["rows"]?.array ?? []
      #expect((structured["nextCursor"] != nil) == (seen.count < rows.count) && (structured["cut"] != nil) == (seen.count < rows.count))
      offset = structured["nextCursor"]?.string.flatMap { Int($0) } ?? rows.count
      pages += 1
    }
    #expect(seen == rows && pages == 3)
  }
}
