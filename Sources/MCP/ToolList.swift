import JSON
import JSONRPC
import Text

/// The tools in the order in which they are listed; fixed, so that a client's cache stays valid.
package struct ToolList: Sendable {
  private let tools: [any Tool]

  package init(_ tools: [any Tool]) { self.tools = tools }

  package subscript(name: String) -> (any Tool)? { tools.first { $0.name == name } }

  package var names: [String] { tools.map(\.name) }

  /// Why there is no tool of this name, and what there is instead.
  package func explanation(ofUnknown name: String) -> String {
    let asked = name.lowercased()
    if ["stop", "cancel", "kill", "abort", "terminate", "interrupt"].contains(where: asked.contains) {
      return "No tool stops a run: only the user can, in a terminal. `opencode-worker status` shows the command."
    }
    if let nearest = EditDistance.closest(to: name, in: names) { return "Did you mean \(nearest)?" }
    return "The tools: \(names.joined(separator: ", "))."
  }

  /// `tools/list`: one page holds them all, so no cursor was ever given out.
  package func page(cursor: JSONValue?) throws -> JSONObject {
    if let cursor { throw RPCError.invalidParams("unknown cursor \(cursor.text.prefix(50))") }
    return ["tools": .array(tools.map(\.json))]
  }
}
