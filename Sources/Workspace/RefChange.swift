/// What became of a branch, a tag, a stash or a remote's branch during a run.
package struct RefChange: Codable, Sendable, Equatable {
  package enum Kind: String, Codable, Sendable {
    /// It is gone; for a stash: dropped, or applied and dropped.
    case deleted
    /// What it pointed to before isn't part of what it points to now.
    case rewritten
    /// A stash or tag that wasn't there.
    case added
    /// A remote's branch as this repository remembers it: pushed or fetched (`by`).
    case remote
  }

  /// `refs/heads/main`; `HEAD` when no branch was checked out; a stash's own words.
  package var name: String
  package var kind: Kind
  package var before: String?
  package var after: String?
  /// What git's own log of the ref says last: `push`, `fetch`; absent: not known.
  package var by: String?
  /// The submodule or nested repository that it is in, relative to the root; absent: the outer one.
  package var repository: String?
}

/// A ref as it was found.
package struct GitRef: Sendable, Equatable {
  package let name: String
  package let id: String
  /// A stash's own words; each entry of the stash is a ref here.
  package var stash: String?

  /// Names and branches by their bytes: Swift takes two spellings of a letter for the same.
  package static func isSame(_ one: String?, _ other: String?) -> Bool { one.map { Array($0.utf8) } == other.map { Array($0.utf8) } }

  package static let stashName = "refs/stash"

  /// One line each, for the run's folder.
  package static func encoded(_ refs: [GitRef]) -> [UInt8] {
    Array(refs.map { "\($0.id) \($0.name)\($0.stash.map { " \($0)" } ?? "")\n" }.joined().utf8)
  }

  /// Reads the same; what isn't one is left out.
  package static func decoded(_ bytes: [UInt8]) -> [GitRef] {
    bytes.split(separator: 0x0a).compactMap { line in
      let parts = line.split(separator: 0x20, maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
      guard parts.count >= 2 else { return nil }
      return GitRef(name: parts[1], id: parts[0], stash: parts.count == 3 ? parts[2] : nil)
    }
  }
}
