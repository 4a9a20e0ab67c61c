import JSON

/// A tool's result: every fact in `structured`, a line or two for a person in `text`.
package struct ToolReply: Sendable {
  package var text: String
  package var structured: JSONObject
  package var isError = false
  /// What it tells of needs somebody's look: `call` exits with 1.
  package var isAlarming = false
  /// Done once the reply has been handed to a client that still wants it. May block for a moment.
  package var whenDelivered: (@Sendable () -> Void)?

  package init(text: String, structured: JSONObject, isError: Bool = false) {
    self.text = text
    self.structured = structured
    self.isError = isError
  }
}
