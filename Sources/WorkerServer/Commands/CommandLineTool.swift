import CodexSetup
import Desk
import Foundation
import MCP
import PosixSupport
import Runs
import StandInOpenCode

/// What `opencode-worker` was called to do.
enum CommandLineTool {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    // Called as `opencode`: the stand-in that the demo and the tests put on the PATH as a link to this binary.
    if let called = arguments.first, called == "opencode" || called.hasSuffix("/opencode") {
      let folder = (called as NSString).deletingLastPathComponent
      return StandIn.main(arguments: Array(arguments.dropFirst()), configuration: folder + "/stand-in.json")
    }
    let words = Array(arguments.dropFirst())
    if hidden.contains(words.first ?? "") == false, let warning = StateFolder.ignoredSetting(environment) { Terminal.error("opencode-worker: \(warning)") }
    let rest = Array(words.dropFirst())
    switch words.first {
    case nil: return ServeCommand.run(environment: environment)
    case "--help"?, "-h"?, "help"?:
      guard let name = rest.first, words[0] == "help" else {
        Terminal.line(UserCommand.overview)
        return ExitCode.success
      }
      guard let command = UserCommand.named(name) else { return wrong("there is no command \"\(Words.line(name, 80))\"\(UserCommand.suggestion(for: name))") }
      Terminal.line(command.help)
      return ExitCode.success
    case "--version"?, "-v"?, "version"?:
      Terminal.line("\(ServerInfo.name) \(ServerInfo.version)")
      return ExitCode.success
    case let name?:
      if let code = runHidden(name, rest, environment) { return code }
      guard let command = UserCommand.named(name) else { return wrong("there is no command \"\(Words.line(name, 80))\"\(UserCommand.suggestion(for: name))") }
      if rest == ["--help"] || rest == ["-h"] {
        Terminal.line(command.help)
        return ExitCode.success
      }
      do {
        return try command.run(rest, environment)
      } catch let error as CommandWords.Wrong {
        Terminal.error("opencode-worker: \(name): \(sentence("\(error)")) `opencode-worker \(name) --help` says more.")
        return ExitCode.usage
      } catch {
        Terminal.error("opencode-worker: \(name): \(error)")
        return ExitCode.failure
      }
    }
  }

  private static let hidden: Set = ["hook", "supervise", "detach", "measure", "launch"]

  /// What only the worker itself, Codex's hooks and the benchmark call.
  private static func runHidden(_ name: String, _ rest: [String], _ environment: [String: String]) -> Int32? {
    switch name {
    case "hook": HookCommand.run(environment: environment)
    case "supervise": SuperviseCommand.run(rest, environment: environment)
    case "detach": DetachCommand.run(rest)
    case "measure": MeasureCommand.run(rest, environment: environment)
    case "launch": Launch.main(rest, environment: environment)
    default: nil
    }
  }

  static func doctor(_ arguments: [String], _ environment: [String: String]) throws -> Int32 {
    // The words are looked at before anything else, on this thread.
    _ = try CommandWords(arguments, flags: ["--json", "--verbose"], most: 0)
    return finish {
      let manager = RunManager(state: .standard(environment), environment: environment)
      let code = try? await DoctorCommand.run(
        arguments: arguments, environment: environment, stateFolder: manager.state.root, first: OpenCodeChecks.parts(manager),
        last: RunChecks.parts(manager), output: { Terminal.line($0) })
      return code ?? ExitCode.usage
    }
  }

  private static func sentence(_ text: String) -> String { text.hasSuffix("?") ? text : text + "." }

  static func wrong(_ what: String) -> Int32 {
    Terminal.error("opencode-worker: \(sentence(what)) `opencode-worker --help` lists the commands.")
    return ExitCode.usage
  }

  /// Runs asynchronous work from a plain `main`, whose thread does nothing but wait for it.
  static func finish(_ work: @escaping @Sendable () async -> Int32) -> Int32 {
    let done = DispatchSemaphore(value: 0)
    let code = Box<Int32>(0)
    Task.detached {
      code.value = await work()
      done.signal()
    }
    done.wait()
    return code.value
  }

  private final class Box<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
  }
}
