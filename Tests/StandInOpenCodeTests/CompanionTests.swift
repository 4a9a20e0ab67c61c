import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import StandInOpenCode

/// Subcommands beside `run`, and the words of both generations.
@Suite(.blocking) struct CompanionTests {
  @Test func versions() throws {
    let banners = [
      "1.18.34": "1.18.34", "2.0-preview": "opencode2 v0.0.0-v2-20260807", "0.0.0-beta-12": "opencode2 v0.0.0-beta-12",
      "0.0.0-next-3": "opencode2 v0.0.0-next-3", "2.2": "opencode v2.2", "2.3.2": "opencode v2.3.2",
    ]
    for (version, banner) in banners { #expect(try Stage(["version": .string(version)]).run("--version").output == banner + "\n") }
  }

  @Test func statisticsOfTwo() throws {
    let shell: JSONValue = ["name": "shell", "arguments": ["command": "true"]]
    let stage = try Stage(["version": "2.0.26", "turns": [["tools": [shell]], ["text": "ok"]]])
    _ = try stage.run("run", "--standalone", "--format", "json", "--model=stand-in/m2", "go")
    let all = try stage.ask("stats", "--json", "--all", "--standalone")
    #expect(all["sessions"] == 1 && all["prompts"] == 1 && all["steps"] == 2 && all["activeDays"] == 1 && all["tools"]?["succeeded"] == 1)
    #expect(all["tokens"]?["input"] == 400 && all["cost"] == 0.00072)
    #expect(all["models"]?.array?.first?["model"] == ["providerID": "stand-in", "id": "m2"])
    for range in [["--days", "0"], ["--days", "1"], [], ["--project", "."]] {
      #expect(try stage.run(["stats", "--json", "--standalone"] + range).output.contains("\"sessions\": 1"))
    }
    #expect(try stage.run(["stats", "--json", "--standalone", "--year", "2001"]).output.contains("\"sessions\": 0"))
    let elsewhere = stage.folder + "/elsewhere/.git"
    try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
    let other = try stage.run(["stats", "--json", "--standalone", "--all", "--project", "."], in: stage.folder + "/elsewhere")
    #expect(other.output.contains("\"sessions\": 0"))
    let mixed = try stage.run("stats", "--json", "--all", "--days", "1", "--standalone")
    #expect(mixed.exit == 1 && mixed.errors.contains("cannot be combined"))
    for command in ["stats", "auth", "session"] {
      #expect(try Stage(["version": "2.0-preview"]).run(command, "list", "--standalone").exit == 1)
    }
  }

  @Test func whoIsSignedInToTwo() throws {
    let stage = try Stage(["version": "2.0.26", "credentials": ["anthropic"]])
    let rows = try stage.ask("auth", "list", "--format", "json", "--standalone").array
    #expect(rows?.first?["id"] == "anthropic" && rows?.first?["name"] == "Anthropic")
    #expect(rows?.first?["connections"]?.array?.first?["type"] == "credential" && rows?.first?["connections"]?.array?.first?["label"] == "default")
    #expect(try Stage(["version": "2.0.26"]).ask("auth", "list", "--format", "json", "--standalone") == [])
  }

  @Test func commandsThatMisbehaveForATime() throws {
    let stage = try Stage([
      "version": "2.0.26",
      "commands": [
        "models": ["stdout": "", "exit": 0, "times": 1], "stats": ["error": "Standalone server exited before reporting readiness", "times": 1],
        "api": ["error": "database is locked"], "api /message": ["stdout": "[]\n", "exit": 3],
      ],
    ])
    #expect(try stage.run("models", "--standalone").output.isEmpty)
    #expect(try stage.run("models", "--standalone").output.hasPrefix("stand-in/m1\n"))
    let first = try stage.run("stats", "--json", "--all", "--standalone")
    #expect(first.exit == 1 && first.errors.contains("ERROR (#1): Error: Standalone server exited before reporting readiness"))
    #expect(try stage.run("stats", "--json", "--all", "--standalone").exit == 0)
    #expect(try stage.run("api", "--standalone", "GET", "/api/session").errors.contains("database is locked"))
    #expect(try stage.run("api", "--standalone", "GET", "/api/session/ses_x/message").exit == 3)
  }

  @Test func attachmentsOfTwo() throws {
    let stage = try Stage(["version": "2.0.26", "turns": [["text": "ok"]]])
    try stage.write("small.txt", "x")
    try stage.write("big.txt", String(repeating: "x", count: (10 << 20) + 1))
    func attach(_ files: [String]) throws -> String? {
      let result = try stage.run(["run", "--standalone", "--format", "json"] + files.map { "--file=\($0)" } + ["go"])
      return result.exit == 0 ? nil : result.events.first?["error"]?["message"]?.string
    }
    #expect(try attach(["small.txt"]) == nil)
    #expect(try attach(Array(repeating: "small.txt", count: 100)) == nil)
    #expect(try attach(Array(repeating: "small.txt", count: 101))?.contains("100") == true)
    #expect(try attach(["big.txt"])?.hasSuffix("larger than 10 MiB: big.txt") == true)
    #expect(try attach(["."])?.hasPrefix("Cannot attach a directory") == true)
    #expect(try attach(["nope"]) == "File not found: nope")
  }

  @Test func wordsOfTheReleases() throws {
    let question: JSONValue = ["name": "question", "arguments": ["questions": []]]
    let server: JSONValue = ["name": "files_put", "arguments": ["path": "a"], "result": "put", "files": ["put.txt": "x"]]
    let stage = try Stage(["version": "2.0.26", "turns": [["tools": [question, server]], ["text": "went on"]]])
    let result = try stage.run("run", "--standalone", "--format", "json", "go")
    let tools = result.events.filter { $0["type"] == "tool_use" }.map { $0["part"]?["state"] }
    #expect(tools.first??["error"]?.string?.hasPrefix("This non-interactive run cannot ask the user questions, so the question was cancelled.") == true)
    #expect(tools.last??["output"] == "put" && stage.exists("put.txt"))
    #expect(result.exit == 0 && result.types.last == "text")
    let model = try stage.run("run", "--standalone", "--format", "json", "--model=stand-in/m1#enormous", "go")
    #expect(model.exit == 1 && model.events.first?["error"]?["message"] == "Variant unavailable for stand-in/m1: enormous")
  }

  /// What README.md shows must be playable.
  @Test func theExamplesAreUnderstood() throws {
    let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    let text = String(decoding: try PrivateFiles.read(readme + "/Sources/StandInOpenCode/README.md"), as: UTF8.self)
    var examples: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("    ") else {
        isOpen = false
        continue
      }
      if isOpen, !line.hasPrefix("    {") { examples[examples.count - 1] += line } else { examples.append(String(line)) }
      isOpen = true
    }
    var scripts = 0
    for example in examples where !example.contains(", ...") {
      let trimmed = example.replacing(/}    with .*/, with: "}")
      if trimmed.contains("\"turns\"") && !trimmed.contains("{\"name\"") || trimmed.contains("\"version\"") {
        let stage = try Stage(try JSONValue(parsing: Array(trimmed.utf8)))
        #expect(try !stage.run("--version").errors.contains("stand-in:"), "\(example)")
        scripts += 1
      } else if trimmed.hasPrefix("    {\"name\"") {
        let stage = try Stage(["turns": [["tools": [try JSONValue(parsing: Array(trimmed.utf8))]]]])
        #expect(try !stage.run("--version").errors.contains("stand-in:"), "\(example)")
        scripts += 1
      }
    }
    #expect(scripts > 10)
  }
}
