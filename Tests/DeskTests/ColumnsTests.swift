import Testing

@testable import Desk

@Suite struct ColumnsTests {
  @Test(arguments: [("abc", 3), ("", 0), ("日本語", 6), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("✔️", 2), ("\u{1B}[31mred\u{1B}[0m", 3), ("한글", 4)])
  func textIsAsWideAsATerminalDrawsIt(text: String, width: Int) { #expect(Columns.width(text) == width) }

  /// For a terminal without UTF-8: a column stays a column.
  @Test(arguments: [("plain", "plain"), ("cut…", "cut>"), ("a · b → ─", "a | b > -"), ("日本é", "?????"), ("\u{1B}[31mÛ\u{1B}[0m", "\u{1B}[31m?\u{1B}[0m")])
  func withoutUTF8(text: String, ascii: String) { #expect(Columns.ascii(text) == ascii) }

  @Test func whatIsCutIsSaidAndColoursEnd() {
    #expect(Columns.fit("abcdef", 6) == "abcdef")
    #expect(Columns.fit("abcdef", 5) == "abcd…")
    #expect(Columns.fit("日本語", 5) == "日本…")
    #expect(Columns.fit("日本語", 4) == "日…")
    #expect(Columns.fit("\u{1B}[31mabcdef\u{1B}[0m", 4) == "\u{1B}[31mabc…\u{1B}[0m")
    for limit in 2...8 { #expect(Columns.width(Columns.fit("a日b本c語d", limit)) <= limit) }
  }
}
