import Foundation
import JSON
import PosixSupport

/// `opencode run`.
extension Invocation {
  func runMessage(_ options: Options) throws -> Int32 {
    // Before anything else, and for ever if nobody closes it.
    let input: String
    switch script.input {
    case .read: input = console.inputIsFile && !script.readsFileInput ? "" : console.readAll()
    case .ignored: input = "(standard input was not read)"
    case .ends(let bytes, let code, let signal):
      _ = console.readAll(limit: bytes)
      if let signal { kill(getpid(), signal) }
      return code
    }
    let wanted = options["dir"] ?? workingFolder
    guard PrivateFiles.isFolder(wanted), let directory = PrivateFiles.resolved(wanted) else {
      return try refuse("Failed to change directory to \(wanted)")
    }
    if let why = attachments(options.values["file"] ?? [], directory) { return try refuse(why) }
    let words = options.positionals.map { $0.contains(" ") ? "\"\($0)\"" : $0 }.joined(separator: " ")
    let message = words.isEmpty ? input : input.isEmpty ? words : words + "\n" + input
    if message.allSatisfy(\.isWhitespace) { return try refuse(build.isTwo ? "You must provide a message" : "You must provide a message or a command") }
    if options.flags.contains("fork"), options["session"] == nil, !options.flags.contains("continue") {
      return try refuse("--fork requires --continue or --session")
    }
    let configuration: Configuration
    do { configuration = try self.configuration(in: directory) } catch let error as Configuration.Unreadable {
      return console.fail("Config file at \(error.path) is not valid JSON")
    }
    let player = Player(
      script: script, console: console, store: store, configuration: configuration, agents: agents(configuration), environment: environment, options: options)
    return try runSession(player, options, directory, message)
  }

  /// Why the attachments can't be; 2.x takes at most 100 files of at most 10 MiB.
  private func attachments(_ files: [String], _ directory: String) -> String? {
    for file in files {
      var info = stat()
      guard stat(file.hasPrefix("/") ? file : directory + "/" + file, &info) == 0 else { return "File not found: \(file)" }
      if build.isReleased, info.st_mode & S_IFMT != S_IFREG || info.st_size > 10 << 20 {
        return "Cannot attach a directory, special file, or file larger than 10 MiB: \(file)"
      }
    }
    return build.isReleased && files.count > 100 ? "Cannot attach more than 100 files" : nil
  }

  private func runSession(_ player: Player, _ options: Options, _ directory: String, _ message: String) throws -> Int32 {
    let now = Player.now()
    let standard = player.configuration.merged["default_agent"]?.string.flatMap { name in player.agents.first { $0.name == name }?.name }
    var session = SessionStore.Session(
      id: player.identifier("ses"), title: options["title"] ?? String(message.prefix(50)), directory: directory, agent: standard ?? "build", model: "m1",
      created: now, updated: now)
    var earlier: SessionStore.Session?
    if let id = options["session"] {
      earlier = store.session(id)
      if earlier == nil {
        if !build.inventsSessions { return try refuse("Session not found") }
        // Newer releases make one of that name without a word.
        session.id = id
      }
    } else if options.flags.contains("continue") {
      earlier = store.all().first { $0.parent == nil && $0.directory == directory }
    }
    if let earlier {
      // 1.x then works in the session's folder and waits for events that never come.
      if !build.isTwo, earlier.directory != directory { try player.hang() }
      let id = options.flags.contains("fork") ? session.id : earlier.id
      session = earlier
      if id != earlier.id { (session.id, session.title, session.created) = (id, earlier.title + " (fork #1)", now) }
      session.outcome = nil
    }
    unlink(store.outcomeFile(session.id))
    if ownsProcess, build.isTwo {
      try Interruption.prepare(
        session: session.id, claim: build.isReleased ? service.claimFile(session.id) : nil, outcome: store.outcomeFile(session.id))
    }
    if let name = options["agent"] {
      let agent = player.agents.first { $0.name == name }
      if build.isTwo, agent == nil { return try failed("unknown", "Agent not found: \"\(name)\"", session) }
      if let agent, build.isTwo || !agent.isSubagent {
        session.agent = name
      } else {
        let why = agent == nil ? "agent \"\(name)\" not found." : "agent \"\(name)\" is a subagent, not a primary agent."
        console.complain("\u{1B}[93m\u{1B}[1m! \u{1B}[0m \(why) Falling back to default agent\n")
      }
    }
    guard let model = try model(options, player, session) else { return 1 }
    session.model = model.id
    let part: JSONObject = ["type": "text", "text": .string(message), "id": .string(player.identifier("prt"))]
    session.put(player.messages.user(message, session: session, player.identifier("msg"), part: part))
    try store.save(session)
    if build.isReleased { try service.claim(session.id) }
    let turns = script.runs.count > 1 ? script.runs[min(try store.count("runs"), script.runs.count) - 1] : script.runs.first ?? []
    let ending = try player.play(&session, turns, model: model, isRoot: true)
    player.background.cancel()
    service.release(session.id)
    try player.sleep(script.linger)
    switch ending {
    case .finished: return player.saidError ? 1 : script.exit
    case .stopped: return 0
    case .failed: return build.isAncient ? 0 : 1
    case .exit(let code): return code
    }
  }

  private func failed(_ type: String, _ why: String, _ session: SessionStore.Session) throws -> Int32 {
    try console.print(Shapes.error(["type": .string(type), "message": .string(why)], session: session.id, at: Player.now()))
    return 1
  }

  /// nil: there is no such model, which has been said.
  private func model(_ options: Options, _ player: Player, _ session: SessionStore.Session) throws -> Model? {
    let configured = [player.agents.first { $0.name == session.agent }?.model, player.configuration.merged["model"]?.string]
    let standard = configured.compactMap { $0.flatMap(Model.named) }.first
    guard var reference = options["model"] else { return standard ?? Model.all[0] }
    let variant = build.isTwo ? reference.split(separator: "#", maxSplits: 1).dropFirst().first.map(String.init) : nil
    if build.isTwo { reference = String(reference.split(separator: "#", maxSplits: 1).first ?? "") }
    if let model = Model.named(reference) {
      guard let variant, !model.variants.contains(variant) else { return model }
      _ = try failed("provider.no-route", "Variant unavailable for \(reference): \(variant)", session)
      return nil
    }
    if build.isTwo {
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
}
