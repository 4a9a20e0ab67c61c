import MCP
import Runs

extension RunRefusal: ToolFailure {
  package var toolError: ToolError {
    ToolError(code: code.rawValue, message: message, hint: hint, facts: run.map { RunReply.status($0).structured } ?? [:])
  }
}
