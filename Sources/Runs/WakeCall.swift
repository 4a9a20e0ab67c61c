import Foundation
import OpenCode
import PosixSupport

/// How a run's end begins a turn of Codex's: `codex queue` (Codex 0.163 and 0.169; measured). The text arrives with the user's authority, so
/// it is ours alone, with the run's id and state and never a word of OpenCode's.
package struct WakeCall: Codable, Sendable, Equatable {
  /// Codex's binary.
  package var program: String
  package var codexHome: String
  package var thread: String

  /// Switches it on: `install --wake` sets it to 1 in the server's environment.
  package static let variable = "OPENCODE_WORKER_WAKE"

  /// Seconds in which a wait or a hook that saw the end leaves its mark.
  package static let grace = 10.0

  /// nil: not wanted, or nobody could be told.
  package init?(for caller: StartCaller, environment: [String: String]) {
    guard environment[WakeCall.variable] == "1", let thread = caller.threadID, !thread.isEmpty, !thread.hasPrefix("-") else { return nil }
    let named = caller.codex.flatMap { $0.hasPrefix("/") && PrivateFiles.isExecutable($0) ? $0 : nil }
    guard let program = named ?? ProgramFinder.locate("codex", path: environment["PATH"] ?? "", workspace: nil) else { return nil }
    let home = environment["CODEX_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.codex"
    self.init(program: program, codexHome: home, thread: thread)
  }

  package init(program: String, codexHome: String, thread: String) { (self.program, self.codexHome, self.thread) = (program, codexHome, thread) }

  /// Whether somebody has the review, or was told that it waits. A reminder from before the end was none of the end.
  private static func isTaken(_ folder: RunFolder, endedAt: Double) -> Bool {
    !folder.readers(of: .reviewed).isEmpty || [RunMark.reminded, .told].contains { folder.readers(of: $0).values.contains { $0 >= endedAt } }
  }

  package static func message(run: String, state: String) -> String { "opencode-worker: run \(run) ended (\(state)). Review it with opencode_wait." }

  /// Seconds for a hook that waits at a turn's end, is alive and hasn't spoken yet.
  private static let hookGrace = 120.0

  /// Tells Codex of the end unless somebody has taken it: at most once a run. Blocks for some seconds; failures go to the supervisor's log.
  /// Only after the run's owner has let go of it: whoever waits must have seen the end.
  package func tell(of folder: RunFolder, environment: [String: String], grace: Double = WakeCall.grace) {
    guard let review = Stored.load(RunReview.self, from: folder.review) else { return }
    let (deadline, patience) = (Deadline.after(grace), Deadline.after(WakeCall.hookGrace))
    repeat {
      if WakeCall.isTaken(folder, endedAt: review.endedAt) { return }
      usleep(100_000)
    } while !deadline.hasPassed || (folder.isHeld(.stopping) && !patience.hasPassed)
    // The hook may have spoken between the last look and its end.
    if WakeCall.isTaken(folder, endedAt: review.endedAt) { return }
    do {
      // Written first: a second turn about the same run is worse than none.
      guard PrivateFiles.exists(folder.path), try PrivateFiles.createOnce(folder.path(of: .woken), with: Array("\(thread)\n".utf8)) else { return }
      let result = try Command(
        program, ["queue", "--thread", thread, "--message", WakeCall.message(run: folder.id, state: review.outcome.state.rawValue)],
        environment: environment.merging(["CODEX_HOME": codexHome]) { $1 }, folder: "/", deadline: .after(60)
      ).run()
      if !result.succeeded {
        let words = result.errorText.split(whereSeparator: \.isNewline).suffix(3).joined(separator: " ")
        SupervisorLog.append("codex queue: \(result.status.map { "\($0)" } ?? "no answer in 60 s"): \(words.prefix(300))", in: folder)
      }
    } catch {
      SupervisorLog.append("codex queue: \(error)", in: folder)
    }
  }
}
