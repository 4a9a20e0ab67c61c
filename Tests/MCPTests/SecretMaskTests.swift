import JSON
import Testing

@testable import MCP

@Suite struct SecretMaskTests {
  private func masked(_ text: String) -> (String, Int) {
    var count = 0
    return (SecretMask.apply(to: text, count: &count), count)
  }

  @Test(arguments: [
    "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789", "sk-proj-0123456789abcdefghij", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0123456789_abcdefghijklmnop", "AKIA0123456789ABCDEF", "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "xoxb-123456789012-123456789012-abcdefabcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijk", "glpat-0123456789abcdefghij",
  ])
  func keysAreHiddenWholeWhereverTheyStand(key: String) {
    for text in [key, "the key is \(key).", "KEY=\(key)", "\"\(key)\"", "(\(key))", "a\n\(key)\nb"] {
      let (hidden, count) = masked(text)
      #expect(count == 1, "\(text)")
      #expect(!hidden.contains(key), "\(hidden)")
      #expect(hidden.contains("[masked]"))
    }
  }

  @Test(arguments: [
    "ses_dfb5b562affe42w1mZ7TjS95O9", "msg_20409c4b600190TMp2L0EvD0Uz", "20261122-162803-k3f9", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "docs/sk-0123456789abcdefghijkl/readme.md", "/tmp/ghp_0123456789abcdefghijABCDEFGHIJ012345/x", "sk-learn-compatible-estimators-list",
    "sk-short", "task-0123456789abcdefghij", "npm_config_registry", "Ysk-0123456789abcdefghijkl",
  ])
  func idsPathsAndWordsStayAsTheyAre(text: String) {
    #expect(masked(text) == (text, 0))
  }

  @Test func membersThatHoldIdsOrPathsAreNotTouched() {
    var count = 0
    let key = "sk-0123456789abcdefghijkl"
    let value: JSONValue = ["path": .string(key), "session": .string(key), "answer": [.string(key), ["x": .string("a \(key) b")]]]
    let result = SecretMask.apply(to: value, count: &count)
    #expect(result["path"]?.string == key)
    #expect(count == 2)
    #expect(!(result["answer"]?.text.contains(key) ?? true))
  }
}
