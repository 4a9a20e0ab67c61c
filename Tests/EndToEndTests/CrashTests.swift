import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// Whatever dies, a run is never lost sight of and never told wrong.
@Suite(.blocking) struct CrashTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private var arguments: JSONObject { world.task() }

  private func pid(of run: String) throws -> Int32 {
    let record = try JSONValue(parsing: try PrivateFiles.read(world.file("process.json", of: run)))
    return Int32(try #require(record["identity"]?["pid"]?.int))
  }

  private func supervisors() -> [Int32] { world.supervisors() }
  private func killSupervisors() throws { try world.killSupervisors() }

  @Test func twentyServersThatStartAtOnceMakeOneRun() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let clients = try (0..<20).map { _ in try MCPClient(world) }
    for other in clients { try other.initialize() }
    let starts = try clients.map { try $0.begin("tools/call", ["name": "opencode_start", "arguments": .object(arguments)]) }
    let looks = try (0..<5).map { _ in try client.begin("tools/call", ["name": "opencode_status", "arguments": [:]]) }
    let replies = try zip(clients, starts).map { try $0.answer(to: $1)["result"]?["structuredContent"] ?? .null }
    let winners = replies.filter { $0["error"] == nil }
    #expect(winners.count == 1)
    let run = try #require(winners.first?["run"]?.string)
    for refused in replies where refused["error"] != nil {
      #expect(refused["error"]?["code"]?.string == "busy", "\(refused.text)")
      #expect(refused["run"]?.string == run)
    }
    for look in looks { #expect(try client.answer(to: look)["result"]?["structuredContent"]?["error"] == nil) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.path("state/runs")) == [run])
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.path("state/staging")).isEmpty)
    try world.release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
  }

  @Test func theRunOutlivesItsServer() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    // Its whole process group, as Codex does it.
    Foundation.kill(-client.process.pid, SIGKILL)
    client.kill()
    #expect(client.process.wait(deadline: .after(5)) == .signaled(SIGKILL))
    let next = try MCPClient(world)
    try next.initialize()
    let status = try next.call("opencode_status")
    #expect(status["run"]?.string == run)
    try world.release()
    let review = try next.call("opencode_wait")
    #expect(review["state"]?.string == "completed")
    #expect(review["exitCode"]?.int == 0)
  }

  @Test func theRunSurvivesATerminalThatHangsUp() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    let process = try pid(of: run)
    for supervisor in supervisors() {
      #expect(getsid(supervisor) == supervisor)
      #expect(getsid(supervisor) != getsid(0))
      for signal in [SIGHUP, SIGINT, SIGTERM, SIGPIPE] { Foundation.kill(supervisor, signal) }
    }
    #expect(getpgid(process) == process)
    try world.release()
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 0)
  }

  @Test func aDeadSupervisorIsReplacedWhileTheRunLives() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    let wait = try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]])
    try killSupervisors()
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    #expect(try client.call("opencode_status")["state"]?.string == "running")
    try world.release()
    let review = try #require(try client.answer(to: wait)["result"]?["structuredContent"])
    #expect(review["run"]?.string == run)
    // The log proves a good end; the exit was seen by nobody.
    #expect(review["state"]?.string == "completed")
    #expect(review["exitCode"] == nil)
    #expect(attention(review).contains("exit"))
    #expect(review["changedFiles"]?["exact"]?.bool == false)
  }

  @Test func aStartTakesOverARunWhoseSupervisorDied() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    client.kill()
    try killSupervisors()
    let next = try MCPClient(world)
    try next.initialize()
    let refused = try next.call("opencode_start", arguments)
    #expect(refused["error"]?["code"]?.string == "busy")
    #expect(refused["run"]?.string == run)
    try world.release()
    #expect(try next.call("opencode_wait")["state"]?.string == "completed")
  }

  @Test func supervisorAndOpenCodeBothKilledIsLost() throws {
    try world.standIn([
      "turns": [["text": "Starting.", "tools": [["name": "bash", "arguments": ["command": "true", "description": "x"]]]], ["text": "Never.", "delay": 60]]
    ])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    #expect(try eventually { (try client.call("opencode_status")["toolCalls"]?.int ?? 0) == 1 })
    try killSupervisors()
    Foundation.kill(try pid(of: run), SIGKILL)
    let review = try client.call("opencode_wait")
    #expect(review["state"]?.string == "lost")
    #expect(review["exitCode"] == nil && review["signal"] == nil)
    #expect(attention(review).contains("exit"))
    #expect(
      try client.call("opencode_run_and_wait", ["message": "x", "cwd": .string(world.repository), "model": "stand-in/none"])["state"]?.string == "failed")
  }

  @Test func anExitThatWasRecordedIsNotLostWithTheSupervisor() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    // As if the supervisor had died between the exit and the review.
    for name in ["review.json", "changes.json", "digest.json"] { try FileManager.default.removeItem(atPath: world.file(name, of: run)) }
    let review = try client.call("opencode_wait", ["run": .string(run)])
    #expect(review["state"]?.string == "completed")
    #expect(review["exitCode"]?.int == 0)
    #expect(review["changedFiles"]?["exact"]?.bool == false)
  }

  @Test func aRunOfWhichNothingWasSpawnedNeverStarted() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    for name in ["review.json", "changes.json", "digest.json", "process.json", "events.jsonl", "stderr.log"] {
      try FileManager.default.removeItem(atPath: world.file(name, of: run))
    }
    try PrivateFiles.replace(world.file("exit", of: run), with: [UInt8](repeating: 10, count: 512))
    let status = try client.call("opencode_status", ["run": .string(run)])
    #expect(status["state"]?.string == "failed")
    #expect(status["reason"]?.string?.contains("never started") == true)
    // A launch that comes late finds that declared, and does not become OpenCode.
    let late = try world.worker("launch", world.path("state/runs/\(run)"))
    #expect(late.status == .exited(0))
    #expect(!PrivateFiles.exists(world.file("events.jsonl", of: run)))
  }

  @Test func aLaunchWithoutItsSupervisorsLeaveDoesNothing() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    for name in ["process.json", "events.jsonl"] { try FileManager.default.removeItem(atPath: world.file(name, of: run)) }
    // Where the leave would come from there is only an end of file: so it is when the supervisor was killed while it recorded the workspace.
    let launch = try world.worker("launch", world.path("state/runs/\(run)"), "gated")
    #expect(launch.status == .exited(0))
    #expect(!PrivateFiles.exists(world.file("process.json", of: run)) && !PrivateFiles.exists(world.file("events.jsonl", of: run)))
  }

  @Test func anotherProcessUnderThePidIsNotTheRun() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    for name in ["review.json", "changes.json"] { try FileManager.default.removeItem(atPath: world.file(name, of: run)) }
    try PrivateFiles.replace(world.file("exit", of: run), with: [UInt8](repeating: 10, count: 512))
    let own = try #require(ProcessIdentity.current)
    let impostor = ProcessIdentity(pid: own.pid, startTime: own.startTime + 1, bootID: own.bootID)
    try PrivateFiles.replace(world.file("process.json", of: run), with: try JSONEncoder().encode(["identity": impostor]))
    #expect(try client.call("opencode_status", ["run": .string(run)])["running"]?.bool == false)
  }

  @Test(arguments: [0, 3, 6, 9, 12, 16, 20, 25, 30, 40, 55, 80, 120])
  func killedAtAnyMomentNoRunStaysAliveUnknown(milliseconds: Int) throws {
    try world.standIn(["turns": [["text": "Done.", "delay": 0.3]]])
    let id = try client.begin("tools/call", ["name": "opencode_start", "arguments": .object(arguments)])
    _ = eventually(within: 5) { !supervisors().isEmpty }
    usleep(UInt32(milliseconds * 1000))
    for pid in supervisors() { Foundation.kill(pid, SIGKILL) }
    let reply = try #require(try client.answer(to: id)["result"]?["structuredContent"])
    #expect(reply["error"] == nil || reply["error"]?["code"]?.string == "opencode_failed", "\(reply.text)")
    // Every run comes to an end that is told, and a new one can start.
    let allEnded = try eventually {
      try client.call("opencode_runs")["runs"]?.array?.allSatisfy { $0["state"] != "running" && $0["state"] != "starting" } == true
    }
    #expect(allEnded)
    let left = ProcessTable.carrying("OPENCODE_WORKER_RUN", reply["run"]?.string ?? "none")
    #expect(left.isEmpty)
    #expect(try client.call("opencode_run_and_wait", arguments)["state"]?.string == "completed")
  }

  @Test(arguments: [
    "record.json", "process.json", "exit", "digest.json", "review.json", "changes.json", "workspace.json", "events.jsonl", "stderr.log", "fifo", "request.json",
  ])
  func aDamagedFileIsNeverACrash(name: String) throws {
    try world.standIn(["turns": [["text": "Done.", "tools": [["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]]]], ["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    for content in [nil, "", "{", "garbage \u{0} \u{FFFF}", "[1,2,3]", "{\"identity\":5}"] as [String?] {
      let path = world.file(name, of: run)
      try? FileManager.default.removeItem(atPath: path)
      if let content { try PrivateFiles.replace(path, with: Array(content.utf8)) }
      for tool in ["opencode_status", "opencode_wait", "opencode_run_summary", "opencode_logs", "opencode_changed_files", "opencode_usage"] {
        let reply = try client.call(tool, ["run": .string(run)])
        let refusal = ["no_such_run", "log_unavailable"].contains(reply["error"]?["code"]?.string)
        // A review that can't be read is made again, which takes a moment.
        let isMadeAgain = reply["lastDone"]?.string == "OpenCode has ended; its result is being recorded"
        #expect(reply["running"]?.bool == false || refusal || isMadeAgain, "\(name) \(content ?? "missing") \(tool): \(reply.text)")
      }
      #expect(try client.call("opencode_runs")["runs"] != nil)
    }
    #expect(try client.call("opencode_run_and_wait", arguments)["state"]?.string == "completed")
  }

  @Test func aStateFolderThatCannotBeWrittenIsSaid() throws {
    try world.write("state-file", "not a folder")
    let other = try MCPClient(world, extra: ["OPENCODE_WORKER_STATE_DIR": world.path("state-file")])
    try other.initialize()
    let reply = try other.call("opencode_start", arguments)
    #expect(reply["error"]?["code"]?.string == "state_unwritable")
    #expect(try other.call("opencode_status")["state"]?.string == "none")
  }

  /// A file system of its own, filled to the last byte while the run is alive.
  @Test func anExitIsKeptOnAFullDisk() throws {
    guard let disk = try SmallDisk.mounted(in: world) else { return }
    try world.standIn(["turns": [["until": world.releaseFile, "exit": 7]]])
    let other = try MCPClient(world, extra: ["OPENCODE_WORKER_STATE_DIR": disk.path + "/state"])
    try other.initialize()
    let run = try #require(try other.call("opencode_start", arguments)["run"]?.string)
    try disk.fill()
    try world.release()
    let exit = disk.path + "/state/runs/\(run)/exit"
    #expect(eventually { ((try? PrivateFiles.read(exit)) ?? []).starts(with: "exited 7 ".utf8) })
    // No review could be written: the result is worked out from what there is.
    let review = try other.call("opencode_wait")
    #expect(review["exitCode"]?.int == 7)
    #expect(review["state"]?.string == "failed")
    #expect(try other.call("opencode_start", arguments)["error"]?["code"]?.string == "state_unwritable")
    disk.empty()
    #expect(try eventually { try other.call("opencode_start", arguments)["error"] == nil })
    #expect(try other.call("opencode_wait")["exitCode"]?.int == 7)
  }

  /// What OpenCode could not write may have been the check that failed.
  @Test func aLogThatAFullDiskCutProvesNoCheck() throws {
    guard let disk = try SmallDisk.mounted(in: world) else { return }
    let check: JSONValue = ["name": "bash", "arguments": ["command": "test -s README.md", "description": "Checks"]]
    let removal: JSONValue = ["name": "bash", "arguments": ["command": "rm README.md; printf '%9000s' x", "description": "Removes"]]
    try world.standIn(["turns": [["tools": [check]], ["until": world.releaseFile, "tools": [removal, check]], ["text": "Done.", "delay": 3]]])
    let other = try MCPClient(world, extra: ["OPENCODE_WORKER_STATE_DIR": disk.path + "/state"])
    try other.initialize()
    let started = try other.call("opencode_start", world.task(["verificationCommands": ["test -s README.md"]]))
    let run = try #require(started["run"]?.string, "\(started.text)")
    #expect(try eventually { try other.call("opencode_status")["toolCalls"]?.int == 1 })
    try disk.fill()
    try world.release()
    let exit = disk.path + "/state/runs/\(run)/exit"
    #expect(eventually(within: 120) { ((try? PrivateFiles.read(exit)) ?? []).starts(with: "exited ".utf8) })
    disk.empty()
    let review = try other.call("opencode_wait")
    let row = review["verification"]?["declared"]?.array?.first
    #expect(!world.exists("repository/README.md") && row?["result"]?.string == "unknown", "\(review.text)")
    #expect(row?["why"]?.string?.contains("passed when it was last seen") == true, "\(review.text)")
    #expect(attention(review).contains("was full during the run") && review["usage"]?["cost"] == nil, "\(review.text)")
  }
}
