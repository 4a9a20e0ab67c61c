import Foundation
import PosixSupport

/// What is in two files.
package enum FileContent {
  /// Whether two files hold the same bytes. Reads both, unless they are one file or their sizes differ.
  /// - Returns: nil: one of them can't be read
  package static func isSame(_ one: String, _ other: String) -> Bool? {
    guard let first = PrivateFiles.resolved(one), let second = PrivateFiles.resolved(other) else { return nil }
    if first == second { return true }
    guard let a = try? Descriptor.open(first, O_RDONLY) else { return nil }
    defer { a.close() }
    guard let b = try? Descriptor.open(second, O_RDONLY) else { return nil }
    defer { b.close() }
    var (left, right) = (stat(), stat())
    guard fstat(a.raw, &left) == 0, fstat(b.raw, &right) == 0 else { return nil }
    guard left.st_size == right.st_size else { return false }
    var offset: Int64 = 0
    while true {
      guard let x = try? a.bytes(at: offset, limit: 1 << 20), let y = try? b.bytes(at: offset, limit: 1 << 20) else { return nil }
      if x != y { return false }
      if x.isEmpty { return true }
      offset += Int64(x.count)
    }
  }
}
