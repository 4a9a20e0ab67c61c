import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What the commands for people print, kept as files: `UPDATE_GOLDEN=1` renews them.
@Suite(.blocking) struct GoldenScreenTests {
  let world: World

  init() throws {
    world = try World()
    world.environment["TZ"] = "UTC"
    try world.write("repository/cli.py", "import sys\n\n\ndef main():\n    print(sys.argv)\n")
    try world.git("add", ".")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "A program")
  }

  private static let script: JSONValue = [
    "turns": [
      [
        "text": "I will add the option.",
        "tools": [
          [
            "name": "todowrite",
            "arguments": [
              "todos": [
                ["id": "1", "content": "Add --verbose", "status": "completed", "priority": "high"],
                ["id": "2", "content": "Write a test", "status": "in_progress", "priority": "high"],
              ]
            ],
          ],
          [
            "name": "edit",
            "arguments": [
              "filePath": "cli.py", "oldString": "    print(sys.argv)\n",
              "newString": "    if \"--verbose\" in sys.argv:\n        print(\"verbose\")\n    print(sys.argv)\n",
            ],
          ],
          ["name": "bash", "arguments": ["command": "echo made > made.txt; rm README.md", "description": "Makes a file"]],
        ],
        // The log tells whole seconds: a pause, so that the order is certain.
      ], ["status": 429, "body": ["error": ["message": "Rate limit"]], "delay": 2.1],
      [
        "tools": [
          ["name": "bash", "arguments": ["command": "test -s cli.py", "description": "Checks"]],
          ["name": "bash", "arguments": ["command": "test -s missing.py", "description": "Checks"]],
        ]
      ], ["text": "Added --verbose.\nThe second check doesn't pass."],
    ], "retrySeconds": 0.01,
  ]

  private func delegate() throws -> String {
    try world.standIn(Self.script)
    let task: JSONObject = [
      "message": "Add a --verbose option to the command line, with a test.", "title": "Add a --verbose option", "model": "stand-in/m1",
      "verificationCommands": ["test -s cli.py", "test -s missing.py"], "acceptanceCriteria": ["--verbose prints more"],
    ]
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", JSONValue.object(world.task(task)).text, deadline: .after(120)).output)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private func check(_ name: String, _ words: String..., collapsing: Bool = false) throws {
    let result = try Command(World.binary, words, environment: world.environment, folder: world.repository, deadline: .after(120)).run()
    let code = result.status.map { "\($0)" } ?? "hung"
    let text = "$ opencode-worker \(words.joined(separator: " "))\n\(result.outputText)" + (result.errorText.isEmpty ? "" : "(stderr)\n\(result.errorText)")
    try Golden.check(world.settledScreen(text + "(\(code))\n", collapsing: collapsing), from: "screens/\(name).txt")
  }

  @Test func theCommandsAboutARun() throws {
    let run = try delegate()
    try check("status", "status", run)
    try check("runs", "runs", collapsing: true)
    try check("diff", "diff", run)
    try check("logs", "logs", run)
    try check("watch", "watch", run)
    try check("report", "report", run, "-o", "page.html")
    try check("undo", "undo", run, "--dry-run")
    try world.write("repository/made.txt", "mine\n")
    try check("undo-refused", "undo", run)
    try check("no-such-run", "status", "nope")
    try check("wrong-option", "watch", "--fromnow")
  }

  @Test func aLiveRun() throws {
    try world.standIn([
      "turns": [["text": "Working.", "tools": [["name": "bash", "arguments": ["command": "true", "description": "x"]]]], ["text": "Never.", "delay": 600]]
    ])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(world.task(["title": "Wait"])).text).output)
    let run = try #require(started["run"]?.string, "\(started.text)")
    #expect(try eventually { try world.worker("status", run).outputText.contains("1 step, 1 tool call, 1,280 tokens") })
    try check("status-live", "status", run)
  }

  /// Where nothing is set up, and where all is well: with programs of this test's own, whatever the machine has.
  @Test func whatDoctorSays() throws {
    let git = try #require(ProgramFinder.locate("git", path: world.environment["PATH"], workspace: nil))
    try PrivateFiles.createFolder(world.path("tools"))
    try FileManager.default.createSymbolicLink(atPath: world.path("tools/git"), withDestinationPath: git)
    world.environment["PATH"] = world.path("tools")
    world.environment["SHELL"] = "/bin/sh"
    try checkDoctor("doctor")
    try checkDoctor("doctor-verbose", "--verbose")
    try FileManager.default.createSymbolicLink(atPath: world.path("tools/rg"), withDestinationPath: git)
    try world.standIn(["credentials": ["anthropic"]])
    let entry = JSONValue.object([
      "enabled": true, "tool_timeout_sec": 3600,
      "transport": ["command": .string(World.binary), "env": ["OPENCODE_WORKER_WAIT_SECONDS": "3540", "OPENCODE_BIN": .string(world.path("bin/opencode"))]],
    ])
    try Program.write(
      """
      #!/bin/sh
      case "$*" in
      --version) echo 'codex-cli 0.163.0';;
      'mcp list'*) echo '[]';;
      'mcp get'*) echo '\(entry.text)';;
      'plugin list'*) echo '{"installed":[]}';;
      esac

      """, to: world.path("tools/codex"))
    #expect(try world.worker("install", "--direct", "--hooks", "--wake").status == .exited(0))
    try checkDoctor("doctor-well")
  }

  private func checkDoctor(_ name: String, _ words: String...) throws {
    let result = try Command(World.binary, ["doctor"] + words, environment: world.environment, folder: world.repository, deadline: .after(120)).run()
    let text = "$ opencode-worker doctor\(words.map { " \($0)" }.joined())\n\(result.outputText)(\(result.status.map { "\($0)" } ?? "hung"))\n"
    // What a desktop's PATH lacks, and how much room there is, is the machine's.
    let settled = world.settledScreen(text.replacing(World.binary, with: "/home/me/.local/bin/opencode-worker"))
      .replacing(/(?m)^(ok|warning) +PATH: .*$/, with: "ok       PATH: its programs are found by a desktop's Codex too")
      .replacing(/\d+ [MG]iB free/, with: "100 GiB free").replacing(/process \d+/, with: "process 4242")
    try Golden.check(settled, from: "screens/\(name).txt")
  }

  @Test func helpOfEachCommand() throws {
    let help = try world.worker("--help").outputText
    try check("help", "--help")
    let names = help.matches(of: #/(?m)^ {2}([a-z]+) /#).map { String($0.1) }
    #expect(names.count > 12)
    for name in names { try check("help-\(name)", name, "--help") }
  }
}
