import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The commands for people and scripts.
@Suite(.blocking) struct ByHandTests {
  let world: World

  init() throws { world = try World() }

  @Test func helpAndVersionAndWrongWords() throws {
    let help = try world.worker("--help")
    #expect(help.status == .exited(0))
    for command in ["serve", "call", "status", "watch", "report", "diff", "logs", "open", "runs", "demo", "doctor", "install", "uninstall", "completions"] {
      #expect(help.outputText.contains("  \(command) "))
      let own = try world.worker(command, "--help")
      #expect(own.status == .exited(0) && own.outputText.hasPrefix("usage: opencode-worker \(command)"))
    }
    #expect(try world.worker("--version").outputText.hasPrefix("opencode-worker 1."))
    for wrong in [
      ["nonsense"], ["call", "nope"], ["call", "status", "{"], ["call", "status", "[]"], ["call", "status", "{}", "more"], ["demo", "--x"],
      ["report", "a", "b"], ["wach"], ["stop"], ["status", "--jsno"], ["logs", "-n", "x"], ["logs", "--raw", "--stderr"], ["completions", "tcsh"],
      ["runs", "x"], ["report", "--open", "-o", "-"], ["report", "--json", "-o", "page.html"], ["report", "--json", "--open"], ["report", "-o="],
    ] {
      let result = try Command(World.binary, wrong, environment: world.environment, folder: world.repository, deadline: .after(60)).run()
      #expect(result.status == .exited(2), "\(wrong)")
      #expect(result.errorText.contains("opencode-worker:"), "\(wrong)")
      #expect(result.output.isEmpty, "\(wrong)")
    }
  }

  @Test func onATerminalItSaysHowToTalkToIt() throws {
    guard let python = Python.interpreter() else { return }
    let script = """
      import os, pty, sys
      pid, terminal = pty.fork()
      if pid == 0:
          os.execv(sys.argv[1], sys.argv[1:])
      seen = b''
      while b'opencode-worker call opencode_status' not in seen:
          seen += os.read(terminal, 4096)
      os.write(terminal, b'\\x04')
      print(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
      """
    let result = try Command(python, ["-c", script, World.binary], environment: world.environment, deadline: .after(60)).run()
    #expect(result.outputText == "0\n", "\(result.errorText)")
  }

  @Test func oneToolCanBeCalled() throws {
    let listed = try world.worker("call")
    #expect(listed.outputText.contains("opencode_run_and_wait"))
    let status = try world.worker("call", "status")
    #expect(status.status == .exited(0))
    #expect(try JSONValue(parsing: status.output)["state"]?.string == "none")
    let refused = try world.worker("call", "opencode_logs", "{\"line\": 3}")
    #expect(refused.status == .exited(1))
    #expect(refused.outputText.contains("bad_argument"))
  }

  @Test func aRunStartedByHandIsWatchedAndReported() throws {
    try world.standIn(["turns": [["tools": [["name": "bash", "arguments": ["command": "true", "description": "x"]]]], ["text": "Done.", "delay": 2]]])
    let started = try JSONValue(parsing: try world.worker("call", "start", "{\"message\": \"Do it.\"}").output)
    #expect(started["cwd"]?.string == world.repository)
    let watched = try world.worker("watch")
    #expect(watched.status == .exited(0))
    for words in ["bash      true  exit 0", "says      Done.", "completed", "Its answer"] {
      #expect(watched.outputText.contains(words), "\(watched.outputText)")
    }
    let run = try #require(started["run"]?.string)
    #expect(try world.worker("report", run, "--json").outputText.contains("\"answer\": \"Done.\""))
    #expect(try world.worker("report", "20200101-000000-aaaa").status == .exited(1))
    try world.standIn(["turns": [["text": "Starting.", "exit": 3]]])
    _ = try world.worker("call", "run_and_wait", "{\"message\": \"Do it.\"}")
    #expect(try world.worker("report").status == .exited(1))
  }

  @Test func theDemoDoesTheMainJob() throws {
    try PrivateFiles.createFolder(world.path("tmp"))
    let demo = try world.worker("demo", extra: ["TMPDIR": world.path("tmp"), "OPENCODE_BIN": ""])
    #expect(demo.status == .exited(0), "\(demo.outputText) \(demo.errorText)")
    for words in ["stand-in", "bash      test -s greeting.txt  exit 0", "completed, 1 check passed", "A greeting.txt", "report.html"] {
      #expect(demo.outputText.contains(words), "\(words)")
    }
  }

  @Test func anOrdinaryDelegationCostsLittleContext() throws {
    let client = try MCPClient(world)
    try client.initialize()
    let checks = ["swift build", "swift test --parallel", "swift format lint --strict --recursive Sources Tests"]
    let edits: JSONValue = .array(
      (0..<10).map { number in
        [
          "name": "write",
          "arguments": [
            "filePath": .string("Sources/SomeModule/SomeFeature\(number)Controller.swift"), "content": .string(String(repeating: "let x = 1\n", count: 40)),
          ],
        ]
      })
    try world.standIn([
      "turns": [
        ["text": "I will write ten files.", "tools": edits],
        ["tools": .array(checks.map { ["name": "bash", "arguments": ["command": .string("\($0)"), "description": "Checks"]] })],
        ["text": .string("All ten files are written. " + String(repeating: "A sentence that explains a part of the change in some detail. ", count: 20))],
      ]
    ])
    let arguments: JSONObject = [
      "message": .string("Write ten controllers. " + String(repeating: "Each has its own rules, which are described here at some length. ", count: 10)),
      "cwd": .string(world.repository), "acceptanceCriteria": ["each controller has a test", "nothing else changes"],
      "verificationCommands": JSONValue(strings: checks),
    ]
    let reply = try client.call("opencode_run_and_wait", arguments, within: 120)
    #expect(reply["changedFiles"]?["files"]?.array?.count == 10)
    #expect(reply["verification"]?["declared"]?.array?.count == 3)
    #expect(reply["answer"]?.string?.hasSuffix("detail. ") == true || reply["answer"]?.string?.hasSuffix("detail.") == true)
    #expect(reply["cut"] == nil)
    #expect(JSONValue.object(arguments).bytes.count + reply.bytes.count < 8 << 10)
  }
}
