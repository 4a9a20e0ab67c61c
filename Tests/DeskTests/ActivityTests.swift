import Testing

@testable import Desk

@Suite struct ActivityTests {
  /// What is left out of a sentence that has no room: its long part first.
  @Test func theLongPartIsShortenedFirst() {
    let activity = RunCard.Activity("refused: ", "Rate limit reached for requests", " (5 x)")
    #expect(activity.text == "refused: Rate limit reached for requests (5 x)" && activity.least == 31)
    #expect(activity.fitted(60) == activity.text)
    #expect(activity.fitted(31) == "refused: Rate limit reac… (5 x)")
    #expect(activity.fitted(30) == "refused: Rate limit reached f…")
    #expect(activity.fitted(8) == "refused…")
    for width in 1...60 { #expect(Columns.width(activity.fitted(width)) <= width) }
    #expect(RunCard.Activity("thinking, ", "bash: a\nb\u{1B}[31m").text == "thinking, bash: a b")
    #expect(RunCard.Activity("OpenCode is starting").fitted(12) == "OpenCode is…")
  }
}
