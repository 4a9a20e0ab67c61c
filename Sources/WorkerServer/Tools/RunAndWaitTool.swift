import MCP
import Runs

/// `opencode_run_and_wait`: start, then wait.
struct RunAndWaitTool: Tool {
  let manager: RunManager

  let name = "opencode_run_and_wait"
  let description =
    "Delegate a coding task to OpenCode: implement it in the background, wait, return the review (state, answer, changed files, verification, cost). "
    + "The usual way to delegate. Arguments as opencode_start."
  let annotations = ToolAnnotations.acts
  var parameters: [Parameter] { StartTool.starting(described: false) + WaitTool.waiting }

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let run = try await RunStarter(manager: manager).start(arguments, in: context)
    return try await WaitTool.wait(for: run, arguments, in: context, manager: manager)
  }
}
