import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// Claims of OpenCode 2's runs on their sessions, and the service that takes up what is claimed: whole processes.
@Suite(.blocking) struct ServiceTests {
  private let world: World

  init() throws { world = try World() }

  private func start(_ script: JSONObject) throws -> (process: ChildProcess, output: Descriptor) {
    try world.standIn(.object(script))
    let output = try Descriptor.open(world.path("out"), O_RDWR | O_CREAT | O_TRUNC)
    let process = try ChildProcess(
      world.path("bin/opencode"), ["run", "--standalone", "--format", "json", "go"], environment: world.environment.merging(["PWD": world.repository]) { $1 },
      folder: world.repository, output: output)
    return (process, output)
  }

  private func ask(_ arguments: String...) throws -> Command.Result {
    let environment = world.environment.merging(["PWD": world.repository]) { $1 }
    return try Command(world.path("bin/opencode"), arguments, environment: environment, folder: world.repository, deadline: .after(60)).run()
  }

  private var claims: [String] { (try? FileManager.default.contentsOfDirectory(atPath: world.path("bin/claims"))) ?? [] }
  private var log: [String] { (world.read("bin/service.log") ?? "").split(separator: "\n").map(String.init) }

  private func outcome(_ session: String) throws -> String? {
    try JSONValue(parsing: Array(try ask("api", "--standalone", "GET", "/api/session/\(session)").output))["data"]?["outcome"]?.string
  }

  @Test(arguments: [("2.0.26", true), ("2.0-preview", false)]) func aRunHoldsItsSession(version: String, claimsIt: Bool) throws {
    let (process, output) = try start(["version": .string(version), "turns": [["tools": [wait]], ["text": "ok"]]])
    #expect(eventually { world.exists("repository/begun") })
    #expect(claims.count == (claimsIt ? 1 : 0))
    try world.write("repository/go", "")
    #expect(process.wait() == .exited(0))
    #expect(claims.isEmpty && log.isEmpty)
    output.close()
  }

  private let wait: JSONValue = ["name": "shell", "arguments": ["command": "touch begun; until test -e go; do sleep 0.01; done"]]

  @Test(arguments: [SIGINT, SIGTERM, SIGKILL]) func whoEndsARunLeavesTheClaimOrNot(signal: Int32) throws {
    let (process, output) = try start(["version": "2.0.26", "turns": [["tools": [wait]], ["text": "ok"]]])
    #expect(eventually { world.exists("repository/begun") })
    let session = try #require(claims.first)
    kill(process.pid, signal)
    #expect(process.wait() == (signal == SIGKILL ? .signaled(SIGKILL) : .exited(130)))
    #expect(claims.isEmpty == (signal == SIGINT))
    #expect(try outcome(session) == (signal == SIGINT ? "interrupted" : nil))
    let last = String(decoding: try output.bytes(limit: 1 << 20), as: UTF8.self).split(separator: "\n").last ?? ""
    #expect(last.contains("Transport") == (signal != SIGKILL))
    output.close()
    #expect(log.isEmpty)
    // The first command without a server of its own starts the service, which takes the session up.
    #expect(try ask("service", "status").outputText == "stopped\n")
    #expect(try ask("models", "--standalone").succeeded && log.isEmpty)
    #expect(try ask("models").succeeded)
    #expect(log == ["started by: models"] + (signal == SIGINT ? [] : ["resumed \(session)"]))
    #expect(try ask("service", "status").outputText == "http://127.0.0.1:4096\n")
    #expect(try ask("service", "stop").succeeded && ask("service", "status").outputText == "stopped\n")
    #expect(try ask("session", "delete", "--standalone", session).succeeded && claims.isEmpty)
  }

  @Test func itsCommandsEndWithARunThatIsInterrupted() throws {
    let background: JSONValue = ["name": "shell", "arguments": ["command": "echo $$ > beside; sleep 3600", "background": true]]
    let foreground: JSONValue = ["name": "shell", "arguments": ["command": "echo $$ > pid; sleep 3600"]]
    let (process, output) = try start(["version": "2.0.26", "turns": [["tools": [background, foreground]], ["text": "never"]]])
    func pid(_ name: String) -> Int32? { world.read("repository/" + name).flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }
    #expect(eventually { pid("beside") != nil && pid("pid") != nil })
    kill(process.pid, SIGTERM)
    #expect(process.wait() == .exited(130))
    output.close()
    let commands = try [#require(pid("beside")), #require(pid("pid"))]
    #expect(eventually { commands.allSatisfy { kill($0, 0) != 0 } })
  }

  @Test func aFailureReleasesTheClaim() throws {
    let (process, output) = try start(["version": "2.0.26", "turns": [["status": 401]]])
    #expect(process.wait() == .exited(1) && claims.isEmpty)
    output.close()
  }

  @Test func whatAsksTheServiceWhateverItIsTold() throws {
    try world.standIn(["version": "2.0.26"])
    for command in [["--version"], ["run", "--help"], ["api", "--standalone", "GET", "/api/session"], ["stats", "--json", "--all", "--standalone"]] {
      _ = try Command(world.path("bin/opencode"), command, environment: world.environment, folder: world.repository, deadline: .after(60)).run()
      #expect(log.isEmpty, "\(command)")
    }
    _ = try ask("debug", "config")
    #expect(log == ["started by: debug config"])
  }
}
