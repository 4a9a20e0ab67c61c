import Foundation

/// A run's id: `20261122-162803-k3f9`, UTC, the last part being the fraction of the second. Ids sort by time.
package enum RunID {
  /// In the order of their codes; each stands for five bits.
  private static let letters = Array("23456789abcdefghijkmnpqrstuvwxyz")

  /// An id that sorts after `newest`, also when the clock has gone back since: the newest run must stay the first.
  package static func make(at date: Date, after newest: String?) -> String {
    let id = make(at: date)
    guard let newest, id <= newest, let last = time(of: newest) else { return id }
    let next = make(at: Date(timeIntervalSince1970: last + 1 / Double(1 << 20)))
    return isValid(next) ? next : id
  }

  /// Seconds since 1970; nil for an id that `make` never made.
  package static func time(of id: String) -> Double? {
    guard isValid(id) else { return nil }
    let digits = id.utf8.prefix(15).compactMap { $0 == UInt8(ascii: "-") ? nil : Int32($0) - 48 }
    func number(_ range: Range<Int>) -> Int32 { digits[range].reduce(0) { $0 * 10 + $1 } }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (number(0..<4) - 1900, number(4..<6) - 1, number(6..<8))
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (number(8..<10), number(10..<12), number(12..<14))
    var fraction = 0
    for letter in id.suffix(4) {
      guard let value = letters.firstIndex(of: letter) else { return nil }
      fraction = fraction << 5 | value
    }
    return Double(timegm(&parts)) + Double(fraction) / Double(1 << 20)
  }

  package static func make(at date: Date) -> String {
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
    let time = "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    let fraction = Int((date.timeIntervalSince1970 - Double(seconds)) * Double(1 << 20))
    return "\(day)-\(time)-" + String([15, 10, 5, 0].map { letters[(fraction >> $0) & 31] })
  }

  package static func isValid(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.map(\.count) == [8, 6, 4] else { return false }
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return parts[0].allSatisfy(digits.contains) && parts[1].allSatisfy(digits.contains)
      && parts[2].allSatisfy { digits.contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
  }
}
