/// How far two words are apart.
package enum EditDistance {
  /// Insertions, deletions, replacements and swaps of neighbours that make one of the other.
  package static func between(_ a: [Character], _ b: [Character]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var (before, previous) = ([Int](), Array(0...b.count))
    for i in 1...a.count {
      var row = [i] + Array(repeating: 0, count: b.count)
      for j in 1...b.count {
        row[j] = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], before[j - 2] + 1) }
      }
      (before, previous) = (previous, row)
    }
    return previous[b.count]
  }

  /// The nearest of `candidates` without regard to case; one that holds the word, or is held by it, counts as near. nil when all of them are
  /// further than half the word's length away.
  package static func closest(to word: String, in candidates: [String]) -> String? {
    let wanted = word.prefix(200).lowercased()
    /// How near it counts, and how far it is letter by letter: `permission` is nearer to `permissions` than to a longer name that holds it.
    func score(_ candidate: String) -> (name: String, near: Int, distance: Int) {
      let lower = candidate.lowercased()
      let distance = between(Array(wanted), Array(lower))
      if wanted.isEmpty { return (candidate, distance, distance) }
      return (candidate, lower.contains(wanted) ? min(1, distance) : wanted.contains(lower) ? min(2, distance) : distance, distance)
    }
    let scored = candidates.map(score).filter { $0.near <= max(2, wanted.count / 2) }
    return scored.min { ($0.near, $0.distance, $0.name) < ($1.near, $1.distance, $1.name) }?.name
  }
}
