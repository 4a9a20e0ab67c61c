import JSON
import MCP
import Text

/// `opencode_delegation_template`: arguments for a start, put together well.
struct DelegationTemplateTool: Tool {
  let name = "opencode_delegation_template"
  let description = "Goal and plan in, arguments for opencode_start out. Starts nothing."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("goal", .string, required: true), Parameter("cwd", .string), Parameter("model", .string), Parameter("title", .string),
    Parameter("plan", .string), Parameter("files", .strings),
    Parameter("acceptanceCriteria", .strings), Parameter("verificationCommands", .strings),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let goal = arguments.string("goal") ?? ""
    guard goal.contains(where: { !$0.isWhitespace }) else {
      throw ToolError.badArgument("\"goal\" is empty.", hint: "Say in a sentence or two what must be true when the work is done.")
    }
    var message = "## Goal\n\n\(goal)\n"
    if let plan = arguments.string("plan"), !plan.isEmpty { message += "\n## Plan\n\n\(plan)\n" }
    let files = arguments.strings("files") ?? []
    if !files.isEmpty { message += "\n## Files to look at first\n\n" + files.map { "- \($0)" }.joined(separator: "\n") + "\n" }
    message +=
      "\n## How to work\n\nChange only what the goal needs. Keep the style of the code around. "
      + "Finish with a short summary: what changed, what was checked.\n"
    var start: JSONObject = ["message": .string(message)]
    for name in ["cwd", "model", "title"] { start[name] = arguments.string(name).map { .string($0) } }
    if start["title"] == nil { start["title"] = .string(TextCut.firstLine(goal, bytes: 60)) }
    for name in ["acceptanceCriteria", "verificationCommands"] {
      if let values = arguments.strings(name), !values.isEmpty { start[name] = JSONValue(strings: values) }
    }
    let size = JSONValue.object(start).bytes.count
    guard size < ReplyBound.limit - 256 else {
      throw ToolError.badArgument(
        "The template would be \(size) bytes, more than a reply holds.", hint: "Put the plan into a file of the workspace and name it in \"files\".")
    }
    return ToolReply(text: "Arguments for opencode_start or opencode_run_and_wait.", structured: ["arguments": .object(start)])
  }
}
