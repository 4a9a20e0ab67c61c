import Foundation
import JSON

/// Plays the turns of one session and of the subagents it starts.
final class Player {
  let script: Script
  let console: Console
  let store: SessionStore
  let configuration: JSONValue
  let environment: [String: String]
  let options: Options
  private var identifiers = Identifiers()
  private var calls = 0

  init(script: Script, console: Console, store: SessionStore, configuration: JSONValue, environment: [String: String], options: Options) {
    self.script = script
    self.console = console
    self.store = store
    self.configuration = configuration
    self.environment = environment
    self.options = options
  }

  static func now() -> Int { Int(Date().timeIntervalSince1970 * 1000) }

  func identifier(_ prefix: String) -> String { identifiers.next(prefix, descending: prefix == "ses") }

  /// How a session's turns came to their end.
  enum Ending {
    case finished(text: String)
    /// A permission or a question was rejected: the run stops there.
    case stopped
    case failed
    case exit(Int32)
  }

  /// - Throws: when standard output is gone
  func play(_ session: inout SessionStore.Session, _ turns: [Turn], model: Model, isRoot: Bool) throws -> Ending {
    var rest = turns[...]
    var text = ""
    while true {
      let turn = rest.first ?? Turn(text: "(script exhausted)")
      let step = Step(player: self, session: session, model: model, isRoot: isRoot, retries: script.retrySeconds)
      let (ending, used) = try step.play(turn, following: rest.dropFirst())
      session = step.session
      rest = rest.dropFirst(used)
      text = step.lastText.isEmpty ? text : step.lastText
      session.updated = Player.now()
      switch ending {
      case .another: try store.save(session)
      case .done(let ending):
        session.outcome = if case .finished = ending { "succeeded" } else { "failed" }
        try store.save(session)
        if case .finished = ending { return .finished(text: text) }
        return ending
      }
    }
  }

  func nextCall() -> String {
    defer { calls += 1 }
    return "call_\(calls)_\(Player.now() % 1_000_000_000)"
  }

  /// A child session for a `task` call.
  func playSubagent(_ call: ToolCall, of parent: SessionStore.Session, model: Model) throws -> (Ending, session: String) {
    let now = Player.now()
    var child = SessionStore.Session(
      id: identifier("ses"), parent: parent.id, title: "\(call.input["description"]?.string ?? "") (@\(call.input["subagent_type"]?.string ?? "") subagent)",
      directory: parent.directory, agent: call.input["subagent_type"]?.string ?? "general", model: model.id, created: now, updated: now)
    child.messages.append(Messages(line: script.line).user(call.input["prompt"]?.string ?? "", session: child, identifier("msg"), identifier("prt")))
    let ending = try play(&child, call.turns.isEmpty ? [Turn(text: "Sub done.")] : call.turns, model: model, isRoot: false)
    return (ending, child.id)
  }

  func log(_ message: String) {
    guard options.flags.contains("print-logs") else { return }
    console.complain("timestamp=\(ISO8601DateFormatter().string(from: Date())) level=ERROR run=\(String(format: "%08x", getpid())) \(message)\n")
  }

  func sleep(_ seconds: Double) {
    if seconds > 0 { Thread.sleep(forTimeInterval: min(seconds, 1_000_000)) }
  }

  func hang() -> Never {
    while true { sleep(3600) }
  }
}

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
  private let retries: Double
  private let message: String
  private let shapes: Shapes
  private let snapshots: Bool
  private var parts: [JSONObject] = []
  private let created = Player.now()

  init(player: Player, session: SessionStore.Session, model: Model, isRoot: Bool, retries: Double) {
    self.player = player
    self.session = session
    self.model = model
    self.isRoot = isRoot
    self.retries = retries
    message = player.identifier("msg")
    shapes = Shapes(line: player.script.line, session: session.id, message: message)
    snapshots = Places.isInGit(session.directory)
  }

  private var line: Line { player.script.line }

  /// Only the root session is shown.
  private func emit(_ type: String, _ part: JSONObject, shown: Bool = true) throws {
    parts.append(part)
    guard isRoot, shown else { return }
    player.sleep(player.script.pause)
    try player.console.print(shapes.event(type, at: Player.now(), part))
  }

  private var snapshot: String? { snapshots ? Places.snapshot(session.directory) : nil }

  private func startStep() throws { try emit("step_start", shapes.stepStart(player.identifier("prt"), snapshot: snapshot)) }

  /// Plays the turn; failed requests are repeated with the turns that follow.
  /// - Returns: what comes next, and how many turns were used
  func play(_ first: Turn, following: ArraySlice<Turn>) throws -> (Result, Int) {
    var (turn, following, used, attempt) = (first, following, 1, 1)
    while true {
      if let raw = turn.raw { try player.console.print(raw) }
      if let text = turn.stderr { player.console.complain(text) }
      let isSilent = !turn.isAnswer && turn.status == nil
      // OpenCode 2 begins a step with the request, 1.x with the answer.
      var began = false
      if line.isTwo, !isSilent, attempt < 5 {
        try startStep()
        began = true
      }
      player.sleep(turn.delay)
      if let status = turn.status {
        let retried = isRetried(status) && (!line.isTwo || attempt < 5)
        player.log(
          "message=\"stream error\" providerID=\(Model.provider) modelID=\(model.id) session.id=\(session.id) small=false agent=\(session.agent) mode=primary "
            + "error.error=\(JSONValue.string("AI_APICallError: \(reason(turn))").text)")
        guard retried else {
          try fail(status, turn)
          return (.done(.failed), used)
        }
        player.sleep(retries * Double(1 << min(attempt - 1, 20)))
        attempt += 1
        if !turn.forever {
          turn = following.popFirst() ?? Turn(text: "(script exhausted)")
          used += 1
        }
        continue
      }
      if turn.isAnswer, !began { try startStep() }
      let result = try answer(turn)
      end(turn)
      if let code = turn.exit { return (.done(.exit(code)), used) }
      return (turn.isAnswer ? try finish(turn, result) : .another, used)
    }
  }

  private func end(_ turn: Turn) {
    if let number = turn.signal {
      signal(number, SIG_DFL)
      kill(getpid(), number)
      player.sleep(5)
    }
    if turn.hang { player.hang() }
  }

  // MARK: Errors of the provider

  private func isRetried(_ status: Int) -> Bool { [408, 409, 429].contains(status) || status >= 500 }
  private func reason(_ turn: Turn) -> String { turn.body["error"]?["message"]?.string ?? turn.body.text }

  private func fail(_ status: Int, _ turn: Turn) throws {
    let body = turn.body.text
    let error: JSONValue
    if line.isTwo {
      let kind =
        switch status {
        case 401, 403: "provider.auth"
        case 402: "provider.quota"
        case 429: "provider.rate-limit"
        case 500...: "provider.internal"
        default: "unknown"
        }
      error = ["type": .string(kind), "message": .string("Provider request failed with HTTP \(status): \(body)"), "status": JSONValue(status)]
    } else {
      let headers: JSONValue = [
        "content-length": .string("\(body.utf8.count)"), "content-type": "application/json", "date": .string("\(Date())"), "server": "stand-in",
      ]
      error = [
        "name": "APIError",
        "data": [
          "message": .string(reason(turn)), "statusCode": JSONValue(status), "isRetryable": false, "responseHeaders": headers, "responseBody": .string(body),
          "metadata": ["url": "http://127.0.0.1/v1/chat/completions"],
        ],
      ]
    }
    if isRoot { try player.console.print(Shapes.error(error, session: session.id, at: Player.now())) }
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
      if !lastText.isEmpty { try emit("text", shapes.text(player.identifier("prt"), lastText, type: "text", from: now, to: Player.now())) }
    }
    guard !turn.cut else { return nil }
    var stopped: Player.Ending?
    for call in turn.tools where stopped == nil { stopped = try perform(Tools.canonical(call)) }
    return stopped
  }

  private func perform(_ call: ToolCall) throws -> Player.Ending? {
    let settings = player.configuration
    let override = player.environment["OPENCODE_PERMISSION"].flatMap { try? JSONValue(parsing: Array($0.utf8)) }
    let tools = Tools(
      line: line, directory: session.directory, scratch: player.store.folder, environment: player.environment,
      permissions: Permissions(line: line, agent: session.agent, configuration: settings, override: override),
      approvesAll: isRoot && !player.options.flags.isDisjoint(with: ["auto", "dangerously-skip-permissions"]),
      report: { [player] in player.console.complain($0) })
    let start = Player.now()
    var (result, ended) = (ToolResult(name: call.name, input: call.input, ending: .unavailable), Player.Ending?.none)
    if call.name == "task" {
      let (name, input) = tools.own(call)
      result = ToolResult(name: name, input: input, ending: .unavailable)
      if let refusal = tools.refusal(of: call) {
        result.ending = refusal
      } else {
        (result.ending, ended) = try delegate(call)
      }
    } else {
      result = tools.run(call)
    }
    (result.startedAt, result.endedAt) = (start, Player.now())
    if case .exit? = ended { return ended }
    // In the recorded build a subagent's question waits for ever.
    if case .rejected = result.ending, !isRoot, line == .twoPreview { player.hang() }
    try emit("tool_use", shapes.tool(player.identifier("prt"), call: player.nextCall(), result))
    switch (result.ending, line) {
    case (.rejected, .one), (.dismissed, .one): return .stopped
    case (.rejected, .twoPreview):
      try abort("Step interrupted")
      return .failed
    case (.dismissed, _) where line.isTwo:
      try abort("Session interrupted: shutdown")
      return .failed
    default: return ended
    }
  }

  private func abort(_ why: String) throws {
    guard isRoot else { return }
    try player.console.print(Shapes.error(["type": "aborted", "message": .string(why)], session: session.id, at: Player.now()))
  }

  private func delegate(_ call: ToolCall) throws -> (ToolResult.Ending, Player.Ending?) {
    let agent = call.input["subagent_type"]?.string ?? ""
    guard Places.agents(player.configuration).contains(agent) else {
      return (.failed("Unknown agent type: \(agent) is not a valid agent type"), nil)
    }
    let (ending, child) = try player.playSubagent(call, of: session, model: model)
    switch ending {
    case .finished(let text):
      if line.isTwo {
        return (.completed(output: text, title: "subagent", metadata: ["sessionID": .string(child), "status": "completed", "truncated": false]), nil)
      }
      return (
        .completed(
          output: "<task id=\"\(child)\" state=\"completed\">\n<task_result>\n\(text)\n</task_result>\n</task>",
          title: call.input["description"]?.string ?? "",
          metadata: [
            "parentSessionId": .string(session.id), "sessionId": .string(child),
            "model": ["modelID": .string(model.id), "providerID": .string(Model.provider)], "truncated": false,
          ]), nil
      )
    case .stopped: return (.failed("The user rejected permission to use this specific tool call."), .stopped)
    case .failed: return (.failed("The subagent failed"), nil)
    case .exit: return (.failed("The subagent ended"), ending)
    }
  }

  // MARK: The end of the step

  private func finish(_ turn: Turn, _ stopped: Player.Ending?) throws -> Result {
    let usage = Usage(turn.usage, model: model)
    let goesOn = !turn.tools.isEmpty && !turn.cut
    let reason = turn.cut ? "unknown" : turn.finish ?? (goesOn ? "tool-calls" : "stop")
    session.usage = session.usage + usage
    var isShown = true
    if case .failed? = stopped { isShown = false }
    if line.isTwo, stopped == nil, !goesOn, !turn.cut, !player.script.lastStepFinish { isShown = false }
    try emit("step_finish", shapes.stepFinish(player.identifier("prt"), reason: reason, usage: usage, snapshot: snapshot), shown: isShown)
    let messages = Messages(line: line)
    session.messages.append(messages.assistant(parts, usage: usage, finish: reason, session: session, message, from: created, to: Player.now()))
    if let stopped { return .done(stopped) }
    return goesOn || turn.cut ? .another : .done(.finished(text: lastText))
  }
}
