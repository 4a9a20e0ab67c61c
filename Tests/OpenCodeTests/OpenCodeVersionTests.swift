import TestSupport
import Testing

@testable import OpenCode

@Suite struct OpenCodeVersionTests {
  @Test func bothLinesPrintTheirVersionInTheirOwnWay() throws {
    let one = try #require(OpenCodeVersion(try Recording("1.18.34/version").output))
    #expect(one == OpenCodeVersion(1, 18, 34) && one.generation == .v1)
    let two = try #require(OpenCodeVersion("opencode v2.0.22\n"))
    #expect(two == OpenCodeVersion(2, 0, 22) && two.generation == .v2)
    let preview = try #require(OpenCodeVersion(try Recording("2.0-preview-20260807/version").output))
    #expect(preview.generation == .v2 && preview.description == "0.0.0-v2-20260807")
    for text in ["opencode2 v0.0.0-beta-7", "opencode2 v0.0.0-next-15"] { #expect(OpenCodeVersion(text)?.generation == .v2, "\(text)") }
    for text in ["0.15.3", "0.0.0-dev-20250101", "1.0.0-beta.2"] { #expect(OpenCodeVersion(text)?.generation == .v1, "\(text)") }
  }

  @Test func coloursAndNoticesAroundItDoNotMatter() {
    #expect(OpenCodeVersion("Performing one time database migration...\n\u{1B}[0m1.4.0\n") == OpenCodeVersion(1, 4, 0))
    #expect(OpenCodeVersion("1.2.3+build.5") == OpenCodeVersion(1, 2, 3))
  }

  @Test(arguments: ["", "\n", "hello", "1.2", "1.2.3.4", "1..3", "v", "-1.2.3", "node v20.1.0", "99999999999999999999.0.0", "١.٢.٣", "opencode run 1.2.3"])
  func whatIsNoVersionIsNone(text: String) { #expect(OpenCodeVersion(text) == nil) }

  @Test func versionsAreOrderedAsReleasesAre() throws {
    let texts = ["0.15.0", "1.3.2", "1.4.0-beta.2", "1.4.0-beta.11", "1.4.0", "1.17.9", "1.17.12", "1.18.34", "2.0.0-rc.1", "2.0.0"]
    let versions = texts.compactMap { OpenCodeVersion($0) }
    #expect(versions.map(\.description) == texts)
    #expect(versions.shuffled().sorted() == versions)
  }
}
