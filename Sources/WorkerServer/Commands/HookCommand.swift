import Foundation
import JSON
import PosixSupport
import Runs

/// `hook`: answers one of Codex's hooks. It must never fail a turn: whatever goes wrong, it says nothing and exits with 0.
enum HookCommand {
  static func run(environment: [String: String]) -> Int32 {
    if TerminalDevice.isTerminal(STDIN_FILENO) {
      Terminal.error("opencode-worker hook: for Codex, which writes an event as JSON to its stdin. See `opencode-worker install --help`.")
      return ExitCode.success
    }
    guard let json = try? JSONValue(parsing: input(deadline: .after(10))), let event = HookEvent(json) else { return ExitCode.success }
    return CommandLineTool.finish {
      let hook = RunHook(manager: RunManager(state: .standard(environment), environment: environment))
      if let answer = try? await hook.answer(to: event) { Terminal.line(answer.text) }
      return ExitCode.success
    }
  }

  /// All of stdin, as far as it comes in time; an event holds a tool's whole result.
  private static func input(deadline: Deadline) -> [UInt8] {
    let stdin = Descriptor(raw: STDIN_FILENO)
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while bytes.count < 32 << 20, !deadline.hasPassed {
      guard waitReadable([stdin], deadline: deadline)[0].isReady else { break }
      guard let count = try? stdin.read(into: buffer), count > 0 else { break }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
