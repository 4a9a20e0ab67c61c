import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What OpenCode 2's companions answer, in the shapes of its releases, and what it can't do and is refused before a start.
@Suite(.blocking) struct CompanionAnswersTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private func play(_ more: JSONObject = [:]) throws {
    var script: JSONObject = ["version": "2.0.26", "turns": [["text": "Done."]]]
    script.merge(more)
    try world.standIn(.object(script))
  }

  private func delegate(_ more: JSONObject = [:]) throws -> JSONValue { try client.call("opencode_run_and_wait", world.task(more)) }

  @Test func theReleasesTotalsHaveNamesOfTheirOwn() throws {
    try play()
    _ = try delegate()
    let client = try MCPClient(world, extra: ["OPENCODE_WORKER_CWD": world.repository])
    try client.initialize()
    for arguments in [["aggregate": true], ["days": 0], ["project": ""]] as [JSONObject] {
      let totals = try client.call("opencode_usage", arguments)
      #expect(totals["sessions"]?.int == 1, "\(totals.text)")
      #expect(totals["messages"] == nil && totals["days"] == nil && totals["rounded"] == nil)
      #expect(totals["prompts"]?.int == 1 && totals["steps"]?.int == 1 && totals["activeDays"]?.int == 1, "\(totals.text)")
      let row = totals["models"]?.array?.first
      #expect(row?["model"] == "stand-in/m1" && row?["steps"]?.int == 1 && row?["input"]?.int == 200, "\(totals.text)")
    }
    #expect(try client.call("opencode_usage", ["aggregate": true, "models": false])["models"] == nil)
  }

  @Test func whoIsSignedInIsWhoHasAConnection() throws {
    try play(["credentials": ["anthropic"]])
    #expect(try client.call("opencode_check_model", ["model": "anthropic/none"])["providerSignedIn"]?.bool == true)
    #expect(try client.call("opencode_check_model", ["model": "openai/none"])["providerSignedIn"]?.bool == false)
  }

  @Test(arguments: ["Standalone server exited before reporting readiness", "database is locked"]) func whatMayPassIsAskedOnceMore(words: String) throws {
    try play(["commands": ["stats": ["error": .string(words), "times": 1]]])
    #expect(try client.call("opencode_usage", ["aggregate": true])["error"] == nil)
    // A run isn't begun again: nobody knows what the first one did.
    try play(["commands": ["run": ["error": .string(words), "times": 1]]])
    let reply = try delegate()
    #expect(reply["state"]?.string == "failed" && reply["reason"]?.string == "\(words) (exit 1)", "\(reply.text)")
  }

  @Test func anEmptyListOfModelsIsAskedForOnceMore() throws {
    try play(["commands": ["models": ["exit": 0, "times": 1]]])
    let list = try client.call("opencode_models")
    #expect(list["models"]?.array?.contains("stand-in/m1") == true && list["unknown"] == nil, "\(list.text)")
  }

  @Test func aRefusalSaysWhatWasRefused() throws {
    try play(["commands": ["stats": ["stdout": "USAGE\n  opencode stats\n", "stderr": "\nERRORS\n  Unrecognized flag: --all\n", "exit": 1]]])
    let error = try client.call("opencode_usage", ["aggregate": true])["error"]
    #expect(error?["message"]?.string?.contains("`opencode stats` ended with exit 1: Unrecognized flag: --all") == true, "\(error?.text ?? "")")
  }

  @Test func attachmentsThatCannotBeAreRefusedBeforeTheStart() throws {
    try play()
    try PrivateFiles.createFolder(world.path("repository/folder"))
    try world.write("repository/big.bin", String(repeating: "x", count: (10 << 20) + 1))
    try world.write("repository/fits.bin", String(repeating: "x", count: 10 << 20))
    try FileManager.default.createSymbolicLink(atPath: world.path("repository/link"), withDestinationPath: "folder")
    let hundred = JSONValue(strings: Array(repeating: "README.md", count: 101))
    let refused: [(JSONValue, String)] = [
      (["big.bin"], "larger than 10 MiB"), (["folder"], "a folder"), (["README.md", "link"], "a folder"), (hundred, "101 files"),
    ]
    for (files, words) in refused {
      let error = try delegate(["files": files])["error"]
      #expect(error?["code"] == "bad_argument" && error?["message"]?.string?.contains(words) == true, "\(error?.text ?? "")")
    }
    #expect(try delegate(["files": ["fits.bin", "README.md"]])["state"]?.string == "completed")
    // 1.x has no such limits.
    try play(["version": "1.18.34"])
    #expect(try delegate(["files": ["big.bin", "folder"]])["state"]?.string == "completed")
  }
}
