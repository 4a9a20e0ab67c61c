import Text

/// A version as `opencode --version` prints it: `1.18.34`, or `opencode v2.0.22`.
/// Recordings: `1.18.34/version`, `2.0-preview-20260807/version`.
package struct OpenCodeVersion: Sendable, Hashable, Codable, CustomStringConvertible {
  package let major: Int
  package let minor: Int
  package let patch: Int
  /// What follows the number after a hyphen: `beta.2`, or empty.
  package let prerelease: String

  package init(_ major: Int, _ minor: Int, _ patch: Int, prerelease: String = "") {
    self.major = major
    self.minor = minor
    self.patch = patch
    self.prerelease = prerelease
  }

  /// Reads what `--version` printed; nil if no line of it is a version.
  package init?(_ text: String) {
    for line in TerminalText.plain(text).split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard let last = words.last, words.count <= 2, words.count == 1 || words[0].hasPrefix("opencode"),
        let version = OpenCodeVersion(number: last)
      else { continue }
      self = version
      return
    }
    return nil
  }

  private init?(number: Substring) {
    let bare = number.hasPrefix("v") ? number.dropFirst() : number
    let withoutBuild = bare.prefix { $0 != "+" }
    let core = withoutBuild.prefix { $0 != "-" }
    let parts = core.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.allSatisfy(\.isASCIIDigit) ? Int(part) : nil }
    guard parts.count == 3, numbers.count == 3 else { return nil }
    self.init(numbers[0], numbers[1], numbers[2], prerelease: String(withoutBuild.dropFirst(core.count + 1)))
  }

  /// Builds of the rewrite that had no number yet called themselves `0.0.0-v2-DATE`, `0.0.0-beta-N` or `0.0.0-next-N`.
  package var generation: Generation {
    let isUnnumberedRewrite = major == 0 && ["v2", "beta-", "next-"].contains { prerelease.hasPrefix($0) }
    return major >= 2 || isUnnumberedRewrite ? .v2 : .v1
  }

  package var description: String { "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-\(prerelease)") }
}

extension OpenCodeVersion: Comparable {
  /// The order of semver.org: a prerelease comes before its release.
  package static func < (left: OpenCodeVersion, right: OpenCodeVersion) -> Bool {
    let (a, b) = ([left.major, left.minor, left.patch], [right.major, right.minor, right.patch])
    if a != b { return a.lexicographicallyPrecedes(b) }
    switch (left.prerelease.isEmpty, right.prerelease.isEmpty) {
    case (true, _): return false
    case (false, true): return true
    case (false, false): return precedes(left.prerelease.split(separator: "."), right.prerelease.split(separator: "."))
    }
  }

  private static func precedes(_ left: [Substring], _ right: [Substring]) -> Bool {
    for (a, b) in zip(left, right) where a != b {
      switch (Int(a), Int(b)) {
      case (let a?, let b?): return a < b
      case (.some, nil): return true
      case (nil, .some): return false
      case (nil, nil): return a < b
      }
    }
    return left.count < right.count
  }
}

extension Character {
  var isASCIIDigit: Bool { isASCII && isNumber }
}
