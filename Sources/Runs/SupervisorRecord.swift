import Foundation
import PosixSupport
import Text

/// Who sees to a run, and what it could not record so far. Its file's blocks exist from the start: a full disk can't keep it from being told.
package struct SupervisorRecord: Codable, Sendable, Equatable {
  package var identity: ProcessIdentity?
  /// What can't be recorded, with the system's words; nil: nothing is amiss.
  package var problem: String?
  /// Seconds since 1970.
  package var since: Double?

  private static let size = 1024
  private static let longestProblem = 400

  /// - Throws: `PosixError`
  package func write(to path: String) throws {
    var shortened = self
    shortened.problem = problem.map { String(decoding: $0.utf8.prefix(SupervisorRecord.longestProblem), as: UTF8.self) }
    var bytes = Array(try JSONEncoder().encode(shortened))
    guard bytes.count <= SupervisorRecord.size else { throw PosixError("write", path: path, code: EFBIG) }
    bytes += [UInt8](repeating: UInt8(ascii: " "), count: SupervisorRecord.size - bytes.count)
    if let facts = FileFacts.of(Array(path.utf8)), facts.kind == .file, facts.size == SupervisorRecord.size {
      let file = try Descriptor.open(path, O_WRONLY | O_NONBLOCK)
      defer { file.close() }
      try file.overwrite(bytes, at: 0)
    } else {
      try PrivateFiles.replace(path, with: bytes)
    }
  }
}

extension RunFolder {
  /// Seconds after which a result that hasn't been recorded is told.
  private static let patience = 30.0
  /// The end-work itself may take that long.
  private static let endPatience = RunEnding.seconds + 30

  /// What a reader should know of a run whose supervisor doesn't get on.
  /// - Parameter now: seconds since 1970
  package func stuck(now: Double) -> [String] {
    guard let supervisor = Stored.load(SupervisorRecord.self, from: supervisorPath), let identity = supervisor.identity else { return [] }
    if identity.isStopped {
      return [
        "its supervisor (process \(identity.pid)) is stopped: the run's end is not recorded until it goes on (a person can, in a terminal: kill -CONT \(identity.pid))"
      ]
    }
    func seconds(since: Double) -> String { "for \(Int(now - since)) s, since \(Timestamp.text(since))" }
    if let problem = supervisor.problem, let since = supervisor.since, now - since >= RunFolder.patience {
      return ["its supervisor (process \(identity.pid)) hasn't been able to record the end \(seconds(since: since)): \(problem)"]
    }
    if !isProcessAlive, !PrivateFiles.exists(checkProgress), let exit = ExitRecord.read(exit), now - exit.at >= RunFolder.endPatience {
      return ["OpenCode has ended, but its supervisor (process \(identity.pid)) hasn't recorded the result \(seconds(since: exit.at))"]
    }
    return []
  }
}
