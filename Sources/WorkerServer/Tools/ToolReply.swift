import JSONRPC

/// A tool's result: every fact in `structured`, a line or two for a person in `text`.
struct ToolReply: Sendable {
  var text: String
  var structured: JSONObject
  var isError = false
}
