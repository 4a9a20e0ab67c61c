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
    "{", "[1,]", "{\"a\":1e400}", "\"\\ud800\"", "{\"a\":01}", "nope", "{} {}", String(repeating: "[", count: 100_000), "[1]//", "{\"a\":1,}", "\u{FEFF}{}",
    "\"\u{1}\"", "[-]", "[1.]", "[.5]", "[1e]", "[+1]", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u12\"", "\"\\x\"", "\"", "[\u{0}]", "[1 2]",
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

  @Test func membersThatAreReadKeepTheirOrder() throws {
    let text = "{\"z\":{\"b\":1,\"*\":2,\"a\":3},\"\u{E9}\":0,\"e\u{301}\":1,\"a\":[{\"y\":1,\"x\":2}]}"
    let value = try JSONValue(parsing: text.utf8)
    #expect(value.text == text)
    #expect(value.object?.keys.map { Array($0.utf8).count } == [1, 2, 3, 1])
    #expect(value["e\u{301}"] == 1 && value["\u{E9}"] == 0)
  }

  @Test func ofTwoMembersOfOneNameTheLastCounts() throws {
    #expect(try JSONValue(parsing: #"{"a":1,"b":2,"\u0061":3}"#.utf8).text == #"{"a":3,"b":2}"#)
  }

  @Test func escapesAreReadAsTheyAreMeant() throws {
    #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00\u0000""#.utf8) == "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F600}\u{0}")
  }

  @Test func wholeNumbersAreIntegersHoweverTheyAreWritten() throws {
    #expect(try JSONValue(parsing: "[3.0,-0,1e3,9223372036854775808,1e-400]".utf8) == [3, 0, 1000, 9_223_372_036_854_775_808.0, 0])
  }

  @Test func depthHasALimit() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(try JSONValue(parsing: nested(128).utf8).array?.count == 1)
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(129).utf8) }
  }

  @Test func manyMembersAreReadInLinearTime() throws {
    let text = "{" + (0..<200_000).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + "}"
    #expect(try JSONValue(parsing: text.utf8).object?.members.count == 200_000)
  }

  @Test func aMemberSetToNilIsLeftOut() {
    var object: JSONObject = ["a": 1, "b": 2]
    object["a"] = nil
    #expect(JSONValue.object(object).text == "{\"b\":2}")
  }
}
