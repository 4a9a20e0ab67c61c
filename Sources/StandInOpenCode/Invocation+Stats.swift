import Foundation
import JSON

/// `opencode stats`.
extension Invocation {
  private static func midnight() -> Int { Int(Calendar.current.startOfDay(for: Date()).timeIntervalSince1970) * 1000 }

  // MARK: 2.x

  /// Of this calendar year unless asked otherwise; `--days 1` is today as `--days 0` is.
  func statistics(_ options: Options) throws -> Int32 {
    let days = options["days"].flatMap { Int($0) }
    let year = options["year"].flatMap { Int($0) }
    if [days != nil, year != nil, options.flags.contains("all")].filter({ $0 }).count > 1 {
      return console.failTwo("--days, --year, and --all cannot be combined")
    }
    let calendar = Calendar.current
    let asked = year ?? calendar.component(.year, from: Date())
    func start(of year: Int) -> Int { Int((calendar.date(from: DateComponents(year: year)) ?? Date()).timeIntervalSince1970) * 1000 }
    var (from, to) = (start(of: asked), min(start(of: asked + 1), Player.now() + 1))
    if options.flags.contains("all") { from = 0 }
    if let days { (from, to) = (Invocation.midnight() - max(0, min(days, 100_000) - 1) * 86_400_000, Player.now() + 1) }
    let sessions = store.all().filter { session in
      let wanted = options["project"].map { $0 == "." ? project : $0 }
      return session.updated >= from && session.updated < to && wanted.map { $0 == Places.project(session.directory) } ?? true
    }
    let messages = sessions.flatMap(\.messages)
    func isOf(_ type: String) -> (JSONValue) -> Bool { { $0["type"]?.string == type } }
    let steps = messages.filter(isOf("assistant"))
    let tools = steps.flatMap { $0["content"]?.array ?? [] }.filter(isOf("tool")).compactMap { $0["state"]?["status"]?.string }
    let usage = sessions.reduce(Usage()) { $0 + $1.usage }
    let models = Dictionary(grouping: sessions, by: \.model).sorted { $0.key < $1.key }.map { model, sessions -> JSONValue in
      let used = sessions.reduce(Usage()) { $0 + $1.usage }
      return [
        "model": ["providerID": .string(Model.provider), "id": .string(model)],
        "steps": JSONValue(sessions.flatMap(\.messages).filter(isOf("assistant")).count), "cost": .number(used.cost), "tokens": used.tokens(withTotal: false),
      ]
    }
    let report: JSONValue = [
      "range": ["from": JSONValue(from), "to": JSONValue(to)], "sessions": JSONValue(sessions.filter { $0.parent == nil }.count),
      "subagents": JSONValue(sessions.filter { $0.parent != nil }.count), "prompts": JSONValue(messages.filter(isOf("user")).count),
      "steps": JSONValue(steps.count), "activeDays": JSONValue(Set(sessions.map { $0.updated / 86_400_000 }).count), "streak": 1,
      "cost": .number(usage.cost), "tokens": usage.tokens(withTotal: false),
      "tools": [
        "succeeded": JSONValue(tools.filter { $0 == "completed" }.count), "failed": JSONValue(tools.filter { $0 == "error" }.count),
        "unfinished": JSONValue(tools.filter { $0 == "running" }.count),
      ], "toolUsage": [], "activity": [], "models": .array(models),
    ]
    try console.print(options.flags.contains("json") ? report.prettyText + "\n" : "opencode stats\n\n\(sessions.count) sessions\n")
    return 0
  }

  // MARK: 1.x

  /// 1.x draws boxes, with rounded numbers.
  func statisticsInBoxes(_ options: Options) throws -> Int32 {
    var sessions = store.all()
    let days = options["days"].flatMap { Int($0) }
    if let days {
      let from = days == 0 ? Invocation.midnight() : Player.now() - max(0, min(days, 100_000)) * 86_400_000
      sessions = sessions.filter { $0.updated >= from }
    }
    if let wanted = options["project"] { sessions = sessions.filter { Places.project($0.directory) == (wanted.isEmpty ? project : wanted) } }
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
}
