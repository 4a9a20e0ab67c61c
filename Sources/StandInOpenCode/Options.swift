/// A subcommand's options, read as strictly as OpenCode does.
struct Options {
  struct Known {
    enum Kind { case flag, value, list, optional }
    let name: String
    var short: Character?
    var kind = Kind.value
  }

  private(set) var flags: Set<String> = []
  private(set) var values: [String: [String]] = [:]
  private(set) var positionals: [String] = []

  subscript(name: String) -> String? { values[name]?.last }

  /// nil: something is unknown, missing its value, or help was asked for.
  init?(_ arguments: [String], known: [Known], build: Build) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        positionals += rest
        return
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        positionals.append(argument)
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isLong = argument.hasPrefix("--")
      let name = String(parts[0].dropFirst(isLong ? 2 : 1))
      guard let option = known.first(where: { isLong ? $0.name == name : $0.short.map { String($0) == name } ?? false }) else { return nil }
      switch option.kind {
      case .flag:
        guard parts.count == 1 || parts[1] == "true" || parts[1] == "false" else { return nil }
        if parts.count == 1 || parts[1] == "true" { flags.insert(option.name) }
      case .optional where parts.count == 1 && rest.first?.hasPrefix("-") ?? true: flags.insert(option.name)
      case .value, .list, .optional:
        if parts.count == 2 {
          values[option.name, default: []].append(String(parts[1]))
        } else {
          guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
          values[option.name, default: []].append(value)
          // In 1.x `--file a b` takes both.
          while option.kind == .list, !build.isTwo, let more = rest.first, !more.hasPrefix("-") {
            values[option.name, default: []].append(more)
            rest = rest.dropFirst()
          }
        }
      }
    }
  }
}

/// The subcommands of both generations with their options.
enum Commands {
  private static func flags(_ names: String...) -> [Options.Known] { names.map { Options.Known(name: $0, kind: .flag) } }
  private static func values(_ names: String...) -> [Options.Known] { names.map { Options.Known(name: $0) } }

  /// nil: there is no such subcommand.
  static func options(_ command: String, build: Build) -> [Options.Known]? {
    let common = (build.takesPrintLogs ? flags("print-logs") : []) + (build.isTwo ? [] : flags("pure")) + values("log-level")
    let server = build.isTwo ? flags("standalone") + values("server") : []
    let own: [Options.Known]
    switch (command, build.isTwo) {
    case ("run", let isTwo):
      let shared: [Options.Known] = [
        .init(name: "continue", short: "c", kind: .flag), .init(name: "session", short: "s"), .init(name: "fork", kind: .flag),
        .init(name: "model", short: "m"),
        .init(name: "agent"), .init(name: "format"), .init(name: "file", short: "f", kind: .list), .init(name: "title"), .init(name: "thinking", kind: .flag),
      ]
      var added: [Options.Known] = []
      if build.takesAuto { added += flags("auto") }
      if build.takesSkipPermissions { added += flags("dangerously-skip-permissions") }
      if isTwo {
        added += flags("yolo")
      } else {
        added += values("command", "attach", "password", "username", "dir", "port", "variant") + flags("share", "interactive")
      }
      own = shared + added
    case ("models", false): own = flags("verbose", "refresh")
    case ("models", true): own = []
    case ("export", false): own = flags("sanitize")
    case ("export", true): own = flags("sanitize") + [.init(name: "session", short: "s")]
    case ("session", let isTwo) where build.isReleased || !isTwo:
      own = [.init(name: "format"), .init(name: "max-count", short: "n"), .init(name: "sanitize", kind: .flag)]
    case ("stats", false): own = values("days", "tools", "project") + [.init(name: "models", kind: .optional)]
    case ("stats", true) where build.isReleased:
      own = values("days", "year", "limit", "project") + flags("all", "json", "models", "tools", "cost", "full")
    case ("agent", false), ("debug", _), ("service", true): own = []
    case ("auth", false), ("providers", false): own = []
    case ("auth", true) where build.isReleased: own = values("format")
    case ("db", false): own = values("format")
    case ("api", true): own = [.init(name: "data", short: "d"), .init(name: "header", short: "H"), .init(name: "param")]
    default: return nil
    }
    return own + common + server
  }

  /// The help text of a subcommand, in each generation's own form.
  static func help(_ command: String, build: Build, known: [Options.Known]) -> String {
    if build.isTwo {
      let flags = known.map { "  --\($0.name)\($0.short.map { ", -\($0)" } ?? "")\($0.kind == .flag ? "" : " string")" }
      return (["USAGE", "  opencode2 \(command) [flags]", "", "FLAGS"] + flags).joined(separator: "\n") + "\n"
    }
    let rows = known.map { option in
      "\(option.short.map { "  -\($0), " } ?? "      ")--\(option.name)".padded(to: 30)
        + (option.kind == .flag ? "[boolean]" : option.kind == .list ? "[array]" : "[string]")
    }
    let options = ["  -h, --help".padded(to: 30) + "[boolean]", "  -v, --version".padded(to: 30) + "[boolean]"] + rows
    return (["opencode \(command)\(command == "run" ? " [message..]" : "")", "", "Options:"] + options).joined(separator: "\n") + "\n"
  }
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
