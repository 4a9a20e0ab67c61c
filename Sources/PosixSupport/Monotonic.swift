import Foundation

/// Seconds on a clock that never goes back and stands still while the machine sleeps: for measuring how long something took.
package enum Monotonic {
  package static var now: Double { seconds(clock) }

  static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  #if canImport(Darwin)
    private static let clock = CLOCK_UPTIME_RAW
  #else
    private static let clock = CLOCK_MONOTONIC
  #endif
}
