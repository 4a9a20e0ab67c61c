import Text

/// What a command that failed says of itself.
enum Complaint {
  /// What a failed command has to say: the text after `Error:` if there is one, else its first line; at most 300 characters.
  static func text(errors: String, output: String) -> String {
    let texts = [errors, output].map(TerminalText.plain)
    for text in texts {
      for line in text.split(whereSeparator: \.isNewline) {
        guard let range = line.range(of: "Error: ") else { continue }
        var rest = line[range.upperBound...]
        if rest.hasPrefix("Error: ") { rest = rest.dropFirst(7) }
        // "Unexpected error" alone says nothing: what it was stands below.
        if rest == "Unexpected error" { return text[range.lowerBound...].split(whereSeparator: \.isNewline).joined(separator: ": ").shortened(to: 300) }
        if !rest.allSatisfy(\.isWhitespace) { return TextCut.firstLine(String(rest), bytes: 300) }
      }
    }
    let first = texts.lazy.flatMap { $0.split(whereSeparator: \.isNewline) }.first { !$0.allSatisfy(\.isWhitespace) }
    return TextCut.firstLine(first.map(String.init) ?? "", bytes: 300)
  }
}
