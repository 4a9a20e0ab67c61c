import Foundation

/// What the kernel does otherwise elsewhere: `docs/facts/swift-platform.md`, Darwin.
enum SystemHabits {
  /// Whether `poll` tells that a FIFO's last writer has gone. XNU's doesn't, nor does its kqueue; `read` does.
  static let pollTellsHangUps: Bool = {
    #if canImport(Darwin)
      return false
    #else
      #if DEBUG
        // The tests run under a `poll` that behaves as XNU's (`Tests/xnu-habits`).
        if ProcessInfo.processInfo.environment["WORKER_TEST_KERNEL"] == "xnu" { return false }
      #endif
      return true
    #endif
  }()
}
