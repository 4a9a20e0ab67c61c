import Foundation
import JSON
import MCP
import OpenCode
import PosixSupport
import Runs
import ShellReading
import Text
import Workspace

/// Replies about a run: which of the known facts are shown, and under which names.
enum RunReply {
  /// There has been no run.
  static let none = ToolReply(text: "No run yet.", structured: ["state": "none", "running": false])

  /// What every tool about a run replies.
  static func facts(_ run: RunSnapshot) -> JSONObject {
    let request = run.record.request
    var facts: JSONObject = ["run": .string(run.folder.id), "state": .string(run.state), "running": .bool(!run.isOver)]
    facts["reason"] = run.review?.outcome.reason.map { .string($0) }
    facts["title"] = .string(request.title)
    facts["cwd"] = .string(request.cwd)
    facts["model"] = (request.model ?? run.review?.model).map { .string($0) }
    facts["agent"] = request.agent.map { .string($0) }
    facts["session"] = (run.digest.session ?? request.session).map { .string($0) }
    facts["startedAt"] = .string(Timestamp.text(run.record.startedAt))
    facts["seconds"] = seconds(run.seconds)
    if let review = run.review {
      facts["endedAt"] = .string(Timestamp.text(review.endedAt))
      switch review.exit {
      case .exited(let code)?: facts["exitCode"] = JSONValue(Int(code))
      case .signaled(let number)?: facts["signal"] = .string(ExitStatus.signalName(number))
      case nil: break
      }
    }
    return facts
  }

  /// The log's place, for replies after which one may want to look into it.
  static func withLogPath(_ reply: ToolReply, of run: RunSnapshot) -> ToolReply {
    var reply = reply
    reply.structured["logPath"] = .string(run.folder.events)
    return reply
  }

  /// The facts with `attention`: what `opencode_logs` and the like put their own members after.
  static func brief(_ run: RunSnapshot) -> ToolReply {
    var structured = facts(run)
    let attention = attention(run)
    if !attention.isEmpty { structured["attention"] = JSONValue(strings: attention) }
    return ToolReply(text: line(run), structured: structured)
  }

  /// `opencode_status`.
  static func status(_ run: RunSnapshot) -> ToolReply {
    let now = run.now
    var reply = withLogPath(brief(run), of: run)
    let digest = run.digest
    reply.structured["steps"] = JSONValue(digest.steps)
    reply.structured["toolCalls"] = JSONValue(digest.toolCallCount)
    guard !run.isOver else { return reply }
    reply.structured["lastDone"] = .string(digest.lastDone?.text ?? (run.hasSpoken ? "OpenCode is working" : "OpenCode is starting"))
    if run.phase == .finishing { reply.structured["lastDone"] = .string(run.finishing) }
    reply.structured["lastEventSecondsAgo"] = JSONValue(Int(max(0, now - (digest.lastEventAt ?? run.record.startedAt))))
    reply.structured["todo"] = todo(digest)
    reply.structured["lastText"] = digest.lastText.map { .string(TextCut.headAndTail($0.text, bytes: 800)) }
    reply.structured["working"] = working(run, now: now)
    reply.structured["providerErrors"] = providerErrors(run, now: now)
    if run.isForeign { reply.structured["next"] = .string(notYours) }
    return reply
  }

  /// A wait whose time was up.
  static func stillRunning(_ run: RunSnapshot) -> ToolReply {
    var reply = status(run)
    reply.structured["timedOut"] = true
    let refused = run.digest.providerErrors.since.map { $0 > run.digest.lastEventAt ?? 0 } ?? false
    reply.structured["next"] = .string(
      run.isForeign
        ? "\(notYours); opencode_wait waits on"
        : refused ? "tell the user that the provider refuses or limits it (providerErrors); then call opencode_wait again" : "call opencode_wait again")
    return reply
  }

  private static let notYours = "not yours: don't review it; start yours when it has ended"

  /// A wait that came back because somebody must decide.
  static func stalled(_ run: RunSnapshot, _ stall: Stall) -> ToolReply {
    let now = run.record.now(seeing: [run.digest.lastEventAt, run.digest.providerErrors.at, run.folder.lastSign])
    var reply = status(run)
    reply.structured["early"] = .string(stall.cause.rawValue)
    let seconds = Int(max(0, now - stall.since))
    let what =
      switch stall.cause {
      case .provider:
        "OpenCode's provider has refused or limited it for \(seconds) s, and nothing else has come; OpenCode tries again by itself"
          + (run.nextTry(after: now).map { " at \(Timestamp.text($0)), in \(Int($0 - now)) s" } ?? "")
      case .silence:
        "OpenCode has shown no sign for \(seconds) s; " + (run.working.first.map { "at work, it says: \($0.named)" } ?? "a long command looks the same")
      }
    reply.structured["next"] = .string(
      "tell the user: \(what). The run goes on and nothing stops it from here. Ask whether to wait (opencode_wait) or to end it: only they can (opencode-worker status shows how)"
    )
    return reply
  }

  /// The result of a run that has ended.
  /// - Parameter context: of the call that gets it
  static func review(_ run: RunSnapshot, for context: CallContext) -> ToolReply {
    guard let review = run.review else { return status(run) }
    var reply = brief(run)
    reply.text = lines(run, review)
    if let answer = run.digest.answer {
      reply.structured["answer"] = .string(TextCut.headAndTail(answer.text, bytes: answerBytes))
      if answer.isCut || answer.text.utf8.count > answerBytes { reply.structured["cut"] = true }
    }
    // The run's id says it as well.
    reply.structured["startedAt"] = nil
    reply.structured["changedFiles"] = changes(review.changes, shortFor: run.record.request.cwd)
    reply.structured["git"] = review.changes.git.flatMap(git)
    reply.structured["verification"] = verification(review.verification, undeclared: 6)
    let criteria = run.record.request.acceptanceCriteria
    if !criteria.isEmpty { reply.structured["acceptanceCriteria"] = JSONValue(strings: criteria.prefix(12).map { TextCut.headAndTail($0, bytes: 200) }) }
    if criteria.count > 12 || criteria.contains(where: { $0.utf8.count > 200 }) { reply.structured["cut"] = true }
    reply.structured["todo"] = todo(run.digest)
    reply.structured["usage"] = usage(review.usage, short: true)
    reply.structured["next"] = .string(run.isForeign ? notYours : NextStep.after(run, review))
    reply.isAlarming = !review.isWell
    let folder = run.folder
    let (thread, conversation, began) = (context.threadID, Conversation([context.threadID, context.sessionID]), context.began)
    reply.whenDelivered = {
      // The turn that called may have been interrupted since, and then nobody reads this.
      let called = Date().timeIntervalSince1970 - (Monotonic.now - began)
      if thread != nil, folder.has(.interrupted, by: conversation, since: called) { return }
      try? folder.add(.reviewed, by: thread ?? RunMark.person)
    }
    return review.outcome.state == .completed ? reply : withLogPath(reply, of: run)
  }

  /// `opencode_runs`.
  static func historyRow(_ run: RunSnapshot) -> JSONValue {
    let facts = facts(run)
    var row = JSONObject()
    for name in ["run", "title", "state", "cwd", "model", "startedAt", "seconds"] { row[name] = facts[name] }
    if let review = run.review {
      row["changedFiles"] = JSONValue(review.changes.count)
      row["cost"] = review.usage.cost.map { money($0) }
    }
    return .object(row)
  }

  /// What a reviewer would miss, most important first.
  static func attention(_ run: RunSnapshot) -> [String] { run.attention(now: run.now).sentences }

  /// Of an answer in a review.
  private static let answerBytes = 2500

  // MARK: - Parts

  /// - Parameter cwd: of a review: what says only what is so as a rule is left out of it (`docs/tools.md`, "The review"); nil: all is told
  static func changes(_ changes: ChangesSummary, shortFor cwd: String? = nil) -> JSONValue {
    var object: JSONObject = ["counts": counts(changes.counts), "exact": .bool(changes.exact)]
    object["why"] = changes.why.map { .string($0) }
    if changes.count > 0, changes.root != cwd { object["root"] = .string(changes.root) }
    var left = 2 << 10
    let rows = changes.files.map { changedFile($0, short: cwd != nil) }.prefix {
      left -= $0.bytes.count
      return left > 0
    }
    object["files"] = .array(Array(rows))
    if rows.count < changes.count {
      object["cut"] = true
      object["more"] = .string("\(changes.count - rows.count) more: opencode_changed_files")
    }
    return .object(object)
  }

  static func counts(_ counts: ChangedFiles.Counts) -> JSONValue {
    let all = [
      ("added", counts.added), ("modified", counts.modified), ("deleted", counts.deleted), ("renamed", counts.renamed), ("written", counts.written ?? 0),
    ]
    return .object(JSONObject(all.filter { $0.1 > 0 }.map { ($0.0, JSONValue($0.1)) }))
  }

  /// - Parameter short: without `change` where it was modified, and without the 0 of two counts of which the other isn't
  static func changedFile(_ file: ChangedFile, short: Bool = false) -> JSONValue {
    var row: JSONObject = ["path": .string(file.path)]
    if !short || file.change != .modified { row["change"] = .string(file.change.rawValue) }
    row["from"] = file.from.map { .string($0) }
    let both = !short || (file.added ?? 0) == 0 && (file.removed ?? 0) == 0
    row["added"] = file.added.flatMap { $0 > 0 || both ? JSONValue($0) : nil }
    row["removed"] = file.removed.flatMap { $0 > 0 || both ? JSONValue($0) : nil }
    row["mode"] = file.mode.map { .string($0) }
    for (name, flag) in [
      ("binary", file.binary), ("dirtyBefore", file.dirtyBefore), ("byTool", file.byTool), ("ignored", file.ignored), ("outside", file.outside),
      ("lostWork", file.lostWork),
    ] {
      if flag == true { row[name] = true }
    }
    return .object(row)
  }

  static func verification(_ report: VerificationReport, undeclared limit: Int) -> JSONValue? {
    guard !report.declared.isEmpty || !report.undeclared.isEmpty else { return nil }
    var object = JSONObject()
    object["declared"] = .array(
      report.declared.map { check in
        var row: JSONObject = ["command": .string(TextCut.headAndTail(check.command, bytes: 300)), "result": .string(check.result)]
        row["exitCode"] = check.exitCode.map { JSONValue($0) }
        row["why"] = check.why.map { .string($0) }
        row["times"] = JSONValue(check.times)
        row["at"] = check.at.map { .string(Timestamp.text($0)) }
        if check.times > 0 { row["editedAfter"] = check.maybeEditedAfter == true ? "maybe" : .bool(check.editedAfter) }
        if check.failedBefore == true { row["failedBefore"] = true }
        row["by"] = check.by.map { .string($0) }
        row["seconds"] = check.seconds.map { seconds($0) }
        row["lastOutput"] = check.lastOutput.map { .string($0) }
        return .object(row)
      })
    if !report.undeclared.isEmpty {
      object["undeclared"] = .array(
        report.undeclared.suffix(limit).map { check in
          var row: JSONObject = ["command": .string(TextCut.headAndTail(check.command, bytes: 200))]
          row["exitCode"] = check.exitCode.map { JSONValue($0) }
          if check.times > 1 { row["times"] = JSONValue(check.times) }
          return .object(row)
        })
      if report.undeclared.count > limit { object["cut"] = true }
    }
    return .object(object)
  }

  /// The figures of a run; its subagents are only counted.
  /// - Parameter short: without `source` where that is the stream of events, as it is as a rule
  static func usage(_ usage: RunUsage, short: Bool = false) -> JSONValue {
    var object: JSONObject = ["tokens": tokens(usage.tokens)]
    object["cost"] = usage.cost.map { money($0) }
    object["steps"] = JSONValue(usage.steps)
    if !usage.subagents.isEmpty { object["subagents"] = JSONValue(usage.subagents.count) }
    if !short || usage.source != "events" { object["source"] = .string(usage.source) }
    object["missing"] = usage.missing.map { .string($0) }
    return .object(object)
  }

  static func subagent(_ subagent: RunUsage.Subagent) -> JSONValue {
    var row: JSONObject = ["session": .string(subagent.session)]
    row["title"] = subagent.title.map { .string(TextCut.prefix($0, bytes: 200)) }
    row["agent"] = subagent.agent.map { .string(TextCut.prefix($0, bytes: 100)) }
    row["tokens"] = subagent.tokens.map { tokens($0) }
    row["cost"] = subagent.cost.map { money($0) }
    return .object(row)
  }

  static func tokens(_ tokens: TokenCounts) -> JSONValue {
    [
      "input": JSONValue(tokens.input), "output": JSONValue(tokens.output), "reasoning": JSONValue(tokens.reasoning),
      "cacheRead": JSONValue(tokens.cacheRead), "cacheWrite": JSONValue(tokens.cacheWrite), "total": JSONValue(tokens.total),
    ]
  }

  /// USD to a millionth.
  static func money(_ dollars: Double) -> JSONValue { .number((dollars * 1e6).rounded() / 1e6) }

  /// Seconds to a tenth.
  static func seconds(_ seconds: Double) -> JSONValue { .number((max(0, seconds) * 10).rounded() / 10) }

  static func todo(_ digest: RunDigest) -> JSONValue? {
    guard !digest.todos.isEmpty else { return nil }
    let done = digest.todos.filter { $0.status == "completed" }.count
    var todo: JSONObject = ["done": JSONValue(done), "total": JSONValue(digest.todos.count)]
    todo["current"] = digest.todos.first { $0.status == "in_progress" }.map { .string(TextCut.prefix($0.content, bytes: 200)) }
    return .object(todo)
  }

  /// Tools that OpenCode 2 says are at work.
  private static func working(_ run: RunSnapshot, now: Double) -> JSONValue? {
    let working = run.working
    guard !working.isEmpty else { return nil }
    return .array(
      working.prefix(8).map { tool in
        var row: JSONObject = ["tool": .string(tool.tool)]
        row["title"] = tool.title.map { .string(TextCut.headAndTail($0, bytes: 200)) }
        row["since"] = tool.since.map { .string(Timestamp.text($0)) }
        row["seconds"] = tool.since.map { JSONValue(Int(max(0, now - $0))) }
        row["session"] = tool.session.map { .string($0) }
        if tool.isBackground { row["background"] = true }
        return .object(row)
      })
  }

  private static func providerErrors(_ run: RunSnapshot, now: Double) -> JSONValue? {
    let digest = run.digest
    guard digest.providerErrors.count > 0 else { return nil }
    var errors: JSONObject = ["count": JSONValue(digest.providerErrors.count)]
    errors["last"] = digest.providerErrors.last.map { .string($0) }
    errors["secondsAgo"] = digest.providerErrors.at.map { JSONValue(Int(max(0, now - $0))) }
    errors["nextTry"] = run.nextTry(after: now).map { .string(Timestamp.text($0)) }
    return .object(errors)
  }

  /// One line for a person.
  static func line(_ run: RunSnapshot) -> String {
    let reason = run.review?.outcome.reason.map { ": \($0)" } ?? ""
    let changed = run.review.map { "; \($0.changes.count) files changed" } ?? ""
    return "\(run.record.request.title) (\(run.folder.id)): \(run.state)\(reason)\(changed)."
  }

  /// What the run did to the repository itself; nil when that is nothing.
  private static func git(_ git: GitSummary) -> JSONValue? {
    var object = JSONObject()
    if git.commitCount > 0 {
      object["commits"] = .array(git.commits.map { ["id": .string($0.id), "subject": .string(TextCut.prefix($0.subject, bytes: 100))] })
      object["commitCount"] = JSONValue(git.commitCount)
    }
    if !GitRef.isSame(git.branchBefore, git.branchAfter) {
      object["branch"] = ["before": .string(git.branchBefore ?? "(none)"), "after": .string(git.branchAfter ?? "(none)")]
    }
    if git.rewritten == true { object["rewritten"] = true }
    if !git.refs.isEmpty {
      object["refs"] = .array(
        git.refs.prefix(5).map { ref in
          var row: JSONObject = ["name": .string(TextCut.prefix(ref.name, bytes: 120)), "change": .string(ref.kind.rawValue)]
          row["by"] = ref.by.map { .string($0) }
          row["repository"] = ref.repository.map { .string($0) }
          return .object(row)
        })
      if git.refCount > 5 {
        object["refCount"] = JSONValue(git.refCount)
        object["cut"] = true
      }
    }
    return object.isEmpty ? nil : .object(object)
  }
}

extension RunDigest.LastDone {
  /// `bash: swift test`
  var text: String { title.map { "\(tool): \($0)" } ?? tool }
}
