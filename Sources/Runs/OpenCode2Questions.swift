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
  /// Seconds for each question.
  let limit: Double
  /// The end of all of them.
  let deadline: Deadline

  /// All questions side by side. Blocks.
  func ask() -> SessionFacts {
    var facts = SessionFacts()
    let (client, session, since, question) = (client, session, since, deadline.atMost(limit))
    // Of a new session the prompt is the first message.
    let first = request.session == nil && !request.continueLast ? request.prompt : nil
    let (own, early) = both(
      {
        both(
          { Result { try OpenCode2Questions.messages(of: session, client, since: since, first: first, deadline: question) } },
          { Result { try client.session(session, deadline: question) } })
      },
      // Of those that the stream names nobody needs to be told first.
      { digest.subagents.isEmpty ? nil : subagentTree() })
    let (messages, info) = own
    let outcome = try? info.get()?.outcome
    var hasSubagents = !digest.subagents.isEmpty
    switch messages {
    case .success(let messages?):
      take(messages, outcome: outcome, &facts)
      // A call that was cut short leaves no event.
      hasSubagents = hasSubagents || messages.flatMap(\.toolCalls).contains { $0.childSession != nil || ToolNames.subagent.contains($0.tool) }
    case .success(nil): setUnknown("OpenCode has no session \(session)", &facts)
    case .failure(let error): setUnknown("\(error)", &facts)
    }
    if hasSubagents { take(early ?? subagentTree(), &facts) }
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
    facts.missing = "the last step's usage is not known (\(why))"
  }

  private func take(_ messages: [SessionExport.Message], outcome: String?, _ facts: inout SessionFacts) {
    facts.end = SessionEnd.LastMessage(messages, outcome: outcome).map { .known($0) } ?? .notAsked
    facts.model = messages.last { $0.role == "assistant" && $0.model != nil }?.model
    let (usage, missing) = OpenCode2Questions.usage(of: messages)
    facts.ownUsage = usage
    facts.missing = missing
    facts.hadBackgroundWork = facts.hadBackgroundWork || messages.flatMap(\.toolCalls).contains { $0.background != nil }
    tellBackground(messages, &facts)
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
  private func tellBackground(_ messages: [SessionExport.Message], _ facts: inout SessionFacts) {
    let version = request.installation.version
    guard version < OpenCodeVersion(2, 2, 0) else { return }
    for call in SessionExport.background(messages).open {
      let what = call.command.map { "the command \"\($0.oneLine(120))\"" } ?? "the subagent \(call.background ?? call.id)"
      let how = version > OpenCodeVersion(2, 0, 26) ? "may have been ended" : "was ended"
      facts.backgroundEnded.append("background work ends with the run: \(what) \(how) if it was still at work")
    }
  }

  // MARK: - Subagents

  private func subagentTree() -> (found: [SubagentTree.Answer], unlisted: (any Error)?) {
    SubagentTree(client, since: since, limit: limit, deadline: deadline).explore(below: session, named: digest.subagents.elements.map(\.session))
  }

  private func take(_ tree: (found: [SubagentTree.Answer], unlisted: (any Error)?), _ facts: inout SessionFacts) {
    facts.asked = true
    let calls = Dictionary(digest.subagents.elements.map { ($0.session, $0) }) { first, _ in first }
    var problems = tree.unlisted.map { ["which subagents worked is not known (\($0))"] } ?? []
    // A subagent's subagent stands where the one that an event names does.
    var callers: [String: String] = [:]
    for answer in tree.found {
      let info = answer.info
      callers[info.id] = calls[info.id] != nil ? info.id : info.parent.flatMap { callers[$0] } ?? info.id
      let call = calls[info.id]
      var row = RunUsage.Subagent(session: info.id, title: info.title ?? call?.title, agent: info.agent ?? call?.agent)
      switch answer.messages {
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
