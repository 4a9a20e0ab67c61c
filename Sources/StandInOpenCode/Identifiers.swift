import Foundation

/// Ids as OpenCode makes them: sorted by time, sessions from the newest to the oldest.
struct Identifiers {
  private var last: UInt64 = 0

  mutating func next(_ prefix: String, descending: Bool = false) -> String {
    last = max(last + 1, UInt64(max(0, Date().timeIntervalSince1970 * 1000)) << 12)
    let number = (descending ? ~last : last) & 0xFFFF_FFFF_FFFF
    let hex = String(number, radix: 16)
    let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    let tail = (0..<14).map { _ in letters[Int.random(in: 0..<letters.count)] }
    return "\(prefix)_" + String(repeating: "0", count: 12 - hex.count) + hex + String(tail)
  }
}
