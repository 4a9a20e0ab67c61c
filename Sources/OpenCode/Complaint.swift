import Text

/// What a command that failed says of itself.
enum Complaint {
  /// What a failed command has to say: the text after `Error:` if there is one, or what stands under a heading of that kind, else its first line; at most
  /// 300 characters. A heading alone says nothing.
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
    let lines = texts.flatMap { $0.split(whereSeparator: \.isNewline) }.map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }
    if let heading = lines.firstIndex(where: { ["ERROR", "ERRORS"].contains($0.filter(\.isLetter)) }), heading + 1 < lines.count {
      return TextCut.firstLine(String(lines[heading + 1]), bytes: 300)
    }
    if lines.contains(where: { $0 == "USAGE" }) { return "it printed its help" }
    return TextCut.firstLine(lines.first { !isHeading($0) }.map(String.init) ?? "", bytes: 300)
  }

  private static func isHeading(_ line: Substring) -> Bool {
    line.contains(where: \.isLetter) && line.allSatisfy { $0.isUppercase || $0.isWhitespace || ":.".contains($0) }
  }
}
