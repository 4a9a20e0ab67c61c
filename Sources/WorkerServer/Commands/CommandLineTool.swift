import CodexSetup
import Foundation
import MCP
import PosixSupport
import Runs
import StandInOpenCode

/// What `opencode-worker` was called to do.
enum CommandLineTool {
  static let usage = """
    Lets Codex delegate coding tasks to OpenCode, as an MCP server on stdin and stdout.

    usage: opencode-worker [COMMAND]

      serve                   the MCP server (what Codex starts; the default)
      call TOOL ['JSON']      call one tool and print its reply; without TOOL: list the tools
      watch [RUN]             follow a run until it ends
      report [RUN]            print a run's review
      demo [--real]           delegate a small task in a temporary repository; --real uses the installed OpenCode, which may cost money
      doctor [--json]         check what could go wrong, and how to mend it
      install [--direct] [--enable] [--hooks] [--wake] [--dry-run]
                              set up Codex: as a plugin, or with --direct in its config.toml
      uninstall [--dry-run]   take that back
      hook                    answer one of Codex's hooks (`install --hooks` sets them up)

      --help, --version

    Runs are kept in ~/.local/state/codex-opencode-worker (OPENCODE_WORKER_STATE_DIR moves it).
    Exit codes: 0 done, 1 the reply was an error, the run did not complete or needs a look, 2 the command line was wrong.
    """

  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    // Called as `opencode`: the stand-in that the demo and the tests put on the PATH as a link to this binary.
    if let called = arguments.first, (called as NSString).lastPathComponent == "opencode" {
      let folder = (called as NSString).deletingLastPathComponent
      return StandIn.main(arguments: Array(arguments.dropFirst()), configuration: folder + "/stand-in.json")
    }
    let rest = Array(arguments.dropFirst(2))
    switch arguments.dropFirst().first {
    case nil, "serve"?: return ServeCommand.run(environment: environment)
    case "call"?: return CallCommand.run(rest, environment: environment)
    case "watch"?: return WatchCommand.run(rest, environment: environment)
    case "report"?: return ReportCommand.run(rest, environment: environment)
    case "demo"?: return DemoCommand.run(rest, environment: environment)
    case "doctor"?: return doctor(rest, environment)
    case "install"?: return InstallCommand.run(arguments: rest, environment: environment, output: { print($0) })
    case "uninstall"?: return UninstallCommand.run(arguments: rest, environment: environment, output: { print($0) })
    case "hook"?: return HookCommand.run(environment: environment)
    case "supervise"?: return SuperviseCommand.run(rest, environment: environment)
    case "detach"?: return DetachCommand.run(rest)
    case "measure"?: return MeasureCommand.run(rest, environment: environment)
    case "launch"?: return Launch.main(rest, environment: environment)
    case "--help"?, "-h"?, "help"?:
      print(usage)
      return ExitCode.success
    case "--version"?, "-v"?, "version"?:
      print("\(ServerInfo.name) \(ServerInfo.version)")
      return ExitCode.success
    case let other?:
      return wrong("unknown command \"\(other)\"")
    }
  }

  private static func doctor(_ arguments: [String], _ environment: [String: String]) -> Int32 {
    finish {
      let manager = RunManager(state: .standard(environment), environment: environment)
      return await DoctorCommand.run(
        arguments: arguments, environment: environment, stateFolder: manager.state.root, first: OpenCodeChecks.parts(manager),
        last: RunChecks.parts(manager), output: { Terminal.line($0) })
    }
  }

  static func wrong(_ what: String) -> Int32 {
    Terminal.error("opencode-worker: \(what). `opencode-worker --help` lists the commands.")
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

/// Lines for a person.
enum Terminal {
  static func error(_ text: String) {
    try? Descriptor(raw: STDERR_FILENO).writeAll(Array((text + "\n").utf8))
  }

  static func line(_ text: String) {
    try? Descriptor(raw: STDOUT_FILENO).writeAll(Array((text + "\n").utf8))
  }
}
