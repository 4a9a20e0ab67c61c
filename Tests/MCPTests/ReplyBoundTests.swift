import JSON
import TestSupport
import Testing

@testable import MCP

@Suite struct ReplyBoundTests {
  @Test func whateverIsInAReplyItFitsAndIsStillJSON() throws {
    let quotes = String(repeating: "\"\\\n\u{1}é", count: 5000)
    let replies: [JSONObject] = [
      ["run": "20261122-162803-k3f9", "answer": .string(quotes)],
      ["list": .array((0..<5000).map { JSONValue($0) }), "run": "20261122-162803-k3f9"],
      ["run": "20261122-162803-k3f9", "deep": .array((0..<300).map { ["a": ["b": ["c": .string("\($0) \(quotes.prefix(300))")]]] })],
      ["run": "20261122-162803-k3f9", "attention": JSONValue(strings: (0..<500).map { "sentence \($0) " + String(repeating: "z", count: 200) })],
    ]
    for structured in replies {
      let fitted = ReplyBound.fit(ToolReply(text: quotes, structured: structured))
      let bytes = JSONValue.object(fitted.structured).bytes
      #expect(bytes.count < ReplyBound.limit)
      #expect(fitted.text.utf8.count <= 600)
      #expect(fitted.structured["cut"]?.bool == true)
      #expect(fitted.structured["run"]?.string == "20261122-162803-k3f9")
      #expect(try JSONValue(parsing: bytes).object != nil)
    }
  }

  @Test func whatFitsIsNotTouched() {
    let reply = ToolReply(text: "x", structured: ["answer": "short"])
    #expect(ReplyBound.fit(reply).structured == reply.structured)
  }
}
