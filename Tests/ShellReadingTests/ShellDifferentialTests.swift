import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import ShellReading

/// The verdicts against what real shells did: each program runs in a folder of its own, where T is a script that notes that it ran, where and how it exited.
/// `SHELL_PROGRAMS` is the number of programs (1500), `SHELL_SEED` another seed.
@Suite(.blocking) struct ShellDifferentialTests {
  @Test func noVerdictContradictsWhatTheShellDid() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["SHELL_PROGRAMS"].flatMap(Int.init) ?? 1500
    let seed = environment["SHELL_SEED"].flatMap(UInt64.init) ?? 20_261_124
    let trials = ShellDifferentialTests.trials(count, seed: seed)
    let threads = min(4, max(2, ProcessInfo.processInfo.activeProcessorCount))
    let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
      for thread in 0..<threads {
        group.addTask { try await onThread { try ShellDifferentialTests.compare(stride(from: thread, to: count, by: threads).map { trials[$0] }) } }
      }
      return try await group.reduce(into: Tally()) { $0.add($1) }
    }
    for wrong in tally.contradictions.prefix(100) { Issue.record("\(wrong)") }
    // A reader that always says `unknown` would never be wrong; one that takes the exit code for T's would be wrong here.
    #expect(tally.passed > count / 20 && tally.failed > count / 20 && tally.notRun > count / 20, "\(tally)")
    #expect(tally.misledNaive > count / 10, "\(tally)")
  }

  // MARK: Trials

  struct Trial: Sendable {
    let shell: [String]
    let program: String
    let exitOfT: Int
    let exitOfX: Int
    /// Relative to the trial's own folder.
    let start: String
  }

  struct Tally: Sendable {
    var (passed, failed, unknown, notRun) = (0, 0, 0, 0)
    /// Where the exit code alone would have told a lie.
    var misledNaive = 0
    var contradictions: [String] = []

    mutating func add(_ other: Tally) {
      passed += other.passed
      failed += other.failed
      unknown += other.unknown
      notRun += other.notRun
      misledNaive += other.misledNaive
      contradictions += other.contradictions
    }
  }

  static let shells: [[String]] = [
    ["/bin/bash"], ["/bin/sh"], ["/bin/dash"], ["/bin/zsh"], ["/bin/ksh"], ["/bin/mksh"], ["/bin/busybox", "sh"],
  ].filter { FileManager.default.isExecutableFile(atPath: $0[0]) }

  private static func trials(_ count: Int, seed: UInt64) -> [Trial] {
    var programs = ShellPrograms(seed: seed)
    return (0..<count).map { index in
      // bash every other time: it is what most have.
      let shell = index % 2 == 0 ? shells[0] : programs.one(of: shells)
      let start = programs.one(of: ["work", "work", "work", "work", "work", "work", "work", "work/sub", "out"])
      return Trial(
        shell: shell, program: programs.program(), exitOfT: programs.one(of: [0, 0, 0, 1, 2, 3, 124, 127, 137]), exitOfX: programs.one(of: [0, 0, 1, 2, 3]),
        start: start)
    }
  }

  private static func compare(_ trials: [Trial]) throws -> Tally {
    let scratch = try Scratch()
    // Deep enough that no `cd ..` of a program leaves it.
    let root = scratch.path + String(repeating: "/d", count: 12)
    var tally = Tally()
    for (index, trial) in trials.enumerated() {
      let outcome = try ShellWorld.run(trial, in: "\(root)/\(index)")
      let verdict = judge(trial, outcome)
      switch verdict.result {
      case "passed": tally.passed += 1
      case "failed": tally.failed += 1
      case "not run": tally.notRun += 1
      default: tally.unknown += 1
      }
      tally.contradictions += verdict.contradictions
      let last = outcome.runs.last { $0.arguments == "check" }
      if trial.program.contains("t check"), last == nil || (last?.exit == 0) != (outcome.exitCode == 0) { tally.misledNaive += 1 }
    }
    return tally
  }

  /// What the tally says of `t check`, and everything that contradicts what happened, for other declared commands too.
  private static func judge(_ trial: Trial, _ outcome: ShellWorld.Outcome) -> (result: String, contradictions: [String]) {
    let declared = ["t check", "W=1 t check", "t other"]
    var tally = VerificationTally(declared: declared, workspace: outcome.workspace)
    tally.recordShell(command: trial.program, exitCode: outcome.exitCode, startedIn: outcome.start, at: 1, id: "p")
    let rows = tally.report(known: .all).declared
    var contradictions: [String] = []
    for (row, command) in zip(rows, declared) {
      let all = outcome.runs.filter { command.hasSuffix("t \($0.arguments)") && (!command.hasPrefix("W=1") || $0.w == "1") }
      let inside = all.filter { $0.folder == outcome.workspace || $0.folder.hasPrefix(outcome.workspace + "/") }
      let isTrue =
        switch row.result {
        case "passed": inside.last?.exit == 0 && row.exitCode == 0
        case "failed": inside.last.map { $0.exit != 0 && $0.exit == row.exitCode } ?? false
        case "not run": all.isEmpty
        default: row.exitCode == nil && row.why?.isEmpty == false
        }
      let place = "\(trial.shell.joined(separator: " ")), T \(trial.exitOfT), X \(trial.exitOfX), in \(trial.start): \(trial.program.debugDescription)"
      if !isTrue {
        contradictions.append(
          "\(place): '\(command)' is \(row.result) (\(row.why ?? "-")), the shell exited \(outcome.exitCode.map(String.init) ?? "-"), ran \(all)")
      }
      let finding = DeclaredCommand(command).finding(in: ShellCommand(trial.program), exitCode: outcome.exitCode, startedIn: outcome.start)
      if let folders = finding?.folders, finding?.verdict != .unknown, let last = all.last, !folders.contains(last.folder) {
        contradictions.append("\(place): '\(command)' ran in \(last.folder), not in \(folders)")
      }
    }
    return (rows[0].result, contradictions)
  }
}

/// The folder of one trial: programs in `bin`, the workspace `work`, traps beside it.
enum ShellWorld {
  struct Run: Sendable {
    let folder: String
    let exit: Int
    let w: String
    let arguments: String
  }

  struct Outcome: Sendable {
    let workspace: String
    let start: String
    /// Nil when a signal ended the shell.
    let exitCode: Int?
    /// Of `t`, in the order in which they ended.
    let runs: [Run]
  }

  static func run(_ trial: ShellDifferentialTests.Trial, in root: String) throws -> Outcome {
    defer { try? FileManager.default.removeItem(atPath: root) }
    let files = "\(root)/files"
    for folder in ["bin", "evil", "home", "work/sub", "out"] {
      try FileManager.default.createDirectory(atPath: "\(files)/\(folder)", withIntermediateDirectories: true)
    }
    let note = "#!/bin/sh\nprintf '%s\\t%s\\t%s\\t%s\\n' \"$(pwd -P)\" \(trial.exitOfT) \"$W\" \"$*\" >> '\(root)/runs'\nexit \(trial.exitOfT)\n"
    try write(note, "\(files)/bin/t")
    try write("#!/bin/sh\nexit \(trial.exitOfX)\n", "\(files)/bin/x")
    try write("#!/bin/sh\nexit 0\n", "\(files)/evil/t")
    for name in ["env", "timeout", "bash"] { try write("#!/bin/sh\nexit 0\n", "\(files)/work/\(name)") }
    try write("#!/bin/sh\n\"$@\"\nexit 0\n", "\(files)/work/wrap")
    try write("t() { :; }\nexit() { :; }\n", "\(files)/work/rc")
    let path = "\(root)/bin:/usr/bin:/bin"
    // A login shell sets PATH anew.
    for profile in [".profile", ".bash_profile", ".zprofile"] { try write("PATH='\(path)'\n", "\(files)/home/\(profile)") }
    // What is started was written by another process (`Program`).
    guard try Command("/bin/cp", ["-pR", files + "/.", root], deadline: .after(60)).run().succeeded else { throw TestFailure("cp \(files)") }
    let start = trial.start == "work" ? "\(root)/work" : "\(root)/\(trial.start)"
    let command = Command(
      trial.shell[0], trial.shell.dropFirst() + ["-c", trial.program], environment: ["HOME": "\(root)/home", "PATH": path, "LANG": "C.UTF-8"], folder: start,
      deadline: .after(60),
      outputLimit: 1 << 16)
    let exitCode: Int? = if case .exited(let code)? = try command.run().status { Int(code) } else { nil }
    let log = (try? String(contentsOfFile: "\(root)/runs", encoding: .utf8)) ?? ""
    let runs = log.split(separator: "\n").compactMap { line -> Run? in
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return parts.count == 4 ? Run(folder: parts[0], exit: Int(parts[1]) ?? -1, w: parts[2], arguments: parts[3]) : nil
    }
    return Outcome(workspace: "\(root)/work", start: start, exitCode: exitCode, runs: runs)
  }

  private static func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o755)
  }
}
