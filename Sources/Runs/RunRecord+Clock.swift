import Foundation
import PosixSupport

/// A run's own clock: the wall clock as it was when the run began, moved on by the machine's count of seconds. Setting the wall clock changes
/// no duration. After another boot, and for a run of version 1.0.0, it is the wall clock.
extension RunRecord {
  /// Seconds since 1970, on that clock.
  package var clock: Double { startedSinceBoot?.passed.map { startedAt + $0 } ?? Date().timeIntervalSince1970 }

  /// Seconds that the run has been going on.
  package var elapsed: Double { max(0, clock - startedAt) }

  /// The present, for the ages of what other programs have told, with times of the wall clock as it was then: on which side of a jump they
  /// stand isn't known, so the nearer one counts and nothing is said to be older than it is.
  /// - Parameter moments: seconds since 1970; those in the future are passed over
  package func now(seeing moments: [Double?]) -> Double {
    let clocks = [clock, Date().timeIntervalSince1970]
    func age(_ moment: Double) -> Double? { clocks.map { $0 - moment }.filter { $0 >= 0 }.min() }
    let ages = moments.compactMap { moment in moment.flatMap { moment in age(moment).map { (moment, $0) } } }
    guard let (moment, age) = ages.min(by: { $0.1 < $1.1 }) else { return startedAt + elapsed }
    return moment + age
  }
}
