import Foundation
import JSON
import MCP
import Runs
import Text

/// `opencode_run_summary`: the run in order.
struct RunSummaryTool: Tool {
  let manager: RunManager

  let name = "opencode_run_summary"
  let description = "What an OpenCode run did, in order: texts, tool calls, errors, subagents, todo, verification, usage."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("run", .string),
    Parameter("maxTextItems", .integer(0...68), "Default 8"),
    Parameter("maxToolCalls", .integer(0...200), "Default 20"),
    Parameter("logPath", .string, "Instead of run"),
    Parameter("cursor", .string),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    var id = arguments.string("run")
    if let path = arguments.string("logPath") {
      guard let run = self.run(ofLog: path), id == nil || id == run else {
        throw RunRefusal(
          code: .logUnavailable, message: "\"\(path.prefix(300))\" is not a log of this worker\(id == nil ? "" : "'s run \(id ?? "")").",
          hint: "Pass \"run\"; opencode_runs lists the runs.")
      }
      id = run
    }
    guard let run = try await manager.resolve(id, thread: context.threadID) else { return RunReply.none }
    let items = RunItem.all(of: run.digest)
    let end = try arguments.cursor(in: items.count) ?? items.count
    var reply = RunReply.withLogPath(RunReply.brief(run), of: run)
    if arguments.string("cursor") == nil { addFacts(run, &reply.structured) }
    let budget = ReplyBound.limit - JSONValue.object(reply.structured).bytes.count - 200
    let page = RunItem.page(
      items[..<end], texts: arguments.integer("maxTextItems") ?? 8, tools: arguments.integer("maxToolCalls") ?? 20, bytes: max(600, budget))
    reply.structured["items"] = .array(page.rows)
    if page.start > 0 { reply.structured["nextCursor"] = .string("\(page.start)") }
    if page.isCut { reply.structured["cut"] = true }
    return reply
  }

  private func run(ofLog path: String) -> String? {
    let parts = path.split(separator: "/").suffix(2).map(String.init)
    guard parts.count == 2, RunID.isValid(parts[0]), ["events.jsonl", "stderr.log"].contains(parts[1]) else { return nil }
    let folder = manager.state.run(parts[0])
    return [folder.events, folder.stderr].contains(path) ? parts[0] : nil
  }

  private func addFacts(_ run: RunSnapshot, _ structured: inout JSONObject) {
    let digest = run.digest
    structured["steps"] = JSONValue(digest.steps)
    structured["toolCalls"] = JSONValue(digest.toolCallCount)
    // The newest of each; `cut` says that there were more.
    func newest<Element>(_ all: [Element], _ limit: Int) -> ArraySlice<Element> {
      if all.count > limit { structured["cut"] = true }
      return all.suffix(limit)
    }
    let errors = newest(digest.errors.elements, 4)
    if !errors.isEmpty {
      structured["errors"] = .array(errors.map { .string(TextCut.headAndTail(digest.cause(of: $0.ref) ?? $0.message, bytes: 300)) })
    }
    let rejected = newest(digest.rejections.elements, 4)
    if !rejected.isEmpty { structured["rejectedPermissions"] = JSONValue(strings: rejected.map { TextCut.headAndTail($0.text, bytes: 200) }) }
    let subagents = newest(digest.subagents.elements, 6)
    if !subagents.isEmpty {
      structured["subagents"] = .array(
        subagents.map { subagent in
          var row: JSONObject = ["session": .string(subagent.session)]
          row["title"] = subagent.title.map { .string(TextCut.prefix($0, bytes: 100)) }
          row["agent"] = subagent.agent.map { .string(TextCut.prefix($0, bytes: 60)) }
          return .object(row)
        })
    }
    if !digest.todos.isEmpty {
      structured["todo"] = JSONValue(strings: digest.todos.prefix(12).map { "[\($0.status)] \(TextCut.prefix($0.content, bytes: 100))" })
      if digest.todos.count > 12 { structured["cut"] = true }
    }
    let report = run.review?.verification ?? run.record.judged(digest.verification.report(known: .soFar))
    structured["verification"] = RunReply.verification(report, undeclared: 4)
    let criteria = run.record.request.acceptanceCriteria
    if !criteria.isEmpty { structured["acceptanceCriteria"] = JSONValue(strings: criteria.map { TextCut.headAndTail($0, bytes: 300) }) }
    structured["usage"] = RunReply.usage(run.review?.usage ?? RunUsage(digest))
    structured["answer"] = digest.answer.map { .string(TextCut.headAndTail($0.text, bytes: 900)) }
  }
}
