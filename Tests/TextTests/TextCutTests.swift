import Testing

@testable import Text

@Suite struct TextCutTests {
  private let texts = ["", "a", String(repeating: "x", count: 100), String(repeating: "é", count: 60), String(repeating: "👩‍👩‍👧", count: 20), "a\u{301}\u{302}bc"]

  @Test(arguments: [0, 1, 3, 7, 8, 20, 50, 99, 1000])
  func aCutTextKeepsItsBoundItsEndsAndItsCharacters(bytes: Int) {
    for text in texts {
      let cut = TextCut.headAndTail(text, bytes: bytes)
      #expect(cut.utf8.count <= max(bytes, " [...] ".utf8.count))
      if text.utf8.count <= bytes {
        #expect(cut == text)
      } else {
        let parts = cut.components(separatedBy: " [...] ")
        #expect(parts.count == 2)
        #expect(text.hasPrefix(parts[0]) || parts[0].unicodeScalars.count <= text.unicodeScalars.count)
        #expect(Array(text.unicodeScalars.prefix(parts[0].unicodeScalars.count)) == Array(parts[0].unicodeScalars))
        #expect(Array(text.unicodeScalars.suffix(parts[1].unicodeScalars.count)) == Array(parts[1].unicodeScalars))
      }
    }
  }

  @Test func theFirstLineThatSaysSomethingIsTheTitle() {
    #expect(TextCut.firstLine("\n  \n  Fix it.\nMore.", bytes: 60) == "Fix it.")
    #expect(TextCut.firstLine(String(repeating: "w", count: 100), bytes: 10) == "wwwwwww...")
    #expect(TextCut.firstLine("\n\n", bytes: 10) == "")
  }
}
