import Foundation
import PosixSupport

/// Why a wait should not go on without a word to the user. The run isn't touched: it may be well.
package struct Stall: Sendable, Hashable {
  package enum Cause: String, Sendable {
    /// The provider refuses or limits, and nothing else has come.
    case provider
    /// No sign at all.
    case silence
  }

  package let cause: Cause
  /// Seconds since 1970.
  package let since: Double
}

/// How long a run may go without progress before somebody must be asked; seconds.
package struct Patience: Sendable {
  package var provider = 300.0
  package var silence = 900.0

  package init() {}

  /// `OPENCODE_WORKER_PROVIDER_SECONDS` and `OPENCODE_WORKER_SILENCE_SECONDS`: positive numbers; anything else is passed over.
  package init(environment: [String: String]) {
    func seconds(_ name: String) -> Double? { environment[name].flatMap(Double.init).flatMap { $0 > 0 && $0.isFinite ? $0 : nil } }
    provider = seconds("OPENCODE_WORKER_PROVIDER_SECONDS") ?? provider
    silence = seconds("OPENCODE_WORKER_SILENCE_SECONDS") ?? silence
  }

  /// What the run may be stalled by, and for how many seconds more it may go on before it is; the nearest first.
  /// - Parameters:
  ///   - lastSign: when either log grew last, seconds since 1970; nil when that isn't known
  ///   - now: the same
  package func look(at run: RunSnapshot, lastSign: Double?, now: Double? = nil) -> [(stall: Stall, left: Double)] {
    guard run.phase == .running else { return [] }
    let digest = run.digest
    let now = now ?? run.record.now(seeing: [digest.lastEventAt, digest.providerErrors.at, lastSign])
    var found: [(Stall, Double)] = []
    let refusedSince = digest.providerErrors.since.flatMap { $0 > digest.lastEventAt ?? 0 ? $0 : nil }
    if let since = [refusedSince, digest.retryingSince].compactMap({ $0 }).min() {
      found.append((Stall(cause: .provider, since: since), provider - (now - since)))
    }
    let sign = [run.record.startedAt, digest.lastEventAt, digest.providerErrors.at, lastSign].compactMap { $0 }.max() ?? now
    found.append((Stall(cause: .silence, since: sign), silence - (now - sign)))
    return found.sorted { $0.1 < $1.1 }
  }
}
