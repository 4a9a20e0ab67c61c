import Testing

@testable import JSON

@Suite struct JSONValueTests {
  @Test func membersKeepTheirOrder() {
    let value: JSONValue = ["z": 1, "a": [true, .null, 2.5], "m": ["x": "y"]]
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
    // Half a surrogate pair is U+FFFD, as other readers have it.
    for (text, meant) in [
      (#"\ud83d"#, "\u{FFFD}"), (#"\udc00x"#, "\u{FFFD}x"), (#"\ud83d icon"#, "\u{FFFD} icon"), (#"\ud800\u0041"#, "\u{FFFD}A"),
      (#"\ud83d\ud83d\ude00"#, "\u{FFFD}\u{1F600}"), (#"\ud800\n"#, "\u{FFFD}\n"),
    ] {
      #expect(try JSONValue(parsing: Array("\"\(text)\"".utf8)) == .string(meant), "\(text)")
    }
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
