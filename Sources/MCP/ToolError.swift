import JSON

/// A refusal or failure that the caller can do something about.
package struct ToolError: Error, Sendable, CustomStringConvertible {
  /// As the contract lists them, such as `bad_argument`.
  package let code: String
  /// What is wrong, with the value.
  package let message: String
  /// What to do.
  package let hint: String
  /// Facts beside the error, such as the run that is alive.
  package var facts = JSONObject()

  package init(code: String, message: String, hint: String, facts: JSONObject = JSONObject()) {
    self.code = code
    self.message = message
    self.hint = hint
    self.facts = facts
  }

  package static func badArgument(_ message: String, hint: String) -> ToolError { ToolError(code: "bad_argument", message: message, hint: hint) }

  package var description: String { "\(code): \(message)" }

  package var reply: ToolReply {
    var structured: JSONObject = ["error": ["code": .string(code), "message": .string(message), "hint": .string(hint)]]
    structured.merge(facts)
    return ToolReply(text: "\(message) \(hint)", structured: structured, isError: true)
  }
}

/// An error that can be told to a tool's caller.
package protocol ToolFailure: Error {
  var toolError: ToolError { get }
}

extension ToolError: ToolFailure {
  package var toolError: ToolError { self }
}
