import Foundation
import Testing

@testable import ShellReading

@Suite struct VerificationTallyTests {
  private func tally(_ declared: String..., body: (inout VerificationTally) -> Void) -> VerificationTally {
    var tally = VerificationTally(declared: declared)
    body(&tally)
    return tally
  }

  @Test func failedThenPassed() {
    let row = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: 1, at: 10, id: "a")
      $0.recordEdit(at: 15)
      $0.recordShell(command: "swift test 2>&1", exitCode: 0, at: 20, id: "b")
    }.report(known: .all).declared[0]
    #expect(row == .init(command: "swift test", result: "passed", exitCode: 0, times: 2, at: 20, editedAfter: false, failedBefore: true))
  }

  @Test func editedAfterItPassed() {
    let row = tally("swift test") {
      $0.recordEdit(at: 30)
      $0.recordShell(command: "swift test", exitCode: 0, at: 20, id: "b")
      $0.recordEdit(at: 5)
    }.report(known: .all).declared[0]
    #expect(row.result == "passed" && row.editedAfter)
  }

  @Test func neverRun() {
    let never = tally("swift test", "make lint") { $0.recordShell(command: "make lint", exitCode: 2, at: 1, id: "a") }
    #expect(never.report(known: .all).declared.map(\.result) == ["not run", "failed"])
    #expect(never.report(known: .all).declared[0].times == 0)
    // Of a run that is alive.
    #expect(never.report(known: .soFar).declared.map(\.result) == ["unknown", "failed"])
    // Where any may be missing, the last one that is known needn't be the last.
    let doubtful = never.report(known: .notAll).declared
    #expect(doubtful.map(\.result) == ["unknown", "unknown"])
    #expect(doubtful[1].why == "failed when it was last seen; not every shell command is known" && doubtful[1].exitCode == 2)
  }

  /// A subagent's commands become known after the end; when they ran decides, not when they were reported.
  @Test func aSubagentsEarlierCommandDoesNotOverrule() {
    let late = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: 0, at: 20, id: "root")
      $0.recordShell(command: "swift test", exitCode: 1, at: 10, id: "child")
    }
    let early = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: 1, at: 10, id: "child")
      $0.recordShell(command: "swift test", exitCode: 0, at: 20, id: "root")
    }
    #expect(late.report(known: .all) == early.report(known: .all))
    #expect(late.report(known: .all).declared[0].result == "passed")
    #expect(late.report(known: .all).declared[0].times == 2)
  }

  @Test func ofTwoAtTheSameTimeTheWorseCounts() {
    for order in [[0, 1], [1, 0]] {
      let row = tally("swift test") { for code in order { $0.recordShell(command: "swift test", exitCode: code, at: 1, id: "\(code)") } }
      #expect(row.report(known: .all).declared[0].result == "failed")
    }
  }

  @Test func aPartEmittedAgainReplaces() {
    let again = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: nil, at: 1, id: "p")
      for index in 0..<100 { $0.recordShell(command: "ls", exitCode: 0, at: 2, id: "l\(index)") }
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "p")
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "p")
    }.report(known: .all).declared[0]
    #expect(again.result == "passed" && again.times == 1)
  }

  @Test func withoutAnExitCodeNothingIsProven() {
    let row = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "a")
      $0.recordShell(command: "swift test", exitCode: nil, at: 2, id: "b")
    }.report(known: .all).declared[0]
    #expect(row.result == "unknown" && row.exitCode == nil && row.times == 2)
  }

  @Test func aHundredThousandCommandsStaySmallAndForgetNoDeclaredOne() throws {
    var tally = VerificationTally(declared: ["swift test"])
    tally.recordShell(command: "swift test", exitCode: 1, at: 0, id: "first")
    let long = "make " + String(repeating: "ü", count: 500)
    for index in 1...3000 { tally.recordShell(command: "\(long) \(index)", exitCode: 0, at: Double(index), id: "p\(index)") }
    for index in 1...3000 { tally.recordShell(command: "make t\(index)", exitCode: 0, at: Double(index), id: "q\(index)") }
    let report = tally.report(known: .all)
    #expect(report.declared[0].result == "failed")
    #expect(report.undeclared.count == 32)
    #expect(report.undeclared.allSatisfy { $0.command.utf8.count <= 400 && !$0.command.contains("\u{FFFD}") })
    let bytes = try JSONEncoder().encode(tally)
    #expect(bytes.count < 128 << 10)
    #expect(try JSONDecoder().decode(VerificationTally.self, from: bytes) == tally)
  }

  @Test func foreignDataIsNoReasonToCrash() {
    var tally = VerificationTally(declared: ["", "   ", "'", "((", String(repeating: "(", count: 5000), "\u{0}"])
    let nested = String(repeating: "bash -c '", count: 300) + String(repeating: "(", count: 5000) + String(repeating: "$(", count: 5000)
    for (index, command) in [
      nested, "", "\u{0}", "'\\", "$", "${", "`\\", "<<", "<< ", "a <<E", "a\\", "\"\\", "$'\\", "\r\n", "💥 \u{301}", "<(", "{", "a=(", "((1",
    ].enumerated() {
      tally.recordShell(command: command, exitCode: .min, at: .nan, id: "\(index)")
    }
    for deep in ["\"$(", "(", "{ ", "if ", "$((", "${a:-", "! ", "a && (", "`\"", "a | { "] {
      tally.recordShell(command: String(repeating: deep, count: 20_000), exitCode: 0, at: 1, id: deep)
    }
    tally.recordEdit(at: .infinity)
    #expect(tally.report(known: .all).declared.prefix(2).map(\.result) == ["not run", "not run"])
  }

  @Test func aHugeCommandIsSearchedNotParsed() {
    var tally = VerificationTally(declared: ["swift test"])
    tally.recordShell(command: "cat > f <<'E'\n" + String(repeating: "x", count: 2 << 20) + "\nE\nswift test", exitCode: 0, at: 1, id: "a")
    #expect(tally.report(known: .all).declared[0].result == "unknown")
  }

  @Test(arguments: [
    "npm test", "npm run build", "cd a && cargo clippy -- -D warnings", "go test ./...", "python -m pytest -q", "uv run pytest", "make", "npx tsc --noEmit",
    "npx eslint .", "ruff check .",
    "./gradlew test", "mvn -q verify", "dotnet build", "bash scripts/test.sh", "./run-tests.sh", "yarn lint", "pnpm run test:unit", "bundle exec rspec",
    "swift format lint -r .",
    "node --test", "CI=1 swift test --filter X", "make lint && echo ok", "black --check .", "./scripts/ci",
  ])
  func undeclaredChecks(_ command: String) {
    var tally = VerificationTally(declared: ["other"])
    tally.recordShell(command: command, exitCode: 3, at: 1, id: "a")
    tally.recordShell(command: command, exitCode: 0, at: 2, id: "b")
    #expect(tally.report(known: .all).undeclared == [.init(command: command, exitCode: 0, times: 2)])
  }

  /// What Swift calls equal are two commands to a shell.
  @Test func undeclaredChecksAreToldApartByTheirBytes() {
    var tally = VerificationTally(declared: [])
    for (index, accent) in ["\u{e9}", "e\u{301}"].enumerated() {
      tally.recordShell(command: "make 'caf\(accent)'", exitCode: index, at: 1, id: "\(index)")
    }
    #expect(Set(tally.report(known: .all).undeclared.map(\.exitCode)) == [0, 1])
  }

  /// The shell's exit code isn't theirs, or not surely.
  @Test(arguments: [
    "for i in 1 2; do swift build; done", "CI=1 swift test --filter X | tail", "make || true", "make; echo $?", "(make)", "x=$(npm test)", "set -e; make",
    "make lint; make",
  ])
  func undeclaredChecksWithoutAnExitCode(_ command: String) {
    var tally = VerificationTally(declared: [])
    tally.recordShell(command: command, exitCode: 0, at: 1, id: "a")
    #expect(tally.report(known: .all).undeclared == [.init(command: command, exitCode: nil, times: 1)])
  }

  @Test(arguments: [
    "ls", "git status", "cat test.txt", "npm install", "echo make", "mkdir build", "cargo --version", "swift --version", "go run .", "git commit -m test",
    "pip install pytest",
  ])
  func notChecks(_ command: String) {
    var tally = VerificationTally(declared: [])
    tally.recordShell(command: command, exitCode: 0, at: 1, id: "a")
    #expect(tally.report(known: .all).undeclared.isEmpty)
  }
}
