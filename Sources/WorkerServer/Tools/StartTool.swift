import MCP
import Runs
import StandInOpenCode

/// `opencode_start`: starts one run in the background.
struct StartTool: Tool {
  let manager: RunManager

  let name = "opencode_start"
  let description =
    "Delegate a coding task to OpenCode: start implementing it in the background and return at once. OpenCode changes files as its permissions allow; "
    + "bash is not sandboxed by any preset. One run at a time. Then opencode_wait."
  let annotations = ToolAnnotations.acts
  let parameters = starting(described: true)

  /// The arguments of both tools that start; described in one of them only, which spares context.
  static func starting(described: Bool) -> [Parameter] {
    func text(_ description: String) -> String? { described ? description : nil }
    return [
      Parameter("message", .string, text("The whole task: OpenCode sees nothing else"), required: true),
      Parameter("cwd", .string, text("Folder; default: this workspace")),
      Parameter("model", .string, text("provider/model or provider/model#variant")),
      Parameter("variant", .string, text("Such as high")),
      Parameter("agent", .string, text("OpenCode's")),
      Parameter("title", .string, text("Default: the message's first line")),
      Parameter("session", .string, text("ses_... to continue")),
      Parameter("continueLast", .bool, text("Continue the last run in cwd")),
      Parameter("fork", .bool, text("Fork it first")),
      Parameter("files", .strings, text("Files to attach, relative to cwd")),
      Parameter("dangerouslySkipPermissions", .bool, text("Auto-approve what it asks")),
      Parameter(
        "permissions", .choice(["read-only", "workspace", "full"]), text("Default: OpenCode's configuration")),
      Parameter("acceptanceCriteria", .strings, text("Told to the model, kept for the review")),
      Parameter("verificationCommands", .strings, text("Commands it must run; the review says which passed")),
    ]
  }

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    RunReply.status(try await RunStarter(manager: manager).start(arguments, in: context))
  }
}
