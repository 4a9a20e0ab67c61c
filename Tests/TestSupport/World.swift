import Foundation
import JSON
import PosixSupport

/// A folder with a repository, a state folder, a home and a stand-in OpenCode: everything that one test needs, and nothing else's.
package final class World {
  package let root: String
  package var environment: [String: String]

  /// The built worker: beside the running program, or beside the test bundle that Xcode's `xctest` has loaded. `WORKER_TEST_BINARY` names
  /// another build of it.
  package static let binary: String = {
    if let given = ProcessInfo.processInfo.environment["WORKER_TEST_BINARY"] { return PrivateFiles.resolved(given) ?? given }
    let places = [OwnProcess.executable, Bundle(for: World.self).bundlePath, Bundle.main.bundlePath]
    let candidates = places.map { ($0 as NSString).deletingLastPathComponent + "/opencode-worker" }
    return candidates.first(where: PrivateFiles.isExecutable) ?? candidates[0]
  }()

  package init() throws {
    root = (PrivateFiles.resolved(NSTemporaryDirectory()) ?? NSTemporaryDirectory()) + "/worker-test-\(UInt64.random(in: 0 ... .max))"
    environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": root + "/home", "LANG": "C.UTF-8",
      "OPENCODE_WORKER_STATE_DIR": root + "/state", "WORKER_TEST_WORLD": root,
      // A wait lasts as long as the run, however busy the machine is.
      "OPENCODE_WORKER_WAIT_SECONDS": "900",
    ]
    // The kernel of another system (`Tests/xnu-habits`), or a build that watches itself (`Tests/sanitized`), where the tests run with one.
    for name in ["LD_PRELOAD", "WORKER_TEST_KERNEL", "TSAN_OPTIONS", "ASAN_OPTIONS"] { environment[name] = ProcessInfo.processInfo.environment[name] }
    for folder in ["home", "bin", "repository"] { try PrivateFiles.createFolder(root + "/" + folder) }
    try FileManager.default.createSymbolicLink(atPath: root + "/bin/opencode", withDestinationPath: World.binary)
    environment["OPENCODE_BIN"] = root + "/bin/opencode"
    try git("init", "-q", "-b", "main")
    try write("repository/README.md", "# Repository\n")
    try git("add", ".")
    try git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "Begin")
  }

  deinit {
    // Until there is none: one that wasn't killed yet may have started another.
    for _ in 0..<100 {
      let living = ProcessTable.carrying("WORKER_TEST_WORLD", root)
      if living.isEmpty { break }
      for process in living { Foundation.kill(process.pid, SIGKILL) }
    }
    try? FileManager.default.removeItem(atPath: root)
  }

  /// Deletes a run's folder, as whoever wants a run forgotten does. Its server or supervisor may just be writing a last mark into it: then again.
  package func forget(_ run: String) throws {
    let folder = path("state/runs/\(run)")
    let isGone = eventually(within: 60) {
      try? FileManager.default.removeItem(atPath: folder)
      return !PrivateFiles.exists(folder)
    }
    if !isGone { throw TestFailure("\(folder) can't be deleted") }
  }

  /// A world and a client that has introduced itself to a server in it.
  package static func connected() throws -> (world: World, client: MCPClient) {
    let world = try World()
    let client = try MCPClient(world)
    try client.initialize()
    return (world, client)
  }

  /// The arguments of a start in the repository, with others or in place of others.
  package func task(_ more: JSONObject = [:]) -> JSONObject {
    var all: JSONObject = ["message": "Do it.", "cwd": .string(repository)]
    all.merge(more)
    return all
  }

  package func path(_ name: String) -> String { root + "/" + name }
  package var repository: String { path("repository") }

  package func write(_ name: String, _ text: String) throws { try PrivateFiles.replace(path(name), with: Array(text.utf8)) }
  package func read(_ name: String) -> String? { (try? PrivateFiles.read(path(name))).map { String(decoding: $0, as: UTF8.self) } }
  package func exists(_ name: String) -> Bool { PrivateFiles.exists(path(name)) }

  @discardableResult
  package func git(_ arguments: String...) throws -> String {
    let result = try Command(GitFixture.git, arguments, environment: environment, folder: repository, deadline: .after(30)).run()
    guard result.succeeded else { throw TestFailure("git \(arguments): \(result.errorText)") }
    return result.outputText
  }

  /// What the stand-in OpenCode plays.
  package func standIn(_ configuration: JSONValue) throws { try write("bin/stand-in.json", configuration.text) }

  /// Runs one command of the worker.
  package func worker(_ arguments: String..., extra: [String: String] = [:], deadline: Deadline = .after(60)) throws -> Command.Result {
    try Command(World.binary, arguments, environment: environment.merging(extra) { $1 }, folder: repository, deadline: deadline).run()
  }

  /// The file that a turn `until` waits for.
  package var releaseFile: JSONValue { .string(path("release")) }

  package func release() throws { try write("release", "") }

  /// The files of a run.
  package func file(_ name: String, of run: String) -> String { path("state/runs/\(run)/\(name)") }
}
