import Foundation
import JSON
import PosixSupport

/// Plays the turns of one session and of the subagents it starts. One is used by one thread only.
final class Player: @unchecked Sendable {
  let script: Script
  let console: Console
  let store: SessionStore
  let configuration: Configuration
  let agents: [Agent]
  let environment: [String: String]
  let options: Options
  /// What the whole run does beside its main turn.
  let background: Background
  /// Of a subagent in the background.
  let cancellation: Cancellation?
  /// An error was said from which the run went on: 1.x ends with 1 then, however well it went.
  var saidError = false
  private var identifiers = Identifiers()
  private var calls = 0

  init(
    script: Script, console: Console, store: SessionStore, configuration: Configuration, agents: [Agent], environment: [String: String], options: Options
  ) {
    (self.script, self.console, self.store, self.configuration, self.agents) = (script, console, store, configuration, agents)
    (self.environment, self.options) = (environment, options)
    background = Background()
    cancellation = nil
  }

  private init(besides player: Player, cancellation: Cancellation) {
    (script, console, store, configuration, agents) = (player.script, player.console, player.store, player.configuration, player.agents)
    (environment, options, background) = (player.environment, player.options, player.background)
    self.cancellation = cancellation
  }

  var build: Build { script.build }
  var messages: Messages { Messages(build: build) }

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
    session.outcome = nil
    while true {
      let turn = rest.first ?? Turn(text: "(script exhausted)")
      let step = Step(player: self, session: session, model: model, isRoot: isRoot)
      let (result, used) = try step.play(turn, following: rest.dropFirst())
      session = step.session
      rest = rest.dropFirst(used)
      text = step.lastText.isEmpty ? text : step.lastText
      session.updated = Player.now()
      switch result {
      case .another: try store.save(session)
      case .done(.finished) where isRoot && build.waitsForBackground && !background.isEmpty:
        try store.save(session)
        for ended in background.finish() { session.put(messages.synthetic(ended.text, description: ended.description, identifier("msg"))) }
        // The model hears of it and goes on, if there is more in the script.
        if !rest.isEmpty { continue }
        try end(&session, "succeeded")
        return .finished(text: text)
      case .done(let ending):
        if case .finished = ending { try end(&session, "succeeded") } else { try end(&session, "failed") }
        if case .finished = ending { return .finished(text: text) }
        return ending
      }
    }
  }

  func end(_ session: inout SessionStore.Session, _ outcome: String) throws {
    session.outcome = outcome
    if build.marksIdle { session.put(messages.idle(outcome, identifier("msg"))) }
    try store.save(session)
  }

  func nextCall() -> String {
    defer { calls += 1 }
    return "call_\(calls)_\(Player.now() % 1_000_000_000)"
  }

  // MARK: Subagents

  /// The session in which a subagent works, with its new message in it: another one, or the one that the parent's last subagent had.
  func child(for call: ToolCall, of parent: SessionStore.Session, model: Model) throws -> SessionStore.Session {
    let agent = call.input["subagent_type"]?.string ?? "general"
    let description = call.input["description"]?.string ?? ""
    let now = Player.now()
    let wanted = call.continues ? store.list(parent: parent.id).first?.id : call.input["task_id"]?.string
    let prompt = call.input["prompt"]?.string ?? ""
    let known = wanted.flatMap { store.session($0) }
    var child =
      known
      ?? SessionStore.Session(
        id: identifier("ses"), parent: parent.id, title: build.isTwo ? description : "\(description) (@\(agent) subagent)", directory: parent.directory,
        agent: agent, model: model.id, created: now, updated: now)
    (child.updated, child.outcome) = (now, nil)
    let text = build.isTwo && known == nil ? "You are a subagent spawned by another session.\n" + prompt : prompt
    child.put(messages.user(text, session: child, identifier("msg"), part: ["type": "text", "text": .string(text), "id": .string(identifier("prt"))]))
    try store.save(child)
    return child
  }

  func playSubagent(_ call: ToolCall, in child: SessionStore.Session, model: Model) throws -> Ending {
    var child = child
    return try play(&child, call.turns.isEmpty ? [Turn(text: "Sub done.")] : call.turns, model: model, isRoot: false)
  }

  /// Lets a subagent work beside the main turn.
  func playBeside(_ call: ToolCall, in child: SessionStore.Session, model: Model) {
    let cancellation = Cancellation()
    let player = Player(besides: self, cancellation: cancellation)
    let ended = Ended()
    Thread.detachNewThread {
      do {
        if case .finished(let text) = try player.playSubagent(call, in: child, model: model) { ended.settle(text) } else { ended.settle("The subagent failed") }
      } catch {
        // Ended with the run: its session is left as it was.
        ended.settle("Cancelled")
      }
    }
    background.add(
      Background.Job(
        description: call.input["description"]?.string ?? "",
        wait: { "<subagent sessionID=\"\(child.id)\" state=\"completed\">\n\(ended.wait())\n</subagent>" }, cancel: { cancellation.cancel() }))
  }

  private final class Ended: @unchecked Sendable {
    private let condition = NSCondition()
    private var text: String?

    func settle(_ text: String) {
      condition.lock()
      self.text = text
      condition.broadcast()
      condition.unlock()
    }

    func wait() -> String {
      condition.lock()
      defer { condition.unlock() }
      while text == nil { condition.wait() }
      return text ?? ""
    }
  }

  // MARK: Words and waits

  /// A line on standard error. 2.x says only what made the whole run fail.
  func log(_ message: String) {
    let isAsked = options.flags.contains("print-logs") || environment["OPENCODE_PRINT_LOGS"] == "1"
    guard isAsked, build.takesPrintLogs else { return }
    let time = ISO8601DateFormatter()
    time.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    console.complain("timestamp=\(time.string(from: Date())) level=ERROR run=\(String(format: "%08x", getpid())) \(message)\n")
  }

  func sleep(_ seconds: Double) throws {
    guard seconds > 0 else { return }
    if let cancellation { try cancellation.sleep(min(seconds, 1_000_000)) } else { Thread.sleep(forTimeInterval: min(seconds, 1_000_000)) }
  }

  /// The silence before an answer.
  func pause(for turn: Turn) throws {
    try sleep(turn.delay)
    while let file = turn.until, !PrivateFiles.exists(file) { try sleep(0.05) }
  }

  func hang() throws -> Never {
    while true { try sleep(3600) }
  }
}
