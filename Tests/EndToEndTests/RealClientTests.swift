import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The real OpenCode 1.18.34 as a client of this server, by an entry in its `opencode.json`.
@Suite(.realPrograms, .busy) struct RealClientTests {
  /// Names this server in the project's configuration. Its OpenCode is the stand-in unless told otherwise.
  private func configure(_ world: World, bin: String) throws {
    let server: JSONValue = [
      "type": "local", "command": [.string(World.binary)], "enabled": true,
      "environment": ["OPENCODE_BIN": .string(bin), "OPENCODE_WORKER_STATE_DIR": .string(world.path("state"))],
    ]
    try world.write("repository/opencode.json", JSONValue.object(["mcp": ["worker": server]]).text)
    try world.git("add", ".")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "Configure")
  }

  /// What the model was shown of the results of its calls, oldest first.
  private func results(_ world: World) -> [String] {
    let requests = (world.read("requests.jsonl") ?? "").split(separator: "\n").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
    let longest = requests.max { ($0["messages"]?.array?.count ?? 0) < ($1["messages"]?.array?.count ?? 0) }
    return longest?["messages"]?.array?.filter { $0["role"]?.string == "tool" }.map { $0["content"]?.string ?? $0["content"]?.text ?? "" } ?? []
  }

  @Test func aRunOutlivesTheOpenCodeThatStartedIt() throws {
    let start: JSONValue = ["name": "worker_opencode_start", "arguments": ["message": "Do it."]]
    guard let (world, real) = try World.real([["tools": [start]], ["text": "Started."]]) else { return }
    defer { withExtendedLifetime(real) {} }
    let standIn = world.path("bin/opencode")
    let hold = "while ! [ -e \(world.path("release")) ]; do sleep 0.05; done; echo b > b.txt"
    try world.standIn([
      "turns": [["text": "Working.", "tools": [["name": "bash", "arguments": ["command": .string(hold), "description": "x"]]]], ["text": "All done."]]
    ])
    try configure(world, bin: standIn)
    let openCode = try #require(world.environment["OPENCODE_BIN"])
    let session = try Command(
      openCode, ["run", "--format", "json", "--dir", world.repository, "go"], environment: world.environment, folder: world.repository, deadline: .after(240)
    ).run()
    #expect(session.status == .exited(0), "\(session.errorText)")
    // It said nothing of a folder, and saw the whole reply.
    let shown = try JSONValue(parsing: Array(try #require(results(world).first).utf8))
    #expect(shown["cwd"]?.string == world.repository, "\(shown.text)")
    let run = try #require(shown["run"]?.string)
    // OpenCode has sent SIGTERM to all descendants of its server by now, twice.
    let client = try MCPClient(world, extra: ["OPENCODE_BIN": standIn])
    try client.initialize()
    #expect(try client.call("opencode_status")["state"]?.string == "running")
    try world.write("release", "")
    let review = try client.call("opencode_wait")
    #expect(review["run"]?.string == run)
    #expect(review["state"]?.string == "completed" && review["exitCode"]?.int == 0, "\(review.text)")
    #expect(review["changedFiles"]?["files"]?.array?.map { $0["path"]?.string } == ["b.txt"])
  }

  @Test func aRunThatLoadsThisServerStartsNoOther() throws {
    let turns: JSONValue = [
      [
        "tools": [
          ["name": "worker_opencode_start", "arguments": ["message": "Do more."]], ["name": "worker_opencode_status", "arguments": [:]],
          ["name": "worker_opencode_wait", "arguments": [:]],
        ]
      ], ["text": "I did it myself."],
    ]
    guard let (world, real) = try World.real(turns) else { return }
    defer { withExtendedLifetime(real) {} }
    try configure(world, bin: try #require(world.environment["OPENCODE_BIN"]))
    let client = try MCPClient(world)
    try client.initialize()
    let arguments: JSONObject = ["message": "Do it.", "cwd": .string(world.repository)]
    var review = try client.call("opencode_run_and_wait", arguments, within: 240)
    while review["timedOut"] != nil { review = try client.call("opencode_wait", within: 240) }
    #expect(review["state"]?.string == "completed", "\(review.text)")
    let run = try #require(review["run"]?.string)
    let results = results(world)
    try #require(results.count == 3, "\(results)")
    #expect(results[0].contains("\"nested\"") && results[0].contains(run), "\(results[0])")
    #expect(results[1].contains("\"run\":\"\(run)\"") && results[1].contains("\"state\":\"running\""), "\(results[1])")
    #expect(results[2].contains("don't wait"), "\(results[2])")
    #expect(try client.call("opencode_runs")["runs"]?.array?.count == 1)
  }
}
