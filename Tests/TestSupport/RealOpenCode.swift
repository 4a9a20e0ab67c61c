import Foundation
import JSON
import PosixSupport

/// The real OpenCode, offline: a process that holds a scripted model on loopback, and the environment in which OpenCode uses it.
/// It lives apart from the servers under test, which may be killed with all their group.
package final class RealOpenCode {
  package let environment: [String: String]
  private let holder: ChildProcess
  private let input: Descriptor

  /// Where `with_opencode.py` is: `OPENCODE_WORKER_SHARED`, or a folder `shared` beside the repository's.
  private static var launcher: String? {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    let shared = ProcessInfo.processInfo.environment["OPENCODE_WORKER_SHARED"] ?? folder.appendingPathComponent("shared").path
    let path = shared + "/opencode/with_opencode.py"
    return PrivateFiles.exists(path) ? path : nil
  }

  /// - Parameter turns: what the model answers, in order, whichever run or subagent asks
  /// - Returns: nil, with a printed line that says why, where it can't be had
  package static func playing(_ turns: JSONValue, in world: World, test: String = #function) throws -> RealOpenCode? {
    guard let launcher else {
      print("NOTICE: \(test) was skipped: there is no folder shared/opencode beside the repository (or OPENCODE_WORKER_SHARED)")
      return nil
    }
    guard let python = Python.interpreter(for: test) else { return nil }
    guard try Command("/usr/bin/env", ["uname", "-sm"], deadline: .after(10)).run().outputText.hasPrefix("Linux x86_64") else {
      print("NOTICE: \(test) was skipped: the OpenCode in shared/opencode is for Linux x64")
      return nil
    }
    try world.write("model.json", turns.text)
    return try RealOpenCode(python, launcher, world)
  }

  private init(_ python: String, _ launcher: String, _ world: World) throws {
    let toHolder = try Descriptor.pipe()
    let fromHolder = try Descriptor.pipe()
    let errors = try Descriptor.open(world.path("model-stderr.log"), O_WRONLY | O_CREAT | O_APPEND)
    let tellEnvironment = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"
    holder = try ChildProcess(
      python,
      [
        launcher, "--home", world.path("home"), "--requests", world.path("requests.jsonl"), world.path("model.json"), python, "-c", tellEnvironment,
      ],
      folder: world.root, input: toHolder.read, output: fromHolder.write, errors: errors)
    toHolder.read.close()
    fromHolder.write.close()
    errors.close()
    input = toHolder.write
    var line: [UInt8] = []
    // The first test of all unpacks OpenCode.
    while !line.contains(UInt8(ascii: "\n")), waitReadable([fromHolder.read], deadline: .after(120))[0].isReady {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
      defer { buffer.deallocate() }
      let count = try fromHolder.read.read(into: buffer)
      if count == 0 { break }
      line += buffer[..<count]
    }
    fromHolder.read.close()
    let value = try? JSONValue(parsing: line)
    guard let all = value?.object else { throw TestFailure("with_opencode.py: \(world.read("model-stderr.log") ?? "")") }
    // Its runtime's last optimizer and its second collector thread don't pay in a run of seconds: a fifth of what it computes.
    let thrift = [("BUN_JSC_useFTLJIT", "0"), ("BUN_JSC_numberOfGCMarkers", "1")]
    environment = Dictionary(all.members.compactMap { name, text in text.string.map { (name, $0) } } + thrift) { $1 }
  }

  deinit {
    input.close()
    _ = holder.wait(deadline: .after(5))
  }
}

extension World {
  /// A world whose OpenCode is the real one.
  /// - Returns: nil, with a printed line that says why, where it can't be had
  package static func real(_ turns: JSONValue, test: String = #function) throws -> (World, RealOpenCode)? {
    let world = try World()
    guard let real = try RealOpenCode.playing(turns, in: world, test: test) else { return nil }
    let own = world.environment.filter { ["OPENCODE_WORKER_STATE_DIR", "OPENCODE_WORKER_WAIT_SECONDS", "WORKER_TEST_WORLD", "LANG"].contains($0.key) }
    world.environment = real.environment.filter { !$0.key.hasPrefix("SWIFT") && !$0.key.hasPrefix("GIT_") }.merging(own) { $1 }
    return (world, real)
  }

  /// The supervisors of this world: their command line names its state folder.
  package func supervisors() -> [Int32] {
    ProcessTable.commands().filter { $0.command.contains(" supervise --state \(path("state")) ") }.map(\.pid)
  }

  package func killSupervisors() throws {
    let living = supervisors()
    if living.isEmpty { throw TestFailure("there is no supervisor to kill") }
    for pid in living { Foundation.kill(pid, SIGKILL) }
    // A server that waits may have put a new one in its place by now. A process that is dying has no command line any more, and holds its files still.
    if try !eventually({ try Set(ProcessTable.parents().keys).isDisjoint(with: living) }) { throw TestFailure("a killed supervisor is still there") }
  }
}
