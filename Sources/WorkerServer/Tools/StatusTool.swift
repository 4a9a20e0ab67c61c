import JSON
import MCP
import Runs

/// `opencode_status`: how the run stands now.
struct StatusTool: Tool {
  let manager: RunManager

  let name = "opencode_status"
  let description = "Status of the background OpenCode run: state, last action, steps, todo, provider errors. Answers at once."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("run", .string, "Default: the live or latest"),
    Parameter("tailLines", .integer(0...200), "Also the log's last lines"),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID) else { return RunReply.none }
    var reply = RunReply.status(run)
    let lines = arguments.integer("tailLines") ?? 0
    if lines > 0 {
      let budget = ReplyBound.limit - JSONValue.object(reply.structured).bytes.count - 256
      let page = try await LogPage.last(lines, of: .events, of: run, before: nil, bytes: max(512, budget))
      reply.structured["tail"] = JSONValue(strings: page.lines)
      if page.wasCut { reply.structured["cut"] = true }
    }
    return reply
  }
}
