import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import JSONRPC

/// Files taken away, inherited oddities, shortages: nothing of that ends in a second live run, a lost one or a wrong outcome.
@Suite(.blocking) struct AdversaryTests {
  let world: World
  let client: MCPClient

  init() throws {
    (world, client) = try World.connected()
  }

  private var arguments: JSONObject { world.task() }

  private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: world.path(name)) }

  /// A run that stays alive until `release` is written into the world.
  private func startHeldRun(exit: Int = 3) throws -> String {
    let hold: JSONValue = ["name": "bash", "arguments": ["command": .string(holding), "description": "x"]]
    try world.standIn(["turns": [["text": "Working.", "tools": [hold]], ["exit": JSONValue(exit)]]])
    let reply = try client.call("opencode_start", arguments)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private var holding: String { "while ! [ -e \(world.path("release")) ]; do sleep 0.05; done" }
  private func release() throws { try world.release() }

  // MARK: - Files of a living run

  @Test func aDeletedLockFileLetsNoSecondRunStart() throws {
    let run = try startHeldRun()
    try remove("state/live.lock")
    // At once, before its supervisor can have noticed; a server that has never seen the run asks as well.
    let supervisor = try world.worker("call", "opencode_start", JSONValue.object(arguments).text)
    #expect(supervisor.outputText.contains("\"busy\""))
    #expect(eventually { world.read("state/live.lock") == run })
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    try release()
    let review = try client.call("opencode_wait")
    #expect(review["run"]?.string == run)
    #expect(review["exitCode"]?.int == 3)
    #expect(review["changedFiles"]?["exact"]?.bool == true)
  }

  /// A start that has checked everything and then finds the lock free, because somebody has deleted its file.
  @Test func aSupervisorWithAFreshLockFileSeesTheLivingRun() throws {
    let run = try startHeldRun()
    try FileManager.default.copyItem(atPath: world.path("state/runs/\(run)"), toPath: world.path("state/staging/late"))
    for name in ["record.json", "process.json", "fifo", "events.jsonl", "exit"] { try? remove("state/staging/late/\(name)") }
    try remove("state/live.lock")
    let late = try world.worker("supervise", "--state", world.path("state"), "--staging", "late")
    #expect(late.outputText.contains("busy") && late.outputText.contains(run))
    let adopter = try world.worker("supervise", "--state", world.path("state"), "--adopt", run)
    #expect(!adopter.outputText.contains("accepted"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.path("state/runs")) == [run])
    try release()
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 3)
  }

  @Test(arguments: ["", "not a pipe"])
  func aFifoThatIsDeletedOrReplacedIsPutBack(replacement: String) throws {
    let run = try startHeldRun()
    let wait = try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]])
    let fifo = "state/runs/\(run)/fifo"
    try remove(fifo)
    if !replacement.isEmpty { try world.write(fifo, replacement) }
    #expect(try eventually { try Fifo.isHeld(world.path(fifo)) })
    #expect(try client.call("opencode_status")["state"]?.string == "running")
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    try release()
    #expect(try client.answer(to: wait)["result"]?["structuredContent"]?["exitCode"]?.int == 3)
  }

  @Test func aRunWhoseFolderIsDeletedIsForgottenAndKeepsNobodyOut() throws {
    let run = try startHeldRun()
    try remove("state/runs/\(run)")
    #expect(try client.call("opencode_status", ["run": .string(run)])["error"]?["code"]?.string == "no_such_run")
    // It still works in the folder: nothing else may start.
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    try release()
    #expect(try eventually { try client.call("opencode_start", arguments)["error"] == nil })
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 3)
    #expect(!world.exists("state/runs/\(run)"))
  }

  /// Unlike a run's own folder, the whole state folder holds what keeps a second run from starting.
  @Test func aDeletedStateFolderIsPutBackAroundTheLivingRun() throws {
    let run = try startHeldRun()
    try remove("state")
    #expect(eventually { world.read("state/live.lock") == run && world.exists("state/runs/\(run)/record.json") })
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    let other = try world.worker("call", "opencode_start", JSONValue.object(arguments).text)
    #expect(other.outputText.contains("\"busy\"") && other.outputText.contains(run), "\(other.outputText)")
    try release()
    #expect(try client.call("opencode_wait", ["run": .string(run)])["run"]?.string == run)
    #expect(try eventually { try client.call("opencode_start", arguments)["error"] == nil })
  }

  @Test func aStoppedSupervisorHoldsUpNoAnswer() throws {
    let run = try startHeldRun()
    let listing = try Command("/bin/ps", ["-eo", "pid,args"], deadline: .after(10)).run().outputText
    let line = try #require(listing.split(separator: "\n").first { $0.contains(" supervise --state \(world.path("state")) ") })
    let supervisor = try #require(Int32(line.split(separator: " ")[0]))
    kill(supervisor, SIGSTOP)
    defer { kill(supervisor, SIGCONT) }
    #expect(try client.call("opencode_status")["run"]?.string == run)
    #expect(try client.call("opencode_start", arguments)["error"]?["code"]?.string == "busy")
    #expect(try client.call("opencode_wait", ["timeoutSeconds": 0])["timedOut"]?.bool == true)
    try release()
    kill(supervisor, SIGCONT)
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 3)
  }

  /// As soon as any reply says that a run has ended, the next may begin: the review is there a moment before its supervisor has let go.
  @Test func aStartRightAfterTheEndIsNeverRefused() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    for _ in 0..<5 {
      let reply = try client.call("opencode_start", arguments)
      let run = try #require(reply["run"]?.string)
      #expect(reply["error"] == nil, "\(reply.text)")
      #expect(try eventually(within: 120) { try client.call("opencode_status", ["run": .string(run)])["running"]?.bool == false })
    }
  }

  @Test func theNewestRunIsTheLatestAlsoWhenTheClockHasGoneBack() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let first = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    let future = "20990101-000000-zzzz"
    try FileManager.default.moveItem(atPath: world.path("state/runs/\(first)"), toPath: world.path("state/runs/\(future)"))
    let second = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    #expect(second == "20990101-000001-2222")
    #expect(try client.call("opencode_status")["run"]?.string == second)
  }

  // MARK: - What a server inherits

  /// Runs the server under a shell or another program that changes something first.
  private func under(_ program: [String], script: String, _ messages: [JSONValue]) throws -> [JSONValue] {
    let hello: [JSONValue] = [
      [
        "jsonrpc": "2.0", "id": "hello", "method": "initialize",
        "params": ["protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "t", "version": "1"]],
      ],
      ["jsonrpc": "2.0", "method": "notifications/initialized"],
    ]
    let input = (hello + messages).map(\.text).joined(separator: "\n") + "\n"
    try world.write("input", input)
    let command = Command(
      "/usr/bin/env", program + [script, "x", World.binary, world.path("input")], environment: world.environment, folder: world.root, deadline: .after(60))
    let result = try command.run()
    return result.outputText.split(separator: "\n").map { (try? JSONValue(parsing: Array($0.utf8))) ?? .string(String($0)) }
  }

  private func callMessage(_ tool: String, _ arguments: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "id": .string(tool), "method": "tools/call", "params": ["name": .string(tool), "arguments": .object(arguments)]]
  }

  @Test func anIgnoredSIGCHLDAndBlockedSignalsChangeNoOutcome() throws {
    guard let python = Python.interpreter() else { return }
    try world.standIn(["turns": [["exit": 7]]])
    let script = """
      import os, signal, sys, time
      signal.signal(signal.SIGCHLD, signal.SIG_IGN)
      signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGINT})
      source, sink = os.pipe()
      os.set_inheritable(source, True)
      os.set_blocking(source, False)
      if os.fork() == 0:
          os.close(source)
          os.write(sink, open(sys.argv[3], 'rb').read())
          time.sleep(5)
          os._exit(0)
      os.close(sink)
      os.dup2(source, 0)
      os.execv(sys.argv[2], [sys.argv[2]])
      """
    let answers = try under([python, "-c"], script: script, [callMessage("opencode_run_and_wait", arguments)])
    let review = answers.first { $0["id"]?.string == "opencode_run_and_wait" }?["result"]?["structuredContent"]
    #expect(review?["exitCode"]?.int == 7, "\(answers)")
    #expect(review?["state"]?.string == "failed")
  }

  @Test(arguments: ["0777", "0000"])
  func theUmaskChangesNothing(umask: String) throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let script = "umask \(umask); cd /; (cat \"$2\"; sleep 4) | \"$1\""
    let answers = try under(["sh", "-c"], script: script, [callMessage("opencode_run_and_wait", arguments)])
    let review = answers.first { $0["id"]?.string == "opencode_run_and_wait" }?["result"]?["structuredContent"]
    #expect(review?["state"]?.string == "completed", "\(answers)")
    let run = try #require(review?["run"]?.string)
    var modes: [String: mode_t] = [:]
    for name in ["", "state", "state/live.lock", "state/runs", "state/runs/\(run)"] where !name.isEmpty {
      var info = stat()
      #expect(stat(world.path(name), &info) == 0)
      modes[name] = info.st_mode & 0o777
    }
    #expect(modes == ["state": 0o700, "state/live.lock": 0o600, "state/runs": 0o700, "state/runs/\(run)": 0o700])
    for name in try FileManager.default.contentsOfDirectory(atPath: world.path("state/runs/\(run)")) {
      var info = stat()
      #expect(stat(world.file(name, of: run), &info) == 0)
      #expect(info.st_mode & 0o777 == (name == "git" ? 0o700 : 0o600), "\(name)")
    }
  }

  @Test func closedDescriptorsAreSaidNotSuffered() throws {
    let none = try under(["sh", "-c"], script: "\"$1\" <&- >&- 2>&-; echo \"[$?]\"", [])
    #expect(none == [[1]])
    let silent = try under(["sh", "-c"], script: "\"$1\" <\"$2\" 2>&-; echo \"[$?]\"", [])
    #expect(silent.first?["id"]?.string == "hello")
    #expect(silent.last == [0])
  }

  // MARK: - Shortages

  /// Whatever a server can't open, it never takes a living run for a dead one.
  @Test(arguments: [12, 16, 20, 24, 32])
  func fewDescriptorsLeadToNoWrongOutcome(limit: Int) throws {
    let run = try startHeldRun()
    let looks: [JSONValue] = ["opencode_status", "opencode_wait", "opencode_usage"].map {
      callMessage($0, $0 == "opencode_wait" ? ["run": .string(run), "timeoutSeconds": 0] : ["run": .string(run)])
    }
    let answers = try under(["sh", "-c"], script: "ulimit -n \(limit); (cat \"$2\"; sleep 3) | \"$1\"", looks)
    for answer in answers {
      guard let reply = answer["result"]?["structuredContent"] else { continue }
      #expect(reply["running"]?.bool == true || reply["error"]?["code"]?.string == "opencode_failed", "\(limit): \(reply.text)")
    }
    try release()
    let review = try client.call("opencode_wait")
    #expect(review["exitCode"]?.int == 3)
    #expect(review["changedFiles"]?["exact"]?.bool == true)
  }

  @Test func aThousandWaitsTakeAFewThreadsAndEndTogether() throws {
    let run = try startHeldRun()
    let waits = try (0..<1000).map { _ in try client.begin("tools/call", ["name": "opencode_wait", "arguments": [:]]) }
    #expect(try client.call("opencode_status")["run"]?.string == run)
    func count(_ folder: String) -> Int { ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(client.process.pid)/\(folder)")) ?? []).count }
    // (Only where the system shows it.)
    #expect(count("task") < 60)
    #expect(count("fd") < 60)
    for id in waits.prefix(100) { try client.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": JSONValue(id)]]) }
    // It has read them all when it answers what came after.
    #expect(try client.request("ping")["result"] != nil)
    try release()
    for id in waits.dropFirst(100) {
      #expect(try client.answer(to: id)["result"]?["structuredContent"]?["exitCode"]?.int == 3)
    }
    #expect(!client.unclaimed.contains { $0["id"]?.int.map { $0 <= waits[99] && $0 >= waits[0] } ?? false })
  }

  @Test func anEnvironmentThatIsTooLargeLeavesNothingBehind() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    // Each may have 128 KiB as an argument; together they are too many for one program.
    let files = try (0..<60).map { number in
      let name = String(repeating: "f", count: 200) + "\(number)"
      try world.write("repository/\(name)", "")
      return name
    }
    var many: [JSONValue] = []
    for _ in 0..<300 { many += files.map { .string($0) } }
    let reply = try client.call("opencode_run_and_wait", arguments.merging(["files": .array(many)]))
    #expect(reply["state"]?.string == "failed" || reply["error"]?["code"]?.string == "opencode_failed", "\(reply.text)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.path("state/staging")).isEmpty)
    #expect(try client.call("opencode_run_and_wait", arguments)["state"]?.string == "completed")
  }

  @Test func manyStartsLeakNothing() throws {
    let run = try startHeldRun()
    func count(_ folder: String) -> Int { ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(client.process.pid)/\(folder)")) ?? []).count }
    func zombies() throws -> Int {
      let listing = try Command("/bin/ps", ["-eo", "ppid,stat"], deadline: .after(10)).run().outputText
      return listing.split(separator: "\n").filter { line in
        let fields = line.split(separator: " ")
        return fields.count == 2 && fields[0] == "\(client.process.pid)" && fields[1].hasPrefix("Z")
      }.count
    }
    _ = try client.call("opencode_start", arguments)
    let before = (fd: count("fd"), task: count("task"))
    // Past the first look, which would refuse them already: straight to the supervisor.
    for _ in 0..<30 { #expect(try client.call("opencode_start", arguments)["run"]?.string == run) }
    #expect(eventually { count("fd") <= before.fd + 4 && count("task") <= before.task + 8 }, "\(before) -> \(count("fd")), \(count("task"))")
    #expect(try eventually { try zombies() == 0 })
    try release()
    #expect(try client.call("opencode_wait")["exitCode"]?.int == 3)
  }

  // MARK: - The client

  private static func toolsList(_ id: Int) -> [UInt8] {
    let version: JSONObject = ["io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:]]
    return (["jsonrpc": "2.0", "id": JSONValue(id), "method": "tools/list", "params": ["_meta": .object(version)]] as JSONValue).bytes + [10]
  }

  /// A server whose pipes a test holds itself: `asking` writes, and only then somebody reads so many answers.
  private func unread(_ answers: Int, asking: (Descriptor) throws -> Void) throws {
    let toServer = try Descriptor.pipe()
    let fromServer = try Descriptor.pipe()
    let errors = try Descriptor.open("/dev/null", O_WRONLY)
    let server = try ChildProcess(World.binary, [], environment: world.environment, folder: "/", input: toServer.read, output: fromServer.write, errors: errors)
    for end in [toServer.read, fromServer.write, errors] { end.close() }
    try asking(toServer.write)
    var framing = LineFraming()
    var seen: Set<Int> = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while seen.count < answers {
      let count = try fromServer.read.read(into: buffer)
      try #require(count > 0)
      for case .line(let line) in framing.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
        seen.insert(try #require(try JSONValue(parsing: line)["id"]?.int))
      }
    }
    toServer.write.close()
    #expect(server.wait(deadline: .after(20)) == .exited(0))
    fromServer.read.close()
  }

  @Test func aClientThatDoesNotReadForAWhileLosesNothing() throws {
    // 200 answers of 7 KiB are far more than a pipe holds.
    try unread(200) { input in
      for id in 0..<200 { try input.writeAll(Self.toolsList(id)) }
    }
  }

  /// Else a client that never reads fills the memory.
  @Test func answersThatNobodyReadsAreBounded() throws {
    let all = 6_000
    var (sent, rest) = (0, ArraySlice<UInt8>())
    try unread(all) { pipe in
      // A client that goes on as long as it can; the answers to all of it are 45 MiB.
      let flags = fcntl(pipe.raw, F_GETFL)
      #expect(fcntl(pipe.raw, F_SETFL, flags | O_NONBLOCK) == 0)
      var waited = 0
      while sent < all, waited < 40 {
        if rest.isEmpty { rest = Self.toolsList(sent)[...] }
        let count = rest.withUnsafeBytes { write(pipe.raw, $0.baseAddress, $0.count) }
        if count > 0 {
          rest = rest.dropFirst(count)
          if rest.isEmpty { sent += 1 }
          waited = 0
        } else {
          usleep(100_000)
          waited += 1
        }
      }
      #expect(sent < all, "the server has read them all, and holds what it answered")
      #expect(fcntl(pipe.raw, F_SETFL, flags) == 0)
      // Once somebody reads it goes on with the others.
      let (next, remaining) = (sent, Array(rest))
      Thread.detachNewThread {
        try? pipe.writeAll(remaining)
        for id in (remaining.isEmpty ? next : next + 1)..<all { try? pipe.writeAll(Self.toolsList(id)) }
      }
    }
  }

  @Test func aCancelledStartGoesOnAsARun() throws {
    try world.standIn(["turns": [["text": "Done.", "until": world.releaseFile]]])
    let id = try client.begin("tools/call", ["name": "opencode_run_and_wait", "arguments": .object(arguments)])
    #expect(eventually { ((try? FileManager.default.contentsOfDirectory(atPath: world.path("state/runs"))) ?? []).count == 1 })
    try client.send(["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": JSONValue(id)]])
    try release()
    #expect(try client.call("opencode_wait")["state"]?.string == "completed")
    #expect(!client.unclaimed.contains { $0["id"]?.int == id })
  }

  @Test func oddTokensIDsAndASecondHandshakeAreTaken() throws {
    for token in [.null, true, 1.5, [:], []] as [JSONValue] {
      let reply = try client.call("opencode_status", meta: ["progressToken": token])
      #expect(reply["state"]?.string == "none")
    }
    let run = try startHeldRun()
    let wait: JSONValue = ["jsonrpc": "2.0", "id": "same", "method": "tools/call", "params": ["name": "opencode_wait", "arguments": [:]]]
    try client.send(wait)
    try client.send(wait)
    #expect(client.receive { $0["id"]?.string == "same" }?["error"]?["code"]?.int == -32600)
    #expect(try client.initialize(version: "2024-11-05")["result"]?["protocolVersion"]?.string == "2024-11-05")
    try release()
    #expect(client.receive { $0["id"]?.string == "same" }?["result"]?["isError"]?.bool == false)
    #expect(try JSONValue(parsing: PrivateFiles.read(world.file("review.json", of: run)))["outcome"] != nil)
  }

  // MARK: - Large logs

  @Test func hugeLogsAnswerSoonAndSmall() throws {
    try world.standIn(["turns": [["text": "Done."]]])
    let run = try #require(try client.call("opencode_run_and_wait", arguments)["run"]?.string)
    let file = try Descriptor.open(world.file("events.jsonl", of: run), O_WRONLY | O_APPEND)
    defer { file.close() }
    // A line of 4 MB, then a hole of 16 MB that looks like one more, then a line that shows nothing.
    try file.writeAll([UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20) + [10])
    #expect(ftruncate(file.raw, off_t(try file.size() + 16 << 20)) == 0)
    try file.writeAll(Array("\n{\"type\":\"unknown\"}\n".utf8))
    for tool in ["opencode_logs", "opencode_status", "opencode_run_summary"] {
      let reply = try client.call(tool, ["run": .string(run)])
      #expect(reply["run"]?.string == run, "\(tool)")
      #expect(reply.bytes.count < 8 << 10)
    }
    for source in ["raw", "events", "stderr"] {
      #expect(try client.call("opencode_logs", ["run": .string(run), "source": .string(source), "lines": 1000])["lines"] != nil)
    }
    // Shortened while somebody pages through it.
    let page = try client.call("opencode_logs", ["run": .string(run), "source": "raw", "lines": 1])
    #expect(ftruncate(file.raw, 100) == 0)
    let cursor = try #require(page["nextCursor"])
    #expect(try client.call("opencode_logs", ["run": .string(run), "source": "raw", "lines": 5, "cursor": cursor])["lines"] != nil)
  }

  // MARK: - Strange folders

  @Test(arguments: ["line\nbreak", "Ünï-e\u{301}-😀 \u{202E}x", "quote'\"$(x)`", String(repeating: "d", count: 255)])
  func strangeFolderNamesWork(name: String) throws {
    let folder = world.path(name)
    try PrivateFiles.createFolder(folder)
    try world.standIn(["turns": [["tools": [["name": "write", "arguments": ["filePath": "a.txt", "content": "x"]]]], ["text": "Done."]]])
    let meta: JSONObject = ["codex/sandbox-state-meta": ["sandboxCwd": .string(folder)]]
    let reply = try client.call("opencode_run_and_wait", ["message": "Nul \u{0} inside.\u{1}"], meta: meta)
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    #expect(reply["cwd"]?.string == folder)
    #expect(PrivateFiles.exists(folder + "/a.txt"))
    #expect(reply["changedFiles"]?["counts"]?["added"]?.int == 1, "\(reply.text)")
  }
}

extension JSONObject {
  fileprivate func merging(_ other: JSONObject) -> JSONObject {
    var result = self
    result.merge(other)
    return result
  }
}
