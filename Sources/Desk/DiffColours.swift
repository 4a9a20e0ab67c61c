import Text

/// A unified diff as a terminal shows it.
package enum DiffColours {
  package static func text(_ patch: String, style: Style) -> String {
    return patch.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let text = TerminalText.printable(String(line))
      if line.hasPrefix("diff ") || line.hasPrefix("index ") || line.hasPrefix("--- ") || line.hasPrefix("+++ ") { return style.bold(text) }
      if line.hasPrefix("@@") { return style.cyan(text) }
      if line.hasPrefix("+") { return style.green(text) }
      if line.hasPrefix("-") { return style.red(text) }
      return text
    }.joined(separator: "\n")
  }
}
