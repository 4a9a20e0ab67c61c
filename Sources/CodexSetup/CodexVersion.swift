/// Versions of Codex: what is known of them.
package enum CodexVersion {
  /// Those with which installing, delegating and waiting were tried, oldest first; README has the same list.
  package static let tried = ["0.133.0", "0.144.4", "0.149.0", "0.154.0", "0.157.1", "0.162.1", "0.163.0", "0.169.0"]
  package static var newestTried: String { tried.last ?? "0" }

  /// The numbers of `0.163.0` or `0.164.0-alpha.1`; nil for anything else.
  package static func numbers(_ text: String?) -> [Int]? {
    guard let core = text?.split(separator: "-").first else { return nil }
    let numbers = core.split(separator: ".").map { Int($0) }
    return numbers.count == 3 && !numbers.contains(nil) ? numbers.compactMap { $0 } : nil
  }

  package static func isNewer(_ version: [Int], than other: String) -> Bool { numbers(other).map { $0.lexicographicallyPrecedes(version) } ?? false }

  /// Whether `features.code_mode` may be written as a table; an unknown version counts as one that refuses it.
  package static func takesNamespaces(_ version: [Int]?) -> Bool { version.map { !$0.lexicographicallyPrecedes(DirectNamespace.firstCodex) } ?? false }
}
