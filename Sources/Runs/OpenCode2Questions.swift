import OpenCode
import PosixSupport
import Text

/// What OpenCode 2's own server is asked about a run that has ended: the end, the usage and the subagents, which its stream leaves out.
struct OpenCode2Questions {
  let request: RunRequest
  let digest: RunDigest
  let client: OpenCodeClient
  let session: String
  /// Milliseconds since 1970: what is older belongs to an earlier run of the session.
  let since: Int
  let deadline: Deadline

  /// All questions side by side. Blocks.
  func ask() -> SessionFacts {
    var facts = SessionFacts()
    let (client, session, since, deadline) = (client, session, since, deadline)
    // Of a new session the prompt is the first message.
    let first = request.session == nil && !request.continueLast ? request.prompt : nil
    let (messages, info) = both(
      { Result { try OpenCode2Questions.messages(of: session, client, since: since, first: first, deadline: deadline) } },
      { Result { try client.session(session, deadline: deadline) } })
    let outcome = try? info.get()?.outcome
    switch messages {
    case .success(let messages?): take(messages, outcome: outcome, &facts)
    case .success(nil): setUnknown("OpenCode has no session \(session)", &facts)
    case .failure(let error): setUnknown("\(error)", &facts)
    }
    return facts
  }

  /// Of the server, or, should it not answer, as an export has them.
  private static func messages(
    of session: String, _ client: OpenCodeClient, since: Int, first: String?, deadline: Deadline
  ) throws -> [SessionExport.Message]? {
    do {
      return try client.messages(of: session, since: since, first: first, deadline: deadline.share(2 / 3))
    } catch {
      guard let export = try? client.export(session, deadline: deadline) else { throw error }
      return export.messages.filter { ($0.created ?? .max) >= since }
    }
  }

  private func setUnknown(_ why: String, _ facts: inout SessionFacts) {
    facts.end = .unknown(why)
    facts.remarks.append("the session's own outcome is not known (\(why))")
    facts.missing = "the last step's usage is not known (\(why))"
    if !digest.subagents.isEmpty { askSubagents(&facts) }
  }

  private func take(_ messages: [SessionExport.Message], outcome: String?, _ facts: inout SessionFacts) {
    facts.end = SessionEnd.LastMessage(messages, outcome: outcome).map { .known($0) } ?? .notAsked
    facts.model = messages.last { $0.role == "assistant" && $0.model != nil }?.model
    let (usage, missing) = OpenCode2Questions.usage(of: messages)
    facts.ownUsage = usage
    facts.missing = missing
    let calls = messages.flatMap(\.toolCalls)
    if !digest.subagents.isEmpty || calls.contains(where: { $0.childSession != nil || ToolNames.subagent.contains($0.tool) }) { askSubagents(&facts) }
    tellBackground(calls, messages, &facts)
  }

  /// The sum of all messages, summaries included, and what is missing from it.
  static func usage(of messages: [SessionExport.Message]) -> (UsageSum, missing: String?) {
    var (sum, untold) = (UsageSum(), 0)
    for message in messages where ["assistant", "compaction"].contains(message.role) {
      if let tokens = message.tokens {
        sum.add(StepUsage(tokens: tokens, cost: message.cost ?? 0))
        if tokens.total == 0 { untold += 1 }
      } else if message.error == nil || !message.text.isEmpty || !message.toolCalls.isEmpty {
        // A request that was refused used nothing.
        untold += 1
      }
    }
    return (sum, untold == 0 ? nil : "the usage of \(counted(untold, "message")) is not known: OpenCode wasn't told or didn't see the end")
  }

  // MARK: - Background

  /// Up to 2.0.26 a command or a subagent in the background ends with the run; from 2.2 on the run waits.
  private func tellBackground(_ calls: [SessionExport.ToolCall], _ messages: [SessionExport.Message], _ facts: inout SessionFacts) {
    let version = request.installation.version
    guard version < OpenCodeVersion(2, 2, 0) else { return }
    let told = messages.filter { $0.role == "synthetic" }.map(\.text)
    for call in calls {
      guard let id = call.background, !told.contains(where: { $0.contains(id) }) else { continue }
      let what = call.command.map { "the command \"\($0.oneLine(120))\"" } ?? "the subagent \(id)"
      let how = version > OpenCodeVersion(2, 0, 26) ? "may have been ended" : "was ended"
      facts.remarks.append("background work ends with the run: \(what) \(how) if it was still at work")
    }
  }

  // MARK: - Subagents

  private func askSubagents(_ facts: inout SessionFacts) {
    let (client, session, since, deadline) = (client, session, since, deadline)
    facts.asked = true
    let calls = Dictionary(digest.subagents.elements.map { ($0.session, $0) }) { first, _ in first }
    var problems: [String] = []
    var sessions: [SessionInfo] = []
    do {
      sessions = try client.sessionsBelow(session, deadline: deadline)
    } catch {
      problems.append("which subagents worked is not known (\(error))")
    }
    for call in digest.subagents.elements where !sessions.contains(where: { $0.id == call.session }) { sessions.append(SessionInfo(id: call.session)) }
    // A subagent's subagent stands where the one that an event names does.
    var callers: [String: String] = [:]
    for info in sessions { callers[info.id] = calls[info.id] != nil ? info.id : info.parent.flatMap { callers[$0] } ?? info.id }
    let answers = concurrently(sessions.map { info in { @Sendable in Result { try client.messages(of: info.id, since: since, deadline: deadline) } } })
    for (info, answer) in zip(sessions, answers) {
      let call = calls[info.id]
      var row = RunUsage.Subagent(session: info.id, title: info.title ?? call?.title, agent: info.agent ?? call?.agent)
      switch answer {
      case .success(let messages?):
        // An earlier run's subagent.
        if messages.isEmpty, call == nil { continue }
        let (usage, missing) = OpenCode2Questions.usage(of: messages)
        row.tokens = usage.tokens
        row.cost = usage.costIsKnown && missing == nil ? usage.cost : nil
        if missing != nil { facts.missing = facts.missing ?? "the usage of the subagent's session \(info.id) is not known as a whole" }
        facts.add(SessionExport(info: info, messages: messages), since: since, of: callers[info.id] ?? info.id)
        tellTrouble(messages, of: row, &facts)
      case .success(nil):
        problems.append("the subagent's session \(info.id) is gone")
        facts.missing = facts.missing ?? "the usage of the subagent's session \(info.id) is not known"
      case .failure(let error):
        problems.append("a subagent's commands and edits are not known (\(error))")
        facts.missing = facts.missing ?? "the usage of the subagent's session \(info.id) is not known"
      }
      facts.subagents.append(row)
    }
    guard let first = problems.first else { return }
    facts.hidesCommands = true
    facts.missing = facts.missing ?? "a subagent's usage is not known"
    facts.remarks.append(problems.count > 1 ? "\(first) (and \(problems.count - 1) more such)" : first)
  }

  /// Errors and refusals that the stream doesn't show.
  private func tellTrouble(_ messages: [SessionExport.Message], of subagent: RunUsage.Subagent, _ facts: inout SessionFacts) {
    let name = subagent.title ?? subagent.session
    if let error = messages.last(where: { $0.error != nil })?.error {
      facts.remarks.append("the subagent \"\(name.oneLine(80))\" met an error: \(error.message.oneLine(300))")
    }
    for call in messages.flatMap(\.toolCalls) {
      guard let error = call.error, ToolUse.Refusal.words(in: error) != nil else { continue }
      facts.remarks.append("refused to the subagent \"\(name.oneLine(80))\": \(call.tool): \(error.oneLine(160))")
    }
  }
}
