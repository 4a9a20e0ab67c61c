import Foundation
import PosixSupport

/// The fold over a run's logs, continued from its checkpoint.
package struct RunLog {
  private let run: RunFolder
  private var fold: DigestFold

  package init(_ run: RunFolder, _ record: RunRecord) {
    self.init(run, record, checkpoint: Stored.load(RunDigest.self, from: run.digest))
  }

  /// - Parameter checkpoint: the digest on disk, by whoever has read it already; nil: there is none
  package init(_ run: RunFolder, _ record: RunRecord, checkpoint: RunDigest?) {
    self.run = run
    fold = DigestFold(digest: checkpoint ?? RunDigest(record.request))
  }

  package var digest: RunDigest { fold.digest }

  /// Adds what a subagent's session told: its commands and edits, which the stream leaves out.
  package mutating func add(_ facts: SessionFacts) { fold.addToDigest { $0.add(facts) } }

  /// The same of a live run, with what OpenCode says when it is silent.
  mutating func advance(seconds: Double, asking questions: LiveQuestions?) {
    advance(seconds: seconds)
    if let answer = questions?.look(at: digest) { note(answer) }
  }

  /// Adds what OpenCode said when it was asked meanwhile, and keeps it: for the supervisor.
  package mutating func note(_ answer: LiveAnswer) {
    fold.addToDigest { $0.note(answer) }
    try? save()
  }

  /// How far a log that grows faster than it is read has been read; nil: to its end.
  package var backlog: String? {
    fold.unread > 0 ? "the log is read up to \(fold.digest.eventsOffset >> 20) MiB; \(fold.unread >> 20) MiB more are not looked at yet" : nil
  }

  /// Folds what OpenCode has written since, in memory only: for readers.
  /// - Parameter seconds: nil: as long as it takes
  package mutating func catchUp(final: Bool = false, seconds: Double? = nil) {
    _ = try? fold.advance(eventsPath: run.events, stderrPath: run.stderr, final: final, deadline: seconds.map(Deadline.after))
  }

  /// Folds what OpenCode has written since and keeps the checkpoint: for the supervisor, who alone writes it.
  /// - Parameter seconds: after which the rest is left for the next time
  package mutating func advance(final: Bool = false, seconds: Double) {
    do {
      if try fold.advance(eventsPath: run.events, stderrPath: run.stderr, final: final, deadline: .after(seconds)) { try save() }
    } catch {
      // A full disk: the checkpoint stays behind, and readers fold a little more.
    }
  }

  /// - Throws: `PosixError`
  package func save() throws { try Stored.save(fold.digest, to: run.digest) }
}
