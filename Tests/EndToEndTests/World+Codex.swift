import Foundation
import PosixSupport
import TestSupport

extension World {
  /// A `codex` that writes down how it was called, into `codex-calls`.
  /// - Returns: the environment of a server that wakes it
  func fakeCodex(exit: Int = 0) throws -> [String: String] {
    let lines = [
      "#!/bin/sh", #"printf '%s\n' "$@" "home $CODEX_HOME" >> "# + path("codex-calls"), "echo 'no such session' >&2", "exit \(exit)", "",
    ]
    try Program.write(lines.joined(separator: "\n"), to: path("bin/codex"))
    return ["OPENCODE_WORKER_WAKE": "1", "CODEX_HOME": path("home/codex"), "PATH": path("bin") + ":" + (environment["PATH"] ?? "")]
  }

  /// Waits until no supervisor is at work any more: what it tells, it has told.
  func supervisorsEnd() -> Bool {
    eventually(within: 120) { !ProcessTable.carrying("WORKER_TEST_WORLD", root).contains { $0.command.contains(" supervise ") } }
  }
}
