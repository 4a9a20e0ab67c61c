import Foundation
import JSON
import PosixSupport

/// A scripted `opencode`: both lines, faithful to what the real ones print, without a model.
package enum StandIn {
  /// Plays one invocation.
  /// - Parameters:
  ///   - arguments: without the program's name
  ///   - path: of `stand-in.json`; it need not exist; sessions are kept beside it
  /// - Returns: the exit code
  package static func main(arguments: [String], configuration path: String) -> Int32 {
    OwnProcess.settleSignals()
    let console = Console(input: Descriptor(raw: 0), output: Descriptor(raw: 1), errors: Descriptor(raw: 2))
    return run(arguments, configuration: path, environment: ProcessInfo.processInfo.environment, console: console, ownsProcess: true)
  }

  /// - Parameter ownsProcess: signals may be handled
  static func run(_ arguments: [String], configuration path: String, environment: [String: String], console: Console, ownsProcess: Bool) -> Int32 {
    do {
      let invocation = Invocation(
        script: try Script(path: path), store: try SessionStore(folder: (path as NSString).deletingLastPathComponent), environment: environment,
        console: console, ownsProcess: ownsProcess)
      return try invocation.run(arguments)
    } catch let error as PosixError where error.operation == "write" {
      // Nobody reads any more.
      return 1
    } catch {
      console.complain("stand-in: \(error)\n")
      return 1
    }
  }
}

/// One call of the program.
struct Invocation {
  let script: Script
  let store: SessionStore
  let environment: [String: String]
  let console: Console
  let ownsProcess: Bool

  var line: Line { script.line }

  func run(_ arguments: [String]) throws -> Int32 {
    let command = arguments.first ?? ""
    if let ending = try overridden(command) { return ending }
    if ["--version", "-v"].contains(command) {
      try console.print(
        ["\(script.version)\n", "opencode2 v\(script.version)\n", "opencode v\(script.version)\n"][line == .one ? 0 : line == .twoPreview ? 1 : 2])
      return 0
    }
    guard let known = Commands.options(command, line: line, version: script.version) else { return try usage("") }
    let rest = Array(arguments.dropFirst())
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      _ = try help(command, known)
      return 0
    }
    guard let options = Options(rest, known: known, line: line) else { return try help(command, known) }
    switch command {
    case "run": return try runMessage(options)
    default: return try companion(command, options) ?? help(command, known)
    }
  }

  /// What `stand-in.json` says of a subcommand that misbehaves.
  private func overridden(_ command: String) throws -> Int32? {
    guard let override = script.overrides[command] else { return nil }
    Thread.sleep(forTimeInterval: max(0, min(override["delay"]?.double ?? 0, 1_000_000)))
    if let text = override["stdout"]?.string { try console.print(text) }
    if let text = override["stderr"]?.string { console.complain(text) }
    if override["hang"]?.bool ?? false { while true { Thread.sleep(forTimeInterval: 3600) } }
    return override["exit"]?.int.map { Int32(clamping: $0) }
  }

  private func usage(_ command: String) throws -> Int32 {
    try help(command.isEmpty ? "[command]" : command, [])
  }

  /// Help goes to standard error in 1.x since 1.17, else to standard output.
  private func help(_ command: String, _ known: [Options.Known]) throws -> Int32 {
    let text = Commands.help(command, line: line, known: known)
    if line == .one, !script.version.hasPrefix("1.3.") { console.complain(text) } else { try console.print(text) }
    return 1
  }

  // MARK: Configuration

  /// The user's, with `OPENCODE_CONFIG_CONTENT` over it. nil: that isn't JSON, which 1.x refuses; 2.x goes on without it.
  var configuration: JSONValue? {
    guard let text = environment["OPENCODE_CONFIG_CONTENT"], !text.isEmpty else { return script.config }
    guard let value = try? JSONValue(parsing: Array(text.utf8)) else { return line.isTwo ? script.config : nil }
    return Places.merged(script.config, value)
  }

  /// PWD decides, whatever the real one is.
  var workingFolder: String {
    let actual = FileManager.default.currentDirectoryPath
    return script.version.hasPrefix("1.3.") ? actual : environment["PWD"] ?? actual
  }

  // MARK: opencode run

  /// Something went wrong before a session existed.
  func refuse(_ why: String) throws -> Int32 {
    guard line.isTwo else { return console.fail(why) }
    try console.print(Shapes.error(["type": "unknown", "message": .string(why)], session: "", at: Player.now()))
    return 1
  }

  private func runMessage(_ options: Options) throws -> Int32 {
    // Before anything else, and for ever if nobody closes it.
    let input = console.readAll()
    let wanted = options["dir"] ?? workingFolder
    guard PrivateFiles.isFolder(wanted), let directory = PrivateFiles.resolved(wanted) else {
      return try refuse("Failed to change directory to \(wanted)")
    }
    for file in options.values["file"] ?? [] where !PrivateFiles.exists(file.hasPrefix("/") ? file : directory + "/" + file) {
      return try refuse("File not found: \(file)")
    }
    let words = options.positionals.map { $0.contains(" ") ? "\"\($0)\"" : $0 }.joined(separator: " ")
    let message = words.isEmpty ? input : input.isEmpty ? words : words + "\n" + input
    if message.allSatisfy(\.isWhitespace) { return try refuse(line.isTwo ? "You must provide a message" : "You must provide a message or a command") }
    if options.flags.contains("fork"), options["session"] == nil, !options.flags.contains("continue") {
      return try refuse("--fork requires --continue or --session")
    }
    guard let configuration else { return console.fail("Config file at OPENCODE_CONFIG_CONTENT is not valid JSON") }
    let player = Player(script: script, console: console, store: store, configuration: configuration, environment: environment, options: options)
    return try runSession(player, options, configuration, directory, message)
  }

  private func runSession(_ player: Player, _ options: Options, _ configuration: JSONValue, _ directory: String, _ message: String) throws -> Int32 {
    let now = Player.now()
    var session = SessionStore.Session(
      id: player.identifier("ses"), title: options["title"] ?? String(message.prefix(50)), directory: directory, agent: "build", model: "m1", created: now,
      updated: now)
    var earlier: SessionStore.Session?
    if let id = options["session"] {
      earlier = store.session(id)
      if earlier == nil {
        if line != .two { return try refuse("Session not found") }
        // The releases make one of that name without a word.
        session.id = id
      }
    } else if options.flags.contains("continue") {
      earlier = store.all().first { $0.parent == nil && $0.directory == directory }
    }
    if let earlier {
      // 1.x then works in the session's folder and waits for events that never come.
      if line == .one, earlier.directory != directory { player.hang() }
      let id = options.flags.contains("fork") ? session.id : earlier.id
      session = earlier
      if id != earlier.id { (session.id, session.title, session.created) = (id, earlier.title + " (fork #1)", now) }
    }
    if ownsProcess, line.isTwo { Interruption.prepare(session: session.id) }
    if let agent = options["agent"] {
      let isKnown = Places.agents(configuration).contains(agent)
      if line.isTwo, !isKnown { return try failed("unknown", "Agent not found: \"\(agent)\"", session) }
      if isKnown, line.isTwo || !Places.isSubagent(agent, configuration) {
        session.agent = agent
      } else {
        let why = isKnown ? "agent \"\(agent)\" is a subagent, not a primary agent." : "agent \"\(agent)\" not found."
        console.complain("\u{1B}[93m\u{1B}[1m! \u{1B}[0m \(why) Falling back to default agent\n")
      }
    }
    guard let model = try model(options, configuration, player, session) else { return 1 }
    session.model = model.id
    let messages = Messages(line: line)
    session.messages.append(messages.user(message, session: session, player.identifier("msg"), player.identifier("prt")))
    try store.save(session)
    let ending = try player.play(&session, try nextRun(), model: model, isRoot: true)
    switch ending {
    case .finished: return script.exit
    case .stopped: return 0
    case .failed: return script.version.hasPrefix("1.3.") ? 0 : 1
    case .exit(let code): return code
    }
  }

  private func failed(_ type: String, _ why: String, _ session: SessionStore.Session) throws -> Int32 {
    try console.print(Shapes.error(["type": .string(type), "message": .string(why)], session: session.id, at: Player.now()))
    return 1
  }

  /// nil: there is no such model, which has been said.
  private func model(_ options: Options, _ configuration: JSONValue, _ player: Player, _ session: SessionStore.Session) throws -> Model? {
    let standard = configuration["model"]?.string.flatMap { Model.named($0) == nil ? nil : $0 } ?? "\(Model.provider)/m1"
    guard var reference = options["model"] else { return Model.named(standard) }
    if line.isTwo { reference = String(reference.split(separator: "#", maxSplits: 1).first ?? "") }
    if let model = Model.named(reference) { return model }
    if line.isTwo {
      if reference.contains("/") {
        _ = try failed("provider.no-route", "Model unavailable: \(reference)", session)
      } else {
        _ = try refuse("Invalid model reference: \(reference)")
      }
      return nil
    }
    let name = reference.contains("/") ? reference : reference + "/"
    let ref = "err_" + String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
    let error = JSONValue.string("ProviderModelNotFoundError: Model not found: \(name).").text
    player.log("message=failed ref=\(ref) error=\(error) cause=\(error)")
    try store.save(session)
    let data: JSONValue = ["message": "Unexpected server error. Check server logs for details.", "ref": .string(ref)]
    try console.print(Shapes.error(["name": "UnknownError", "data": data], session: session.id, at: Player.now()))
    return nil
  }

  /// The turns of this run: the first run gets the first list, the last list serves all later ones.
  private func nextRun() throws -> [Turn] {
    guard script.runs.count > 1 else { return script.runs.first ?? [] }
    let count = store.folder + "/runs"
    var lock: FileLock?
    while lock == nil {
      lock = try FileLock.take(count + ".lock")
      if lock == nil { Thread.sleep(forTimeInterval: 0.01) }
    }
    defer { lock?.release() }
    let played = (try? PrivateFiles.read(count)).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    try PrivateFiles.replace(count, with: Array("\(played + 1)".utf8))
    return script.runs[min(max(0, played), script.runs.count - 1)]
  }
}
