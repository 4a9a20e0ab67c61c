import JSON
import MCP
import Runs
import Text

extension RunItem {
  /// The last of `items` within the limits. A kind of which none is wanted is passed over; of the others the first that is one too many
  /// ends the page.
  /// - Returns: the rows, where the next page ends (0: there is nothing more), and whether there was no room for more
  static func page(_ items: ArraySlice<RunItem>, texts: Int, tools: Int, bytes: Int) -> (rows: [JSONValue], start: Int, isCut: Bool) {
    let (wantsTexts, wantsTools) = (texts > 0, tools > 0)
    guard wantsTexts || wantsTools else { return ([], 0, false) }
    var (texts, tools, left) = (texts, tools, bytes)
    var rows: [JSONValue] = []
    var start = items.endIndex
    for item in items.reversed() {
      switch item {
      case .text where !wantsTexts, .tool where !wantsTools:
        start -= 1
        continue
      case .text: texts -= 1
      case .tool: tools -= 1
      }
      if texts < 0 || tools < 0 { break }
      let row = item.row
      left -= row.bytes.count + 1
      if left < 0, !rows.isEmpty { return (rows.reversed(), start, true) }
      rows.append(row)
      start -= 1
    }
    return (rows.reversed(), start, false)
  }

  private var row: JSONValue {
    switch self {
    case .text(let text): return ["text": .string(TextCut.headAndTail(text.text.text, bytes: 500))]
    case .tool(let call):
      var row: JSONObject = ["tool": .string(call.tool)]
      row["title"] = call.title.map { .string($0) }
      row["status"] = .string(call.status)
      row["exitCode"] = call.exitCode.map { JSONValue($0) }
      row["seconds"] = call.seconds.map { RunReply.seconds($0) }
      row["error"] = call.error.map { .string(TextCut.headAndTail($0, bytes: 200)) }
      return .object(row)
    }
  }
}
