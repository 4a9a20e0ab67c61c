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
    case ("export", let id): return try export(line.isTwo ? options["session"] : id, announced: !line.isTwo)
    case ("session", "list"): return try sessionList(options)
    case ("session", "export") where line.isTwo: return try export(words.dropFirst().first ?? options["session"], announced: false)
    case ("stats", _): return try stats(options)
    case ("agent", "list"): return try agentList()
    case ("auth", "list"), ("providers", "list"): return try authList(options)
    case ("debug", "paths"): return try debugPaths()
    case ("debug", "agents") where line.isTwo:
      try console.print("[]\n")
      return 0
    case ("api", _): return try api(words)
    default: return nil
    }
  }

  private func models(_ provider: String?, _ options: Options) throws -> Int32 {
    // The recorded build printed nothing at all with a private server.
    if line == .twoPreview, options.flags.contains("standalone") { return 0 }
    if let provider, provider != Model.provider { return console.fail("Provider not found: \(provider)") }
    for model in Model.all {
      try console.print("\(Model.provider)/\(model.id)\n")
      if options.flags.contains("verbose") { try console.print(model.description.prettyText + "\n") }
    }
    return 0
  }

  private func info(_ session: SessionStore.Session) -> JSONObject {
    let time: JSONValue = ["created": JSONValue(session.created), "updated": JSONValue(session.updated)]
    var info: JSONObject = ["id": .string(session.id)]
    info["parentID"] = session.parent.map { .string($0) }
    info["projectID"] = .string(Places.project(session.directory))
    if line.isTwo {
      info["cost"] = .number(session.usage.cost)
      info["tokens"] = session.usage.tokens(withTotal: false)
      info["time"] = time
      info["title"] = .string(session.title)
      info["location"] = ["directory": .string(session.directory)]
      if line == .two { info["outcome"] = .string(session.outcome) }
      return info
    }
    info.merge([
      "slug": "quiet-stand-in", "directory": .string(session.directory), "path": "", "title": .string(session.title), "agent": .string(session.agent),
      "model": ["id": .string(session.model), "providerID": .string(Model.provider), "variant": "default"], "version": .string(script.version),
      "summary": ["additions": 0, "deletions": 0, "files": 0], "cost": .number(session.usage.cost), "tokens": session.usage.tokens(withTotal: false),
      "permission": .array(["question", "plan_enter", "plan_exit"].map { ["permission": .string($0), "pattern": "*", "action": "deny"] }), "time": time,
    ])
    return info
  }

  private func export(_ id: String?, announced: Bool) throws -> Int32 {
    guard let id else {
      if line.isTwo {
        console.complain("[00:00:00.000] ERROR (#1): Error: Session ID is required when stdin is not interactive\n")
        return 1
      }
      return console.fail("No session selected")
    }
    if announced { console.complain("Exporting session: \(id)\n") }
    guard let session = store.session(id) else {
      if line.isTwo {
        console.complain("[00:00:00.000] ERROR (#1): Error: Session not found: \(id)\n")
        return 1
      }
      return console.fail("Session not found: \(id)")
    }
    try console.print(JSONValue.object(["info": .object(info(session)), "messages": .array(session.messages)]).prettyText + "\n")
    return 0
  }

  private func sessionList(_ options: Options) throws -> Int32 {
    let limit = options["max-count"].flatMap { Int($0) } ?? .max
    let project = Places.project(PrivateFiles.resolved(workingFolder) ?? workingFolder)
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

  private func api(_ words: [String]) throws -> Int32? {
    let prefix = "/api/session/"
    guard words.count == 2, words[0] == "GET", words[1].hasPrefix(prefix) else { return nil }
    let id = String(words[1].dropFirst(prefix.count))
    if let session = store.session(id) {
      try console.print(["data": .object(info(session))])
    } else {
      try console.print(["_tag": "SessionNotFoundError", "sessionID": .string(id), "message": .string("Session not found: \(id)")])
    }
    return 0
  }

  // MARK: Tables

  private func stats(_ options: Options) throws -> Int32 {
    var sessions = store.all()
    let days = options["days"].flatMap { Int($0) }
    if let days {
      let midnight = Int(Calendar.current.startOfDay(for: Date()).timeIntervalSince1970) * 1000
      let from = days == 0 ? midnight : Player.now() - max(0, min(days, 100_000)) * 86_400_000
      sessions = sessions.filter { $0.updated >= from }
    }
    if let project = options["project"] {
      let wanted = project.isEmpty ? Places.project(PrivateFiles.resolved(workingFolder) ?? workingFolder) : project
      sessions = sessions.filter { Places.project($0.directory) == wanted }
    }
    let sum = sessions.reduce(Usage()) { $0 + $1.usage }
    let totals = sessions.map { $0.usage.input + $0.usage.output + $0.usage.reasoning + $0.usage.cacheRead }.sorted()
    let dayCount = max(1, days ?? 1)
    try box("OVERVIEW", [("Sessions", "\(sessions.count)"), ("Messages", "\(sessions.map(\.messages.count).reduce(0, +))"), ("Days", "\(dayCount)")])
    try box(
      "COST & TOKENS",
      [
        ("Total Cost", dollars(sum.cost)), ("Avg Cost/Day", dollars(sum.cost / Double(dayCount))),
        ("Avg Tokens/Session", rounded(totals.isEmpty ? 0 : totals.reduce(0, +) / totals.count)),
        ("Median Tokens/Session", rounded(totals.isEmpty ? 0 : totals[totals.count / 2])), ("Input", rounded(sum.input)), ("Output", rounded(sum.output)),
        ("Cache Read", rounded(sum.cacheRead)), ("Cache Write", "0"),
      ])
    if options.flags.contains("models") || options["models"] != nil {
      let models = Dictionary(grouping: sessions, by: \.model).sorted { $0.key < $1.key }
      try box(
        "MODEL USAGE",
        models.prefix(max(0, options["models"].flatMap { Int($0) } ?? .max)).flatMap { model, sessions in
          let used = sessions.reduce(Usage()) { $0 + $1.usage }
          return [
            (" \(Model.provider)/\(model)", ""), ("  Messages", "\(sessions.map(\.messages.count).reduce(0, +))"), ("  Input Tokens", rounded(used.input)),
            ("  Output Tokens", rounded(used.output)), ("  Cache Read", rounded(used.cacheRead)), ("  Cache Write", "0"),
            ("  Cost", String(format: "$%.4f", used.cost)),
          ]
        })
    }
    return 0
  }

  private func dollars(_ value: Double) -> String { String(format: "$%.2f", value) }

  private func rounded(_ value: Int) -> String {
    value >= 1_000_000 ? String(format: "%.1fM", Double(value) / 1e6) : value >= 1000 ? String(format: "%.1fK", Double(value) / 1e3) : "\(value)"
  }

  private func box(_ title: String, _ rows: [(String, String)]) throws {
    let edge = String(repeating: "─", count: 56)
    let left = (56 - title.count) / 2
    var text = "┌\(edge)┐\n│" + String(repeating: " ", count: left) + title + String(repeating: " ", count: 56 - left - title.count) + "│\n├\(edge)┤\n"
    for (name, value) in rows { text += "│\(name.padded(to: 55 - value.count))\(value) │\n" }
    try console.print(text + "└\(edge)┘\n\n")
  }

  private func agentList() throws -> Int32 {
    guard let configuration else { return console.fail("Config file at OPENCODE_CONFIG_CONTENT is not valid JSON") }
    let override = environment["OPENCODE_PERMISSION"].flatMap { try? JSONValue(parsing: Array($0.utf8)) }
    for name in Places.agents(configuration) {
      let rules = Permissions(line: line, agent: name, configuration: configuration, override: override).rules.map { rule -> JSONValue in
        ["permission": .string(rule.permission), "action": .string(rule.action.rawValue), "pattern": .string(rule.pattern)]
      }
      try console.print("\(name) (\(Places.isSubagent(name, configuration) ? "subagent" : "primary"))\n  \(JSONValue.array(rules).prettyText)\n")
    }
    return 0
  }

  private func authList(_ options: Options) throws -> Int32 {
    if line.isTwo, options["format"] == "json" {
      try console.print(JSONValue.array(script.credentials.map { ["id": .string($0)] }).text + "\n")
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
