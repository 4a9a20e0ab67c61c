import Foundation
import OpenCode
import PosixSupport

/// What OpenCode is asked after a run has ended: its subagents' usage and commands, and on 2.x what its stream leaves out.
package struct SessionQuestions: Sendable {
  private let request: RunRequest
  private let digest: RunDigest
  private let environment: [String: String]
  /// On the clock of `Monotonic`.
  private let until: Double

  package init(_ request: RunRequest, digest: RunDigest, environment: [String: String], until: Double) {
    self.request = request
    self.digest = digest
    self.environment = environment
    self.until = until
  }

  /// The run keeps its line, whatever is installed meanwhile.
  private var isLine2: Bool { request.installation.version.generation == .v2 }
  private var left: Double { max(0.1, until - Monotonic.now) }
  /// What one question may take: one that hangs leaves time for the others.
  private var share: Double { max(0.1, left / 2) }

  /// Whether the stream alone doesn't tell everything.
  package var needsAnswers: Bool {
    guard digest.session.map({ !$0.isEmpty }) == true else { return false }
    return !digest.subagents.isEmpty || (isLine2 && !digest.sawNoStep)
  }

  /// The OpenCode that can be asked now: an upgrade during the run may have put another in its place.
  private func client() -> OpenCodeClient {
    OpenCodeClient(
      request.installation.asItIsNow(environment: environment, folder: request.cwd, deadline: share), folder: request.cwd, environment: environment)
  }

  /// Blocks until OpenCode has answered or the time is up.
  package func ask() -> SessionFacts {
    var facts = SessionFacts()
    guard let session = digest.session else { return facts }
    let client = client()
    let (ran, now) = (request.installation.version, client.installation.version)
    if now != ran { facts.remarks.append("OpenCode was replaced during the run: \(ran) ran, \(now) is installed now") }
    if isLine2 { askOwnSession(session, client, &facts) }
    if !digest.subagents.isEmpty { askSubagents(of: session, client, &facts) }
    return facts
  }

  /// 2.x: the last step's end isn't in the stream, and the exit code may be that of an error long mended.
  private func askOwnSession(_ session: String, _ client: OpenCodeClient, _ facts: inout SessionFacts) {
    do {
      let info = try client.session(session, deadline: share)
      facts.outcome = info?.outcome.flatMap(SessionOutcome.init)
      if info == nil { facts.remarks.append("the session's own outcome is not known: OpenCode has no session \(session)") }
    } catch {
      facts.remarks.append("the session's own outcome is not known (\(error))")
    }
    guard digest.lastStepIsOpen else { return }
    do {
      let messages = try client.export(session, deadline: share).messages
      if let last = messages.last(where: { $0.role == "assistant" }), let tokens = last.tokens {
        facts.lastStep = StepUsage(tokens: tokens, cost: last.cost ?? 0)
      } else {
        facts.missing = "the last step's usage is not known: OpenCode's export doesn't have it"
      }
    } catch {
      facts.missing = "the last step's usage is not known (\(error))"
    }
  }

  private func askSubagents(of session: String, _ client: OpenCodeClient, _ facts: inout SessionFacts) {
    // One query tells the usage of all on 1.x; their commands are only in their exports.
    let tree = client.line.tellsChildren ? try? client.sessionTree(session, deadline: share) : nil
    var problems: [String] = []
    for subagent in digest.subagents.elements {
      do {
        let exports = try client.exportTree(subagent.session, deadline: share)
        if exports.isEmpty { problems.append("the subagent's session \(subagent.session) is gone") }
        for export in exports { facts.add(export, from: subagent, withUsage: tree == nil) }
      } catch {
        problems.append("a subagent's commands and edits are not known (\(error))")
        if tree == nil { facts.subagents.append(RunUsage.Subagent(session: subagent.session, title: subagent.title, agent: subagent.agent)) }
      }
    }
    if let tree { facts.add(tree, below: digest.subagents.elements) }
    guard let first = problems.first else { return }
    facts.remarks.append(problems.count > 1 ? "\(first) (and \(problems.count - 1) more such)" : first)
    if tree == nil { facts.missing = facts.missing ?? "a subagent's usage is not known" }
  }

  /// For a run that failed on its model: the names closest to it.
  package func modelSuggestion(for outcome: Outcome) -> String? {
    guard outcome.state == .failed, let wanted = request.model?.split(separator: "#").first.map(String.init),
      let reason = outcome.reason?.lowercased(), reason.contains("model"), digest.sawNoStep,
      let list = try? client().models(deadline: left), list.isKnown
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
  package init(_ info: SessionInfo, _ call: Subagent?) {
    let own = call?.session == info.id ? call : nil
    self.init(
      session: info.id, title: info.title ?? own?.title, agent: info.agent ?? own?.agent, tokens: info.tokens,
      cost: info.cost.flatMap { $0 == 0 && (info.tokens?.total ?? 0) > 0 ? nil : $0 })
  }
}
