import Foundation
import OpenCode
import PosixSupport

/// `launch`: the last moment before OpenCode. Puts its own identity on disk, closes what it inherited and becomes OpenCode.
///
/// Its stdin is the pipe that carries the prompt, for OpenCode to read. Its stdout is a pipe to the supervisor: closed by the exec when all
/// went well, else it carries the reason. Its stderr is a pipe from the supervisor, which starts it while the workspace is still being recorded:
/// it waits there for one byte, and does nothing when the supervisor ends before it has sent that.
package enum Launch {
  /// What is to be run stands in the run's own request: Foundation decomposes a program's arguments on Darwin, and OpenCode would get another
  /// text than was asked for.
  /// - Parameter arguments: RUN-FOLDER `gated`; without the second word, as supervisors of the version before call it, it doesn't wait
  package static func main(_ arguments: [String], environment: [String: String]) -> Int32 {
    guard arguments.count == 1 || arguments.dropFirst() == [gated], let supervisor = try? OwnProcess.duplicate(STDOUT_FILENO) else { return 2 }
    let folder = RunFolder(id: (arguments[0] as NSString).lastPathComponent, path: arguments[0])
    do {
      guard let identity = ProcessIdentity.current else { throw PosixError("read own start time", code: ENOENT) }
      let record = try JSONEncoder().encode(ProcessRecord(identity: identity))
      guard let request = try Stored.find(RunRequest.self, at: folder.request) else { throw PosixError("read", path: folder.request, code: EINVAL) }
      if arguments.count == 2, !hasLeave(Descriptor(raw: STDERR_FILENO)) { return 0 }
      // Somebody found our supervisor dead and has declared that this run never started: then it must not.
      guard try PrivateFiles.createOnce(folder.processPath, with: record) else { return 0 }
      let cwd = request.cwd
      guard chdir(cwd) == 0 else { throw PosixError("chdir", path: cwd) }
      try OwnProcess.use(try Descriptor.openPrivate(folder.events, O_WRONLY | O_APPEND), as: STDOUT_FILENO)
      try OwnProcess.use(try Descriptor.openPrivate(folder.stderr, O_WRONLY | O_APPEND), as: STDERR_FILENO)
      OwnProcess.closeInherited(except: supervisor)
      OwnProcess.resetSignals()
      var environment = environment
      environment["PWD"] = cwd
      environment.removeValue(forKey: "OLDPWD")
      try OwnProcess.execute(request.installation.path, arguments: request.arguments, environment: environment)
    } catch {
      // On disk first: should the supervisor die before it has read the reason, the run still never started.
      try? ExitRecord.write(.init(end: .spawnFailed("\(error)"), at: Date().timeIntervalSince1970), to: folder.exit)
      try? supervisor.writeAll(Array("\(error)".utf8))
      return 126
    }
  }

  static let gated = "gated"

  private static func hasLeave(_ gate: Descriptor) -> Bool {
    var byte: UInt8 = 0
    return withUnsafeMutableBytes(of: &byte) { (try? gate.read(into: $0)) == 1 }
  }
}

/// A `launch` that is ready and waits.
struct ReadyLaunch {
  let child: ChildProcess
  private let prompt: PromptPipe
  private let reasons: Descriptor
  private let gate: Descriptor

  /// Spawns `launch`.
  /// - Throws: why it could not
  init(_ folder: RunFolder, _ request: RunRequest, environment: [String: String]) throws {
    let prompt = try PromptPipe(folder)
    var opened: [Descriptor] = []
    do {
      defer { prompt.input.close() }
      let answer = try Descriptor.pipe()
      opened = [answer.read, answer.write]
      let leave = try Descriptor.pipe()
      opened += [leave.read, leave.write]
      child = try ChildProcess(
        OwnProcess.executable, ["launch", folder.path, Launch.gated],
        environment: ChildEnvironment.make(environment, for: request.installation.installation, folder: request.cwd, run: folder.id),
        input: prompt.input, output: answer.write, errors: leave.read)
      answer.write.close()
      leave.read.close()
      (self.prompt, reasons, gate) = (prompt, answer.read, leave.write)
    } catch {
      for descriptor in opened { descriptor.close() }
      prompt.abandon()
      throw error
    }
  }

  /// Lets it become OpenCode and waits until it has.
  /// - Throws: `LaunchFailure`, why it could not
  func go() throws -> ChildProcess {
    defer { reasons.close() }
    // One that is dead already has no reader any more, and says nothing: its exit tells.
    try? gate.writeAll([1])
    gate.close()
    prompt.send()
    var reason: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { buffer.deallocate() }
    while let count = try? reasons.read(into: buffer), count > 0 { reason += buffer[..<count] }
    guard reason.isEmpty else { throw LaunchFailure(reason: String(decoding: reason, as: UTF8.self)) }
    return child
  }
}
