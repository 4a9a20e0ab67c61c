import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// A run outlives its client, however that ends its servers.
@Suite(.blocking) struct ClientEndTests {
  let world: World
  let client: MCPClient

  init() throws {
    world = try World()
    client = try MCPClient(world)
  }

  /// What clients were seen to do at their end.
  enum Ending: CaseIterable {
    /// Qwen: nothing but end of file.
    case closesInput
    /// Gemini: SIGTERM before stdin closes.
    case terminatesServer
    /// Claude Code: SIGINT, SIGTERM; stdin stays open.
    case interruptsServer
    /// Codex: SIGTERM to the server's group, SIGKILL right after.
    case killsGroup
    /// OpenCode: end of file, and SIGTERM to every descendant of the server, sessions and groups of their own included; again after 2 s.
    case terminatesDescendants
    /// The worst that could come.
    case killsDescendants
  }

  @Test(arguments: Ending.allCases)
  func theRunCompletesAndIsReviewedFromAnotherServer(_ ending: Ending) throws {
    let write: JSONValue = ["name": "write", "arguments": ["filePath": "a.txt", "content": "a\n"]]
    try world.standIn(["turns": [["text": "Writing.", "tools": [write]], ["text": "Done.", "until": world.releaseFile]]])
    try client.initialize()
    let started = try client.call("opencode_start", ["message": "Do it.", "cwd": .string(world.repository)])
    let run = try #require(started["run"]?.string, "\(started.text)")
    // A wait is under way, as it is mostly.
    _ = try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]])
    let server = client.process.pid
    switch ending {
    case .closesInput: client.closeInput()
    case .terminatesServer: kill(server, SIGTERM)
    case .interruptsServer:
      kill(server, SIGINT)
      kill(server, SIGTERM)
    case .killsGroup:
      kill(-server, SIGTERM)
      usleep(11_000)
      kill(-server, SIGKILL)
    case .terminatesDescendants:
      let family = try ProcessTable.descendants(of: server)
      client.closeInput()
      for _ in 0..<2 {
        for pid in family + [server] { kill(pid, SIGTERM) }
        sleep(2)
      }
    case .killsDescendants:
      for pid in try ProcessTable.descendants(of: server) + [server] { kill(pid, SIGKILL) }
    }
    #expect(client.process.wait(deadline: .after(20)) != nil)
    try world.release()
    let next = try MCPClient(world)
    try next.initialize()
    let review = try next.call("opencode_wait", ["run": .string(run)])
    #expect(review["state"]?.string == "completed", "\(review.text)")
    #expect(review["exitCode"]?.int == 0)
    #expect(review["changedFiles"]?["exact"]?.bool == true)
  }

  @Test func aSupervisorIsNobodysChild() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    try client.initialize()
    _ = try client.call("opencode_start", ["message": "Do it.", "cwd": .string(world.repository)])
    let supervisors = world.supervisors()
    #expect(supervisors.count == 1)
    // What started it has ended: then its parent is whoever takes orphans here.
    #expect(try eventually { try ProcessTable.descendants(of: client.process.pid).isEmpty })
    for supervisor in supervisors {
      #expect(getsid(supervisor) == supervisor)
      #expect(try ProcessTable.parents()[supervisor] != client.process.pid)
      #expect(try ProcessTable.beganByForkAlone(supervisor) != true)
    }
    // One whose supervisor died gets another, which is no child either.
    try world.killSupervisors()
    _ = try client.call("opencode_status")
    #expect(try eventually { try !world.supervisors().isEmpty && ProcessTable.descendants(of: client.process.pid).isEmpty })
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
  }
}
