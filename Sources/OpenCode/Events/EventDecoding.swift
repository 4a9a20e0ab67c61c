import Foundation
import JSON
import Text

/// Makes an event of what was read of a line. One type for each generation of OpenCode: both names of a fact are understood by both, since a
/// version in between may write either; they differ in which one counts.
package protocol EventDecoding: Sendable {
  /// Never fails: what isn't understood is `unknown`.
  func event(from record: EventRecord) -> OpenCodeEvent
}

extension EventDecoding where Self == OpenCode1Events {
  package static var v1: OpenCode1Events { OpenCode1Events() }
}

extension EventDecoding where Self == OpenCode2Events {
  package static var v2: OpenCode2Events { OpenCode2Events() }
}

/// OpenCode 1.x.
/// Recordings: all of 1.x.
package struct OpenCode1Events: EventDecoding {
  package init() {}

  package func event(from record: EventRecord) -> OpenCodeEvent {
    var event = EventReader(record: record, partIDs: [.partID, .partToolID], paths: [.inputFilePath, .inputPath]).event()
    if case .stepFinish(var step) = event {
      // 1.3.2 counts the reasoning in `output`, too; the total tells.
      if var tokens = step.tokens, tokens.reasoning > 0, let total = record.integer(.tokensTotal, in: EventReader.tokenRange),
        tokens.output >= tokens.reasoning, tokens.total - tokens.reasoning == total
      {
        tokens.output -= tokens.reasoning
        step.tokens = tokens
      }
      event = .stepFinish(step)
    }
    return event
  }
}

/// OpenCode 2.x.
/// Recordings: all of 2.x; `docs/facts/opencode-cli.md`, "Events: same names and envelope, other insides".
package struct OpenCode2Events: EventDecoding {
  package init() {}

  package func event(from record: EventRecord) -> OpenCodeEvent {
    // A tool's `part.id` is the id of the call here, and its title is nothing but the tool's name.
    var event = EventReader(record: record, partIDs: [.partToolID, .partID], paths: [.inputPath, .inputFilePath]).event()
    switch event {
    case .toolUse(var tool):
      if tool.callID == nil, record[.partToolID] != nil { tool.callID = record.string(.partID) }
      if tool.title == tool.tool { tool.title = nil }
      event = .toolUse(tool)
    case .error(var error):
      error.message = OpenCode2Events.withoutBody(error.message)
      event = .error(error)
    default: break
    }
    return event
  }

  /// 2.x puts the body of the provider's response into the message: of it, only the provider's own sentence is kept.
  static func withoutBody(_ message: String) -> String {
    guard let brace = message.firstIndex(of: "{") ?? message.firstIndex(of: "<") else { return message }
    let front = message[..<brace].trimmingCharacters(in: .whitespaces)
    guard front.hasSuffix(":") else { return message }
    if let body = try? JSONValue(parsing: Array(message[brace...].utf8)) {
      let sentence = body["error"]?["message"]?.string ?? body["message"]?.string ?? body["error"]?.string
      if let sentence { return "\(front) \(sentence.oneLine(500))" }
    }
    return String(front.dropLast())
  }
}

/// Reads the facts that both generations share; the order of the given fields says which place counts.
struct EventReader {
  static let tokenRange = 0...1_000_000_000_000_000

  let record: EventRecord
  let partIDs: [EventField]
  let paths: [EventField]

  func event() -> OpenCodeEvent {
    let type = record.text(.type)?.text ?? ""
    switch type {
    case "step_start": return .stepStart(header)
    case "text" where record.text(.text) != nil: return .text(textPart)
    case "reasoning" where record.text(.text) != nil: return .reasoning(textPart)
    case "tool_use" where record.string(.tool) != nil: return .toolUse(tool(record.string(.tool) ?? ""))
    case "step_finish": return .stepFinish(stepFinish)
    case "error": return .error(error)
    default: return .unknown(header, type: type)
    }
  }

  private var header: EventHeader {
    EventHeader(
      at: record.seconds(.timestamp), sessionID: filled(.sessionID), messageID: filled(.messageID), partID: partIDs.lazy.compactMap(filled).first)
  }

  /// 2.x writes an empty session id before there is a session.
  private func filled(_ field: EventField) -> String? { record.string(field).flatMap { $0.isEmpty ? nil : $0 } }

  private var textPart: TextPart {
    TextPart(header: header, text: record.text(.text) ?? BoundedText(""), synthetic: record.bool(.synthetic) ?? false)
  }

  private var stepFinish: StepFinish {
    let count = { (field: EventField) in record.integer(field, in: EventReader.tokenRange) ?? 0 }
    let known: [EventField] = [.tokensInput, .tokensOutput, .tokensReasoning, .cacheRead, .cacheWrite]
    let tokens =
      known.contains { record.number($0) != nil }
      ? TokenCounts(
        input: count(.tokensInput), output: count(.tokensOutput), reasoning: count(.tokensReasoning), cacheRead: count(.cacheRead),
        cacheWrite: count(.cacheWrite)) : nil
    let cost = record.number(.cost).flatMap { $0 >= 0 && $0 < 1e9 ? $0 : nil }
    return StepFinish(header: header, reason: filled(.reason), tokens: tokens, cost: cost)
  }

  private var error: ErrorEvent {
    let message = record.text(.errorDataMessage) ?? record.text(.errorMessage)
    let kind = filled(.errorName) ?? filled(.errorType)
    return ErrorEvent(
      header: header, kind: kind, message: message.map(\.text) ?? kind ?? "error without a message",
      status: record.integer(.errorStatusCode, in: 100...999) ?? record.integer(.errorStatus, in: 100...999), ref: filled(.errorRef))
  }

  // MARK: - Tools

  private func tool(_ name: String) -> ToolUse {
    var tool = ToolUse(header: header, tool: name)
    tool.callID = filled(.callID)
    tool.status = record.string(.status).flatMap(ToolUse.Status.init) ?? .other
    tool.title = record.text(.title)?.text.oneLine(300)
    tool.command = tool.isShell ? record.text(.command) : nil
    tool.folder = tool.isShell ? filled(.inputFolder) : nil
    tool.path = paths.lazy.compactMap(filled).first ?? filled(.writtenPath)
    tool.description = record.text(.inputDescription)?.text ?? record.text(.pattern)?.text ?? record.text(.url)?.text
    // Of a call that didn't come to its end a code proves nothing.
    tool.exitCode = tool.status == .completed ? record.integer(.exit, in: -255...65_535) : nil
    tool.timedOut = record.bool(.timedOut) ?? false
    tool.error = record.text(.toolError)
    tool.start = record.seconds(.start)
    tool.end = record.seconds(.end)
    tool.output = record.text(.output)
    tool.refusal = refusal(of: tool)
    if tool.isEdit, tool.status == .completed { tool.files = files(of: tool) }
    if name == "todowrite" { tool.todos = todos }
    if let session = filled(.childSession), ToolNames.subagent.contains(name) {
      tool.subagent = Subagent(session: session, title: record.text(.inputDescription)?.text.oneLine(200), agent: filled(.agent))
    }
    return tool
  }

  private func refusal(of tool: ToolUse) -> ToolUse.Refusal? {
    if tool.tool == "invalid", let name = filled(.inputTool) {
      let why = record.text(.inputError)?.text ?? ""
      // The same stand-in is used for bad arguments to a tool that exists.
      return why.contains("unavailable tool") ? .unavailable(tool: name, why: why.oneLine(200)) : nil
    }
    guard tool.status == .error, let error = tool.error?.head else { return nil }
    if let refusal = ToolUse.Refusal.words(in: error) { return refusal }
    if error.contains("unavailable tool 'invalid'") {
      // The stand-in itself is denied, as by rules that deny `*`: whether the tool is there, its list tells.
      let offered = error.components(separatedBy: "Available tools: ").last?.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") } ?? []
      return offered.contains(tool.tool[...]) ? nil : .unavailable(tool: tool.tool, why: error.oneLine(200))
    }
    if error.hasPrefix("Unknown tool: ") { return .unavailable(tool: tool.tool, why: error.oneLine(200)) }
    return nil
  }

  private func files(of tool: ToolUse) -> [FileEdit] {
    let listed = record.list([.file, .filePath, .fileMovedTo, .fileChange, .fileStatus, .fileAdditions, .fileDeletions]).compactMap { row -> FileEdit? in
      guard let path = string(row[.filePath]) ?? string(row[.file]) else { return nil }
      return FileEdit(
        path: path, movedTo: string(row[.fileMovedTo]), change: string(row[.fileChange]) ?? string(row[.fileStatus]),
        additions: lines(row[.fileAdditions]), deletions: lines(row[.fileDeletions]))
    }
    if !listed.isEmpty { return listed }
    guard let path = filled(.diffFile) ?? filled(.writtenPath) ?? tool.path else { return [] }
    return [FileEdit(path: path, additions: record[.diffAdditions].flatMap(lines), deletions: record[.diffDeletions].flatMap(lines))]
  }

  private var todos: [Todo]? {
    let rows = record.list([.todoContent, .todoStatus])
    let input = rows.isEmpty ? record.list([.inputTodoContent, .inputTodoStatus]) : rows
    let todos = input.compactMap { row -> Todo? in
      guard case .string(let content) = row[.todoContent] ?? row[.inputTodoContent] else { return nil }
      return Todo(content: content.text.oneLine(500), status: string(row[.todoStatus] ?? row[.inputTodoStatus]) ?? "pending")
    }
    return todos
  }

  private func string(_ value: FieldValue?) -> String? {
    guard case .string(let text) = value, !text.isCut, !text.isEmpty else { return nil }
    return text.head
  }

  private func lines(_ value: FieldValue?) -> Int? {
    guard case .number(let number) = value else { return nil }
    return EventRecord.integer(number, in: 0...1_000_000_000)
  }
}

extension ToolUse.Refusal {
  /// What OpenCode's own sentences, of 1.x and 2.x, say; nil: it is another error.
  package static func words(in error: String) -> ToolUse.Refusal? {
    sentences.first { error.contains($0.0) }?.1
  }

  private static let sentences: [(String, ToolUse.Refusal)] = [
    ("The user rejected permission to use this", .rejected),
    ("The user declined this tool call", .rejected),
    ("cannot ask the user for permission, so the request was rejected", .rejected),
    ("The user has specified a rule which prevents", .ruledOut),
    ("Permission denied: ", .ruledOut),
    ("Subagent denied: ", .ruledOut),
    ("The user dismissed this question", .questionDismissed),
    ("cannot ask the user questions, so the question was cancelled", .questionDismissed),
  ]
}
