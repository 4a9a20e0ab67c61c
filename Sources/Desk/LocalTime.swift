import Foundation

/// Times in the zone of whoever reads them.
package struct LocalTime: Sendable {
  private let zone: TimeZone

  package init(zone: TimeZone = .current) { self.zone = zone }

  private func parts(_ seconds: Double) -> DateComponents? {
    guard seconds.isFinite, abs(seconds) < 1e11 else { return nil }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    return calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: seconds))
  }

  private func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }

  /// "16:21:03"
  package func clock(_ seconds: Double) -> String {
    guard let parts = parts(seconds) else { return "--:--:--" }
    return "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
  }

  /// "2026-11-24 16:21"
  package func minute(_ seconds: Double) -> String {
    guard let parts = parts(seconds) else { return "unknown time" }
    return "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day)) \(two(parts.hour)):\(two(parts.minute))"
  }

  /// "2026-11-24 16:21:03 CET"
  package func full(_ seconds: Double) -> String {
    guard let parts = parts(seconds) else { return "unknown time" }
    let name = zone.abbreviation(for: Date(timeIntervalSince1970: seconds)) ?? "UTC"
    return "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day)) \(clock(seconds)) \(name)"
  }
}
