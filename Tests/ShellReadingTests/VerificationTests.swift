import Foundation
import Testing

@testable import ShellReading

/// What a run's shell commands prove about `swift test`, cell by cell.
@Suite struct VerificationTableTests {
  private func result(_ command: String, _ exitCode: Int?, declared: String = "swift test") -> String {
    var tally = VerificationTally(declared: [declared])
    tally.recordShell(command: command, exitCode: exitCode, at: 1, id: "p")
    return tally.report(endNotSeen: false).declared[0].result
  }

  @Test(arguments: [
    "swift test", "  swift   test ", "'swift' \"test\"", "sw''ift te\\st", "cd pkg && swift test", "cd a && cd b && swift test", "CI=1 swift test",
    "export CI=1 && swift test",
    "CI=1 && swift test", "bash -lc 'swift test'", "bash -c \"cd pkg && swift test\"", "sh -c 'swift test'", "/bin/zsh -lc 'CI=1 swift test'",
    "swift test 2>&1",
    "swift test > log 2>&1", "swift test < /dev/null", "swift test # the check", "env CI=1 swift test", "time swift test", "(swift test)", "{ swift test; }",
    "(cd pkg && swift test)", "timeout 600 swift test", "nice -n 5 swift test", "swift \\\n  test", "swift test &> log", "cd 'a b' && (cd c; CI=1 swift test)",
    "bash -c 'bash -c \"swift test\"'", "# first\nswift test\n", "swift test <<'EOF'\nX; exit 0\nEOF",
  ])
  func theCommandItself(_ command: String) {
    #expect(result(command, 0) == "passed")
    #expect(result(command, 1) == "failed")
    #expect(result(command, nil) == "unknown")
  }

  @Test(arguments: ["make && swift test", "[ -f a ] && cd b && swift test", "cd a && make && swift test", "test -d x && swift test"])
  func afterAnotherCommandThatMustSucceed(_ command: String) {
    #expect(result(command, 0) == "passed")
    #expect(result(command, 1) == "unknown")
  }

  @Test(arguments: [
    "make ; swift test", "make\nswift test", "cd pkg; swift test", "make & swift test", "for f in a b; do echo $f; done; swift test",
    "cat > f <<'EOF'\nexit 0\nEOF\nswift test",
    "make || true; swift test", "if [ -f a ]; then make; fi; swift test", "echo 'a; b' ; swift test", "A=$(make); swift test",
  ])
  func afterAnotherCommand(_ command: String) {
    #expect(result(command, 0) == "passed")
    #expect(result(command, 1) == "failed")
  }

  @Test(arguments: [
    "swift test && echo ok", "cd a && CI=1 swift test && echo ok", "swift test && a && b", "make && swift test && echo ok", "make; swift test && echo ok",
  ])
  func beforeAnotherThatNeedsIt(_ command: String) {
    #expect(result(command, 0) == "passed")
    #expect(result(command, 1) == "unknown")
  }

  @Test func asTheLastResort() {
    #expect(result("make || swift test", 0) == "unknown")
    #expect(result("make || swift test", 1) == "failed")
    #expect(result("a && b || swift test", 1) == "failed")
  }

  @Test(arguments: [
    "swift test || make", "swift test || true", "swift test | tee log", "swift test 2>&1 | tail -5", "swift test ; echo done", "swift test\necho $?",
    "swift test &",
    "swift test & wait", "! swift test", "for i in 1 2; do swift test; done", "while ! swift test; do sleep 1; done", "if swift test; then echo ok; fi",
    "case a in a) swift test;; esac",
    "out=$(swift test)", "echo `swift test`", "cat <<E\n$(swift test)\nE", "((swift test))", "[ -n \"$(swift test)\" ]", "f() { swift test; }; f",
    "(swift test; true)", "bash -c 'swift test; true'", "eval 'swift test'",
    "echo 'swift test' | bash", "bash <<EOF\nswift test\nEOF", "sudo swift test", "ssh host 'swift test'", "swift test && a || b",
    "bash -c \"$pre; swift test\"", "{ swift test; } | cat",
    "set -o pipefail; swift test | tee log",
  ])
  func whereTheExitCodeSaysNothing(_ command: String) {
    #expect(result(command, 0) == "unknown")
    #expect(result(command, 1) == "unknown")
  }

  @Test func whatMayHaveEndedTheShellBefore() {
    #expect(result("cd x || exit 1; swift test", 0) == "passed")
    #expect(result("cd x || exit 1; swift test", 1) == "unknown")
    #expect(result("set -e; make; swift test", 0) == "passed")
    #expect(result("set -euo pipefail\nmake\nswift test", 1) == "unknown")
    #expect(result("[ -f a ] || exit 0; swift test", 0) == "unknown")
    #expect(result("[ -f a ] || exit 0; swift test", 1) == "failed")
    #expect(result(". ./env.sh && swift test", 0) == "unknown")
    #expect(result("source .venv/bin/activate && swift test", 0) == "passed")
    #expect(result("$setup; swift test", 0) == "unknown")
    #expect(result("trap 'exit 0' EXIT; swift test", 0) == "unknown")
    #expect(result("alias swift=true\nswift test", 0) == "unknown")
    #expect(result("swift() { true; }; swift test", 0) == "unknown")
    #expect(result("(exit 0); swift test", 0) == "passed")
    #expect(result("set -n; swift test", 0) == "unknown")
    #expect(result("timeout 5 swift test", 124) == "unknown")
  }

  @Test(arguments: [
    "echo swift test", "swift test --filter A", "swift build", "grep -r 'swift test' .", "git commit -m 'swift test passes'",
    "cat > a.sh <<'EOF'\nswift test\nEOF", "echo 'swift test' > todo",
    "npm install test", "ls", "",
  ])
  func whatOnlyMentionsIt(_ command: String) {
    #expect(result(command, 0) == "not run")
  }

  @Test(arguments: ["swift test )", "swift test &&", "echo 'a ; swift test", "if true; swift test", "swift test; coproc x"])
  func whatIsNotReadAsShellProvesNothing(_ command: String) {
    #expect(result(command, 0) == "unknown")
    #expect(result(command, 2) == "unknown")
  }

  @Test func aDeclaredListOrPipeline() {
    #expect(result("cd x && a && b", 0, declared: "a && b") == "passed")
    #expect(result("cd x && a && b", 1, declared: "a && b") == "failed")
    #expect(result("a && b", 1, declared: "a && b") == "failed")
    #expect(result("x || a && b", 1, declared: "a && b") == "unknown")
    #expect(result("a && b; c", 0, declared: "a && b") == "unknown")
    #expect(result("bash -c 'a; b'", 1, declared: "a; b") == "failed")
    #expect(result("x; a; b", 0, declared: "a; b") == "passed")
    #expect(result("a | b", 1, declared: "a|b") == "failed")
    #expect(result("a | b | c", 1, declared: "a | b") == "unknown")
    #expect(result("a 2>&1 | b > log", 0, declared: "a | b") == "passed")
    #expect(result("A=1 b", 0, declared: "A=1 b") == "passed")
    #expect(result("env A=1 b", 1, declared: "A=1 b") == "failed")
    #expect(result("b", 0, declared: "A=1 b") == "not run")
    #expect(result("export A=1; b", 0, declared: "A=1 b") == "unknown")
    #expect(result("! grep -q x f", 0, declared: "! grep -q x f") == "passed")
    #expect(result("  coproc x", 1, declared: "coproc x") == "failed")
    #expect(result("pytest 'a[b]'", 0, declared: "pytest a[b]") == "unknown")
  }
}

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
    }.report(endNotSeen: false).declared[0]
    #expect(row == .init(command: "swift test", result: "passed", exitCode: 0, times: 2, at: 20, editedAfter: false))
  }

  @Test func editedAfterItPassed() {
    let row = tally("swift test") {
      $0.recordEdit(at: 30)
      $0.recordShell(command: "swift test", exitCode: 0, at: 20, id: "b")
      $0.recordEdit(at: 5)
    }.report(endNotSeen: false).declared[0]
    #expect(row.result == "passed" && row.editedAfter)
  }

  @Test func neverRun() {
    let never = tally("swift test", "make lint") { $0.recordShell(command: "make lint", exitCode: 2, at: 1, id: "a") }
    #expect(never.report(endNotSeen: false).declared.map(\.result) == ["not run", "failed"])
    #expect(never.report(endNotSeen: false).declared[0].times == 0)
    // A tool that a signal cut short left no event; one that ended before did.
    #expect(never.report(endNotSeen: true).declared.map(\.result) == ["unknown", "failed"])
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
    #expect(late.report(endNotSeen: false) == early.report(endNotSeen: false))
    #expect(late.report(endNotSeen: false).declared[0].result == "passed")
    #expect(late.report(endNotSeen: false).declared[0].times == 2)
  }

  @Test func ofTwoAtTheSameTimeTheWorseCounts() {
    for order in [[0, 1], [1, 0]] {
      let row = tally("swift test") { for code in order { $0.recordShell(command: "swift test", exitCode: code, at: 1, id: "\(code)") } }
      #expect(row.report(endNotSeen: false).declared[0].result == "failed")
    }
  }

  @Test func aPartEmittedAgainReplaces() {
    let again = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: nil, at: 1, id: "p")
      for index in 0..<100 { $0.recordShell(command: "ls", exitCode: 0, at: 2, id: "l\(index)") }
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "p")
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "p")
    }.report(endNotSeen: false).declared[0]
    #expect(again.result == "passed" && again.times == 1)
  }

  @Test func withoutAnExitCodeNothingIsProven() {
    let row = tally("swift test") {
      $0.recordShell(command: "swift test", exitCode: 0, at: 1, id: "a")
      $0.recordShell(command: "swift test", exitCode: nil, at: 2, id: "b")
    }.report(endNotSeen: false).declared[0]
    #expect(row.result == "unknown" && row.exitCode == nil && row.times == 2)
  }

  @Test func aHundredThousandCommandsStaySmallAndForgetNoDeclaredOne() throws {
    var tally = VerificationTally(declared: ["swift test"])
    tally.recordShell(command: "swift test", exitCode: 1, at: 0, id: "first")
    let long = "make " + String(repeating: "ü", count: 500)
    for index in 1...3000 { tally.recordShell(command: "\(long) \(index)", exitCode: 0, at: Double(index), id: "p\(index)") }
    for index in 1...3000 { tally.recordShell(command: "make t\(index)", exitCode: 0, at: Double(index), id: "q\(index)") }
    let report = tally.report(endNotSeen: false)
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
    #expect(tally.report(endNotSeen: false).declared.prefix(2).map(\.result) == ["not run", "not run"])
  }

  @Test func aHugeCommandIsSearchedNotParsed() {
    var tally = VerificationTally(declared: ["swift test"])
    tally.recordShell(command: "cat > f <<'E'\n" + String(repeating: "x", count: 2 << 20) + "\nE\nswift test", exitCode: 0, at: 1, id: "a")
    #expect(tally.report(endNotSeen: false).declared[0].result == "unknown")
  }

  @Test(arguments: [
    "npm test", "npm run build", "cd a && cargo clippy -- -D warnings", "go test ./...", "python -m pytest -q", "uv run pytest", "make", "npx tsc --noEmit",
    "npx eslint .", "ruff check .",
    "./gradlew test", "mvn -q verify", "dotnet build", "bash scripts/test.sh", "./run-tests.sh", "yarn lint", "pnpm run test:unit", "bundle exec rspec",
    "swift format lint -r .",
    "node --test", "for i in 1 2; do swift build; done", "CI=1 swift test --filter X | tail", "black --check .", "./scripts/ci",
  ])
  func undeclaredChecks(_ command: String) {
    var tally = VerificationTally(declared: ["other"])
    tally.recordShell(command: command, exitCode: 3, at: 1, id: "a")
    tally.recordShell(command: command, exitCode: 0, at: 2, id: "b")
    #expect(tally.report(endNotSeen: false).undeclared == [.init(command: command, exitCode: 0, times: 2)])
  }

  @Test(arguments: [
    "ls", "git status", "cat test.txt", "npm install", "echo make", "mkdir build", "cargo --version", "swift --version", "go run .", "git commit -m test",
    "pip install pytest",
  ])
  func notChecks(_ command: String) {
    var tally = VerificationTally(declared: [])
    tally.recordShell(command: command, exitCode: 0, at: 1, id: "a")
    #expect(tally.report(endNotSeen: false).undeclared.isEmpty)
  }
}
