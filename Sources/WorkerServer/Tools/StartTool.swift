import MCP
import Runs

/// `opencode_start`: starts one run in the background.
struct StartTool: Tool {
  let manager: RunManager

  let name = "opencode_start"
  let description =
    "Delegate a coding task to OpenCode: start it in the background and return at once, then opencode_wait. Arguments as opencode_run_and_wait."
  let annotations = ToolAnnotations.acts
  let parameters = starting(described: false)

  /// The arguments of both tools that start; described in one of them only, which spares context.
  static func starting(described: Bool) -> [Parameter] {
    func text(_ description: String) -> String? { described ? description : nil }
    return [
      Parameter(
        "message", .string, text("The whole task: OpenCode sees nothing else"), required: true,
        aliases: ["prompt", "task", "instructions"], need: #"It is the whole task for OpenCode, such as {"message": "Add a --verbose option, with a test."}."#),
      Parameter("cwd", .string, text("Folder; default: this workspace"), aliases: ["workingDirectory", "directory"]),
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
        "permissions", .choice(["read-only", "workspace", "full"]),
        text("read-only: no edits, no shell; workspace: edits in cwd, shell; full: all. Default: OpenCode's configuration")),
      Parameter("acceptanceCriteria", .strings, text("Told to the model")),
      Parameter("verificationCommands", .strings, text("Commands it must run; the review says which passed")),
      Parameter("verify", .bool, text("Then run those not proven passed")),
      Parameter("verifySeconds", .integer(1...3600), hidden: true),
    ]
  }

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    RunReply.status(try await RunStarter(manager: manager).start(arguments, in: context))
  }
}
