import JSONRPC
import Testing

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

  @Test(arguments: ["{", "[1,]", "{\"a\":1e400}", "\"\\ud800\"", "{\"a\":01}", "nope", "{} {}", String(repeating: "[", count: 100_000)])
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

  @Test func responsesAreTakenAndDropped() {
    for text in ["{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"x\"}}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"] {
      guard case .response = Message(line: Array(text.utf8)) else {
        Issue.record("not dropped: \(text)")
        continue
      }
    }
  }
}

@Suite struct JSONValueTests {
  @Test func membersKeepTheirOrder() {
    let value: JSONValue = ["z": 1, "a": [true, nil, 2.5], "m": ["x": "y"]]
    #expect(value.text == "{\"z\":1,\"a\":[true,null,2.5],\"m\":{\"x\":\"y\"}}")
  }

  @Test func everyTextSurvivesBeingWrittenAndRead() throws {
    let texts = ["", "\u{0}\u{1F}\u{7F}", "\"\\/\u{8}\u{C}\n\r\t", "é e\u{301} 👩‍👩‍👧 \u{2028}\u{FEFF}", "\u{10FFFF}"]
    for text in texts where !text.contains("\u{0}") {
      #expect(try JSONValue(parsing: JSONValue.string(text).bytes).string.map { Array($0.utf8) } == Array(text.utf8))
    }
  }

  @Test func numbersAreWhatTheyWere() throws {
    for text in ["0", "-1", "9223372036854775807", "-9223372036854775808", "2.5", "0.0021", "1e+300"] {
      #expect(try JSONValue(parsing: Array(text.utf8)).text == text)
    }
    #expect(JSONValue.number(.infinity).text == "null")
    #expect(JSONValue.number(3).int == 3)
    #expect(JSONValue.number(1e19).int == nil)
  }

  @Test func aMemberSetToNilIsLeftOut() {
    var object: JSONObject = ["a": 1, "b": 2]
    object["a"] = nil
    #expect(JSONValue.object(object).text == "{\"b\":2}")
  }
}
