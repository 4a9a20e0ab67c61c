import Testing

@testable import Text

@Suite struct TerminalTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("\u{1B}[31mred\u{1B}[0m", "red"), ("a\u{1B}[2K\u{1B}[1;5Hb", "ab"), ("\u{1B}]0;title\u{07}x", "x"),
    ("\u{1B}]8;;https://a.b\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"), ("\u{1B}(Bx", "x"), ("cut \u{1B}[3", "cut "), ("\u{1B}]52;c;AAAA\nnext", "\nnext"),
    ("\u{1B}\u{1B}[31mx", "x"), ("\u{1B}P1;2|data\u{1B}\\x", "x"),
  ])
  func escapeSequencesGoWithAllThatBelongsToThem(text: String, plain: String) { #expect(TerminalText.plain(text) == plain) }

  @Test(arguments: ["\u{9B}31m", "\u{202E}", "\u{2066}", "\r", "\u{08}", "\u{07}", "\u{7F}", "\u{0}", "\u{85}", "\u{FEFF}", "\u{E0041}", "\u{200F}"])
  func nothingThatMovesHidesOrTurnsIsPrinted(text: String) {
    let shown = TerminalText.printable("a\(text)b")
    #expect(shown.hasPrefix("a") && shown.hasSuffix("b") && shown.contains("\u{FFFD}"))
    #expect(!shown.unicodeScalars.contains { text.unicodeScalars.first == $0 })
  }

  @Test func inJSONTheyAreWrittenAsEscapesOfTheSameValue() {
    #expect(TerminalText.escapedInJSON("{\"a\": \"é日\"}") == "{\"a\": \"é日\"}")
    #expect(TerminalText.escapedInJSON("[\"\u{9B}31m \u{202E}x\u{7F}\u{E0041}\"]") == #"["\u009b31m \u202ex\u007f\udb40\udc41"]"#)
  }

  @Test func ordinaryTextIsPrintedAsItIs() {
    for text in ["", "a\tb\nc", "é日本語", "👩‍👩‍👧", "ZWJ\u{200D}"] { #expect(TerminalText.printable(text) == text) }
  }
}
