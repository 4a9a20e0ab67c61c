/// The moment at which waiting for something is given up. It is handed on as it is: whoever gets it has what is left of it, and nobody adds up
/// seconds. Unharmed by a wall clock that is set.
package struct Deadline: Sendable, Comparable {
  /// Seconds that there were in all, for messages.
  package let seconds: Double
  private let moment: Double

  /// So many seconds from now; what isn't positive has passed already.
  package static func after(_ seconds: Double) -> Deadline { Deadline(seconds: seconds, moment: Monotonic.now + seconds) }

  /// Seconds that are left, never negative.
  package var left: Double { max(0, moment - Monotonic.now) }

  /// No later than so many seconds from now.
  package func atMost(_ seconds: Double) -> Deadline { min(self, .after(seconds)) }

  /// When this part of what is left is over.
  package func share(_ part: Double) -> Deadline { .after(left * part) }

  package var hasPassed: Bool { Monotonic.now >= moment }

  package static func < (one: Deadline, other: Deadline) -> Bool { one.moment < other.moment }
}
