import Foundation
import PosixSupport
import TestSupport
import Testing

/// The real Codex CLI against the built server: `codex/codex_end_to_end.py`, which says by a NOTICE what it lacks.
@Suite struct CodexTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("codex/codex_end_to_end.py").path

  @Test(arguments: ["SetUp", "Delegation", "Waiting"])
  func theRealCodexIsServed(part: String) async throws {
    let script = CodexTests.script
    let environment = ProcessInfo.processInfo.environment.merging(["OPENCODE_WORKER_BIN": World.binary]) { $1 }
    let result = try await onThread {
      try Command("/usr/bin/env", ["python3", script, "-v", part], environment: environment, folder: "/", deadline: .after(900)).run()
    }
    if result.status == .exited(127) {
      print("NOTICE: Codex's end-to-end tests did not run: no python3")
      return
    }
    for line in result.outputText.split(separator: "\n") where line.hasPrefix("NOTICE") { print(line) }
    #expect(result.succeeded, "\(result.outputText)\n\(result.errorText)")
  }
}
