import Foundation
import JSON
import PosixSupport

/// One step of a session: a request to the model, what it answered, the tools it called.
final class Step {
  enum Result {
    case another
    case done(Player.Ending)
  }

  private(set) var session: SessionStore.Session
  private(set) var lastText = ""
  private let player: Player
  private let model: Model
  private let isRoot: Bool
  private let shapes: Shapes
  private let snapshots: Bool
  private var message: Messages.Assistant
  private var isSummary = false

  init(player: Player, session: SessionStore.Session, model: Model, isRoot: Bool) {
    self.player = player
    self.session = session
    self.model = model
    self.isRoot = isRoot
    message = Messages.Assistant(id: player.identifier("msg"), created: Player.now())
    shapes = Shapes(build: player.build, session: session.id, message: message.id)
    snapshots = Places.isInGit(session.directory)
  }

  private var build: Build { player.build }

  /// Only the root session is shown.
  private func emit(_ type: String, _ part: JSONObject, shown: Bool = true) throws {
    message.parts.append(part)
    guard isRoot, shown else { return }
    try player.sleep(player.script.pause)
    try player.console.print(shapes.event(type, at: Player.now(), part))
  }

  /// Puts the message into the session's file as far as it has come.
  private func save(running: JSONObject? = nil) throws {
    var current = message
    if let running { current.parts.append(running) }
    session.put(player.messages.assistant(current, session: session, isSummary: isSummary))
    try player.store.save(session)
  }

  private var snapshot: String? { snapshots ? Places.snapshot(session.directory) : nil }

  private func startStep(shown: Bool = true) throws {
    try emit("step_start", shapes.stepStart(player.identifier("prt"), snapshot: snapshot), shown: shown)
  }

  /// Plays the turn; failed requests are repeated with the turns that follow.
  /// - Returns: what comes next, and how many turns were used
  func play(_ first: Turn, following: ArraySlice<Turn>) throws -> (Result, Int) {
    if let summary = first.compaction { return (try compact(first, summary), 1) }
    var (turn, following, used, attempt) = (first, following, 1, 1)
    while true {
      if let raw = turn.raw { try player.console.print(raw) }
      if let text = turn.stderr { player.console.complain(text) }
      // OpenCode 2 begins a step with the request, 1.x with the answer.
      var began = false
      if turn.isAnswer || turn.status != nil {
        message.retry = nil
        if build.isTwo {
          // What comes last is often left out.
          let isLast = turn.status == nil ? !goesOn(turn) && !player.script.lastStepStart : attempt == build.attempts
          try startStep(shown: !isLast)
          began = true
        }
        try save()
      }
      try player.pause(for: turn)
      guard let error = StepError(turn, build) else {
        if turn.isAnswer, !began { try startStep() }
        let stopped = try answer(turn)
        try end(turn)
        if let code = turn.exit { return (.done(.exit(code)), used) }
        return (turn.isAnswer ? try finish(turn, stopped) : .another, used)
      }
      for line in error.log(session: session, model: model) where !build.isTwo { player.log(line) }
      if error.isInStream, !build.isTwo { try startStep() }
      guard error.isRetried, !build.isTwo || attempt < build.attempts else {
        if error.isInStream || turn.text != nil { try answerBefore(error, turn) }
        try fail(error, turn)
        try end(turn)
        if error.isOverflow {
          player.saidError = true
          return (.another, used)
        }
        return (.done(turn.exit.map { .exit($0) } ?? .failed), used)
      }
      attempt += 1
      let pause = max(player.script.retrySeconds * Double(1 << min(attempt - 2, 20)), min(turn.retryAfter, 900))
      if build.isTwo {
        message.retry = ["attempt": JSONValue(attempt), "at": JSONValue(Player.now() + Int(pause * 1000)), "error": error.shape]
        try save()
      }
      try player.sleep(pause)
      if !turn.forever {
        turn = following.popFirst() ?? Turn(text: "(script exhausted)")
        used += 1
      }
    }
  }

  private func goesOn(_ turn: Turn) -> Bool { !turn.tools.isEmpty && !turn.cut }

  private func end(_ turn: Turn) throws {
    if let number = turn.signal {
      try save()
      signal(number, SIG_DFL)
      kill(getpid(), number)
      try player.sleep(5)
    }
    if turn.hang {
      try save()
      try player.hang()
    }
  }

  // MARK: Errors of the provider

  /// What had come before the error: 1.x keeps it without showing it.
  private func answerBefore(_ error: StepError, _ turn: Turn) throws {
    guard let text = turn.text else { return }
    let now = Player.now()
    if build.isTwo { lastText = text }
    try emit("text", shapes.text(player.identifier("prt"), text, type: "text", from: now, to: now), shown: build.isTwo)
  }

  private func fail(_ error: StepError, _ turn: Turn) throws {
    (message.completed, message.error) = (Player.now(), error.shape)
    if build.isTwo {
      message.finish = "error"
      player.log("message=\"Failed to drain Session\" sessionID=\(session.id) cause=\(JSONValue.string(error.reason).text)")
      if turn.text != nil { message.usage = Usage(turn.usage, model: model) }
    }
    session.usage = session.usage + (message.usage ?? Usage())
    try save()
    guard isRoot, !build.isTwo || player.script.lastError else { return }
    try player.console.print(Shapes.error(error.shape, session: session.id, at: Player.now()))
  }

  // MARK: Compaction

  /// 1.x makes a summary in a step of its own and tells the model to go on; of 2.x's only the store knows.
  private func compact(_ turn: Turn, _ summary: String) throws -> Result {
    let usage = Usage(turn.usage, model: model)
    guard !build.isTwo else {
      session.put(player.messages.compaction(nil, usage: usage, session: session, message.id))
      try player.store.save(session)
      try player.pause(for: turn)
      try end(turn)
      session.put(player.messages.compaction(summary, usage: usage, session: session, message.id))
      session.usage = session.usage + usage
      return .another
    }
    isSummary = true
    session.put(note(["type": "compaction", "auto": true, "overflow": false]))
    try player.pause(for: turn)
    let now = Player.now()
    try startStep()
    try emit("text", shapes.text(player.identifier("prt"), summary, type: "text", from: now, to: Player.now()))
    let end = shapes.stepFinish(player.identifier("prt"), reason: "stop", usage: usage, snapshot: snapshot)
    try emit("step_finish", end)
    (message.completed, message.finish, message.usage) = (Player.now(), "stop", usage)
    session.usage = session.usage + usage
    try save()
    try self.end(turn)
    let reason = "The previous request exceeded the provider's size limit due to large media attachments. The conversation was compacted.\n\n"
    let text =
      (player.saidError ? reason : "") + "Continue if you have next steps, or stop and ask for clarification if you are unsure how to proceed."
    let word: JSONObject = [
      "type": "text", "metadata": ["compaction_continue": true], "synthetic": true, "text": .string(text),
      "time": ["start": JSONValue(Player.now()), "end": JSONValue(Player.now())],
    ]
    let message = note(word)
    session.put(message)
    if isRoot, let part = message["parts"]?.array?.first?.object { try player.console.print(shapes.event("text", at: Player.now(), part)) }
    return .another
  }

  /// A user's message that no user wrote.
  private func note(_ part: JSONObject) -> JSONValue {
    var part = part
    part["id"] = .string(player.identifier("prt"))
    return player.messages.user("", session: session, player.identifier("msg"), part: part)
  }

  // MARK: The answer

  /// Returns what stopped the run, if a tool did.
  private func answer(_ turn: Turn) throws -> Player.Ending? {
    let now = Player.now()
    if let thought = turn.reasoning {
      let part = shapes.text(player.identifier("prt"), thought, type: "reasoning", from: now, to: Player.now())
      try emit("reasoning", part, shown: player.options.flags.contains("thinking"))
    }
    if let text = turn.text {
      lastText = turn.cut ? String(text.prefix(text.count / 2)) : text
      // What is printed late, from the store, has an id of another form.
      let id = build.isTwo && !player.script.lastStepStart && !goesOn(turn) ? "prt_\(message.id.dropFirst(4))_text-0" : player.identifier("prt")
      if !lastText.isEmpty { try emit("text", shapes.text(id, lastText, type: "text", from: now, to: Player.now())) }
    }
    guard !turn.cut else { return nil }
    var stopped: Player.Ending?
    let began = turn.order == nil ? nil : Player.now()
    for call in turn.ended where stopped == nil { stopped = try perform(Tools.canonical(call), since: began) }
    return stopped
  }

  /// - Parameter began: when the call began; nil: now
  private func perform(_ call: ToolCall, since began: Int?) throws -> Player.Ending? {
    let tools = Tools(
      build: build, directory: session.directory, data: player.configuration.data, environment: player.environment,
      rules: player.agents.first { $0.name == session.agent }?.rules ?? Rules(list: [.init("*", "*", .deny)]),
      approvesAll: (isRoot || build.isReleased) && !player.options.flags.isDisjoint(with: ["auto", "dangerously-skip-permissions", "yolo"]),
      report: { [player] in player.console.complain($0) })
    let (name, input) = tools.own(call)
    let (part, id) = (player.identifier("prt"), player.nextCall())
    func mark(_ metadata: JSONObject) throws { try save(running: shapes.running(part, call: id, name: name, input: input, metadata: metadata)) }
    var result = ToolResult(name: name, input: input, ending: .unavailable)
    result.startedAt = began ?? Player.now()
    var ended: Player.Ending?
    if let refusal = tools.refusal(of: call) {
      // In builds with this mistake a subagent's question waits for ever.
      if case .rejected = refusal, !isRoot, build.isPreview || build.isAncient { try player.hang() }
      result.ending = refusal
    } else if call.name == "task" {
      ended = try delegate(call, &result, mark)
    } else if call.name == "bash" {
      (result.ending, result.note) = try shell(call, tools, mark)
    } else {
      try mark([:])
      result.ending = tools.run(call)
    }
    result.endedAt = Player.now()
    // What comes after it begins in another millisecond: within one, nothing tells the order.
    while Player.now() == result.endedAt { usleep(100) }
    if case .exit? = ended { return ended }
    try emit("tool_use", shapes.tool(part, call: id, result))
    try save()
    switch (result.ending, build.generation) {
    case (.rejected, .one), (.dismissed, .one): return .stopped
    case (.rejected, .two) where build.isPreview: return try abort("Step interrupted")
    case (.dismissed, .two) where build.isPreview: return try abort("Session interrupted: shutdown")
    default: return ended
    }
  }

  private func abort(_ why: String) throws -> Player.Ending {
    let error: JSONValue = ["type": "aborted", "message": .string(why)]
    (message.completed, message.finish, message.error) = (Player.now(), "error", error)
    if isRoot { try player.console.print(Shapes.error(error, session: session.id, at: Player.now())) }
    return .failed
  }

  private func shell(_ call: ToolCall, _ tools: Tools, _ mark: (JSONObject) throws -> Void) throws -> (ToolResult.Ending, String?) {
    let shell: Shell
    do {
      let start = { try Shell(call, tools: tools, scratch: self.player.store.folder, id: self.player.identifier("sh")) }
      shell = build.isTwo ? try Interruption.start(start) : try start()
    } catch {
      return (.failed("\(error)"), nil)
    }
    try mark(build.isTwo ? ["shellID": .string(shell.id)] : [:])
    if build.isTwo, call.input["background"]?.bool ?? false {
      player.background.add(
        Background.Job(
          description: shell.command,
          wait: {
            guard case .completed(let output, _, _)? = try? shell.finish().0 else { return "Command failed" }
            return output
          }, cancel: { shell.child.killGroup() }))
      return shell.background
    }
    player.cancellation?.watch(shell.child)
    defer {
      player.cancellation?.watch(nil)
      Interruption.ended(shell.child.pid)
    }
    let result = try shell.finish()
    // A subagent that was ended in its command comes no further.
    try player.cancellation?.sleep(0)
    return result
  }

  /// - Returns: what ends the whole run
  private func delegate(_ call: ToolCall, _ result: inout ToolResult, _ mark: (JSONObject) throws -> Void) throws -> Player.Ending? {
    let name = call.input["subagent_type"]?.string ?? ""
    guard let agent = player.agents.first(where: { $0.name == name }) else {
      result.ending = .failed(build.isTwo ? "Unknown agent: \(name)" : "Unknown agent type: \(name) is not a valid agent type")
      return nil
    }
    if build.isTwo, agent.mode == "primary" {
      result.ending = .failed("Agent \(name) cannot run as a subagent")
      return nil
    }
    let child = try player.child(for: call, of: session, model: model)
    let isBeside = build.isTwo && call.input["background"]?.bool ?? false
    var metadata: JSONObject = ["sessionID": .string(child.id), "status": isBeside ? "running" : "completed", "truncated": false]
    if !build.isTwo {
      metadata = [
        "parentSessionId": .string(session.id), "sessionId": .string(child.id),
        "model": ["modelID": .string(model.id), "providerID": .string(Model.provider)],
      ]
    }
    try mark(build.isTwo ? ["sessionID": .string(child.id), "status": "running"] : metadata)
    if isBeside {
      player.playBeside(call, in: child, model: model)
      let text = "The subagent is working in the background (sessionID: \(child.id)). You will be notified automatically when it finishes."
      result.ending = .completed(output: text, title: "subagent", metadata: metadata)
      return nil
    }
    let ending = try player.playSubagent(call, in: child, model: model)
    func failure(_ why: String) -> ToolResult.Ending { .failed("Subagent failed (\(build.isTwo ? "sessionID" : "task_id"): \(child.id)): \(why)") }
    if !build.isTwo { result.metadata = metadata }
    switch ending {
    case .finished(let text) where build.isTwo: result.ending = .completed(output: text, title: "subagent", metadata: metadata)
    case .finished(let text):
      metadata["truncated"] = false
      result.ending = .completed(
        output: "<task id=\"\(child.id)\" state=\"completed\">\n<task_result>\n\(text)\n</task_result>\n</task>",
        title: call.input["description"]?.string ?? "", metadata: metadata)
    case .stopped: result.ending = failure("The user rejected permission to use this specific tool call.")
    case .failed: result.ending = failure("the provider's error")
    case .exit: return ending
    }
    return nil
  }

  // MARK: The end of the step

  private func finish(_ turn: Turn, _ stopped: Player.Ending?) throws -> Result {
    let usage = turn.cut && turn.usage == nil ? Usage() : Usage(turn.usage, model: model)
    let reason = turn.cut ? "unknown" : turn.finish ?? (goesOn(turn) ? "tool-calls" : "stop")
    session.usage = session.usage + usage
    var isShown = true
    if case .failed? = stopped { isShown = false }
    // The end of the whole run is faster than the event, unless the run has to wait for something.
    let isLast = stopped == nil && !goesOn(turn) && !turn.cut
    let waits = build.waitsForBackground && !player.background.isEmpty
    if build.isTwo, isLast, !waits, !player.script.lastStepFinish { isShown = false }
    try emit("step_finish", shapes.stepFinish(player.identifier("prt"), reason: reason, usage: usage, snapshot: snapshot), shown: isShown)
    message.completed = Player.now()
    message.usage = usage
    if build.isTwo, let end = snapshot {
      message.snapshot = ["start": message.parts.first?["snapshot"] ?? .string(end), "end": .string(end), "files": []]
    }
    if message.error == nil { message.finish = reason }
    try save()
    if let stopped { return .done(stopped) }
    return goesOn(turn) || turn.cut ? .another : .done(.finished(text: lastText))
  }
}
