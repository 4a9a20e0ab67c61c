import JSONRPC

/// A refusal or failure that the caller can do something about.
struct ToolError: Error, Sendable, CustomStringConvertible {
  /// As the contract lists them, such as `bad_argument`.
  let code: String
  /// What is wrong, with the value.
  let message: String
  /// What to do.
  let hint: String
  /// Facts beside the error, such as the run that is alive.
  var facts = JSONObject()

  static func badArgument(_ message: String, hint: String) -> ToolError { ToolError(code: "bad_argument", message: message, hint: hint) }

  var description: String { "\(code): \(message)" }

  var reply: ToolReply {
    var structured: JSONObject = ["error": ["code": .string(code), "message": .string(message), "hint": .string(hint)]]
    structured.merge(facts)
    return ToolReply(text: "\(message) \(hint)", structured: structured, isError: true)
  }
}

/// An error that can be told to a tool's caller.
protocol ToolFailure: Error {
  var toolError: ToolError { get }
}

extension ToolError: ToolFailure {
  var toolError: ToolError { self }
}
