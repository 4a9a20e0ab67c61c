import Foundation

/// Times as they are shown: ISO 8601, UTC, whole seconds.
enum Timestamp {
  static func text(_ seconds: Double) -> String { Date(timeIntervalSince1970: seconds).formatted(.iso8601) }
}
