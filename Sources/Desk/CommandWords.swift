import Text

/// The words behind a command: options, and what is left.
package struct CommandWords: Sendable, Equatable {
  package private(set) var flags: Set<String> = []
  package private(set) var values: [String: String] = [:]
  package private(set) var rest: [String] = []

  /// Why the words can't be taken: exit code 2.
  package struct Wrong: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
  }

  /// - Parameters:
  ///   - flags: options without a value
  ///   - values: options with one, as `--name VALUE` or `--name=VALUE`
  ///   - most: how many other words there may be
  /// - Throws: `Wrong`
  package init(_ words: [String], flags known: Set<String> = [], values valued: Set<String> = [], most: Int) throws {
    var words = words[...]
    var onlyRest = false
    while let word = words.popFirst() {
      // As of a variable that isn't set: it means nothing, and mustn't mean all, or here.
      if word.isEmpty { throw Wrong("an empty word (\"\") names nothing") }
      if onlyRest || !word.hasPrefix("-") || word == "-" {
        rest.append(word)
        continue
      }
      if word == "--" {
        onlyRest = true
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 1, known.contains(word) {
        flags.insert(word)
      } else if valued.contains(parts[0]) {
        guard let value = parts.count == 2 ? parts[1] : words.popFirst() else { throw Wrong("\(word) needs a value") }
        values[parts[0]] = value
      } else {
        let all = (known.union(valued)).sorted()
        let nearest = EditDistance.closest(to: parts[0], in: all).map { "; did you mean \($0)?" }
        throw Wrong("unknown option \(Words.line(word, 80))" + (nearest ?? (all.isEmpty ? "" : "; it takes \(all.joined(separator: ", "))")))
      }
    }
    if rest.count > most { throw Wrong(most == 0 ? "it takes no \"\(Words.line(rest[0], 80))\"" : "too many words: \(Words.line(rest[most], 80))") }
  }
}
