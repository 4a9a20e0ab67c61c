import Foundation
import OpenCode
import PosixSupport

/// What OpenCode is asked after a run has ended: its subagents' usage and commands, and on 2.x what its stream leaves out.
struct SessionQuestions: Sendable {
  private let request: RunRequest
  private let digest: RunDigest
  private let client: OpenCodeClient
  /// On the clock of `Monotonic`.
  private let until: Double

  init(_ request: RunRequest, digest: RunDigest, environment: [String: String], until: Double) {
    self.request = request
    self.digest = digest
    self.until = until
    client = OpenCodeClient(request.installation.installation, folder: request.cwd, environment: environment)
  }

  private var isLine2: Bool { request.installation.version.line == .v2 }
  private var left: Double { max(0.1, until - Monotonic.now) }

  /// Whether the stream alone doesn't tell everything.
  var needsAnswers: Bool {
    guard digest.session.map({ !$0.isEmpty }) == true else { return false }
    return !digest.subagents.isEmpty || (isLine2 && !digest.sawNoStep)
  }

  /// Blocks until OpenCode has answered or the time is up.
  func ask() -> SessionFacts {
    var facts = SessionFacts()
    guard let session = digest.session else { return facts }
    if isLine2 { askOwnSession(session, &facts) }
    var problems = facts.missing.map { [$0] } ?? []
    // One query tells the usage of all on 1.x; their commands are only in their exports.
    let tree = !isLine2 && !digest.subagents.isEmpty ? try? client.sessionTree(session, deadline: left) : nil
    for subagent in digest.subagents.elements {
      do {
        let exports = try client.exportTree(subagent.session, deadline: left)
        if exports.isEmpty { problems.append("the subagent's session \(subagent.session) is gone") }
        for export in exports { facts.add(export, from: subagent, withUsage: tree == nil) }
      } catch {
        problems.append("a subagent's commands and edits are not known (\(error))")
        if tree == nil { facts.subagents.append(RunUsage.Subagent(session: subagent.session, title: subagent.title, agent: subagent.agent)) }
      }
    }
    if let tree { facts.add(tree, below: digest.subagents.elements) }
    if !problems.isEmpty {
      let more = problems.count > 1 ? " (and \(problems.count - 1) more such)" : ""
      facts.missing = problems[0] + more
    }
    return facts
  }

  /// 2.x: the last step's end isn't in the stream, and the exit code may be that of an error long mended.
  private func askOwnSession(_ session: String, _ facts: inout SessionFacts) {
    do {
      let info = try client.session(session, deadline: left)
      facts.outcome = info?.outcome.flatMap(SessionOutcome.init)
    } catch {
      facts.missing = "the session's own outcome is not known (\(error))"
    }
    guard digest.lastStepIsOpen else { return }
    do {
      let messages = try client.export(session, deadline: left).messages
      if let last = messages.last(where: { $0.role == "assistant" }), let tokens = last.tokens {
        facts.lastStep = PartMemory.Usage(tokens: tokens, cost: last.cost ?? 0)
      } else {
        facts.missing = facts.missing ?? "the last step's usage is not known: OpenCode's export doesn't have it"
      }
    } catch {
      facts.missing = facts.missing ?? "the last step's usage is not known (\(error))"
    }
  }

  /// For a run that failed on its model: the names closest to it.
  func modelSuggestion(for outcome: Outcome) -> String? {
    guard outcome.state == .failed, let wanted = request.model?.split(separator: "#").first.map(String.init),
      let reason = outcome.reason?.lowercased(), reason.contains("model"), digest.sawNoStep,
      let list = try? client.models(deadline: left), list.isKnown
    else { return nil }
    let ids = list.models.map(\.id)
    guard !ids.contains(wanted) else { return nil }
    let close = closestModels(to: wanted, in: ids)
    return close.isEmpty
      ? "the model \"\(wanted)\" is not among OpenCode's \(ids.count) models: opencode_models lists them" : "did you mean: \(close.joined(separator: ", "))"
  }
}

extension SessionFacts {
  /// Takes a subagent's session (or one below it) as it was exported.
  fileprivate mutating func add(_ export: SessionExport, from subagent: Subagent, withUsage: Bool) {
    if withUsage { subagents.append(RunUsage.Subagent(export.info, subagent)) }
    for message in export.messages {
      for call in message.toolCalls {
        let at = Double(call.ended ?? call.started ?? message.completed ?? message.created ?? 0) / 1000
        if let command = call.command {
          shellCommands.append(ShellCall(id: "\(export.info.id)/\(call.id)", command: command, exitCode: call.exitCode, at: at))
        }
        if !call.files.isEmpty, call.status == "completed" {
          editTimes.append(at)
          namedFiles += call.files
        }
      }
    }
  }

  /// Takes the usage of the subagents' sessions, and of those below them, out of the whole tree.
  fileprivate mutating func add(_ tree: [SessionInfo], below roots: [Subagent]) {
    var known = Dictionary(roots.map { ($0.session, $0) }) { first, _ in first }
    // Parents stand before their children, or a second round finds them.
    for _ in 0..<8 {
      for info in tree where known[info.id] == nil {
        if let parent = info.parent, let above = known[parent] { known[info.id] = above }
      }
    }
    subagents += tree.compactMap { info in known[info.id].map { RunUsage.Subagent(info, $0) } }
  }
}

extension RunUsage.Subagent {
  /// - Parameter call: the call in the stream that made this session, or one above it
  init(_ info: SessionInfo, _ call: Subagent?) {
    let own = call?.session == info.id ? call : nil
    self.init(
      session: info.id, title: info.title ?? own?.title, agent: info.agent ?? own?.agent, tokens: info.tokens,
      cost: info.cost.flatMap { $0 == 0 && (info.tokens?.total ?? 0) > 0 ? nil : $0 })
  }
}
