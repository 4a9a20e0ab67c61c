import JSON
import JSONRPC

/// The tools in the order in which they are listed; fixed, so that a client's cache stays valid.
package struct ToolList: Sendable {
  private let tools: [any Tool]

  package init(_ tools: [any Tool]) { self.tools = tools }

  package subscript(name: String) -> (any Tool)? { tools.first { $0.name == name } }

  package var names: [String] { tools.map(\.name) }

  /// `tools/list`: one page holds them all, so no cursor was ever given out.
  package func page(cursor: JSONValue?) throws -> JSONObject {
    if let cursor { throw RPCError.invalidParams("unknown cursor \(cursor.text.prefix(50))") }
    return ["tools": .array(tools.map(\.json))]
  }
}
