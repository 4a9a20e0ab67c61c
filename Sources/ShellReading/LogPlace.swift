/// Where in a run's log something stands. The order counts, not the clock, which may have been set meanwhile; times only tell what ran side by
/// side: within one step, or within one subagent.
package struct LogPlace: Codable, Sendable, Equatable {
  /// Of its event, which is printed at its end; of what a subagent did, that of the call that ran it.
  package var order = 0
  /// The step that it belongs to: only the tools of one step run side by side.
  package var step = 0
  /// Seconds since 1970.
  package var start: Double?
  package var end: Double

  package init(order: Int = 0, step: Int = 0, start: Double? = nil, end: Double) {
    (self.order, self.step) = (order, step)
    self.end = end.isFinite ? end : 0
    self.start = start.flatMap { $0.isFinite ? $0 : nil }
  }

  /// When it began, at the latest sure; a clock that was set back in between tells nothing.
  private var began: Double {
    guard let start else { return end }
    return start <= end ? start : -.infinity
  }

  /// Whether it began in the millisecond in which something that ended at `other` did: nothing tells which came first.
  func meets(_ other: LogPlace) -> Bool { other.step == step && other.end == began }

  /// Whether something that ended at `other`, and is no part of this, may have worked after this began.
  func mayPrecede(_ other: LogPlace) -> Bool { other.order > order || (other.step == step && other.end > began) }
}
