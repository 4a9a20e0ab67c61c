import Foundation

/// Times as they are read and shown: UTC, whole seconds where they are shown, without a calendar's locale.
package enum Timestamp {
  /// ISO 8601.
  package static func text(_ seconds: Double) -> String { Date(timeIntervalSince1970: seconds).formatted(.iso8601) }

  /// "16:21:03" of seconds since 1970.
  package static func timeOfDay(_ seconds: Double) -> String {
    guard seconds >= 0, seconds < 1e12 else { return "--:--:--" }
    let day = Int(seconds) % 86_400
    return [day / 3600, day / 60 % 60, day % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  /// Reads "2026-11-22T16:18:51.730Z", also without fraction and zone; seconds since 1970.
  package static func seconds(_ text: Substring) -> Double? {
    let bytes = Array(text.utf8.prefix(32))
    guard bytes.count >= 19 else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
      let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), year >= 1970
    else { return nil }
    // Days since 1970 by the civil calendar: years begin in March, so that the leap day comes last.
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468
    var fraction = 0.0
    if bytes.count > 20, bytes[19] == UInt8(ascii: ".") {
      var scale = 0.1
      for byte in bytes[20...] {
        guard byte >= 0x30, byte <= 0x39 else { break }
        fraction += Double(byte - 0x30) * scale
        scale /= 10
      }
    }
    return Double(days * 86_400 + hour * 3600 + minute * 60 + second) + fraction
  }
}
