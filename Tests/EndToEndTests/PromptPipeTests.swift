import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// How the prompt reaches OpenCode, in both generations: a program of ours in its place tells what it found on its stdin.
@Suite(.blocking) struct PromptPipeTests {
  static let versions = ["1.18.34", "opencode v2.0.22"]

  let world: World
  let client: MCPClient

  init() throws {
    world = try World()
    world.environment["OPENCODE_BIN"] = world.path("bin/own")
    client = try MCPClient(world)
    try client.initialize()
  }

  private func program(_ version: String, _ body: String) throws {
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo '\(version)' && exit 0\n[ \"$1\" = run ] || exit 1\n\(body)\n"
    try Program.write(script, to: world.path("bin/own"))
  }

  /// More than any pipe holds; ends with a newline, as a prompt needn't.
  private static let message = String(repeating: "0123456789abcde\n", count: 6 << 16)

  private func run(_ message: String = PromptPipeTests.message) throws -> JSONValue {
    try client.call("opencode_run_and_wait", ["message": .string(message), "cwd": .string(world.repository), "title": "T"], within: 120)
  }

  @Test(arguments: versions) func itComesThroughAPipeWholeAndIsInNoArgument(version: String) throws {
    try program(version, "[ -p /dev/stdin ] && echo pipe > kind; cat > prompt; echo \"$@\" > arguments; env > environment")
    for message in ["Short: $'\u{1}' \u{1F600}", PromptPipeTests.message] {
      let reply = try run(message)
      #expect(reply["running"]?.bool == false)
      #expect(world.read("repository/kind") == "pipe\n")
      let prompt = try #require(world.read("repository/prompt"))
      #expect(prompt.hasPrefix(message) && prompt == world.read("state/runs/\(reply["run"]?.string ?? "")/prompt.md"))
      #expect(world.read("repository/arguments")?.contains("0123456789") == false && world.read("repository/environment")?.contains("0123456789") == false)
      #expect(world.read("repository/arguments")?.contains("Short") == false)
    }
  }

  @Test(.waiting, arguments: versions) func aReaderThatDiesOrNeverReadsEndsTheRunAllTheSame(version: String) throws {
    for body in ["head -c 10 > /dev/null; exit 3", "exec 0<&-; exit 3", "exit 3", "kill -9 $$"] {
      try program(version, body)
      let reply = try run()
      #expect(reply["state"]?.string == "failed", "\(body): \(reply.text)")
      #expect(reply["attention"]?.text.contains("did not read the whole prompt") == true, "\(body): \(reply.text)")
    }
  }

  /// The supervisor dies while the prompt is half written: whoever takes over says that OpenCode has only a part of it.
  @Test(arguments: versions) func aPromptCutByTheSupervisorsDeathIsTold(version: String) throws {
    try program(version, "head -c 10 > /dev/null; while [ ! -e ../go ]; do sleep 0.1; done; cat > rest")
    let run = try #require(
      try client.call("opencode_start", ["message": .string(PromptPipeTests.message), "cwd": .string(world.repository), "title": "T"])["run"]?.string)
    #expect(try eventually { try client.call("opencode_status")["state"]?.string == "running" })
    let supervisors = ProcessTable.carrying("WORKER_TEST_WORLD", world.root).filter { $0.command.contains("supervise") }
    for supervisor in supervisors { kill(supervisor.pid, SIGKILL) }
    #expect(!supervisors.isEmpty)
    try world.write("go", "")
    let reply = try client.call("opencode_wait", ["run": .string(run)])
    #expect(reply["attention"]?.text.contains("did not read the whole prompt") == true, "\(reply.text)")
  }
}
