import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What README, CONTRIBUTING and `docs/` say of the program, compared with the program.
@Suite(.blocking) struct DocumentationTests {
  private static let repository = URL(fileURLWithPath: Fixture.folder).deletingLastPathComponent().deletingLastPathComponent().path

  private static func document(_ name: String) throws -> String { String(decoding: try PrivateFiles.read("\(repository)/\(name)"), as: UTF8.self) }

  /// Every file below a folder of the repository, relative to it.
  private static func files(below folder: String, ending: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: "\(repository)/\(folder)")?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(ending) }.map { "\(folder)/\($0)" }
  }

  private static func documents() -> [String] {
    ["README.md", "CONTRIBUTING.md", "Tests/Fixtures/recordings/README.md"] + files(below: "docs", ending: ".md") + files(below: "Sources", ending: "README.md")
  }

  /// What stands between backquotes in a text, code blocks aside.
  private static func quoted(_ text: String) -> [String] {
    var isBlock = false
    let plain = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      if line.hasPrefix("```") { isBlock.toggle() }
      return !isBlock && !line.hasPrefix("    ")
    }
    return plain.joined(separator: "\n").matches(of: /`([^`]+)`/).map { String($0.1) }
  }

  // MARK: - README's sample

  @Test func theSampleReplyInREADMEIsAReply() throws {
    let world = try World()
    for folder in ["tools", "repository/Sources", "repository/Tests"] { try PrivateFiles.createFolder(world.path(folder)) }
    let pytest = world.path("tools/pytest")
    try Program.write("#!/bin/sh\nexit 0\n", to: pytest)
    world.environment["PATH"] = world.path("tools") + ":" + (world.environment["PATH"] ?? "")
    try world.write("repository/Sources/cli.py", "import sys\n\n\ndef main():\n    print(sys.argv)\n")
    try world.write("repository/notes.txt", "one\n")
    try world.git("add", ".")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "A program")
    try world.write("repository/notes.txt", "one\nuncommitted\n")
    try world.standIn([
      "turns": [
        [
          "text": "I will add the option.",
          "tools": [
            [
              "name": "edit",
              "arguments": [
                "filePath": "Sources/cli.py", "oldString": "    print(sys.argv)\n",
                "newString": "    verbose = \"--verbose\" in sys.argv\n    if verbose:\n        print(\"arguments:\", sys.argv)\n    print(sys.argv)\n",
              ],
            ],
            ["name": "write", "arguments": ["filePath": "Tests/test_cli.py", "content": "def test_verbose():\n    assert True\n"]],
          ],
        ],
        [
          "tools": [
            ["name": "bash", "arguments": ["command": "echo checked >> notes.txt", "description": "Notes it"]],
            ["name": "bash", "arguments": ["command": "pytest -q", "description": "Runs the tests"]],
          ]
        ], ["text": "Added --verbose to the parser and a test for it."],
      ]
    ])
    let client = try MCPClient(world)
    try client.initialize()
    let reply = try client.call(
      "opencode_run_and_wait",
      [
        "message": "Add a --verbose option to the command line, with a test.", "title": "Add a --verbose option", "cwd": .string(world.repository),
        "verificationCommands": ["pytest -q"],
      ], within: 120)
    let text = Golden.text(world.settled(reply), width: 150)
    try Golden.check(text + "\n", from: "readme-reply.json")

    // The block that follows the sentence, without its indentation.
    let readme = "\(Self.repository)/README.md"
    let sentence = "reads a reply like this one"
    func block(of whole: String) -> Range<String.Index>? {
      guard let said = whole.range(of: sentence), let start = whole.range(of: "\n    {\n", range: said.upperBound..<whole.endIndex),
        let end = whole.range(of: "\n    }\n", range: start.lowerBound..<whole.endIndex)
      else { return nil }
      return whole.index(after: start.lowerBound)..<whole.index(before: end.upperBound)
    }
    let indented = text.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
    let difference = try Golden.difference(
      indented, fromFile: readme, within: { whole in block(of: whole).map { String(whole[$0]) } },
      renewed: { whole in block(of: whole).map { whole.replacingCharacters(in: $0, with: indented) } ?? whole })
    if let difference { Issue.record(Comment(rawValue: difference)) }
  }

  // MARK: - The contract

  @Test func everyToolAndArgumentIsInTheContract() throws {
    let (contract, readme) = (try Self.document("docs/tools.md"), try Self.document("README.md"))
    let world = try World()
    let client = try MCPClient(world)
    try client.initialize()
    defer { withExtendedLifetime(world) {} }
    let tools = try #require(try client.request("tools/list")["result"]?["tools"]?.array)
    #expect(tools.count > 10)
    for tool in tools {
      let name = try #require(tool["name"]?.string)
      let section = contract.components(separatedBy: "\n## ").first { $0.hasPrefix("\(name)\n") || $0.hasPrefix("+ \(name)\n") }
      let words = Set(Self.quoted(try #require(section, "docs/tools.md has no section on \(name)")))
      for argument in tool["inputSchema"]?["properties"]?.object?.keys ?? [] {
        #expect(words.contains(argument), "docs/tools.md, \(name): \(argument) is missing")
      }
      #expect(readme.contains("`\(name)`"), "README.md doesn't name \(name)")
    }
    let known = Set(tools.compactMap { $0["name"]?.string })
    for name in Self.quoted(contract + readme) where name.wholeMatch(of: /opencode_[a-z_]+/) != nil && !Self.codes.contains(name) {
      #expect(known.contains(name), "there is no tool \(name)")
    }
  }

  /// Every member of every reply that a run with everything in it leads to.
  @Test func everyMemberOfAReplyIsInTheContract() throws {
    let world = try World()
    try world.write("repository/old.txt", "old\n")
    try world.standIn([
      "credentials": ["stand-in"],
      "turns": [
        [
          "text": "I begin.",
          "tools": [
            ["name": "todowrite", "arguments": ["todos": [["content": "A", "status": "in_progress", "priority": "high", "id": "1"]]]],
            ["name": "task", "arguments": ["description": "Sub job", "prompt": "Do it", "subagent_type": "general"], "turns": [["text": "Sub done."]]],
            ["name": "write", "arguments": ["filePath": "new.txt", "content": "new\n"]],
            ["name": "read", "arguments": ["filePath": "missing.txt"]],
          ],
        ],
        [
          "tools": [
            ["name": "bash", "arguments": ["command": "git add -A; git -c user.name=T -c user.email=t@localhost commit -qm Work", "description": "x"]],
            ["name": "bash", "arguments": ["command": "git checkout -q -b other; make", "description": "Builds"]],
            ["name": "bash", "arguments": ["command": "test -s new.txt", "description": "Checks"]],
          ]
        ], ["status": 429, "body": ["error": ["message": "Rate limit"]]], ["text": "Done."],
      ],
      "retrySeconds": 0.01,
    ])
    let client = try MCPClient(world)
    try client.initialize()
    let start: JSONObject = [
      "message": "Do it.", "cwd": .string(world.repository), "verificationCommands": ["test -s new.txt", "make check"], "acceptanceCriteria": ["It is done."],
      "model": "stand-in/m1",
    ]
    let review = try client.call("opencode_run_and_wait", start, within: 120)
    let run = try #require(review["run"], "\(review.text)")
    let session = try #require(review["session"], "\(review.text)")
    var replies: [(tool: String, reply: JSONValue)] = [("opencode_run_and_wait", review)]
    let calls: [(String, JSONObject)] = [
      ("opencode_status", ["run": run, "tailLines": 3]), ("opencode_wait", ["run": run]), ("opencode_logs", ["run": run, "lines": 2]),
      ("opencode_run_summary", ["run": run]), ("opencode_changed_files", ["run": run]), ("opencode_changed_files", ["run": run, "patch": true]),
      ("opencode_changed_files", ["cwd": .string(world.repository)]), ("opencode_usage", ["run": run]), ("opencode_usage", ["session": session]),
      ("opencode_usage", ["aggregate": true, "models": true]), ("opencode_runs", [:]), ("opencode_models", ["verbose": true]), ("opencode_models", [:]),
      ("opencode_check_model", ["model": "stand-in/m9"]), ("opencode_check_model", ["model": "stand-in/m1#high"]),
      ("opencode_delegation_template", ["goal": "Do it."]), ("opencode_start", ["message": ""]), ("opencode_status", ["run": "20200101-000000-aaaa"]),
    ]
    for (tool, arguments) in calls { replies.append((tool, try client.call(tool, arguments))) }
    let words = Set(Self.quoted(try Self.document("docs/tools.md")).flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init) })
    func check(_ value: JSONValue, _ path: String) {
      for element in value.array ?? [] { check(element, path + "[]") }
      for (name, member) in value.object?.members ?? [] {
        let isNamed = words.contains(name)
        #expect(isNamed, "docs/tools.md doesn't name \(path).\(name)")
        check(member, "\(path).\(name)")
      }
    }
    for (tool, reply) in replies { check(reply, tool) }
  }

  /// Error codes that look like tools.
  private static let codes: Set = ["opencode_not_found", "opencode_failed", "opencode_timeout"]

  // MARK: - The architecture

  @Test func theModulesAreThoseOfThePackage() throws {
    let package = try Self.document("Package.swift")
    let modules = package.matches(of: /module\("(\w+)"(?:, knows: \[([^\]]*)\])?\)/).map { (name: String($0.1), knows: String($0.2 ?? "")) }
    #expect(modules.count > 5)
    let rows = try Self.document("docs/architecture.md").split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    for module in modules {
      let row = try #require(rows.first { $0.first == "`\(module.name)`" }, "docs/architecture.md has no row for \(module.name)")
      let knows = module.knows.replacing("\"", with: "")
      #expect(row.last == (knows.isEmpty ? "nothing" : knows), "\(module.name)")
    }
  }

  @Test func typesAndFilesThatAreNamedExist() throws {
    let sources = try (Self.files(below: "Sources", ending: ".swift") + Self.files(below: "Tests", ending: ".swift")).map(Self.document).joined(separator: "\n")
    let declared = Set(sources.matches(of: /\b(?:struct|enum|class|actor|protocol|typealias) (\w+)/).map { String($0.1) })
    let targets = try ["Sources", "Tests"].flatMap { try FileManager.default.contentsOfDirectory(atPath: "\(Self.repository)/\($0)") }
    for document in ["docs/architecture.md", "docs/glossary.md", "CONTRIBUTING.md", "Tests/Fixtures/recordings/README.md"] {
      for name in Self.quoted(try Self.document(document)) {
        if let type = name.wholeMatch(of: /([A-Z][a-z]+[A-Za-z0-9]*)(?:\.(\w+))?/), !name.hasSuffix(".swift") {
          #expect(declared.contains(String(type.1)) || targets.contains(String(type.1)), "\(document): there is no type \(type.1)")
          if let member = type.2 { #expect(sources.contains(member), "\(document): there is no \(name)") }
        }
      }
    }
    for document in Self.documents() {
      let folder = (document as NSString).deletingLastPathComponent
      for path in Self.quoted(try Self.document(document)) {
        guard path.wholeMatch(of: /(?:Sources|Tests|docs|facts|Benchmarks|recorder)\/[\w.+\/-]+/) != nil, !path.contains("VERSION") else { continue }
        let places = ["\(Self.repository)/\(path)", "\(Self.repository)/\(folder)/\(path)", "\(Self.repository)/docs/\(path)"]
        #expect(places.contains(where: PrivateFiles.exists), "\(document): there is no \(path)")
      }
    }
  }

  @Test func recordingsThatAreNamedExist() throws {
    let old = "1.18.34"
    let new = "2.0-preview-20260807"
    func exists(_ name: String, in version: String) -> Bool {
      let path = name.first?.isNumber == true ? name : "\(version)/\(name)"
      if path.hasSuffix("*") { return (try? Recording.names().contains { $0.hasPrefix(path.dropLast()) }) ?? false }
      return PrivateFiles.exists("\(Fixture.folder)/recordings/\(path).json")
    }
    var named = 0
    for row in try Self.document("docs/generations.md").split(separator: "\n") where row.hasPrefix("| ") {
      let cells = row.split(separator: "|")
      for (cell, version) in zip(cells.dropFirst(), [old, new]) {
        for list in cell.matches(of: /rec ((?:`[^`]+`(?:, )?)+)/) {
          for name in Self.quoted(String(list.1)) {
            named += 1
            #expect(exists(name, in: version), "docs/generations.md: there is no recording \(version)/\(name)")
          }
        }
      }
    }
    #expect(named > 60)
  }

  /// Whatever a reply may tell has a row, with a source in both generations.
  @Test func everyFactOfAReplyHasItsSources() throws {
    let rows = try Self.document("docs/generations.md").split(separator: "\n").filter { $0.hasPrefix("| ") }
    let table = rows.map { $0.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) } }
    for row in table { #expect(row.count == 6 && row[1...3].allSatisfy { !$0.isEmpty }, "docs/generations.md: \(row)") }
    let facts = Set(table.map { $0[1] })
    for fact in [
      "End of the run", "Answer", "Tokens and cost", "The model that ran, when none was asked for", "Subagents", "Commands and exit codes", "Edits",
      "Writes outside the workspace", "Provider errors while it waits", "Todo list", "Permissions", "Preset check", "Session continued", "Totals", "Models",
      "Signed in", "Background work", "Claims", "A subagent or a tool at work",
    ] {
      #expect(facts.contains(fact), "docs/generations.md has no row \(fact)")
    }
  }

  /// `1.18.34/export` and `docs/facts/mcp.md` in the code's comments.
  @Test func whatCommentsRestOnExists() throws {
    var named = 0
    for file in Self.files(below: "Sources", ending: ".swift") {
      let text = try Self.document(file)
      for name in text.matches(of: /`(\d+\.\d+[\w.-]*\/[\w.-]+)`/).map({ String($0.1) }) {
        named += 1
        #expect(PrivateFiles.exists("\(Fixture.folder)/recordings/\(name).json"), "\(file): there is no recording \(name)")
      }
      for path in text.matches(of: /`((?:docs|Tests)\/[\w.\/-]+)`/).map({ String($0.1) }) {
        named += 1
        #expect(PrivateFiles.exists("\(Self.repository)/\(path)"), "\(file): there is no \(path)")
      }
    }
    #expect(named > 50)
  }

  @Test func theFilesOfARunAreListed() throws {
    let world = try World()
    let client = try MCPClient(world)
    try client.initialize()
    let reply = try client.call("opencode_run_and_wait", ["message": "Do it.", "cwd": .string(world.repository)], within: 120)
    let run = try #require(reply["run"]?.string, "\(reply.text)")
    let listed = try Self.document("docs/architecture.md")
    // Those, too, that this run had no need of.
    let code = try Self.files(below: "Sources/Runs", ending: ".swift").map(Self.document).joined()
    for name in code.matches(of: /(?:path|root) \+ "\/([\w.-]+)"/).map({ String($0.1) }) {
      let isListed = listed.contains(name)
      #expect(isListed, "docs/architecture.md, Files: \(name) is missing")
    }
    for name in try [world.file("", of: run), world.path("state")].flatMap(FileManager.default.contentsOfDirectory(atPath:)) {
      let isListed = listed.contains(name)
      #expect(isListed, "docs/architecture.md, Files: \(name) is missing")
    }
  }
}
