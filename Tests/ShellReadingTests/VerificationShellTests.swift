import Foundation
import PosixSupport
import Testing

@testable import ShellReading

/// The verdicts against real shells: T and X are small programs that note that they ran and exit as told.
@Suite struct VerificationShellTests {
  /// Of one command line in one shell: its exit code and the exits of T, in the order in which it ran.
  private struct Outcome {
    let exitCode: Int?
    let exits: [Int]
  }

  private struct Trial {
    let shell: String
    let command: String
    let t: Int
    let x: Int
  }

  /// Runs all trials in a folder of their own, with one process to drive them.
  private func run(_ trials: [Trial]) throws -> [Outcome] {
    let folder = NSTemporaryDirectory() + "/verification-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["t", "x"] {
      try PrivateFiles.replace(
        "\(folder)/\(name)", with: Array("#!/bin/sh\necho \"$\(name)exit\" >> \"$logs.\(name)\"\nexit \"$\(name)exit\"\n".utf8), mode: 0o700)
    }
    // A login shell sets PATH anew.
    for profile in [".bash_profile", ".profile"] { try PrivateFiles.replace("\(folder)/\(profile)", with: Array("PATH='\(folder)':$PATH\n".utf8)) }
    var driver = "cd '\(folder)'\nHOME='\(folder)' PATH='\(folder)':/usr/bin:/bin\nexport HOME PATH\n"
    for (index, trial) in trials.enumerated() {
      try PrivateFiles.replace("\(folder)/\(index).command", with: Array(trial.command.utf8))
      driver +=
        "logs='\(folder)/\(index)' texit=\(trial.t) xexit=\(trial.x) \(trial.shell) -c \"$(cat \(index).command)\" < /dev/null > /dev/null 2>&1; echo $?\n"
    }
    try PrivateFiles.replace("\(folder)/driver", with: Array((driver + "sleep 0.3\n").utf8))
    let result = try Command("/bin/sh", ["\(folder)/driver"], folder: folder, deadline: 300).run()
    let codes = result.outputText.split(separator: "\n").map { Int($0) }
    try #require(result.succeeded && codes.count == trials.count)
    return trials.indices.map { index in
      let log = (try? PrivateFiles.read("\(folder)/\(index).t")).map { String(decoding: $0, as: UTF8.self) } ?? ""
      return Outcome(exitCode: codes[index], exits: log.split(separator: "\n").compactMap { Int($0) })
    }
  }

  private func result(_ command: String, _ outcome: Outcome) -> VerificationReport.Declared {
    var tally = VerificationTally(declared: ["t check"])
    tally.recordShell(command: command, exitCode: outcome.exitCode, at: 1, id: "p")
    return tally.report(endNotSeen: false).declared[0]
  }

  /// nil: the verdict agrees with what really happened.
  private func contradiction(_ command: String, _ outcome: Outcome, mayNotHaveRun: Bool = false) -> String? {
    let row = result(command, outcome)
    let really = "\(command.debugDescription) exited \(outcome.exitCode ?? -1), T exited \(outcome.exits): \(row.result)"
    switch row.result {
    case "passed": return outcome.exits.last == 0 ? nil : really
    case "failed":
      if outcome.exits.isEmpty { return mayNotHaveRun ? nil : really }
      return outcome.exits.last == row.exitCode && row.exitCode != 0 ? nil : really
    case "not run": return outcome.exits.isEmpty ? nil : really
    default: return nil
    }
  }

  private static let shells = ["/bin/sh", "/bin/bash", "/bin/zsh", "/usr/bin/zsh"].filter(PrivateFiles.isExecutable)

  @Test func noVerdictContradictsWhatTheShellDid() throws {
    let templates = [
      "T", "cd sub && T", "A=1 T", "bash -c 'T'", "bash -lc 'cd sub && T'", "T > log 2>&1", "(T)", "{ T; }", "X && T", "X; T", "X\nT", "T && X", "X || T",
      "T || X", "T | X", "X | T",
      "T; X", "T &", "T & wait", "! T", "X & T", "for i in 1; do T; done", "while T; do break; done", "if T; then X; fi", "if X; then T; fi",
      "cd sub && A=1 T && X", "X && T && X",
      "X || T && X", "X && T || X", "T || exit 1", "X || exit 0; T", "X || exit 1; T", "X && exit 0; T", "set -e; X; T", "set -e; X || true; T", "(exit 0); T",
      "{ exit 0; }; T",
      "(X; exit 0) && T", "if X; then exit 0; fi; T", "trap 'exit 0' EXIT; T", "eval 'exit 0'; T", "$nothing exit 0; T", "e=exit; $e 0; T", "out=$(T); X",
      "echo $(T) && X", "f() { T; }; X",
      "f() { T; }; f", "t() { true; }; T", "exec true; T", "exec T", "T <<'E'\nexit 0\nE", "X <<'E'; T\nexit 0\nE", "cat <<E > /dev/null\n$(T)\nE\nX",
      "case a in a) exit 0;; esac; T",
      "case a in b) exit 0;; esac; T", "((T))", "((exit 0)); T",
      "v=$((X y)); (T)", "timeout 5 T", "env A=1 T", "nice T", "T # x", "echo T", "set -n; T", "bash -ec 'X; T'",
      "sh -c 'X || exit 0; T'", "T && T", "T; T", "T || T",
      "${none:?gone}; T", ": ${none:?gone}; T", "kill $$; T", "return 0; T", "break; T", "command exit 0; T", "\\exit 0; T", "'exit' 0; T", "exit 0 & T",
      "exit 0 | X; T", "X | exit 0; T",
      "time T", "! X && T", "! { T; }", "T;", "T &&", "T )", "[ -f nothing ] || exit 0; T", "echo *.none; T", "> /dev/null T", "true > none/none; T",
      "X && { T; exit 0; }", "{ T; exit 0; } && X",
      "X || { T && X; }", "set -o pipefail; T | X", "set -o pipefail; X | T", "alias t=true\nT", "unset PATH; T", "source ./none; T", ". ./none; T",
      "sh <<E\nT\nE", "echo T | sh", "until T; do exit 0; done",
      "readonly A; A=1; T", "exec > none/none; T", "(T)&", "(set -e; X; T)", "set -e; (X; T)", "set -u; echo $none; T", "T 2>&1 | cat", "T |& cat", "T; exit 0",
      "T; exit $?", "T && exit 0",
    ]
    let trials = VerificationShellTests.shells.flatMap { shell in
      templates.flatMap { template in
        let command = template.replacing("T", with: "t check").replacing("X", with: "x")
        return [(0, 0), (0, 1), (3, 0), (3, 2)].map { Trial(shell: shell, command: command, t: $0.0, x: $0.1) }
      }
    }
    for (trial, outcome) in zip(trials, try run(trials)) {
      if let wrong = contradiction(trial.command, outcome) { Issue.record("\(trial.shell): \(wrong)") }
    }
  }

  /// When the preparation fails, T counts as failed: `cd none && T`, `T > none/log`.
  @Test func aFailedPreparationIsAFailure() throws {
    let trials = ["cd none && t check", "t check > none/log"].map { Trial(shell: "/bin/sh", command: $0, t: 0, x: 0) }
    for (trial, outcome) in zip(trials, try run(trials)) {
      #expect(outcome.exits.isEmpty)
      #expect(result(trial.command, outcome).result == "failed")
      #expect(contradiction(trial.command, outcome, mayNotHaveRun: true) == nil)
    }
  }

  /// Command lines made at random (the same each time), up to three levels deep.
  @Test func noRandomCommandLineIsMisjudged() throws {
    var random = Lehmer(state: 20_261_122)
    let trials = (0..<600).map { round in
      let (t, x) = [(0, 0), (0, 1), (3, 0), (3, 2)][round % 4]
      return Trial(shell: round % 3 == 0 ? "/bin/sh" : "/bin/bash", command: line(&random, depth: 1 + round % 3), t: t, x: x)
    }
    var proven = 0
    for (trial, outcome) in zip(trials, try run(trials)) {
      if let wrong = contradiction(trial.command, outcome) { Issue.record("\(wrong)") }
      if ["passed", "failed"].contains(result(trial.command, outcome).result) { proven += 1 }
    }
    // A reader that always says `unknown` would never be wrong.
    #expect(proven > 80)
  }

  private struct Lehmer {
    var state: UInt64
    mutating func below(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
  }

  private func line(_ random: inout Lehmer, depth: Int) -> String {
    let atoms = [
      "t check", "t check", "t check", "x", "true", "false", "A=1 t check", "t check 2>&1", "t 'check'", "exit 0", "exit 1", "set -e", "cd .", "echo t check",
      "[ -f none ]",
    ]
    guard depth > 0 else { return atoms[random.below(atoms.count)] }
    let (a, b) = (line(&random, depth: depth - 1), line(&random, depth: depth - 1))
    switch random.below(16) {
    case 0, 1, 2: return "\(a) && \(b)"
    case 3, 4: return "\(a) || \(b)"
    case 5, 6, 7: return "\(a); \(b)"
    case 8: return "\(a)\n\(b)"
    case 9: return "\(a) | \(b)"
    case 10: return "(\(a))"
    case 11: return "{ \(a); \(b); }"
    case 12: return "! { \(a); }"
    case 13: return "if \(a); then \(b); fi"
    case 14: return a.contains("'") ? "(\(a)) && \(b)" : "bash -c '\(a)' && \(b)"
    default: return "v=$(\(a)); \(b)"
    }
  }
}
