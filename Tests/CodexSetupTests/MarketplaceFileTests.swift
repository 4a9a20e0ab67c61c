import JSON
import Testing

@testable import CodexSetup

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct MarketplaceFileTests {
  @Test func aNewMarketplaceHoldsOurPluginAndGoesWithIt() throws {
    let addition = try MarketplaceFile.adding(to: nil)
    #expect(addition.name == "personal")
    let file = try #require(addition.bytes)
    #expect(try JSONValue(parsing: file)["plugins"]?.array?.first?["source"]?["path"] == "./.agents/plugins/opencode-worker")
    #expect(try MarketplaceFile.removing(from: file)?.isAsMade == true)
  }

  @Test(arguments: [
    #"{"plugins":[],"name":"theirs"}"#,
    #"{ "name": "theirs", "plugins": [ ] , "z": [1, {"plugins": [2]}] }"#,
    "{\n  \"zeta\": 1,\n  \"name\": \"theirs\",\n  \"plugins\": [\n    {\n      \"name\": \"b]\\\"\",\n      \"source\": \"./x\"\n    }\n  ],\n  \"alpha\": null\n}\n",
    "{\r\n\t\"name\": \"theirs\",\r\n\t\"plugins\": [\r\n\t\t{ \"name\": \"a\" },\r\n\t\t{ \"name\": \"b\" }\r\n\t]\r\n}",
  ])
  func whatOthersWroteKeepsItsBytes(before: String) throws {
    let addition = try MarketplaceFile.adding(to: bytes(before))
    #expect(addition.name == "theirs")
    let after = try #require(addition.bytes)
    let (old, new) = (try JSONValue(parsing: bytes(before))["plugins"]?.array ?? [], try JSONValue(parsing: after)["plugins"]?.array ?? [])
    #expect(new.count == old.count + 1)
    #expect(Array(new.dropLast()) == old)
    #expect(try MarketplaceFile.adding(to: after).bytes == nil)
    let removal = try #require(try MarketplaceFile.removing(from: after))
    #expect(String(decoding: removal.bytes, as: UTF8.self) == before)
    #expect(!removal.isAsMade)
  }

  @Test func anEntryAmongOthersGoesWithItsComma() throws {
    let own = CodexSettings.marketplaceEntry.text
    for list in ["\(own), {\"name\": \"b\"}", "{\"name\": \"a\"}, \(own), {\"name\": \"b\"}", "{\"name\": \"a\"} , \(own)"] {
      let removal = try #require(try MarketplaceFile.removing(from: bytes("{\"name\":\"t\",\"plugins\":[\(list)]}")))
      let left = try JSONValue(parsing: removal.bytes)["plugins"]?.array ?? []
      #expect(!left.isEmpty)
      #expect(!left.contains { $0["name"] == "opencode-worker" })
    }
  }

  @Test(arguments: [
    "", "{", "[]", "7", "{}", #"{"name":"t"}"#, #"{"name":"t","plugins":{}}"#, #"{"plugins":[]}"#, #"{"name":"","plugins":[]}"#,
    #"{"name":"t","plugins":[],"plugins":[]}"#, "{\"name\":\"t\",\"plugins\":[],}", "// comment\n{\"name\":\"t\",\"plugins\":[]}",
    #"{"name":"t","plugins":[{"name":"opencode-worker","source":{"source":"local","path":"./elsewhere"}}]}"#,
    #"{"name":"t","plugins":[{"name":"opencode-worker"}]}"#,
  ])
  func whatCannotBeEditedSafelyIsRefused(text: String) {
    #expect(throws: SetupRefusal.self) { try MarketplaceFile.adding(to: bytes(text)) }
    #expect(throws: SetupRefusal.self) { try MarketplaceFile.removing(from: bytes(text)) }
  }
}
