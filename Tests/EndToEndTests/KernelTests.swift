#if os(Linux)
  import Foundation
  import JSON
  import PosixSupport
  import TestSupport
  import Testing

  /// The worker as it is on macOS, with a `poll` and a `waitid` that behave as XNU's: as much of it as can run here.
  @Suite(.blocking) struct KernelTests {
    /// The library that takes the place of Linux's own functions.
    private static let library: Result<String, any Error> = Result {
      let folder = (#filePath as NSString).deletingLastPathComponent + "/kernel"
      let library = (World.binary as NSString).deletingLastPathComponent + "/xnu.so"
      let new = "\(library)-\(getpid())"
      let compiler = ProgramFinder.locate("clang", path: ProcessInfo.processInfo.environment["PATH"], workspace: nil) ?? "/usr/bin/cc"
      let made = try Command(compiler, ["-shared", "-fPIC", "-Wall", "-Werror", "-o", new, folder + "/xnu.c"], deadline: .after(120)).run()
      guard made.succeeded, rename(new, library) == 0 else { throw TestFailure("\(library): \(made.errorText)") }
      return library
    }

    private let world: World
    private let client: MCPClient

    /// - Parameter path: which of the worker's ways of waiting is taken
    private init(waitingAsOn path: String?) throws {
      world = try World()
      world.environment["LD_PRELOAD"] = try KernelTests.library.get()
      world.environment["WORKER_TEST_KERNEL"] = path
      world.environment["OPENCODE_WORKER_WAIT_SECONDS"] = path == nil ? "6" : "120"
      client = try MCPClient(world)
      try client.initialize()
    }

    init() throws { try self.init(waitingAsOn: "xnu") }

    private func startHeldRun() throws -> String {
      try world.standIn([
        "turns": [
          ["tools": [["name": "bash", "arguments": ["command": "while [ ! -e go ]; do sleep 0.1; done; touch went", "description": "Waits"]]]],
          ["text": "Done."],
        ]
      ])
      return try #require(try client.call("opencode_start", world.task())["run"]?.string)
    }

    @Test func theEndOfARunIsSeenThoughPollDoesNotTell() throws {
      let run = try startHeldRun()
      let waits = try (0..<3).map { _ in try client.begin("tools/call", ["name": "opencode_wait", "arguments": ["run": .string(run)]]) }
      try world.write("repository/go", "")
      for wait in waits {
        let reply = try #require(try client.answer(to: wait, within: 180)["result"]?["structuredContent"])
        #expect(reply["state"]?.string == "completed" && reply["exitCode"]?.int == 0, "\(reply.text)")
        #expect(reply["timedOut"] == nil)
      }
      #expect(try client.call("opencode_runs")["runs"]?.array?.first?["state"]?.string == "completed")
    }

    @Test func aPausedOpenCodeIsNotDead() throws {
      let run = try startHeldRun()
      #expect(eventually { world.openCode(of: run) != nil })
      let pid = try #require(world.openCode(of: run))
      Foundation.kill(pid, SIGSTOP)
      try world.write("repository/go", "")
      // Longer than whoever waits for its end needs to be told of the stop.
      sleep(2)
      #expect(try client.call("opencode_status", ["run": .string(run)])["running"]?.bool == true)
      #expect(!world.exists("state/runs/\(run)/review.json"))
      Foundation.kill(pid, SIGCONT)
      let review = try client.call("opencode_wait", ["run": .string(run)], within: 180)
      #expect(review["state"]?.string == "completed" && review["exitCode"]?.int == 0, "\(review.text)")
    }

    /// The library does what it is for: the way that is right on Linux sees no end under it.
    @Test func linuxsOwnWayOfWaitingMissesTheEndThere() throws {
      let linux = try KernelTests(waitingAsOn: nil)
      let run = try linux.startHeldRun()
      let start = Monotonic.now
      let wait = try linux.client.begin("tools/call", ["name": "opencode_wait", "arguments": ["run": .string(run)]])
      try linux.world.write("repository/go", "")
      _ = try linux.client.answer(to: wait, within: 180)
      #expect(Monotonic.now - start >= 5.9)
    }
  }
#endif
