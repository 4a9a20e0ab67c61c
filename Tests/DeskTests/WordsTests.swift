import Testing

@testable import Desk

@Suite struct WordsTests {
  @Test func figuresReadAsPeopleWriteThem() {
    let durations = [0, 0.44, 9.99, 10, 59.9, 60, 185, 3599, 3600, 7_620].map(Words.duration)
    #expect(durations == ["0.0 s", "0.4 s", "9.9 s", "10 s", "59 s", "1m 00s", "3m 05s", "59m 59s", "1h 00m", "2h 07m"])
    #expect([0, 0.0931, 0.00006, 0.99995, 1.5, 12.01].map(Words.money) == ["$0.0000", "$0.0931", "$0.0001", "$1.0000", "$1.50", "$12.01"])
    #expect([0, 7, 999, 1000, 48_210, 1_234_567, -5_000].map(Words.grouped) == ["0", "7", "999", "1,000", "48,210", "1,234,567", "-5,000"])
    #expect([.nan, .infinity, -1].map(Words.duration) == ["?", "?", "?"])
  }

  @Test func aLineHoldsNothingThatMovesOrTurns() {
    let line = Words.line("a\u{1B}[2Jb\nc\u{202E}d", 100)
    #expect(line.hasSuffix("b c\u{FFFD}d") && !line.contains("\u{1B}"))
    #expect(Words.line(String(repeating: "é", count: 100), 20).utf8.count <= 20)
  }
}
