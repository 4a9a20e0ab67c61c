import Foundation
import PosixSupport

/// The files of one run. Deleting the folder forgets the run.
package struct RunFolder: Sendable, Equatable {
  package let id: String
  package let path: String

  /// What was asked (`RunRequest`).
  package var request: String { path + "/request.json" }
  /// What OpenCode reads on its stdin, through a pipe.
  package var prompt: String { path + "/prompt.md" }
  /// There as long as a part of the prompt is still to be written.
  package var promptUnsent: String { path + "/prompt.unsent" }
  /// `RunRecord`, written at acceptance.
  package var record: String { path + "/record.json" }
  /// `ProcessRecord`, written once: by `launch` just before it becomes OpenCode, or by whoever found that nothing was spawned.
  package var processPath: String { path + "/process.json" }
  /// The workspace before the run.
  package var workspace: String { path + "/workspace.json" }
  /// The exit status, in a file whose blocks exist from the start.
  package var exit: String { path + "/exit" }
  /// Held open by the supervisor.
  package var fifo: String { path + "/fifo" }
  /// The checkpoint of the fold over both logs.
  package var digest: String { path + "/digest.json" }
  /// `RunReview`: written last. A run with a review has ended.
  package var review: String { path + "/review.json" }
  /// Every changed file.
  package var changes: String { path + "/changes.json" }
  /// OpenCode's stdout.
  package var events: String { path + "/events.jsonl" }
  /// OpenCode's stderr.
  package var stderr: String { path + "/stderr.log" }
  /// What the supervisor itself could not do.
  package var supervisorLog: String { path + "/supervisor.log" }
  /// `SupervisorRecord`.
  package var supervisorPath: String { path + "/supervisor.json" }
  /// `CheckProgress`.
  package var checkProgress: String { path + "/checking.json" }
  /// What the worker's own run of a declared command printed.
  package func checkOutput(_ number: Int) -> String { path + "/check-\(number).log" }
}

// MARK: - What the files tell

extension RunFolder {
  /// OpenCode's process, once it has one.
  package var process: ProcessIdentity? { Stored.load(ProcessRecord.self, from: processPath)?.identity }

  /// OpenCode leads the group that it was started in.
  package var processGroup: Int32? { process?.pid }
  package var isProcessAlive: Bool { process?.isAlive ?? false }

  /// Whether its review is there and can be read: a damaged one is made again.
  package var hasReview: Bool { Stored.load(RunReview.self, from: review) != nil }

  package func loadRecord() -> RunRecord? { (try? findRecord()) ?? nil }

  /// Makes sure that a run of which nothing was spawned never will be: `launch` can't write its record any more. For the holder of
  /// the lock only, about a run whose supervisor is dead.
  package func declareNeverStarted() {
    guard let bytes = try? JSONEncoder().encode(ProcessRecord(identity: nil)) else { return }
    _ = try? PrivateFiles.createOnce(processPath, with: bytes)
  }

  /// What is known of the end when the supervisor is gone and OpenCode is dead.
  package var endWithoutSupervisor: (RunEnd, at: Double?) {
    if let exit = ExitRecord.read(exit) { return (exit.end, exit.at) }
    let neverStarted = Stored.load(ProcessRecord.self, from: processPath).map { $0.identity == nil } ?? !PrivateFiles.exists(processPath)
    return (neverStarted ? .neverStarted : .notSeen, nil)
  }

  /// When OpenCode wrote something last, whatever it was; seconds since 1970.
  package var lastSign: Double? { [events, stderr].compactMap { FileFacts.of(Array($0.utf8)).map { Double($0.modified) / 1e9 } }.max() }

  /// The session that this run worked in.
  package var session: String? { Stored.load(SessionOnly.self, from: digest)?.session }

  /// The one member of the digest that is wanted here.
  private struct SessionOnly: Decodable { let session: String? }
}
