import Foundation
import JSON
import PosixSupport

/// One call of the program.
struct Invocation {
  let script: Script
  let store: SessionStore
  let service: Service
  let environment: [String: String]
  let console: Console
  let ownsProcess: Bool

  var build: Build { script.build }

  func run(_ arguments: [String]) throws -> Int32 {
    let command = arguments.first ?? ""
    let fitting = script.overrides.filter { $0.fits(arguments) != nil }.max { ($0.fits(arguments) ?? 0) < ($1.fits(arguments) ?? 0) }
    if let code = try fitting?.play(console: console, store: store, build: build) { return code }
    if ["--version", "-v"].contains(command) {
      try console.print(build.banner + "\n")
      return 0
    }
    if ["--session", "--standalone"].contains(where: command.hasPrefix) {
      // OpenCode's own interface, as far as it concerns others.
      if build.isTwo, !arguments.contains("--standalone") { try service.start(by: arguments) }
      try console.print("interface: \(arguments.joined(separator: " "))\n")
      return 0
    }
    guard let known = Commands.options(command, build: build) else { return try help(command.isEmpty ? "[command]" : command, []) }
    let rest = Array(arguments.dropFirst())
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      _ = try help(command, known)
      return 0
    }
    guard let options = Options(rest, known: known, build: build) else { return try help(command, known) }
    if build.isTwo, options.flags.contains("print-logs"), !options.flags.contains("standalone") { return try help(command, known) }
    if needsServer(command, options) { try service.start(by: arguments) }
    return try command == "run" ? runMessage(options) : companion(command, options) ?? help(command, known)
  }

  /// In 2.x nearly everything asks a server: its own with `--standalone`, else the service, which is started.
  private func needsServer(_ command: String, _ options: Options) -> Bool {
    guard build.isTwo, command != "service", options["server"] == nil else { return false }
    if command == "debug" { return options.positionals.first != "paths" }
    return !options.flags.contains("standalone")
  }

  /// Help goes to standard error in 1.x since 1.17, else to standard output.
  private func help(_ command: String, _ known: [Options.Known]) throws -> Int32 {
    let text = Commands.help(command, build: build, known: known)
    if !build.isTwo, !build.isAncient { console.complain(text) } else { try console.print(text) }
    return 1
  }

  // MARK: What a call works with

  /// PWD decides, whatever the real one is.
  var workingFolder: String {
    let actual = FileManager.default.currentDirectoryPath
    return build.isAncient ? actual : environment["PWD"] ?? actual
  }

  var project: String { Places.project(PrivateFiles.resolved(workingFolder) ?? workingFolder) }

  func configuration(in folder: String) throws -> Configuration {
    try Configuration(build: build, environment: environment, folder: folder, user: script.config)
  }

  func agents(_ configuration: Configuration) -> [Agent] {
    Agent.all(configuration, override: environment["OPENCODE_PERMISSION"].flatMap { try? JSONValue(parsing: Array($0.utf8)) })
  }

  /// Something went wrong before a session existed.
  func refuse(_ why: String) throws -> Int32 {
    guard build.isTwo else { return console.fail(why) }
    try console.print(Shapes.error(["type": "unknown", "message": .string(why)], session: "", at: Player.now()))
    return 1
  }
}
