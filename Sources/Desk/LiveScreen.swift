/// Lines that stay, and on a terminal some below them that are drawn again and again. Makes the text that does it.
package struct LiveScreen: Sendable {
  /// The widths of the lines at the bottom as they were drawn.
  private var drawn: [Int] = []
  private var shown: [String] = []
  private var width = 0

  package init() {}

  /// Rows that the drawn lines take on a terminal of a width: it may have become narrower since, and then it has wrapped them.
  private func rows(at width: Int) -> Int { drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / max(1, width)) } }

  /// Lines above the bottom; the bottom has to be drawn again after it.
  /// - Parameter width: columns of the terminal now
  package mutating func print(_ text: String, width: Int) -> String { clear(width: width) + text + "\n" }

  /// The bottom, where it isn't drawn already.
  package mutating func draw(_ lines: [String], width: Int) -> String {
    if lines == shown, width == self.width, !drawn.isEmpty { return "" }
    let text = clear(width: width) + lines.joined(separator: "\n")
    (shown, drawn, self.width) = (lines, lines.map { Columns.width($0) }, width)
    return text
  }

  /// Takes the bottom away.
  package mutating func clear(width: Int) -> String {
    guard !drawn.isEmpty else { return "" }
    let up = rows(at: width) - 1
    drawn = []
    return "\r" + (up > 0 ? "\u{1B}[\(up)A" : "") + "\u{1B}[J"
  }
}
