import JSON
import Testing

@testable import MCP
@testable import Text

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

@Suite struct ReplyBoundTests {
  @Test func whateverIsInAReplyItFitsAndIsStillJSON() throws {
    let quotes = String(repeating: "\"\\\n\u{1}é", count: 5000)
    let replies: [JSONObject] = [
      ["run": "20261122-162803-k3f9", "answer": .string(quotes)],
      ["list": .array((0..<5000).map { JSONValue($0) }), "run": "20261122-162803-k3f9"],
      ["run": "20261122-162803-k3f9", "deep": .array((0..<300).map { ["a": ["b": ["c": .string("\($0) \(quotes.prefix(300))")]]] })],
      ["run": "20261122-162803-k3f9", "attention": JSONValue(strings: (0..<500).map { "sentence \($0) " + String(repeating: "z", count: 200) })],
    ]
    for structured in replies {
      let fitted = ReplyBound.fit(ToolReply(text: quotes, structured: structured))
      let bytes = JSONValue.object(fitted.structured).bytes
      #expect(bytes.count < ReplyBound.limit)
      #expect(fitted.text.utf8.count <= 600)
      #expect(fitted.structured["cut"]?.bool == true)
      #expect(fitted.structured["run"]?.string == "20261122-162803-k3f9")
      #expect(try JSONValue(parsing: bytes).object != nil)
    }
  }

  @Test func whatFitsIsNotTouched() {
    let reply = ToolReply(text: "x", structured: ["answer": "short"])
    #expect(ReplyBound.fit(reply).structured == reply.structured)
  }
}

@Suite struct ClientTests {
  private func slice(_ name: String, _ version: String, _ environment: [String: String] = [:]) -> Double {
    WaitSlice.seconds(for: ClientInfo(["name": .string(name), "version": .string(version)]), environment: environment)
  }

  @Test func theLengthOfAWaitFollowsTheClient() {
    #expect(slice("codex-mcp-client", "0.163.0") == 280)
    #expect(slice("codex-mcp-client", "0.200.1-alpha.3") == 280)
    #expect(slice("codex-mcp-client", "1.0.0") == 280)
    #expect(slice("codex-mcp-client", "0.162.9") == 50)
    #expect(slice("codex-mcp-client", "nonsense") == 50)
    #expect(slice("another", "9.9") == 50)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "3540"]) == 3540)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "-1"]) == 50)
    #expect(slice("another", "9.9", ["OPENCODE_WORKER_WAIT_SECONDS": "nan"]) == 50)
  }

  private let readRoot: JSONValue = ["path": ["type": "special", "value": ["kind": "root"]], "access": "read"]
  private func managed(_ entries: [JSONValue]) -> JSONValue {
    ["type": "managed", "file_system": ["type": "restricted", "entries": .array(entries)], "network": "restricted"]
  }

  @Test func onlyAProfileWithoutAnyWritingIsReadOnly() {
    #expect(SandboxProfile.isReadOnly(managed([readRoot])))
    #expect(!SandboxProfile.isReadOnly(managed([readRoot, ["path": ["type": "path", "path": "/w"], "access": "write"]])))
    #expect(!SandboxProfile.isReadOnly(["type": "disabled"]))
    #expect(!SandboxProfile.isReadOnly(["type": "managed", "file_system": ["type": "unrestricted"]]))
    #expect(!SandboxProfile.isReadOnly(nil))
  }

  @Test func theWorkspaceIsAPathOrAFileURL() {
    #expect(CallContext.path(fromURLOrPath: "/a b") == "/a b")
    #expect(CallContext.path(fromURLOrPath: "file:///w%C3%B6rk%20dir") == "/wörk dir")
    #expect(CallContext.path(fromURLOrPath: "https://x/y") == nil)
    #expect(CallContext.path(fromURLOrPath: "relative") == nil)
  }
}

@Suite struct PagedRowsTests {
  /// A row larger than all the room must not hold up those behind it.
  @Test func followingTheCursorShowsEveryRowOnce() {
    let rows: [JSONValue] = ["a", .string(String(repeating: "b", count: 500)), "c", "d"]
    var (offset, seen, pages): (Int, [JSONValue], Int) = (0, [], 0)
    while offset < rows.count, pages < 10 {
      var structured = JSONObject()
      ReplyBound.add(rows, as: "rows", from: offset, bytes: 100, to: &structured)
      seen += structured["rows"]?.array ?? []
      #expect((structured["nextCursor"] != nil) == (seen.count < rows.count) && (structured["cut"] != nil) == (seen.count < rows.count))
      offset = structured["nextCursor"]?.string.flatMap { Int($0) } ?? rows.count
      pages += 1
    }
    #expect(seen == rows && pages == 3)
  }
}
