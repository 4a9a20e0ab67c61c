import Foundation
import JSON
import MCP
import OpenCode
import PosixSupport
import Runs

/// `opencode_usage`: what a run, a session or everything has used.
struct UsageTool: Tool {
  let manager: RunManager
  let access: OpenCodeAccess

  let name = "opencode_usage"
  let description = "Tokens and cost of an OpenCode run with subagents, of a session, or OpenCode's totals."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("run", .string), Parameter("session", .string, "This session's total instead"),
    Parameter("aggregate", .bool, "OpenCode's own totals"), Parameter("days", .integer(0...36_500), "Totals of last days; 0: today"),
    Parameter("project", .string, "Totals of an OpenCode project; \"\": this"), Parameter("models", .bool, "A row a model"), Parameter("cursor", .string),
    Parameter("sanitize", .bool, hidden: true), Parameter("latestWorkerRun", .bool, hidden: true),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let windowed = arguments.integer("days") != nil || arguments.string("project") != nil || arguments.bool("models") == true
    if arguments.bool("aggregate") ?? windowed { return try await totals(arguments, context) }
    if let session = arguments.string("session") { return try await total(of: session, arguments, context) }
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID) else { return RunReply.none }
    var reply = RunReply.brief(run)
    let usage = run.review?.usage ?? RunUsage(run.digest)
    reply.structured.merge(RunReply.usage(usage).object ?? [:])
    try UsageTool.add(usage.subagents.map(RunReply.subagent), as: "subagents", from: arguments, to: &reply.structured)
    reply.text = "\(run.folder.id): \(usage.tokens.total) tokens, \(usage.cost.map { "\(RunReply.money($0).text) USD" } ?? "cost unknown")."
    return reply
  }

  /// Adds rows from the cursor on, as many as fit; the rest is behind `nextCursor`.
  private static func add(_ rows: [JSONValue], as name: String, from arguments: Arguments, to structured: inout JSONObject) throws {
    let offset = try arguments.cursor(in: rows.count) ?? 0
    guard !rows.isEmpty else { return }
    ReplyBound.add(rows, as: name, from: offset, bytes: ReplyBound.limit - JSONValue.object(structured).bytes.count - 300, to: &structured)
  }

  private func total(of session: String, _ arguments: Arguments, _ context: CallContext) async throws -> ToolReply {
    let workspace = try await manager.workspace(of: context)
    let tree = try await access.ask(in: workspace) { client, deadline in try client.sessionTree(session, deadline: deadline) }
    guard let own = tree.first else {
      throw ToolError.badArgument("OpenCode has no session \"\(session.prefix(100))\".", hint: "Pass the session of a run's reply.")
    }
    var tokens = TokenCounts()
    var cost: Double? = 0
    for info in tree {
      if let used = info.tokens { tokens = tokens + used }
      let isUnpriced = info.cost == 0 && (info.tokens?.total ?? 0) > 0
      if let sum = cost, let part = info.cost, !isUnpriced { cost = sum + part } else { cost = nil }
    }
    var structured: JSONObject = ["session": .string(session)]
    structured["title"] = own.title.map { .string($0) }
    structured["tokens"] = RunReply.tokens(tokens)
    structured["cost"] = cost.map { RunReply.money($0) }
    if cost == nil { structured["attention"] = ["cost unknown: a model has no price"] }
    structured["source"] = "OpenCode's session store"
    let rows = tree.dropFirst().map { RunReply.subagent(RunUsage.Subagent($0)) }
    try UsageTool.add(Array(rows), as: "subagents", from: arguments, to: &structured)
    return ToolReply(text: "\(session): \(tokens.total) tokens.", structured: structured)
  }

  private func totals(_ arguments: Arguments, _ context: CallContext) async throws -> ToolReply {
    var query = StatsQuery()
    (query.days, query.project, query.models) = (arguments.integer("days"), arguments.string("project"), arguments.bool("models") ?? true)
    let workspace = try await manager.workspace(of: context)
    let stats = try await access.ask(in: workspace) { [query] client, deadline in try client.stats(query, deadline: deadline) }
    var structured = JSONObject()
    var rounded: [String] = []
    func figure(_ name: String, _ figure: Stats.Figure?, into object: inout JSONObject, named full: String? = nil) {
      guard let figure else { return }
      object[name] = .number(figure.value)
      if figure.rounded { rounded.append(full ?? name) }
    }
    figure("sessions", stats.sessions, into: &structured)
    figure("messages", stats.messages, into: &structured)
    figure("days", stats.days, into: &structured)
    figure("prompts", stats.prompts, into: &structured)
    figure("steps", stats.steps, into: &structured)
    figure("activeDays", stats.activeDays, into: &structured)
    figure("cost", stats.cost, into: &structured)
    figure("costPerDay", stats.costPerDay, into: &structured)
    var tokens = JSONObject()
    let parts = [
      ("input", stats.input), ("output", stats.output), ("reasoning", stats.reasoning), ("cacheRead", stats.cacheRead), ("cacheWrite", stats.cacheWrite),
    ]
    for (name, value) in parts { figure(name, value, into: &tokens) }
    if !tokens.isEmpty { structured["tokens"] = .object(tokens) }
    if !rounded.isEmpty { structured["rounded"] = JSONValue(strings: rounded) }
    structured["source"] = "OpenCode's own totals"
    try UsageTool.add(stats.models.map(UsageTool.row), as: "models", from: arguments, to: &structured)
    return ToolReply(text: "OpenCode's own totals.", structured: structured)
  }

  private static func row(_ model: Stats.ModelRow) -> JSONValue {
    var row: JSONObject = ["model": .string(model.model)]
    let figures = [
      ("messages", model.messages), ("steps", model.steps), ("input", model.input), ("output", model.output), ("cacheRead", model.cacheRead),
      ("cacheWrite", model.cacheWrite), ("cost", model.cost),
    ]
    for (name, figure) in figures { row[name] = figure.map { .number($0.value) } }
    if figures.contains(where: { $0.1?.rounded == true }) { row["rounded"] = true }
    return .object(row)
  }
}
