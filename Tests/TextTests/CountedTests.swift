import Testing

@testable import Text

@Suite struct CountedTests {
  @Test func oneIsOneAndAllElseIsMany() { #expect([1, 0, 2].map { counted($0, "file") } == ["1 file", "0 files", "2 files"]) }
}
