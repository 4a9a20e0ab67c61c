extension RunRefusal: ToolFailure {
  var toolError: ToolError {
    ToolError(code: code.rawValue, message: message, hint: hint, facts: run.map { RunReply.status($0).structured } ?? [:])
  }
}
