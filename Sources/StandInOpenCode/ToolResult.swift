import JSON

/// What became of a tool call, before it is put in either generation's shape.
struct ToolResult {
  enum Ending {
    case completed(output: String, title: String, metadata: JSONObject)
    case failed(String)
    /// It isn't offered to the model.
    case unavailable
    /// Its permission was asked for and nobody was there.
    case rejected
    case dismissed
  }
  var name: String
  var input: JSONObject
  var ending: Ending
  /// What OpenCode 2 appends to a shell command's output.
  var note: String?
  /// Of a failure.
  var metadata: JSONObject = [:]
  var startedAt = 0
  var endedAt = 0
}
