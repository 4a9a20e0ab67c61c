import Foundation

/// The fold over a run's logs, continued from its checkpoint.
package struct RunLog {
  private let run: RunFolder
  private var folder: DigestFold

  package init(_ run: RunFolder, _ record: RunRecord) {
    self.run = run
    folder = DigestFold(digest: Stored.load(RunDigest.self, from: run.digest) ?? RunDigest(record.request))
  }

  package var digest: RunDigest { folder.digest }

  /// Adds what a subagent's session told: its commands and edits, which the stream leaves out.
  package mutating func add(_ facts: SessionFacts) { folder.addToDigest { $0.add(facts) } }

  /// Folds what OpenCode has written since, in memory only: for readers.
  package mutating func catchUp(final: Bool = false) {
    _ = try? folder.advance(eventsPath: run.events, stderrPath: run.stderr, final: final)
  }

  /// Folds what OpenCode has written since and keeps the checkpoint: for the supervisor, who alone writes it.
  package mutating func advance(final: Bool = false) {
    do {
      if try folder.advance(eventsPath: run.events, stderrPath: run.stderr, final: final) { try save() }
    } catch {
      // A full disk: the checkpoint stays behind, and readers fold a little more.
    }
  }

  /// - Throws: `PosixError`
  package func save() throws { try Stored.save(folder.digest, to: run.digest) }
}
