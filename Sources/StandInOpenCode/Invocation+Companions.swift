import Foundation
import JSON
import PosixSupport

/// The subcommands beside `run`.
extension Invocation {
  /// nil: it was called wrongly.
  func companion(_ command: String, _ options: Options) throws -> Int32? {
    let words = options.positionals
    switch (command, words.first) {
    case ("models", let provider): return try models(provider, options)
    case ("export", let id): return try export(build.isTwo ? options["session"] : id, announced: !build.isTwo)
    case ("session", "list"): return try sessionList(options)
    case ("session", "export") where build.isTwo: return try export(words.dropFirst().first ?? options["session"], announced: false)
    case ("session", "delete"): return try sessionDelete(words.dropFirst().first)
    case ("stats", _): return try build.isTwo ? statistics(options) : statisticsInBoxes(options)
    case ("agent", "list"): return try agentList()
    case ("auth", "list"), ("providers", "list"): return try authList(options)
    case ("db", let query): return try database(query ?? "")
    case ("debug", "paths"): return try debugPaths()
    case ("debug", "agents") where build.isTwo:
      try console.print("[]\n")
      return 0
    case ("debug", "config") where build.isTwo:
      try console.print(try configuration(in: workingFolder).listing.prettyText + "\n")
      return 0
    case ("service", let verb) where build.isTwo: return try service(verb)
    case ("api", _): return try APIAnswers(invocation: self).answer(words)
    default: return nil
    }
  }

  private func models(_ provider: String?, _ options: Options) throws -> Int32 {
    // The recorded build printed nothing at all with a private server.
    if build.isPreview, options.flags.contains("standalone") { return 0 }
    if let provider, provider != Model.provider { return console.fail("Provider not found: \(provider)") }
    for model in Model.all {
      try console.print("\(Model.provider)/\(model.id)\n")
      if options.flags.contains("verbose") { try console.print(model.description.prettyText + "\n") }
    }
    return 0
  }

  /// What 1.x's runs don't offer.
  private static let withoutAPerson = Rules.legacyJSON(["question", "plan_enter", "plan_exit"].map { .init($0, "*", .deny) })

  func info(_ session: SessionStore.Session) -> JSONObject {
    let time: JSONValue = ["created": JSONValue(session.created), "updated": JSONValue(session.updated)]
    var info: JSONObject = ["id": .string(session.id)]
    info["parentID"] = session.parent.map { .string($0) }
    info["projectID"] = .string(Places.project(session.directory))
    if build.isTwo {
      if session.parent != nil { info["agent"] = .string(session.agent) }
      info["cost"] = .number(session.usage.cost)
      info["tokens"] = session.usage.tokens(withTotal: false)
      info["time"] = time
      info["title"] = .string(session.title)
      info["location"] = ["directory": .string(session.directory)]
      if info["projectID"] == "global" { info["subpath"] = .string(String(session.directory.dropFirst())) }
      if build.isReleased { info["outcome"] = session.outcome.map { .string($0) } }
      return info
    }
    info.merge([
      "slug": "quiet-stand-in", "directory": .string(session.directory), "path": "", "title": .string(session.title), "agent": .string(session.agent),
      "model": ["id": .string(session.model), "providerID": .string(Model.provider), "variant": "default"], "version": .string(build.version),
      "summary": ["additions": 0, "deletions": 0, "files": 0],
    ])
    if !build.isAncient {
      info["cost"] = .number(session.usage.cost)
      info["tokens"] = session.usage.tokens(withTotal: false)
    }
    info["permission"] = Invocation.withoutAPerson
    info["time"] = time
    return info
  }

  private func export(_ id: String?, announced: Bool) throws -> Int32 {
    guard let id else {
      return build.isTwo ? console.failTwo("Session ID is required when stdin is not interactive") : console.fail("No session selected")
    }
    if announced { console.complain("Exporting session: \(id)\n") }
    guard let session = store.session(id) else {
      return build.isTwo ? console.failTwo("Session not found: \(id)") : console.fail("Session not found: \(id)")
    }
    try console.print(JSONValue.object(["info": .object(info(session)), "messages": .array(session.messages)]).prettyText + "\n")
    return 0
  }

  private func sessionList(_ options: Options) throws -> Int32 {
    let limit = options["max-count"].flatMap { Int($0) } ?? .max
    let sessions = store.all().filter { $0.parent == nil && Places.project($0.directory) == project }.prefix(max(0, limit))
    if options["format"] == "json" {
      try console.print(
        JSONValue.array(
          sessions.map {
            [
              "id": .string($0.id), "title": .string($0.title), "updated": JSONValue($0.updated), "created": JSONValue($0.created),
              "projectId": .string(project),
              "directory": .string($0.directory),
            ]
          }
        ).prettyText + "\n")
    } else {
      for session in sessions { try console.print("\(session.id)  \(session.title)\n") }
    }
    return 0
  }

  private func sessionDelete(_ id: String?) throws -> Int32 {
    guard let id, store.session(id) != nil else {
      return build.isTwo ? console.failTwo("Session not found: \(id ?? "")") : console.fail("Session not found: \(id ?? "")")
    }
    for session in store.list(parent: id) { _ = try sessionDelete(session.id) }
    unlink("\(store.folder)/\(id).json")
    unlink(store.outcomeFile(id))
    service.release(id)
    return 0
  }

  private func service(_ verb: String?) throws -> Int32? {
    switch verb {
    case "status": try console.print((service.isRunning ? "http://127.0.0.1:4096" : "stopped") + "\n")
    case "start", "restart": try service.start(by: ["service", verb ?? ""])
    case "stop": try service.stop()
    case "get", "set", "unset": break
    default: return nil
    }
    return 0
  }

  /// 1.x's rows of table `session` for the session that the query names and those below it.
  private func database(_ query: String) throws -> Int32 {
    guard query.contains("session"), let name = query.firstMatch(of: /ses_[A-Za-z0-9]+/) else { return console.fail("the stand-in knows no other query") }
    var found = store.session(String(name.0)).map { [$0] } ?? []
    var index = 0
    while index < found.count {
      found += store.list(parent: found[index].id).reversed()
      index += 1
    }
    try console.print(JSONValue.array(found.map(row)).prettyText + "\n")
    return 0
  }

  private func row(_ session: SessionStore.Session) -> JSONValue {
    var row: JSONObject = [
      "id": .string(session.id), "project_id": .string(Places.project(session.directory)), "workspace_id": .null,
      "parent_id": session.parent.map { .string($0) } ?? .null, "slug": "quiet-stand-in", "directory": .string(session.directory), "path": "",
      "title": .string(session.title), "version": .string(build.version), "share_url": .null, "summary_additions": 0, "summary_deletions": 0,
      "summary_files": 0, "summary_diffs": .null, "metadata": .null,
    ]
    if !build.isAncient {
      let usage = session.usage
      row.merge([
        "cost": .number(usage.cost), "tokens_input": JSONValue(usage.input), "tokens_output": JSONValue(usage.output),
        "tokens_reasoning": JSONValue(usage.reasoning), "tokens_cache_read": JSONValue(usage.cacheRead), "tokens_cache_write": 0,
        "agent": .string(session.agent), "model": .string(#"{"id":"\#(session.model)","providerID":"\#(Model.provider)","variant":"default"}"#),
      ])
    }
    row["revert"] = .null
    row["permission"] = .string(Invocation.withoutAPerson.text)
    row.merge(["time_created": JSONValue(session.created), "time_updated": JSONValue(session.updated), "time_compacting": .null, "time_archived": .null])
    return .object(row)
  }

  private func agentList() throws -> Int32 {
    let configuration: Configuration
    do { configuration = try self.configuration(in: workingFolder) } catch let error as Configuration.Unreadable {
      return console.fail("Config file at \(error.path) is not valid JSON")
    }
    for agent in agents(configuration) {
      let rules = Rules.legacyJSON(agent.rules.list, patternFirst: false).prettyText
      try console.print("\(agent.name) (\(agent.mode))\n  \(rules)\n")
    }
    return 0
  }

  private func authList(_ options: Options) throws -> Int32 {
    if build.isTwo {
      let rows = script.credentials.map { id -> JSONValue in
        let connection: JSONValue = ["type": "credential", "id": .string("cred_\(id)"), "label": "default", "method": "key"]
        return ["id": .string(id), "name": .string(id.capitalized), "connections": [connection]]
      }
      if options["format"] == "json" {
        try console.print(JSONValue.array(rows).prettyText + "\n")
      } else {
        try console.print(rows.isEmpty ? "No authenticated integrations\n" : script.credentials.map { "\($0.capitalized)  default  stored\n" }.joined())
      }
      return 0
    }
    console.complain("\u{1B}[0m\n")
    let rows = script.credentials.map { "●  \($0) api\n│\n" }.joined()
    try console.print("┌  Credentials ~/.local/share/opencode/auth.json\n│\n\(rows)└  \(script.credentials.count) credentials\n\n")
    return 0
  }

  private func debugPaths() throws -> Int32 {
    let home = environment["HOME"] ?? "/"
    let data = environment["XDG_DATA_HOME"] ?? home + "/.local/share"
    let cache = environment["XDG_CACHE_HOME"] ?? home + "/.cache"
    let rows = [
      ("home", home), ("data", data + "/opencode"), ("bin", cache + "/opencode/bin"), ("log", data + "/opencode/log"), ("repos", data + "/opencode/repos"),
      ("cache", cache + "/opencode"), ("config", (environment["XDG_CONFIG_HOME"] ?? home + "/.config") + "/opencode"),
      ("state", (environment["XDG_STATE_HOME"] ?? home + "/.local/state") + "/opencode"), ("tmp", "/tmp/opencode"),
    ]
    try console.print(rows.map { $0.0.padded(to: 11) + $0.1 + "\n" }.joined())
    return 0
  }
}
