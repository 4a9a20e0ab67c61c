import Foundation
import PosixSupport

/// A program of the user's own that is run at the end of each run. It is named in the environment that the server was started in and nowhere else:
/// no argument of a tool and no file of a project reaches it.
package enum EndCall {
  package static let variable = "OPENCODE_WORKER_ON_END"
  /// After these its process group is killed.
  package static let seconds = 10.0

  /// Why a value of the variable can't be used; nil: it can.
  package static func problem(with path: String) -> String? {
    if !path.hasPrefix("/") { return "\(path.prefix(200)) isn't an absolute path" }
    if !PrivateFiles.exists(path) { return "there is no \(path.prefix(200))" }
    if PrivateFiles.isFolder(path) { return "\(path.prefix(200)) is a folder" }
    return PrivateFiles.isExecutable(path) ? nil : "\(path.prefix(200)) can't be executed"
  }

  /// The program that is wanted; nil: none.
  package static func program(_ environment: [String: String]) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }

  /// Runs it with the review on its stdin, at most once a run. Blocks for as long as it may take; what goes wrong is a line in the supervisor's log.
  /// - Parameter review: the review as JSON; nil: the run has none
  package static func tell(of folder: RunFolder, environment: [String: String], review: (RunFolder) -> [UInt8]?) {
    guard let program = program(environment) else { return }
    do {
      guard let bytes = review(folder), PrivateFiles.exists(folder.path),
        try PrivateFiles.createOnce(folder.path(of: .called), with: Array("\(program)\n".utf8))
      else { return }
      if let problem = problem(with: program) { return note(problem, folder) }
      // Nothing of ours: a worker that it calls is none of this run.
      let clean = environment.filter { !$0.key.hasPrefix("OPENCODE_WORKER_") }
      let result = try Command(program, [], environment: clean, folder: "/", deadline: .after(seconds), outputLimit: 4096).run(input: bytes)
      if result.succeeded { return }
      let words = result.errorText.split(whereSeparator: \.isNewline).suffix(2).joined(separator: " ").prefix(300)
      note("\(program): \(result.status.map { "\($0)" } ?? "not done in \(Int(seconds)) s: ended")\(words.isEmpty ? "" : ": \(words)")", folder)
    } catch {
      note("\(program): \(error)", folder)
    }
  }

  private static func note(_ what: String, _ folder: RunFolder) { SupervisorLog.append("\(variable): \(what)", in: folder) }

  /// What went wrong with it at the end of a run, as its supervisor's log has it.
  package static func failure(of folder: RunFolder) -> String? {
    guard let bytes = try? PrivateFiles.readEnd(folder.supervisorLog, limit: 64 << 10) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    return lines.last { $0.contains(" \(variable): ") }.flatMap { line in line.range(of: "\(variable): ").map { String(line[$0.upperBound...]) } }
  }
}
