import PosixSupport
import Text

/// How the run's process ended, as far as it is known.
package enum RunEnd: Codable, Sendable, Equatable {
  case exited(Int32)
  case signaled(Int32)
  /// OpenCode couldn't be started; why.
  case spawnFailed(String)
  /// It is gone, and nobody saw its exit.
  case notSeen
  /// The run was accepted, but nothing was ever spawned.
  case neverStarted

  package init(_ status: ExitStatus) {
    switch status {
    case .exited(let code): self = .exited(code)
    case .signaled(let number): self = .signaled(number)
    }
  }
}

/// What the session itself says of its end (2.x: `data.outcome`).
package enum SessionOutcome: String, Codable, Sendable, Equatable {
  case succeeded, failed
}

/// What the run was started with, as far as it explains an end.
package struct RunLaunch: Codable, Sendable, Equatable {
  /// After the executable's name.
  package var arguments: [String]
  /// OpenCode's version, such as `1.18.34`.
  package var version: String?

  package init(arguments: [String], version: String? = nil) {
    self.arguments = arguments
    self.version = version
  }

  /// The options that were passed, each once: everything before `--` that begins with it.
  package var options: [String] {
    var seen: [String] = []
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
      let name = String(argument.prefix { $0 != "=" })
      if !seen.contains(name) { seen.append(name) }
    }
    return seen
  }

  /// The value of `--name=value` or `--name value`.
  package func value(of name: String) -> String? {
    for (index, argument) in arguments.enumerated() {
      if argument.hasPrefix(name + "=") { return String(argument.dropFirst(name.count + 1)) }
      if argument == name, index + 1 < arguments.count { return arguments[index + 1] }
    }
    return nil
  }
}

/// How a run ended: a pure function of its end, its digest and, when it is known, the session's own outcome.
package struct Outcome: Sendable, Equatable {
  package enum State: String, Codable, Sendable { case completed, incomplete, failed, lost }

  package let state: State
  /// One sentence; nil when it is completed.
  package let reason: String?
  /// What a reviewer would miss, most important first.
  package let attention: [Attention]

  package init(state: State, reason: String?, attention: [Attention]) {
    (self.state, self.reason, self.attention) = (state, reason, attention.ranked)
  }

  /// - Parameters:
  ///   - session: nil when it isn't known
  ///   - sessionEnd: what OpenCode 2's messages say
  ///   - now: seconds since 1970: when it ended
  package static func of(
    end: RunEnd, digest: RunDigest, session: SessionOutcome? = nil, lastWords: LastWords = .notAsked, sessionEnd: SessionEnd = .notAsked,
    launch: RunLaunch, now: Double
  ) -> Outcome {
    let judge = Judge(digest: digest, session: session, lastWords: lastWords, launch: launch)
    var verdict = judge.verdict(of: end)
    if digest.generation == .v2 {
      verdict = sessionEnd.verdict(of: end, log: verdict, stopped: digest.lastWord != nil, told: digest.finishReason == "stop")
    }
    let attention = judge.endAttention(of: end, state: verdict.state) + Outcome.attention(digest: digest, now: now).map(\.ofEnded)
    return Outcome(state: verdict.state, reason: verdict.reason?.shortened(to: 700), attention: attention)
  }

  /// What is worth knowing of a run, alive or ended.
  /// - Parameter now: seconds since 1970
  package static func attention(digest: RunDigest, now: Double) -> [Attention] {
    var list: [Attention] = []
    if let name = digest.missingAgent { list.append(.agentNotFound(name)) }
    if let name = digest.subagentAsAgent { list.append(.agentIsSubagent(name)) }
    for rejection in digest.rejections.elements { list.append(.permissionRejected(rejection.text)) }
    if digest.dismissedQuestions > 0 { list.append(.questionsDismissed(digest.dismissedQuestions)) }
    let errors = digest.providerErrors
    if errors.count > 0 {
      list.append(.providerErrors(count: errors.count, last: errors.last, secondsAgo: errors.at.flatMap { wholeSeconds(now - $0) }))
    }
    if digest.retries > 0, digest.generation == .v1 || digest.retries > errors.count { list.append(.stepsBegunAgain(digest.retries)) }
    for tool in digest.deniedTools.elements { list.append(.deniedByRule(tool)) }
    let missing = digest.unavailableTools.elements
    if !missing.isEmpty { list.append(.unavailableTools(missing)) }
    if digest.compactions > 0 { list.append(.compacted(digest.compactions)) }
    if digest.brokenLines > 0 { list.append(.brokenLines(digest.brokenLines)) }
    if !digest.usage.costIsKnown { list.append(.costUnknown("the model")) }
    return list.ranked
  }

  /// What is worth knowing of a run whose OpenCode is alive.
  /// - Parameters:
  ///   - now: seconds since 1970
  ///   - quietSince: when it last printed something or was started; from 300 s on its silence is mentioned, and from 30 s on that it
  ///     stays although it has said its last word
  package static func liveAttention(digest: RunDigest, now: Double, quietSince: Double) -> [Attention] {
    var list = attention(digest: digest, now: now)
    if let next = digest.providerErrors.nextTry.flatMap({ $0 > now ? wholeSeconds($0 - now) : nil }) {
      list = list.map { one in
        guard case .providerErrors(let count, let last, let ago, _, _) = one else { return one }
        return .providerErrors(count: count, last: last, secondsAgo: ago, nextTry: next)
      }
    }
    guard let quiet = wholeSeconds(now - quietSince) else { return list }
    let working = digest.live.flatMap { $0.working.isEmpty ? nil : $0.working.map(\.named).joined(separator: ", ").shortened(to: 400) }
    if (digest.hasFinalAnswer && digest.finishReason == "stop") || digest.live?.hasAnswered == true, Double(quiet) >= LiveQuestions.quiet {
      // OpenCode 2.2 and newer wait for what goes on in the background.
      if working != nil || quiet >= 30 { list.append(.answerStands(seconds: quiet, waitsFor: working)) }
    } else if quiet >= 300 {
      list.append(.silent(seconds: quiet, working: working))
    }
    return list.ranked
  }

  /// Range-checked: times in a log may be anything.
  private static func wholeSeconds(_ seconds: Double) -> Int? { seconds.isFinite && seconds < 1e10 ? Int(max(0, seconds)) : nil }
}

/// What the last message of a session is: after a compaction the log alone can't tell its summary from an answer.
package enum LastWords: Sendable, Equatable {
  case notAsked, answer, summary
  /// It was asked, and OpenCode couldn't tell; why.
  case unknown(String)
}

extension Outcome: Codable {
  private enum CodingKeys: CodingKey { case state, reason, attention, ranked }

  /// Reviews of version 1.0.0 have the sentences alone.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    state = try values.decode(State.self, forKey: .state)
    reason = try values.decodeIfPresent(String.self, forKey: .reason)
    // What a later version ranks may be unknown here: its sentences are always there.
    if let ranked = try? values.decodeIfPresent([Attention].self, forKey: .ranked) {
      attention = ranked
    } else {
      attention = try values.decode([String].self, forKey: .attention).map { .notTold($0) }
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(state, forKey: .state)
    try values.encodeIfPresent(reason, forKey: .reason)
    try values.encode(attention.sentences, forKey: .attention)
    try values.encode(attention, forKey: .ranked)
  }
}

// MARK: - The judgement

private struct Judge {
  let digest: RunDigest
  let session: SessionOutcome?
  let lastWords: LastWords
  let launch: RunLaunch

  typealias Verdict = (state: Outcome.State, reason: String?)

  func verdict(of end: RunEnd) -> Verdict {
    switch end {
    case .spawnFailed(let why): (.failed, "never started: \(why)")
    case .neverStarted: (.failed, "never started")
    case .signaled(let number): (.failed, "ended by \(ExitStatus.signalName(number))" + lastErrorClause)
    case .notSeen: verdictWithoutExit
    case .exited(let code): verdict(ofExit: code)
    }
  }

  private func verdict(ofExit code: Int32) -> Verdict {
    if let help = helpReason, code != 0 || digest.sawNoStep { return (.failed, help) }
    if let what = stoppedAt { return (.incomplete, what) }
    if digest.endedWithError { return (.failed, interruption(code) ?? terminalError) }
    guard code == 0 || (code == 1 && wentOn) else { return (.failed, exitReason(code)) }
    if let unfinished = unfinished {
      return digest.sawNoStep && digest.lastFailure != nil ? (.failed, exitReason(code)) : (.incomplete, unfinished)
    }
    if session == .failed, code != 0 { return (.failed, "OpenCode's session ended as failed (exit \(code))\(lastErrorClause)") }
    return (.completed, nil)
  }

  /// It met errors, but they didn't end it: they explain an exit 1, which otherwise is a failure of its own.
  private var wentOn: Bool {
    // Another error than those, which only stderr tells: it may be what ended it.
    if digest.generation == .v1, let last = digest.lastFailure,
      !digest.errors.elements.contains(where: { $0.message.contains(last) || last.contains($0.message) })
    {
      return false
    }
    return digest.mendedErrors > 0 || (hasFinalAnswer && (digest.retries > 0 || session == .succeeded))
  }

  /// The log alone must prove a good end or a bad one.
  private var verdictWithoutExit: Verdict {
    if let help = helpReason, digest.sawNoStep { return (.failed, help) }
    // OpenCode 2.0.22 goes on after a rejection, so that alone is no end.
    if let what = stoppedAt, digest.endedWithError || (digest.generation == .v1 && digest.finishReason != nil) { return (.incomplete, what) }
    if digest.endedWithError { return (.failed, terminalError) }
    if digest.awaitsContinuation || lastWords == .summary { return (.lost, "gone in a compaction, whose summary is no answer; its exit was not seen") }
    let hasStopped = digest.finishReason == "stop" && digest.lastStepHasAnswer
    if hasStopped || (session == .succeeded && digest.lastStepHasAnswer) {
      guard case .unknown(let why) = lastWords else { return (.completed, nil) }
      return (.lost, "its exit was not seen, and whether its last text is an answer or a compaction's summary is not known (\(why))")
    }
    if session == .failed { return (.failed, "OpenCode's session ended as failed") }
    return (.lost, "gone without a final answer, and its exit was not seen")
  }

  // MARK: Incomplete

  /// The rejected permission or question that was the run's last word: whatever the exit code, that is what stopped it.
  private var stoppedAt: String? {
    let interrupted = !digest.endedWithError || trailing.allSatisfy { Judge.interruptions.contains($0.kind ?? "") }
    guard interrupted, !hasFinalAnswer else { return nil }
    switch digest.lastWord {
    case .questionDismissed: return "stopped at a question to the user (tool question), whom it can't reach"
    case .rejected(let what): return "stopped at a rejected permission: \(digest.rejections.last?.text ?? what)"
    case nil:
      // A rejection inside a subagent is told on stderr only.
      guard let rejection = digest.rejections.last, digest.endedWithError || digest.finishReason == "tool-calls" else { return nil }
      return "stopped at a rejected permission: \(rejection.text)"
    }
  }

  /// What OpenCode calls an interruption by itself, not a failure.
  private static let interruptions: Set<String> = ["aborted", "MessageAbortedError"]

  private var hasFinalAnswer: Bool { digest.hasFinalAnswer }

  /// Why a run that ended by itself isn't finished; nil if it is.
  private var unfinished: String? {
    if hasFinalAnswer { return nil }
    if digest.awaitsContinuation { return "it ended in a compaction: its last text is a summary, no answer" }
    switch digest.finishReason {
    case "stop": return "no final answer: the last step has no text"
    case "length": return "the answer was cut by the token limit (length)"
    case "content-filter": return "the answer was cut by the provider's content filter"
    case "tool-calls": return "no final answer: it ended after a tool call"
    case "unknown", "error": return "the provider's stream broke off before a final answer"
    case let reason?: return "no final answer: the last step ended with \"\(reason.oneLine(50))\""
    case nil where digest.sawNoStep: return "no final answer: OpenCode printed nothing of a run"
    case nil: return digest.lastStepHasAnswer ? "the last step's end is missing" : "no final answer: the last step didn't end"
    }
  }

  // MARK: Failed

  /// The errors that came after everything else, oldest first.
  private var trailing: [RunDigest.RunError] { digest.errors.elements.suffix(digest.trailingErrors) }

  /// OpenCode 2 turns signals into exits of the shells' kind: its own words then are only "Transport".
  private func interruption(_ code: Int32) -> String? {
    let signal = code - 128
    guard (1...64).contains(signal), let error = trailing.last else { return nil }
    let name = code == 130 ? "SIGINT or SIGTERM" : ExitStatus.signalName(signal)
    return "exit \(code): interrupted by \(name) (\(sentence(of: error)))"
  }

  private var terminalError: String {
    // Two may tell of one failure; the one that says more counts.
    let errors = trailing.reversed()
    let best = errors.first { !isVague($0) } ?? errors.first
    return best.map(sentence) ?? "OpenCode reported an error"
  }

  private func isVague(_ error: RunDigest.RunError) -> Bool {
    error.message.hasPrefix("Unexpected server error") && digest.cause(of: error.ref) == nil
  }

  private func sentence(of error: RunDigest.RunError) -> String {
    if let cause = digest.cause(of: error.ref) { return cause }
    guard isVague(error) else { return error.message }
    let asked = launch.value(of: "--model").map { "the model \"\($0.oneLine(100))\"" } ?? "the configured model"
    let ref = error.ref.map { ", \($0)" } ?? ""
    return "\(error.message) (most often \(asked) is unknown or malformed\(ref))"
  }

  private func exitReason(_ code: Int32) -> String {
    let words = digest.lastFailure ?? ""
    if code == 0 { return words }
    if code == 130, digest.generation == .v2 { return "exit 130: interrupted (SIGINT or SIGTERM)\(lastErrorClause)" }
    if let signal = ExitStatus.exited(code).signalBehindShell { return "exit \(code), as a shell or script says of \(signal)\(lastErrorClause)" }
    return words.isEmpty ? "exit \(code)\(lastErrorClause)" : "\(words) (exit \(code))"
  }

  private var lastErrorClause: String {
    if let error = digest.errors.elements.last { return "; its last error: \(sentence(of: error))" }
    return digest.providerErrors.last.map { "; the provider's last error: \($0)" } ?? ""
  }

  /// Help text instead of a run: the option that this version doesn't know.
  private var helpReason: String? {
    guard let help = digest.help, digest.sawNoStep else { return nil }
    let version = launch.version.map { "OpenCode \($0)" } ?? "this version of OpenCode"
    let known = Set(help.options)
    let unknown = launch.options.filter { option in help.refused.map { $0.contains(option.dropFirst(2)) } ?? !known.contains(option) }
    if unknown.isEmpty, let refused = help.refused { return "\(version) doesn't know \(refused): it printed its help instead of running" }
    guard !unknown.isEmpty else { return "\(version) printed its help instead of running" }
    return "\(version) doesn't know \(unknown.joined(separator: ", ")): it printed its help instead of running"
  }

  // MARK: Attention

  /// What only the end brings up.
  func endAttention(of end: RunEnd, state: Outcome.State) -> [Attention] {
    var list: [Attention] = []
    if end == .notSeen { list.append(.exitNotSeen) }
    if state == .completed || state == .incomplete {
      let code: Int? = if case .exited(let code) = end, code != 0 { Int(code) } else { nil }
      if digest.mendedErrors > 0, let error = digest.errors.elements.dropLast(digest.trailingErrors).last {
        list.append(.wentOn(error: sentence(of: error), exitCode: code))
      } else if state == .completed, digest.trailingErrors > 0, let error = trailing.last {
        // 2.x: it is in the stream, and the session ended well all the same.
        list.append(.wentOn(error: sentence(of: error), exitCode: code))
      } else if state == .completed, let code {
        list.append(.endedWith(exitCode: code))
      }
    }
    if state == .completed, session == .failed { list.append(.sessionSaysFailed) }
    return list
  }
}
