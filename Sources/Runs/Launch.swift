import Foundation
import PosixSupport

/// `launch`: the last moment before OpenCode. Puts its own identity on disk, closes what it inherited and becomes OpenCode.
///
/// Its stdin is the pipe that carries the prompt, for OpenCode to read. Its stdout is a pipe to the supervisor: closed by the exec when all
/// went well, else it carries the reason.
package enum Launch {
  /// What is to be run stands in the run's own request: Foundation decomposes a program's arguments on Darwin, and OpenCode would get another
  /// text than was asked for.
  /// - Parameter arguments: RUN-FOLDER
  package static func main(_ arguments: [String], environment: [String: String]) -> Int32 {
    guard arguments.count == 1, let supervisor = try? OwnProcess.duplicate(STDOUT_FILENO) else { return 2 }
    let folder = RunFolder(id: (arguments[0] as NSString).lastPathComponent, path: arguments[0])
    do {
      guard let identity = ProcessIdentity.current else { throw PosixError("read own start time", code: ENOENT) }
      let record = try JSONEncoder().encode(ProcessRecord(identity: identity))
      // Somebody found our supervisor dead and has declared that this run never started: then it must not.
      guard try PrivateFiles.createOnce(folder.processPath, with: record) else { return 0 }
      guard let request = try Stored.find(RunRequest.self, at: folder.request) else { throw PosixError("read", path: folder.request, code: EINVAL) }
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
}
