import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// Whatever lies in the way, every question is answered, and nothing is told that isn't so.
@Suite(.blocking) struct HardshipTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private var arguments: JSONObject { world.task() }
  private static let questions = ["opencode_status", "opencode_run_summary", "opencode_logs", "opencode_changed_files", "opencode_usage"]

  private func start(seconds: Double) throws -> String {
    try world.standIn(["turns": [["text": "Done.", "delay": JSONValue(floatLiteral: seconds)]]])
    return try #require(try client.call("opencode_start", arguments)["run"]?.string)
  }

  private func supervisor(of run: String) throws -> Int32 {
    let record = try JSONValue(parsing: try PrivateFiles.read(world.file("supervisor.json", of: run)))
    return Int32(try #require(record["identity"]?["pid"]?.int))
  }

  // MARK: - Hangs

  /// A part of the end-work that never comes back, whatever its own deadline says: the review is written past the deadline of them all.
  @Test(.waiting, arguments: [true, false]) func aFileSystemThatNeverAnswers(isRepository: Bool) throws {
    if !isRepository { try FileManager.default.removeItem(atPath: world.path("repository/.git")) }
    guard let hung = try HungFolder.prepared(at: world.path("repository/deep/mounted"), in: world) else { return }
    let write: JSONValue = ["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]]
    let mount: JSONValue = ["name": "bash", "arguments": ["command": .string(hung.command), "description": "Mounts"]]
    try world.standIn(["turns": [["tools": [write, mount]], ["text": "Done."]]])
    let run = try #require(try client.call("opencode_start", arguments)["run"]?.string)
    // Meanwhile every question is answered.
    #expect(eventually { world.exists("state/runs/\(run)/exit") && (world.read("state/runs/\(run)/exit") ?? "").hasPrefix("exited 0 ") })
    for tool in Self.questions { #expect(try client.call(tool, ["run": .string(run)])["run"]?.string == run, "\(tool)") }
    let review = try client.call("opencode_wait", within: 200)
    #expect(review["state"]?.string == "completed" && review["answer"]?.string == "Done.", "\(review.text)")
    let changes = review["changedFiles"]
    #expect(changes?["exact"]?.bool == false && changes?["why"]?.string?.isEmpty == false, "\(review.text)")
    // Nor is a start in such a folder waited for without an end.
    let refused = try client.call("opencode_start", ["message": "x", "cwd": .string(hung.path)], within: 60)
    #expect(refused["error"]?["message"]?.string?.contains("hasn't answered for") == true, "\(refused.text)")
  }

  @Test func aFIFOInTheRepositoryHoldsNothingUp() throws {
    #expect(mkfifo(world.path("repository/.git/shallow"), 0o600) == 0)
    try world.standIn(["turns": [["text": "Done.", "tools": [["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]]]], ["text": "Done."]]])
    let review = try client.call("opencode_run_and_wait", arguments, within: 120)
    #expect(review["state"]?.string == "completed", "\(review.text)")
    #expect(try client.call("opencode_start", arguments, within: 120)["error"] == nil)
    #expect(try client.call("opencode_wait", within: 120)["state"]?.string == "completed")
  }

  @Test(arguments: ["events.jsonl", "stderr.log", "digest.json", "record.json", "process.json", "exit", "workspace.json", "supervisor.json", "supervisor.log"])
  func aFIFOInTheFolderOfALiveRunHoldsNothingUp(name: String) throws {
    let run = try start(seconds: 3)
    #expect(try eventually { try client.call("opencode_status")["state"]?.string == "running" })
    unlink(world.file(name, of: run))
    #expect(mkfifo(world.file(name, of: run), 0o600) == 0)
    for tool in Self.questions { #expect(try client.call(tool, ["run": .string(run)])["run"]?.string == run, "\(tool)") }
    let review = try client.call("opencode_wait", ["run": .string(run)], within: 120)
    #expect(review["running"]?.bool == false, "\(review.text)")
    // The next one isn't refused.
    try world.standIn(["turns": [["text": "Done."]]])
    #expect(try client.call("opencode_run_and_wait", arguments, within: 120)["state"]?.string == "completed")
  }

  @Test(arguments: ["events.jsonl", "digest.json", "record.json", "review.json", "changes.json", "exit", "request.json"])
  func aFIFOInTheFolderOfAnEndedRunHoldsNothingUp(name: String) throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    unlink(world.file(name, of: run))
    #expect(mkfifo(world.file(name, of: run), 0o600) == 0)
    for tool in Self.questions + ["opencode_wait"] {
      let reply = try client.call(tool, ["run": .string(run)])
      #expect(reply["run"]?.string == run || reply["error"]?["code"]?.string == "log_unavailable", "\(tool): \(reply.text)")
    }
  }

  @Test func aLogThatGrowsFasterThanItIsReadIsAnsweredFromWhatIsRead() throws {
    let run = try start(seconds: 4)
    #expect(try eventually { try client.call("opencode_status")["state"]?.string == "running" })
    let log = try Descriptor.open(world.file("events.jsonl", of: run), O_WRONLY)
    defer { log.close() }
    #expect(ftruncate(log.raw, 64 << 30) == 0)
    // How long it takes is measured by `Tests/Load/run log`. Here: it isn't all read first.
    let status = try client.call("opencode_status")
    #expect(attention(status).contains("not looked at yet"), "\(status.text)")
    #expect(ftruncate(log.raw, 0) == 0)
    #expect(try client.call("opencode_wait", within: 120)["running"]?.bool == false)
  }

  // MARK: - A supervisor that doesn't get on

  @Test func aStoppedSupervisorIsTold() throws {
    let run = try start(seconds: 1)
    let pid = try supervisor(of: run)
    Foundation.kill(pid, SIGSTOP)
    let told = try eventually {
      let status = try client.call("opencode_status")
      return status["running"]?.bool == true && attention(status).contains("(process \(pid)) is stopped")
    }
    #expect(told)
    let doctor = try world.worker("doctor", deadline: .after(120)).outputText
    #expect(doctor.contains("is stopped"), "\(doctor)")
    Foundation.kill(pid, SIGCONT)
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 0)
  }

  @Test func anExitThatCannotBeWrittenIsToldWithTheSystemsWords() throws {
    let run = try start(seconds: 2)
    let exit = world.file("exit", of: run)
    unlink(exit)
    try PrivateFiles.createFolder(exit + "/full")
    let record = world.file("supervisor.json", of: run)
    #expect(eventually { world.read("state/runs/\(run)/supervisor.json")?.contains("problem") == true })
    // As if it had been so for a minute.
    var stuck = try #require(JSONValue(parsing: try PrivateFiles.read(record)).object)
    stuck["since"] = JSONValue(floatLiteral: Date().timeIntervalSince1970 - 60)
    try PrivateFiles.replace(record, with: JSONValue.object(stuck).bytes)
    let status = try client.call("opencode_status")
    #expect(status["running"]?.bool == true)
    #expect(attention(status).contains("hasn't been able to record the end") && attention(status).contains(PosixError.text(of: EISDIR)), "\(status.text)")
    try FileManager.default.removeItem(atPath: exit)
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 0)
  }

  // MARK: - Damage

  @Test func aLiveRunsRecordIsPutBack() throws {
    let run = try start(seconds: 5)
    #expect(try eventually { try client.call("opencode_status")["state"]?.string == "running" })
    for name in ["record.json", "process.json", "fifo", "supervisor.json"] { unlink(world.file(name, of: run)) }
    unlink(world.path("state/live.lock"))
    #expect(try client.call("opencode_status", ["run": .string(run)])["run"]?.string == run)
    #expect(eventually { ["record.json", "process.json", "fifo", "supervisor.json"].allSatisfy { PrivateFiles.exists(world.file($0, of: run)) } })
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 0)
  }

  @Test func aReviewPlantedInALiveRunEndsNothing() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let old = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    let run = try start(seconds: 3)
    try PrivateFiles.replace(world.file("review.json", of: run), with: try PrivateFiles.read(world.file("review.json", of: old)))
    #expect(try client.call("opencode_status", ["run": .string(run)])["running"]?.bool == true)
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    #expect(try client.call("opencode_wait", ["run": .string(run)])["exitCode"]?.int == 0)
  }

  @Test func aRunWhoseRecordIsBrokenIsListedAsSuch() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    try PrivateFiles.replace(world.file("record.json", of: run), with: Array("{".utf8))
    // The request tells what was asked.
    let status = try client.call("opencode_status", ["run": .string(run)])
    #expect(status["state"]?.string == "completed" && attention(status).contains("record.json"), "\(status.text)")
    try PrivateFiles.replace(world.file("request.json", of: run), with: Array("{".utf8))
    let error = try client.call("opencode_status", ["run": .string(run)])["error"]
    #expect(error?["code"]?.string == "run_damaged" && error?["message"]?.string?.contains("record.json") == true)
    let row = try client.call("opencode_runs")["runs"]?.array?.first
    #expect(row?["run"]?.string == run && row?["state"]?.string == "damaged")
    #expect(try client.call("opencode_run_and_wait", arguments)["state"]?.string == "completed")
  }

  @Test func aLaunchThatFailedIsNeverLost() throws {
    try world.write("bin/broken", "#!/nowhere/at/all\n")
    chmod(world.path("bin/broken"), 0o700)
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    // A launch whose supervisor is gone before it has read why.
    for name in ["review.json", "changes.json", "digest.json", "process.json", "events.jsonl", "stderr.log"] { unlink(world.file(name, of: run)) }
    try PrivateFiles.replace(world.file("exit", of: run), with: [UInt8](repeating: 10, count: 512))
    let request = String(decoding: try PrivateFiles.read(world.file("request.json", of: run)), as: UTF8.self)
    try PrivateFiles.replace(
      world.file("request.json", of: run), with: Array(request.replacing("\"\(world.path("bin/opencode"))\"", with: "\"\(world.path("bin/broken"))\"").utf8))
    let launch = try world.worker("launch", world.path("state/runs/\(run)"))
    #expect(launch.status == .exited(126))
    let status = try client.call("opencode_status", ["run": .string(run)])
    #expect(status["state"]?.string == "failed", "\(status.text)")
    #expect(status["reason"]?.string?.contains("execve") == true, "\(status.text)")
  }

  @Test func anOrphanOnAFullDiskIsToldWithTheSystemsWords() throws {
    guard let disk = try SmallDisk.mounted(in: world) else { return }
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let other = try MCPClient(world, extra: ["OPENCODE_WORKER_STATE_DIR": disk.path + "/state"])
    try other.initialize()
    let run = try #require(try other.call("opencode_start", arguments)["run"]?.string)
    let record = try JSONValue(parsing: try PrivateFiles.read(disk.path + "/state/runs/\(run)/supervisor.json"))
    Foundation.kill(Int32(try #require(record["identity"]?["pid"]?.int)), SIGKILL)
    try disk.fill()
    try world.release()
    let review = try other.call("opencode_wait")
    #expect(review["running"]?.bool == false)
    #expect(attention(review).contains(PosixError.text(of: ENOSPC)) && !attention(review).contains("another run"), "\(review.text)")
  }

  // MARK: - Poor surroundings

  @Test(arguments: [["TMPDIR": "/nowhere/at/all"], ["PATH": ""], ["PATH": "", "TMPDIR": "/nowhere"], ["HOME": "/nowhere"], ["LANG": "xx"]])
  func poorEnvironments(extra: [String: String]) throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let other = try MCPClient(world, extra: extra)
    try other.initialize()
    let review = try other.call("opencode_run_and_wait", arguments, within: 120)
    #expect(review["state"]?.string == "completed", "\(review.text)")
  }

  /// Address Sanitizer needs terabytes of addresses to begin.
  private static let limits =
    ["ulimit -n 4", "ulimit -n 8", "ulimit -n 12", "ulimit -n 20", "ulimit -u 3"]
    + (ProcessInfo.processInfo.environment["ASAN_OPTIONS"] == nil ? ["ulimit -v 60000", "ulimit -v 300000"] : [])

  @Test(arguments: limits)
  func fewDescriptorsAndLittleMemory(limit: String) throws {
    try world.standIn(["turns": [["text": "Done."]]])
    for command in ["call opencode_status '{}'", "call opencode_start '{\"message\": \"x\"}'"] {
      let result = try Command(
        "/bin/bash", ["-c", "\(limit); exec \(World.binary) \(command)"], environment: world.environment, folder: world.repository, deadline: .after(60)
      ).run()
      guard let status = result.status else {
        Issue.record("\(limit), \(command): no end")
        continue
      }
      // An exit code and words; the loader itself may have refused.
      if case .signaled(let number) = status { Issue.record("\(limit), \(command): \(ExitStatus.signalName(number)) \(result.errorText)") }
      #expect(status.succeeded || !result.errorText.isEmpty || !result.outputText.isEmpty, "\(limit), \(command): \(status)")
    }
  }

  @Test(arguments: ["000", "777"])
  func whateverTheUmaskIs(umask: String) throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let result = try Command(
      "/bin/bash", ["-c", "umask \(umask); exec \(World.binary) call opencode_run_and_wait '{\"message\": \"x\"}'"], environment: world.environment,
      folder: world.repository, deadline: .after(60)
    ).run()
    #expect(result.succeeded, "\(result.outputText) \(result.errorText)")
    for name in try FileManager.default.subpathsOfDirectory(atPath: world.path("state")) {
      let mode = try FileManager.default.attributesOfItem(atPath: world.path("state/\(name)"))[.posixPermissions] as? NSNumber
      // git's own files in there are made with our umask; nobody gets past the folders above them.
      if !name.contains("/git/") { #expect((mode?.intValue ?? 0) & 0o077 == 0, "\(name)") }
    }
  }

  @Test(.enabled(if: getuid() == 0, "only root can give a folder away"))
  func anotherUsersStateFolderIsRefused() throws {
    try PrivateFiles.createFolder(world.path("state"))
    #expect(chown(world.path("state"), 65534, 65534) == 0)
    let error = try client.call("opencode_start", arguments)["error"]
    #expect(error?["code"]?.string == "state_unwritable" && error?["message"]?.string?.contains("another user") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.path("state")).isEmpty)
  }
}
