import OpenCode
import ShellReading
import Text

/// All that is kept of what OpenCode printed in a run: a pure fold over its events and its stderr, of bounded size (encoded at most
/// `RunDigest.encodedLimit` bytes, the declared commands not counted), with the places in both files up to which they were folded.
package struct RunDigest: Codable, Sendable, Equatable {
  /// Whatever a log holds, the encoded digest is smaller; an ordinary run's is a few dozen KiB.
  package static let encodedLimit = 3 << 20

  package struct Text: Codable, Sendable, Equatable {
    package var part: String?
    /// Its place among texts and tool calls, in the order in which OpenCode printed them: their times may tell another.
    package var order: Int
    package var at: Double?
    package var text: BoundedText
  }

  package struct ToolCall: Codable, Sendable, Equatable {
    package var part: String?
    /// See `Text.order`.
    package var order: Int
    package var tool: String
    /// What it was about: title, command or path.
    package var title: String?
    /// `completed`, `error`, `rejected`, `denied`, `dismissed`, `unavailable`.
    package var status: String
    package var exitCode: Int?
    package var at: Double?
    package var seconds: Double?
    package var error: String?
  }

  package struct RunError: Codable, Sendable, Equatable {
    package var kind: String?
    /// In OpenCode's words, with the HTTP status.
    package var message: String
    package var ref: String?
    package var at: Double?
  }

  package struct Rejection: Codable, Sendable, Equatable {
    package var permission: String
    package var pattern: String?
    package var text: String { pattern.map { "\(permission) (\($0))" } ?? permission }
  }

  package struct ProviderErrors: Codable, Sendable, Equatable {
    package var count = 0
    package var last: String?
    /// Seconds since 1970.
    package var at: Double?
    /// The first one after the last event that was known when it came; seconds since 1970.
    package var since: Double?
    /// When OpenCode tries again, as it said itself; seconds since 1970.
    package var nextTry: Double?
  }

  /// A tool that was at work when OpenCode 2 was asked: its stream shows a tool at its end only.
  package struct Working: Codable, Sendable, Equatable {
    /// The call's id.
    package var call: String
    package var tool: String
    package var title: String?
    /// Seconds since 1970.
    package var since: Double?
    /// The main turn doesn't wait for it.
    package var isBackground: Bool
    /// Of a subagent.
    package var session: String?

    /// `subagent: Reviews the tests`
    package var named: String { title.map { "\(tool): \($0)" } ?? tool }
  }

  /// What OpenCode 2 said of the present when it was asked last, as far as no event has overtaken it.
  package struct Live: Codable, Sendable, Equatable {
    /// Seconds since 1970.
    package var askedAt: Double
    package var working: [Working] = []
    /// The last message came to a good end; the run waits for what is in `working`.
    package var hasAnswered = false
    /// How many tries of a message's request are counted among the provider's errors.
    var failures: [String: Int] = [:]
    /// Only a subagent's requests are refused.
    var refusesSubagent = false
  }

  /// The tool call that ended last.
  package struct LastDone: Codable, Sendable, Equatable {
    package var tool: String
    package var title: String?
    package var at: Double?
  }

  /// Help text instead of a run: what the parser refused, if it said so, and the options that it listed.
  package struct Help: Codable, Sendable, Equatable {
    package var refused: String?
    package var options: [String] = []
  }

  /// The last thing that a tool was refused for in the step that is the last so far.
  package enum LastWord: Codable, Sendable, Equatable {
    case rejected(what: String)
    case questionDismissed
  }

  package let generation: Generation
  package let declaredCommands: [String]
  /// Bytes of each file that are in this digest.
  package var eventsOffset: Int64 = 0
  package var stderrOffset: Int64 = 0

  package var session: String?
  package var steps = 0
  /// Steps that were begun again: OpenCode 2 does that after a provider's error.
  package var retries = 0
  /// When the step was begun again for the first time since anything else came; seconds since 1970.
  package private(set) var retryingSince: Double?
  package var toolCallCount = 0
  package var usage = UsageSum()
  package private(set) var firstEventAt: Double?
  package var lastEventAt: Double?

  package private(set) var firstTexts: [Text] = []
  package private(set) var lastTexts = Newest<Text>(limit: 64)
  package private(set) var answer: BoundedText?
  package private(set) var toolCalls = Newest<ToolCall>(limit: 200)
  package private(set) var verification: VerificationTally
  package private(set) var namedFiles = NamedFiles()
  package private(set) var todos: [Todo] = []
  /// Files in which a language server found errors that no later edit of theirs took away; the newest 64.
  package private(set) var diagnosedFiles: [String] = []
  package private(set) var subagents = Newest<Subagent>(limit: 64)
  /// Where the calls stand that ran a subagent: a session may be continued.
  private var subagentCalls: [String: [LogPlace]]? = [:]
  package private(set) var lastDone: LastDone?

  package private(set) var errors = Newest<RunError>(limit: 16)
  /// How many errors, the newest of `errors`, came after everything else.
  package private(set) var trailingErrors = 0
  /// Errors after which it went on.
  package private(set) var mendedErrors = 0
  /// Why the last step ended; nil while it hasn't.
  package private(set) var finishReason: String?
  /// 1.x: steps that were followed by another without having come to an end, which tells the usage.
  package private(set) var unfinishedSteps: Int?
  /// A step that began after the last one ended.
  package private(set) var stepIsOpen = false
  /// The last step has text after all its tool calls.
  package private(set) var lastStepHasAnswer = false
  package private(set) var lastWord: LastWord?
  /// How often the conversation was summed up to make room.
  package private(set) var compactions = 0
  /// OpenCode has put words of its own in, as it does after a compaction: another request must follow, and the last text is no answer.
  package private(set) var awaitsContinuation = false

  package private(set) var rejections = Newest<Rejection>(limit: 16)
  package private(set) var dismissedQuestions = 0
  package private(set) var deniedTools = Newest<String>(limit: 16)
  package private(set) var unavailableTools = Newest<String>(limit: 16)
  package private(set) var providerErrors = ProviderErrors()
  /// nil: never asked.
  package private(set) var live: Live?
  package private(set) var missingAgent: String?
  /// The agent that was asked for is one for subagents: the default one ran.
  package private(set) var subagentAsAgent: String?
  package private(set) var causes = Newest<Cause>(limit: 16)
  package private(set) var failures = Newest<String>(limit: 8)
  private var sessionFailures: [SessionFailure]?
  package private(set) var help: Help?
  /// Lines of stdout that aren't events: log dumps, help text, broken lines.
  package private(set) var undecodableLines = 0
  /// Those of them that began like an event.
  package private(set) var brokenLines = 0
  package private(set) var unknownEvents = 0

  /// Why work in a session ended, as OpenCode 2's stderr said.
  package struct SessionFailure: Codable, Sendable, Equatable {
    package let session: String?
    package let message: String
  }

  package struct Cause: Codable, Sendable, Equatable {
    package let ref: String
    package let message: String
  }

  /// How many texts and tool calls have been printed.
  private var itemCount = 0
  private var parts = PartMemory()
  private var answerMessage: String?
  /// The answer before `answer`'s message: what counts again when that message was a compaction's summary.
  private var answerBefore: BoundedText?
  private var currentMessage: String?
  /// `step_start` has been seen for a message: the same again is a retry.
  private var hasStarted = false

  /// - Parameter workspace: absolute path of the folder that OpenCode works in
  package init(generation: Generation, declaredCommands: [String], workspace: String? = nil) {
    self.generation = generation
    self.declaredCommands = declaredCommands
    verification = VerificationTally(declared: declaredCommands, workspace: workspace)
  }

  /// The first texts and the last ones, in order, none twice.
  package var texts: [Text] { firstTexts + lastTexts.elements }
  package var lastText: BoundedText? { lastTexts.last?.text ?? firstTexts.last?.text }
  /// Nothing of a run was seen: no event but errors.
  package var sawNoStep: Bool { steps == 0 && toolCallCount == 0 && lastText == nil }
  package var endedWithError: Bool { trailingErrors > 0 }
  /// The last step ended with `stop` and an answer. OpenCode 2 leaves the last step's end out.
  package var hasFinalAnswer: Bool {
    guard lastStepHasAnswer, !awaitsContinuation else { return false }
    return finishReason == "stop" || (finishReason == nil && generation == .v2)
  }
  /// The last step's end, which tells its usage, is not in the log.
  package var lastStepIsOpen: Bool { stepIsOpen }

  /// Why OpenCode says on stderr that it ended or didn't begin. A subagent's end isn't the run's.
  package var lastFailure: String? { failures.last ?? sessionFailures?.last { $0.session == nil || $0.session == session }?.message }

  /// What is behind a reference, if the log said it.
  package func cause(of ref: String?) -> String? { ref.flatMap { ref in causes.elements.last { $0.ref == ref }?.message } }

  // MARK: - Events

  package mutating func fold(_ event: OpenCodeEvent) {
    let header = event.header
    if let at = header.at {
      firstEventAt = min(firstEventAt ?? at, at)
      lastEventAt = max(lastEventAt ?? at, at)
    }
    // What isn't understood may name any session.
    if !event.isUnknown { session = session ?? header.sessionID }
    overtake(event)
    if case .error(let error) = event {
      fold(error)
      return
    }
    if trailingErrors > 0, !event.isUnknown {
      mendedErrors += trailingErrors
      trailingErrors = 0
    }
    switch event {
    case .stepStart(let header): foldStepStart(header)
    case .text(let part): fold(part)
    case .toolUse(let tool): fold(tool)
    case .stepFinish(let step): fold(step)
    case .unknown: unknownEvents += 1
    case .reasoning, .error: break
    }
  }

  /// What came since OpenCode was asked.
  private mutating func overtake(_ event: OpenCodeEvent) {
    if case .stepStart = event { return }
    retryingSince = nil
    providerErrors.nextTry = nil
    live?.hasAnswered = false
    if case .toolUse(let tool) = event, let call = tool.callID?.kept(128) { live?.working.removeAll { $0.call == call && !$0.isBackground } }
  }

  private mutating func foldStepStart(_ header: EventHeader) {
    let isKnown = header.partID.map { parts.note($0.kept(128)).isKnown } ?? false
    if stepIsOpen, let message = header.messageID, message == currentMessage {
      if hasStarted {
        retries += 1
        retryingSince = retryingSince ?? header.at
      }
    } else if !isKnown {
      steps += 1
    }
    beginStep(header.messageID)
    hasStarted = true
  }

  /// OpenCode 2 sometimes leaves a step's start out: a part of another message tells, too.
  private mutating func enterStep(_ message: String?, isKnown: Bool) {
    guard !isKnown, let message, message != currentMessage else { return }
    steps += 1
    beginStep(message)
  }

  private mutating func beginStep(_ message: String?) {
    if message != currentMessage {
      // (OpenCode 2 leaves some ends out, and its messages have the usage.)
      if stepIsOpen, generation == .v1, message != nil { unfinishedSteps = (unfinishedSteps ?? 0) + 1 }
      retryingSince = nil
      providerErrors.nextTry = nil
      live?.hasAnswered = false
      live?.working.removeAll { !$0.isBackground }
    }
    currentMessage = message
    hasStarted = false
    stepIsOpen = true
    finishReason = nil
    lastStepHasAnswer = false
    lastWord = nil
    awaitsContinuation = false
  }

  /// After a compaction OpenCode goes on with a message of its own; what came before it was the summary.
  private mutating func foldSynthetic(_ part: TextPart) {
    let isKnown = part.header.partID.map { parts.note($0.kept(128)).isKnown } ?? false
    guard !isKnown, !stepIsOpen else { return }
    compactions += 1
    awaitsContinuation = true
    if let message = currentMessage, message == answerMessage { (answer, answerMessage) = (answerBefore, nil) }
  }

  private mutating func fold(_ part: TextPart) {
    if part.synthetic { foldSynthetic(part) }
    guard !part.synthetic, !part.text.isBlank else { return }
    let id = part.header.partID?.kept(128)
    let isKnown = id.map { parts.note($0).isKnown } ?? false
    enterStep(part.header.messageID, isKnown: isKnown)
    itemCount += 1
    var text = Text(part: id, order: itemCount, at: part.header.at, text: part.text.kept(2 << 10))
    if isKnown, let before = texts.last(where: { $0.part == id }) { text.order = before.order }
    if isKnown, let place = firstTexts.firstIndex(where: { $0.part == id }) {
      firstTexts[place] = text
    } else if isKnown, lastTexts.replaceLast(where: { $0.part == id }, with: text) {
    } else if firstTexts.count < 4 {
      firstTexts.append(text)
    } else {
      lastTexts.append(text)
    }
    if let answer, !isKnown, let message = part.header.messageID, message == answerMessage {
      self.answer = answer.followed(by: part.text, limit: 16 << 10).kept(16 << 10)
    } else {
      if !isKnown { answerBefore = answer }
      answer = part.text.kept(16 << 10)
      answerMessage = part.header.messageID
    }
    lastStepHasAnswer = true
    lastWord = nil
  }

  private mutating func fold(_ step: StepFinish) {
    let usage = StepUsage(tokens: step.tokens ?? TokenCounts(), cost: step.cost ?? 0)
    let seen = step.header.partID.map { parts.note($0.kept(128), usage: usage) }
    if let before = seen?.before { self.usage.remove(before) }
    self.usage.add(usage)
    let isKnown = seen?.isKnown ?? false
    // An old step's end, told again, says nothing of the last step.
    if isKnown, step.header.messageID != currentMessage { return }
    enterStep(step.header.messageID, isKnown: isKnown)
    finishReason = step.reason ?? "unknown"
    stepIsOpen = false
  }

  private mutating func fold(_ error: ErrorEvent) {
    errors.append(RunError(kind: error.kind?.kept(100), message: error.sentence.kept(600), ref: error.ref?.kept(100), at: error.header.at))
    trailingErrors += 1
  }

  private mutating func fold(_ tool: ToolUse) {
    let id = (tool.header.partID ?? tool.callID)?.kept(128)
    let isKnown = id.map { parts.note($0).isKnown } ?? false
    enterStep(tool.header.messageID, isKnown: isKnown)
    let at = tool.end ?? tool.header.at ?? lastEventAt ?? 0
    itemCount += 1
    var call = ToolCall(
      part: id, order: itemCount, tool: tool.tool.kept(100), title: tool.subject?.kept(200), status: tool.statusWord, exitCode: tool.exitCode, at: at,
      seconds: tool.seconds, error: tool.status == .error ? tool.error?.head.kept(300) : nil)
    if isKnown, let before = toolCalls.elements.last(where: { $0.part == id }) { call.order = before.order }
    if !isKnown || !toolCalls.replaceLast(where: { $0.part == id }, with: call) {
      toolCalls.append(call)
      if !isKnown { toolCallCount += 1 }
    }
    let place = LogPlace(order: call.order, step: steps, start: tool.start, end: at)
    lastDone = LastDone(tool: call.tool, title: call.title, at: call.at)
    lastStepHasAnswer = false
    note(tool.refusal, of: tool, isKnown: isKnown)
    if tool.isShell, tool.refusal == nil, let command = tool.command {
      verification.recordShell(
        command: command.text, isCut: command.isCut, exitCode: tool.timedOut ? nil : tool.exitCode, startedIn: absolute(tool.folder), place: place,
        id: id ?? "call \(toolCallCount)")
    }
    if ToolNames.mayChangeFiles(tool.tool), tool.refusal == nil { verification.recordUncertain(place) }
    // One that ended in an error may have written a part.
    if tool.isEdit, tool.status != .completed, tool.refusal == nil { verification.recordUncertain(place) }
    if tool.isEdit, tool.status == .completed {
      verification.recordEdit(place)
      for file in tool.files {
        namedFiles.insert(file.path)
        file.movedTo.map { namedFiles.insert($0) }
      }
      noteDiagnostics(tool)
    }
    if let todos = tool.todos, tool.status == .completed {
      self.todos = todos.prefix(100).map { Todo(content: $0.content.kept(300), status: $0.status.kept(32)) }
    }
    if let child = tool.subagent {
      if !subagents.elements.contains(where: { $0.session == child.session }) { subagents.append(child) }
      let calls = subagentCalls?[child.session] ?? []
      if !calls.isEmpty || subagentCalls?.count ?? 0 < 256, calls.count < 64, !calls.contains(place) { subagentCalls?[child.session] = calls + [place] }
    }
  }

  /// A tool's folder as OpenCode takes it; nil: the workspace.
  private func absolute(_ folder: String?) -> String? {
    guard let folder, !folder.isEmpty else { return nil }
    return folder.hasPrefix("/") ? folder : verification.workspace.map { "\($0)/\(folder)" } ?? folder
  }

  private mutating func noteDiagnostics(_ tool: ToolUse) {
    let edited = tool.files.map { $0.path.kept(1_024) }
    diagnosedFiles.removeAll { edited.contains($0) }
    for path in (tool.leftDiagnostics ? edited.prefix(1) : []) + tool.otherDiagnosedFiles.map({ $0.kept(1_024) }) where !diagnosedFiles.contains(path) {
      diagnosedFiles.append(path)
    }
    diagnosedFiles = diagnosedFiles.suffix(64)
  }

  private mutating func note(_ refusal: ToolUse.Refusal?, of tool: ToolUse, isKnown: Bool) {
    let what = [tool.tool, tool.subject.map { "(\($0))" }].compactMap { $0 }.joined(separator: " ").kept(300)
    switch refusal {
    case .rejected: lastWord = .rejected(what: what)
    case .questionDismissed:
      lastWord = .questionDismissed
      if !isKnown { dismissedQuestions += 1 }
    case .ruledOut: if !isKnown { deniedTools.append(what) }
    case .unavailable(let name, _):
      let name = name.kept(100)
      if !unavailableTools.elements.contains(name) { unavailableTools.append(name) }
    case nil: break
    }
  }

  // MARK: - Everything else

  package mutating func fold(_ fact: LogFact) {
    switch fact {
    case .permissionRejected(let permission, let pattern):
      let rejection = Rejection(permission: permission.kept(100), pattern: pattern?.kept(300))
      if !rejections.elements.contains(rejection) { rejections.append(rejection) }
    case .agentNotFound(let name): missingAgent = name.kept(100)
    case .agentIsSubagent(let name): subagentAsAgent = name.kept(100)
    case .failure(let message): failures.append(message.kept(500))
    case .sessionFailed(let session, let message):
      sessionFailures = Array(((sessionFailures ?? []) + [SessionFailure(session: session?.kept(128), message: message.kept(500))]).suffix(8))
    case .providerError(let message, let at):
      providerErrors.count += 1
      if let message { providerErrors.last = message.kept(300) }
      if let at {
        providerErrors.at = max(providerErrors.at ?? at, at)
        // Both files are folded in turns: an event that is older than this series may have come later.
        if providerErrors.since.map({ (lastEventAt ?? 0) >= $0 }) ?? true { providerErrors.since = at }
      }
    case .providerErrorMessage(let message):
      if providerErrors.count > 0 { providerErrors.last = message.kept(300) }
    case .cause(let ref, let message): causes.append(Cause(ref: ref.kept(100), message: message.kept(300)))
    case .help(let option):
      var seen = help ?? Help()
      if let option, seen.options.count < 64, !seen.options.contains(option) { seen.options.append(option.kept(60)) }
      help = seen
    case .refusedArgument(let argument):
      var seen = help ?? Help()
      seen.refused = argument.kept(200)
      help = seen
    }
  }

  private static let mostWorking = 16
  private static let mostRefused = 256

  /// What OpenCode 2 said of a live run.
  package mutating func note(_ answer: LiveAnswer) {
    var live = live ?? Live(askedAt: answer.askedAt)
    live.askedAt = answer.askedAt
    live.working = Array(answer.working.prefix(RunDigest.mostWorking))
    live.hasAnswered = answer.hasAnswered
    providerErrors.nextTry = nil
    if answer.refusals.isEmpty, live.refusesSubagent { retryingSince = nil }
    live.refusesSubagent = !answer.refusals.isEmpty && !answer.refusals.contains { $0.message == currentMessage }
    for refusal in answer.refusals {
      let before = live.failures[refusal.message] ?? 0
      if refusal.failures > before, live.failures[refusal.message] != nil || live.failures.count < RunDigest.mostRefused {
        live.failures[refusal.message] = refusal.failures
        providerErrors.count += refusal.failures - before
      }
      if let words = refusal.words { providerErrors.last = words.kept(300) }
      // What is refused now; an answer that was overtaken names no time.
      guard let next = refusal.nextTry else { continue }
      retryingSince = retryingSince ?? answer.askedAt
      providerErrors.nextTry = min(providerErrors.nextTry ?? next, next)
    }
    self.live = live
  }

  /// What subagents did, from their exported sessions. Doing it twice changes nothing.
  package mutating func add(_ facts: SessionFacts) {
    if facts.hadBackgroundWork { verification.recordDetached() }
    for call in facts.shellCommands {
      let place = place(of: call.session, start: call.start, end: call.at)
      // Without a place nobody knows what came after it: it proves nothing.
      verification.recordShell(
        command: call.command, exitCode: place == nil ? nil : call.exitCode, startedIn: absolute(call.folder),
        place: place ?? unplaced(call.start, call.at), id: call.id)
    }
    for edit in facts.edits {
      if let place = place(of: edit.session, start: nil, end: edit.at) {
        verification.recordEdit(place)
      } else {
        verification.recordUncertain(unplaced(nil, edit.at))
      }
    }
    for call in facts.uncertain { verification.recordUncertain(place(of: call.session, start: nil, end: call.at) ?? unplaced(nil, call.at)) }
    for path in facts.namedFiles { namedFiles.insert(path) }
  }

  /// What a subagent did stands where the call stands that ran it; of a session that was continued, the one during which it was done.
  /// - Returns: nil where no call is known during which it was: one that failed leaves no event that names it, and one in the background has ended before
  private func place(of session: String, start: Double?, end: Double) -> LogPlace? {
    // OpenCode's times are in milliseconds, and noted in turn.
    let grain = 0.5
    let during = (subagentCalls?[session] ?? []).filter { call in
      end <= call.end + grain && (call.start.map { (start ?? end) >= $0 - grain } ?? true)
    }
    guard during.count == 1, let call = during.first else { return nil }
    return LogPlace(order: call.order, step: call.step, start: start, end: end)
  }

  /// It may have been done after everything else, and beside it.
  private func unplaced(_ start: Double?, _ end: Double) -> LogPlace { LogPlace(order: .max, step: steps, start: start, end: end) }

  /// A line of stdout that isn't an event.
  /// - Parameter broken: it began like one
  package mutating func foldUndecodable(broken: Bool) {
    undecodableLines += 1
    if broken { brokenLines += 1 }
  }
}

extension OpenCodeEvent {
  fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

extension ToolUse {
  fileprivate var statusWord: String {
    switch refusal {
    case .rejected: "rejected"
    case .ruledOut: "denied"
    case .questionDismissed: "dismissed"
    case .unavailable: "unavailable"
    case nil: status == .error ? "error" : "completed"
    }
  }
}

extension String {
  /// Shortened, and without control characters.
  fileprivate func kept(_ limit: Int) -> String { shortened(to: limit).withoutControls }
}

extension BoundedText {
  /// In at most `limit` bytes, without control characters.
  fileprivate func kept(_ limit: Int) -> BoundedText { bounded(to: limit).withoutControls }
}
