import Foundation
import PosixSupport
import TestSupport
import Testing

/// The real Codex CLI against the built server: `codex/codex_end_to_end.py`, which says by a NOTICE what it lacks.
@Suite(.realPrograms) struct RealCodexTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("codex/codex_end_to_end.py").path

  /// `Class.test` of each test in the script, so that they run beside each other.
  private static let names: [String] = {
    var (names, part) = ([String](), "")
    for line in ((try? String(contentsOfFile: script, encoding: .utf8)) ?? "").split(separator: "\n") {
      if let found = line.firstMatch(of: /^class (\w+)\(CodexCase\)/) { part = String(found.1) }
      if let found = line.firstMatch(of: /^    def (test_\w+)\(/) { names.append("\(part).\(found.1)") }
    }
    return names
  }()

  @Test func theScriptHasTests() {
    #expect(Set(RealCodexTests.names.map { $0.prefix { $0 != "." } }) == ["SetUp", "Delegation", "Waiting"] && RealCodexTests.names.count > 10)
  }

  private static func named(_ part: String) -> [String] { names.filter { $0.hasPrefix(part + ".") } }

  /// With the real OpenCode too.
  @Test(.busy, arguments: named("Delegation"))
  func theRealCodexDelegates(test: String) throws { try run(test) }

  @Test(.blocking, arguments: named("SetUp"))
  func theRealCodexIsServed(test: String) throws { try run(test) }

  @Test(.waiting, arguments: named("Waiting"))
  func theRealCodexWaits(test: String) throws { try run(test) }

  private func run(_ test: String) throws {
    guard let python = Python.interpreter() else { return }
    let script = RealCodexTests.script
    let environment = ProcessInfo.processInfo.environment.merging(["OPENCODE_WORKER_BIN": World.binary]) { $1 }
    let result = try Command(python, [script, "-v", test], environment: environment, folder: "/", deadline: .after(900)).run()
    for line in result.outputText.split(separator: "\n") where line.hasPrefix("NOTICE") { print(line) }
    let isWell = result.succeeded
    #expect(isWell, "\(result.outputText)\n\(result.errorText)")
  }
}
