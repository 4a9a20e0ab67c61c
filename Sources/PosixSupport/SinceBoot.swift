import Foundation

/// Seconds since this machine was booted, sleep included: nobody sets this clock. Of use together with the boot that it counts from.
package struct SinceBoot: Codable, Sendable, Equatable {
  package let seconds: Double
  private let boot: String

  package static var now: SinceBoot { SinceBoot(seconds: Monotonic.seconds(clock), boot: ProcessTable.bootID) }

  /// Seconds from this moment to the present; nil: another boot's, or it can't be told.
  package var passed: Double? {
    let now = SinceBoot.now
    return !boot.isEmpty && boot == now.boot && now.seconds >= seconds ? now.seconds - seconds : nil
  }

  #if canImport(Darwin)
    private static let clock = CLOCK_MONOTONIC
  #else
    private static let clock = CLOCK_BOOTTIME
  #endif
}
