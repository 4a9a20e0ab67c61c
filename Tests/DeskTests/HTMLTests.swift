import Testing

@testable import Desk

@Suite struct HTMLTests {
  @Test func nothingFromOutsideIsMarkup() {
    #expect(HTML.text("<script>'\"&</script>\u{202E}\u{1B}[31m") == "&lt;script&gt;&#39;&quot;&amp;&lt;/script&gt;\u{FFFD}")
  }
}
