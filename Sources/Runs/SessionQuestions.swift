import Foundation
import OpenCode
import PosixSupport

/// What OpenCode is asked after a run has ended: its subagents' usage and commands, and what its stream leaves out.
package struct SessionQuestions: Sendable {
  /// Seconds for each answer; on a busy machine an export takes many.
  package static let limit = 30.0
  /// Seconds for all of them: one may be needed to ask the next.
  package static let seconds = RunEnding.seconds - 5

  private let request: RunRequest
  private let digest: RunDigest
  private let end: RunEnd
  private let environment: [String: String]
  /// Milliseconds since 1970: what is older belongs to an earlier run of a session that was continued.
  private let since: Int
  private let deadline: Deadline
  /// What `ModelQuestion` was answered while the run was alive.
  package var model: String?

  package init(_ record: RunRecord, digest: RunDigest, end: RunEnd, environment: [String: String], deadline: Deadline) {
    request = record.request
    self.digest = digest
    self.end = end
    self.environment = environment
    self.deadline = deadline
    // OpenCode's own clock, should it differ.
    since = Int(max(0, min(record.startedAt, digest.firstEventAt ?? record.startedAt)) * 1000) - 1
  }

  /// The run keeps its generation, whatever is installed meanwhile.
  private var isOpenCode2: Bool { request.installation.version.generation == .v2 }
  private var question: Deadline { deadline.atMost(SessionQuestions.limit) }

  /// A tool that was cut short leaves no event: a subagent may have been at work.
  private var mayHideSubagents: Bool { !isOpenCode2 && digest.lastStepIsOpen && !digest.sawNoStep }
  /// Nobody saw the exit, and a compaction's summary looks like an answer.
  private var needsLastWords: Bool { !isOpenCode2 && end == .notSeen && digest.hasFinalAnswer }

  /// Whether the stream alone doesn't tell everything.
  package var needsAnswers: Bool {
    guard digest.session.map({ !$0.isEmpty }) == true else { return false }
    return !digest.subagents.isEmpty || mayHideSubagents || needsLastWords || isOpenCode2 || needsModel
  }

  /// Nobody chose a model: OpenCode's store knows which one it was.
  private var needsModel: Bool { request.model == nil && model == nil && !digest.sawNoStep && !isOpenCode2 }

  private func client() -> OpenCodeClient { request.client(environment: environment, deadline: question.share(1 / 2)) }

  /// Blocks until OpenCode has answered or the time is up.
  package func ask() -> SessionFacts {
    var facts = SessionFacts()
    facts.model = model
    guard needsAnswers, let session = digest.session else { return facts }
    let client = client()
    let (ran, now) = (request.installation.version, client.installation.version)
    if now != ran { facts.remarks.append("OpenCode was replaced during the run: \(ran) ran, \(now) is installed now") }
    if isOpenCode2 {
      let questions = OpenCode2Questions(
        request: request, digest: digest, client: client, session: session, since: since, limit: SessionQuestions.limit, deadline: deadline)
      var told = questions.ask()
      told.remarks = facts.remarks + told.remarks
      return told
    }
    let known = facts
    let (words, told) = both(
      { needsLastWords ? lastWords(session, client) : .notAsked },
      {
        var told = known
        if !digest.subagents.isEmpty || mayHideSubagents || needsModel { askSubagents(of: session, client, &told) }
        return told
      })
    facts = told
    facts.lastWords = words
    return facts
  }

  private func lastWords(_ session: String, _ client: OpenCodeClient) -> LastWords {
    do {
      let last = try client.export(session, deadline: question).messages.last
      // A compaction's own request comes after its summary; an answer is the last message.
      return last?.role == "assistant" && last?.isSummary == false ? .answer : .summary
    } catch {
      return .unknown("\(error)")
    }
  }

  /// Side by side; on 1.x one query tells the sessions and their usage, and their exports the commands.
  private func askSubagents(of session: String, _ client: OpenCodeClient, _ facts: inout SessionFacts) {
    let listed = digest.subagents.elements
    let (tree, exported) = both(
      { client.line.tellsChildren ? Result { try client.sessionTree(session, deadline: question) } : nil },
      { concurrently(listed.map { subagent in { @Sendable in Result { try client.exportTree(subagent.session, deadline: question) } } }) })
    facts.asked = true
    var sessions: [SessionInfo] = []
    if case .success(let found)? = tree { sessions = found }
    facts.model = sessions.first { $0.id == session }?.model ?? facts.model
    var exports: [String: SessionExport] = [:]
    var problems: [String] = []
    func take(_ result: Result<[SessionExport], any Error>, of id: String) {
      switch result {
      case .success(let found) where found.isEmpty: problems.append("the subagent's session \(id) is gone")
      case .success(let found): for export in found { exports[export.info.id] = export }
      case .failure(let error): problems.append("a subagent's commands and edits are not known (\(error))")
      }
    }
    // A subagent's subagent stands where the one that an event names does.
    var callers: [String: String] = [:]
    for (subagent, result) in zip(listed, exported) {
      take(result, of: subagent.session)
      for export in (try? result.get()) ?? [] { callers[export.info.id] = callers[export.info.id] ?? subagent.session }
    }
    // Sessions that no event names: a tool that was cut short leaves none.
    let below = SessionQuestions.below(session, in: sessions)
    let hidden = below.filter { info in exports[info.id] == nil && !listed.contains { $0.session == info.id } && (info.created ?? 0) >= since }
    let more = concurrently(hidden.map { info in { @Sendable in Result { [try client.export(info.id, deadline: question)] } } })
    for (info, result) in zip(hidden, more) { take(result, of: info.id) }
    if mayHideSubagents, case .failure(let error)? = tree { problems.append("whether a subagent was at work when it ended is not known (\(error))") }
    facts.hidesCommands = !problems.isEmpty
    let calls = Dictionary(listed.map { ($0.session, $0) }) { first, _ in first }
    let infos = Dictionary(below.map { ($0.id, $0) }) { first, _ in first }
    // In the order in which they were started, each with those below it.
    var ids = listed.map(\.session)
    for id in exports.values.sorted(by: { ($0.info.created ?? 0, $0.info.id) < ($1.info.created ?? 0, $1.info.id) }).map(\.info.id) + hidden.map(\.id)
    where !ids.contains(id) { ids.append(id) }
    for id in ids {
      let row = RunUsage.Subagent(id, stored: infos[id], exported: exports[id], since: since, call: calls[id])
      facts.subagents.append(row)
      if row.tokens == nil { facts.missing = facts.missing ?? "the usage of the subagent's session \(id) is not known" }
      if let export = exports[id] { facts.add(export, since: since, of: callers[id] ?? id) }
    }
    guard let first = problems.first else { return }
    facts.remarks.append(problems.count > 1 ? "\(first) (and \(problems.count - 1) more such)" : first)
  }

  /// The sessions of a tree below its root, parents first.
  private static func below(_ root: String, in tree: [SessionInfo]) -> [SessionInfo] {
    var found: [SessionInfo] = []
    var known: Set = [root]
    // Parents stand before their children, or another round finds them.
    for _ in 0..<8 {
      for info in tree where !known.contains(info.id) && info.parent.map(known.contains) == true {
        known.insert(info.id)
        found.append(info)
      }
    }
    return found
  }

  /// For a run that failed on its model: the names closest to it.
  package func modelSuggestion(for outcome: Outcome) -> String? {
    guard outcome.state == .failed, let wanted = request.model?.split(separator: "#").first.map(String.init),
      let reason = outcome.reason?.lowercased(), reason.contains("model"), digest.sawNoStep,
      let list = try? client().models(deadline: deadline.atMost(15)), list.isKnown
    else { return nil }
    let ids = list.models.map(\.id)
    guard !ids.contains(wanted) else { return nil }
    let close = closestModels(to: wanted, in: ids)
    return close.isEmpty
      ? "the model \"\(wanted)\" is not among OpenCode's \(ids.count) models: opencode_models lists them" : "did you mean: \(close.joined(separator: ", "))"
  }
}

extension SessionFacts {
  /// Takes what a subagent's session did in this run.
  /// - Parameters:
  ///   - since: milliseconds since 1970; what is older was another run's
  ///   - session: the subagent that an event names, if any does: this one, or one above it
  mutating func add(_ export: SessionExport, since: Int, of session: String) {
    for message in export.messages where (message.created ?? .max) >= since {
      for call in message.toolCalls {
        let at = Double(call.ended ?? call.started ?? message.completed ?? message.created ?? 0) / 1000
        if let command = call.command {
          let start = call.started.map { Double($0) / 1000 }
          shellCommands.append(
            ShellCall(
              id: "\(export.info.id)/\(call.id)", command: command, exitCode: call.exitCode, folder: call.folder, start: start, at: at,
              session: session))
        }
        let neverRan = call.error.map { $0.hasPrefix("Unknown tool: ") || ToolUse.Refusal.words(in: $0) != nil } ?? false
        if call.background != nil { hadBackgroundWork = true }
        let mayHaveWritten = ToolNames.mayChangeFiles(call.tool) || (ToolNames.edit.contains(call.tool) && call.status != "completed")
        if mayHaveWritten, !neverRan { uncertain.append(Edit(at: at, session: session)) }
        if !call.files.isEmpty, call.status == "completed" {
          edits.append(Edit(at: at, session: session))
          namedFiles += call.files
        }
      }
    }
  }
}

extension RunUsage.Subagent {
  /// As OpenCode's store has it.
  package init(_ info: SessionInfo) {
    self.init(session: info.id, title: info.title, agent: info.agent)
    set(info.tokens, info.cost)
  }

  /// What a session used in this run: all of it, when it is the run's own, else its messages since the start.
  fileprivate init(_ id: String, stored: SessionInfo?, exported: SessionExport?, since: Int, call: Subagent?) {
    let info = stored ?? exported?.info
    self.init(session: id, title: info?.title ?? call?.title, agent: info?.agent ?? call?.agent)
    let isOwn = (info?.created ?? 0) >= since
    if isOwn, let info, let tokens = info.tokens {
      set(tokens, info.cost)
    } else if let messages = exported?.messages.filter({ $0.role == "assistant" && ($0.created ?? .max) >= since }),
      messages.allSatisfy({ $0.tokens != nil }), isOwn || !messages.isEmpty
    {
      set(messages.reduce(TokenCounts()) { $0 + ($1.tokens ?? TokenCounts()) }, messages.reduce(0) { $0 + ($1.cost ?? 0) })
    }
  }

  private mutating func set(_ tokens: TokenCounts?, _ cost: Double?) {
    self.tokens = tokens
    // 0 is also what a model without a price costs.
    self.cost = cost.flatMap { StepUsage(tokens: tokens ?? TokenCounts(), cost: $0).isUnpriced ? nil : $0 }
  }
}
