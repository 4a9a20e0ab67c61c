import MCP
import Runs

/// `opencode_run_and_wait`: start, then wait.
struct RunAndWaitTool: Tool {
  let manager: RunManager

  let name = "opencode_run_and_wait"
  let description =
    "Delegate a coding task to OpenCode. To delegate, use this: OpenCode implements this task in the background; the reply is the review of what OpenCode "
    + "did (state, answer, changed files, verification, cost). OpenCode changes files; no preset confines bash. One run at a time. Code mode: first line \(ServerInfo.codeModePragma)"
  let annotations = ToolAnnotations.acts
  let isAlwaysLoaded = true
  var parameters: [Parameter] { StartTool.starting(described: true) + WaitTool.waiting }

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let run = try await RunStarter(manager: manager).start(arguments, in: context)
    return try await WaitTool.wait(for: run, arguments, in: context, manager: manager)
  }
}
