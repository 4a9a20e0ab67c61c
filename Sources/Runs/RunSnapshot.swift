import Foundation
import PosixSupport

/// What is known of a run at one moment.
package struct RunSnapshot: Sendable {
  package enum Phase: Sendable, Equatable {
    /// Accepted; OpenCode isn't running yet.
    case starting
    /// OpenCode is alive.
    case running
    /// OpenCode has ended; its supervisor is recording the result.
    case finishing
    case ended
  }

  package let folder: RunFolder
  package let record: RunRecord
  package let phase: Phase
  package let digest: RunDigest
  /// Once it has ended.
  package let review: RunReview?
  /// OpenCode's process while it is alive; it leads a process group.
  package let process: ProcessIdentity?
  /// What a reader of this reply should know besides: most important first.
  package var remarks: [String] = []
  /// What whoever asks should know of having asked about this run. A later look doesn't take it away, as it does `remarks`.
  package var notes: [String] = []
  /// It is alive, and another conversation started it than the one that asks.
  package var isForeign = false

  package var isOver: Bool { phase == .ended }

  /// Whether OpenCode has printed any event yet.
  package var hasSpoken: Bool { digest.lastEventAt != nil }

  /// What is at work at this moment, as far as OpenCode said so.
  package var working: [RunDigest.Working] { phase == .running ? digest.live?.working ?? [] : [] }

  /// When OpenCode makes a refused request again; nil: not known, or past.
  package func nextTry(after now: Double) -> Double? {
    guard phase == .running else { return nil }
    return digest.providerErrors.nextTry.flatMap { $0 > now && $0 < now + 1e7 ? $0 : nil }
  }

  /// The present, for the ages of what the run's log tells; seconds since 1970.
  package var now: Double { record.now(seeing: [digest.lastEventAt, digest.providerErrors.at]) }

  /// Seconds that the run took, or takes so far.
  package var seconds: Double { review.map { max(0, $0.endedAt - record.startedAt) } ?? record.elapsed }

  /// As `docs/tools.md` names it.
  package var state: String {
    switch phase {
    case .starting: "starting"
    case .running, .finishing: "running"
    case .ended: review?.outcome.state.rawValue ?? "lost"
    }
  }
}

/// What a look at a run's folder finds.
package enum RunFinding: Sendable {
  case known(RunSnapshot)
  /// Its supervisor died before writing the review: somebody has to take it over.
  case orphan
  /// What was asked and when can't be read; which file, and why.
  case damaged(String)
  /// No such run.
  case none
}
