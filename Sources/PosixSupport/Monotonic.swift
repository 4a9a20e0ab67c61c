import Foundation

/// Seconds on a clock that never goes back: for measuring how long something took.
package enum Monotonic {
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
