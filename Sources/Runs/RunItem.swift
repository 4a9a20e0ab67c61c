/// A text or a tool call of a run.
package enum RunItem {
  case text(RunDigest.Text)
  case tool(RunDigest.ToolCall)

  /// The texts and tool calls that are kept, in the order in which they were printed.
  package static func all(of digest: RunDigest) -> [RunItem] {
    let texts = digest.texts.map { (order: $0.order, item: RunItem.text($0)) }
    let tools = digest.toolCalls.elements.map { (order: $0.order, item: RunItem.tool($0)) }
    return (texts + tools).sorted { $0.order < $1.order }.map(\.item)
  }
}
