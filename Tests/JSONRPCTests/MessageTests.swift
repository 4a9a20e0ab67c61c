import JSON
import Testing

@testable import JSONRPC

@Suite struct MessageTests {
  private func code(_ text: String) -> Int? {
    if case .invalid(_, let error) = Message(line: Array(text.utf8)) { error.code } else { nil }
  }

  @Test func aRequestKeepsItsIdAndItsType() throws {
    guard case .request(let request) = Message(line: Array("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"ping\"}".utf8)) else {
      Issue.record("not a request")
      return
    }
    #expect(request.id == .string(Array("1".utf8)))
    #expect(request.id != .integer(1))
  }

  @Test func idsThatLookAlikeAreDifferent() {
    // The same letter, composed and decomposed: equal as Swift strings.
    #expect(RequestID(.string("\u{E9}")) != RequestID(.string("e\u{301}")))
  }

  @Test(arguments: [
    "{", "[1,]", "{\"a\":1e400}", "{\"a\":01}", "nope", "{} {}", String(repeating: "[", count: 100_000), "[1]//", "{\"a\":1,}", "\u{FEFF}{}",
    "\"\u{1}\"", "[-]", "[1.]", "[.5]", "[1e]", "[+1]", "\"\\u12\"", "\"\\x\"", "\"", "[\u{0}]", "[1 2]",
    "{\"a\" 1}", "tru",
  ])
  func whatIsNotJSONIsAParseError(text: String) {
    #expect(code(text) == -32700)
  }

  @Test(arguments: [
    "1", "null", "\"x\"", "[]", "{\"id\":1,\"method\":\"x\"}", "{\"jsonrpc\":\"2.0\",\"id\":1}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}",
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}",
  ])
  func whatIsNoMessageIsAnInvalidRequest(text: String) {
    #expect(code(text) == -32600)
  }

  @Test func paramsMustBeAnObject() {
    #expect(code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[1]}") == -32602)
  }

  @Test func bytesThatAreNotUTF8AreAParseError() {
    guard case .invalid(nil, let error) = Message(line: [0x22, 0xFF, 0xFE, 0x22]) else {
      Issue.record("accepted")
      return
    }
    #expect(error.code == -32700)
  }

  @Test func anErrorAboutNothingIsDropped() {
    guard case .ignored = Message(line: Array("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"x\"}}".utf8)) else {
      Issue.record("not dropped")
      return
    }
  }

  @Test func anAnswerHasItsIDAndItsResultOrError() throws {
    func response(_ text: String) -> Response? {
      guard case .response(let response) = Message(line: Array(text.utf8)) else { return nil }
      return response
    }
    let good = try #require(response("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"x\":1}}"))
    #expect(good.id == .string(Array("a".utf8)))
    #expect(try good.result.get() == ["x": 1])
    let bad = try #require(response("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32601,\"message\":\"no\"}}"))
    #expect(bad.id == .integer(7))
    #expect(throws: RPCError(code: -32601, message: "no")) { try bad.result.get() }
  }

  @Test func aWholeNumberIsAnIDHoweverItIsWritten() {
    #expect(RequestID(.number(1)) == .integer(1))
    #expect(RequestID(.number(-3e3)) == .integer(-3000))
    for other in [1.5, 1e19, .infinity] { #expect(RequestID(.number(other)) == nil) }
    #expect(RequestID(.null) == nil)
    guard case .request(let request) = Message(line: Array("{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"ping\"}".utf8)) else {
      Issue.record("id 1.0 is no request")
      return
    }
    #expect(request.id.json.text == "1")
  }
}
