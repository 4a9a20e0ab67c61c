import Foundation

/// One thing that a reviewer would miss. The only place that words and ranks them: the smaller one is the more important.
package enum Attention: Codable, Sendable, Equatable {
  /// Another conversation started it: what is said of it first.
  case notYours(String)
  /// What keeps the result from being known or recorded, in the words of whoever saw it.
  case unrecorded(String)
  case exitNotSeen
  /// 2.x: nobody could say how the session ended; why.
  case endUnknown(String)
  /// 2.x: a run that was killed or is lost keeps its claim on the session.
  case mayGoOn(session: String)
  /// Of a run that failed on its model.
  case modelSuggestion(String)
  /// Files whose uncommitted work from before the run is gone: the first of them, and how many.
  case lostWork([String], count: Int)
  /// Ignored files and folders that are gone.
  case ignoredGone([String], count: Int)
  /// What was checked out before has lost commits; the branch, when there was one.
  case historyRewritten(branch: String?)
  /// Branches, tags and stashes that are gone or rewritten, as `refs/heads/x (deleted)`.
  case refsLost([String], count: Int)
  case pushed([String])
  /// Files outside the workspace that tools wrote: absolute paths.
  case wroteOutside([String], count: Int)
  case checkFailed(command: String, exitCode: Int?, by: String?)
  case checkTimedOut(command: String)
  case checkUnknown(command: String, why: String?)
  case checkNotRun(command: String)
  /// - maybe: shell commands, or tools of others than OpenCode, came after it, and whether they changed anything isn't known
  case checkEditedAfter(command: String, maybe: Bool)
  case checkFailedBefore(command: String)
  case agentNotFound(String)
  case agentIsSubagent(String)
  case permissionRejected(String)
  case questionsDismissed(Int)
  /// Errors that didn't end it; with the exit when that wasn't 0.
  case wentOn(error: String, exitCode: Int?)
  case endedWith(exitCode: Int)
  case sessionSaysFailed
  /// The answer is there, and OpenCode doesn't exit.
  case answerStands(seconds: Int, waitsFor: String? = nil)
  /// - secondsAgo: of a run that is alive
  /// - nextTry: seconds until OpenCode tries again
  /// - beforeEnd: of a run that has ended, seconds between the last one and its end
  case providerErrors(count: Int, last: String?, secondsAgo: Int?, nextTry: Int? = nil, beforeEnd: Int? = nil)
  case stepsBegunAgain(Int)
  case silent(seconds: Int, working: String? = nil)
  /// Processes that the run left behind.
  case stillRunning([String], count: Int)
  /// What it had put in the background was ended when it ended.
  case backgroundEnded(String)
  case todosOpen(Int, of: Int, first: String?)
  /// Files in which a language server found errors that no later edit of theirs took away.
  case diagnostics([String], count: Int)
  case deniedByRule(String)
  case unavailableTools([String])
  case compacted(Int)
  case brokenLines(Int)
  case sandboxReadOnly
  /// What about a preset isn't known.
  case preset(String, String)
  /// A file of OpenCode's configuration that it passes over in silence.
  case configurationIgnored(String)
  /// What only OpenCode could have told.
  case notTold(String)
  case costUnknown(String)
}

// MARK: - Rank

extension Attention: Comparable {
  private var rank: Int {
    switch self {
    case .notYours: 0
    case .unrecorded: 1
    case .exitNotSeen, .endUnknown: 2
    case .modelSuggestion: 3
    case .lostWork: 4
    case .historyRewritten: 5
    case .refsLost: 6
    case .pushed: 7
    case .wroteOutside: 8
    case .checkFailed: 9
    case .checkTimedOut: 10
    case .agentNotFound, .agentIsSubagent: 11
    case .permissionRejected: 12
    case .questionsDismissed: 13
    case .checkUnknown: 14
    case .checkNotRun: 15
    case .checkEditedAfter: 16
    case .answerStands: 17
    case .wentOn: 18
    case .endedWith, .sessionSaysFailed: 19
    case .providerErrors: 20
    case .stepsBegunAgain: 21
    case .silent: 22
    case .backgroundEnded: 23
    case .todosOpen: 24
    case .diagnostics: 25
    case .stillRunning, .mayGoOn: 26
    case .ignoredGone: 27
    case .deniedByRule: 28
    case .unavailableTools: 29
    case .sandboxReadOnly: 30
    case .checkFailedBefore: 31
    case .compacted: 32
    case .brokenLines: 33
    case .preset, .configurationIgnored: 34
    case .notTold: 35
    case .costUnknown: 36
    }
  }

  package static func < (left: Attention, right: Attention) -> Bool { left.rank < right.rank }

  /// As a run that has ended tells it: what is so many seconds ago by its end's clock came so long before that.
  package var ofEnded: Attention {
    guard case .providerErrors(let count, let last, let ago?, _, _) = self else { return self }
    return .providerErrors(count: count, last: last, secondsAgo: nil, beforeEnd: ago)
  }

  /// It tells of a declared command.
  package var isOfCheck: Bool {
    switch self {
    case .checkFailed, .checkTimedOut, .checkUnknown, .checkNotRun, .checkEditedAfter, .checkFailedBefore: true
    default: false
    }
  }

  /// A run that calls itself completed and isn't well all the same: the commands for people exit with 1.
  package var isAlarm: Bool {
    switch self {
    case .lostWork, .historyRewritten, .refsLost, .pushed, .wroteOutside, .checkFailed, .checkTimedOut, .checkUnknown, .checkNotRun, .checkEditedAfter,
      .todosOpen, .diagnostics, .backgroundEnded, .endUnknown:
      true
    default: false
    }
  }
}

extension [Attention] {
  /// The most important first; what is equal keeps its order, and nothing stands twice.
  package var ranked: [Attention] {
    var once: [Attention] = []
    for one in self where !once.contains(one) { once.append(one) }
    return once.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }.map(\.element)
  }

  package var sentences: [String] { map(\.sentence) }
}

// MARK: - Words

extension Attention {
  /// As a reply says it.
  package var sentence: String {
    switch self {
    case .notYours(let what), .unrecorded(let what), .modelSuggestion(let what), .backgroundEnded(let what), .notTold(let what): what
    case .endUnknown(let why): "how the session ended is not known (\(why)): its answer may be cut short"
    case .mayGoOn(let session):
      "OpenCode may go on with this session by itself: its background service takes up what was killed when it next starts, without the worker's rules. "
        + "Continue it with session \(session), or delete it: opencode session delete --standalone \(session)"
    case .exitNotSeen: "the exit of OpenCode was not seen: exit code unknown"
    case .lostWork(let names, let count):
      "uncommitted work from before the run is gone: \(Attention.list(names, of: count)); still in opencode_changed_files with patch"
    case .ignoredGone(let names, let count): "ignored files are gone: \(Attention.list(names, of: count))"
    case .historyRewritten(let branch): "history was rewritten: commits of \(branch ?? "what was checked out before") are no longer part of it"
    case .refsLost(let names, let count): "refs were lost: \(Attention.list(names, of: count))"
    case .pushed(let names): "it pushed: \(names.joined(separator: ", "))"
    case .wroteOutside(let names, let count): "tools wrote outside the workspace: \(Attention.list(names, of: count))"
    case .checkFailed(let command, let code, let by):
      "a declared check failed\(by.map { " (run by the \($0))" } ?? ""): \(Attention.short(command))\(code.map { " (exit \($0))" } ?? "")"
    case .checkTimedOut(let command): "a declared check was ended, its time was up: \(Attention.short(command))"
    case .checkUnknown(let command, let why):
      "whether a declared check passed is unknown: \(Attention.short(command))\(why.map { " (\($0))" } ?? "")"
    case .checkNotRun(let command): "a declared check was not run: \(Attention.short(command))"
    case .checkEditedAfter(let command, maybe: true):
      "after a declared check shell commands or other tools ran that may have changed files: \(Attention.short(command))"
    case .checkEditedAfter(let command, maybe: false): "files were edited after a declared check: \(Attention.short(command))"
    case .checkFailedBefore(let command): "a declared check failed before it passed: \(Attention.short(command))"
    case .agentNotFound(let name): "agent \"\(name)\" not found: the default agent ran"
    case .agentIsSubagent(let name): "agent \"\(name)\" is a subagent: the default agent ran"
    case .permissionRejected(let what): "permission rejected: \(what)"
    case .questionsDismissed(let count): "asked the user \(count) x a question (tool question): nobody could answer"
    case .wentOn(let error, let code): "an error from which it went on\(code.map { " (exit \($0))" } ?? ""): \(error)".shortened(to: 400)
    case .endedWith(let code): "it finished, but ended (exit \(code))"
    case .sessionSaysFailed: "OpenCode's session says failed, though a final answer came"
    case .answerStands(let seconds, let what):
      "a final answer stands since \(seconds) s, but OpenCode hasn't exited" + (what.map { ": it waits for \($0)" } ?? "")
    case .providerErrors(let count, let last, let ago, let next, let beforeEnd):
      "provider errors: \(count) x \(last ?? "error")\(ago.map { ", last \($0) s ago" } ?? "")\(next.map { ", next try in \($0) s" } ?? "")"
        + (beforeEnd.map { $0 == 0 ? ", last at its end" : ", last \($0) s before its end" } ?? "")
    case .stepsBegunAgain(let count): "a step was begun again \(count) x: OpenCode retries after provider errors"
    case .silent(let seconds, let working):
      "no output for \(seconds) s " + (working.map { "(at work: \($0))" } ?? "(normal during a long command)")
    case .stillRunning(let names, let count): "still running: " + Attention.list(names, of: count)
    case .todosOpen(let open, let total, let first):
      "\(open) of \(total) todos are unfinished\(first.map { ": \(Attention.short($0))" } ?? "")\(open > 1 ? " ..." : "")"
    case .diagnostics(let names, let count): "a language server found errors that no later edit of the file took away: \(Attention.list(names, of: count))"
    case .deniedByRule(let tool): "denied by a rule: \(tool)"
    case .unavailableTools(let names): "the model called tools that it doesn't have: \(names.joined(separator: ", "))".shortened(to: 300)
    case .compacted(let count): "the conversation was compacted \(count) x: earlier details were summed up"
    case .brokenLines(let count): "broken lines in OpenCode's output: \(count); what they said is missing"
    case .sandboxReadOnly: "Codex's sandbox is read-only: OpenCode ran with the read-only preset"
    case .preset(let preset, let remark): "preset \(preset): \(remark)"
    case .configurationIgnored(let file): "OpenCode 2 passes over a broken configuration file in silence: \(file)"
    case .costUnknown(let what): "cost unknown: \(what) has no price"
    }
  }

  private static func short(_ text: String) -> String { text.oneLine(160) }

  /// `a, b and 3 more`
  private static func list(_ names: [String], of count: Int) -> String {
    let shown = names.prefix(5)
    return shown.map { $0.shortened(to: 200) }.joined(separator: ", ") + (count > shown.count ? " and \(count - shown.count) more" : "")
  }
}
