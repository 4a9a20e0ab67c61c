import Testing

@testable import Desk

@Suite struct LiveScreenTests {
  @Test func theBottomIsDrawnAgainOnlyWhenItChanges() {
    var screen = LiveScreen()
    #expect(screen.draw(["one", "two"], width: 80) == "one\ntwo")
    #expect(screen.draw(["one", "two"], width: 80) == "")
    #expect(screen.draw(["one", "2"], width: 80) == "\r\u{1B}[1A\u{1B}[Jone\n2")
    #expect(screen.print("event", width: 80) == "\r\u{1B}[1A\u{1B}[Jevent\n")
    // After a line above it is drawn again, though it is the same.
    #expect(screen.draw(["one", "2"], width: 80) == "one\n2")
    #expect(screen.clear(width: 80) == "\r\u{1B}[1A\u{1B}[J")
    #expect(screen.clear(width: 80) == "")
  }

  /// A terminal that has become narrower has wrapped what was drawn.
  @Test func wrappedRowsAreTakenAwayToo() {
    var screen = LiveScreen()
    _ = screen.draw([String(repeating: "a", count: 79), String(repeating: "日", count: 30)], width: 80)
    #expect(screen.clear(width: 40) == "\r\u{1B}[3A\u{1B}[J")
    #expect(screen.draw(["one"], width: 40) == "one")
    #expect(screen.draw(["one"], width: 20) == "\r\u{1B}[Jone")
  }
}
