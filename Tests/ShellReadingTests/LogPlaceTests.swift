import Testing

@testable import ShellReading

/// The log's order counts, not the clock.
@Suite struct LogPlaceTests {
  private func row(_ body: (inout VerificationTally) -> Void) -> VerificationReport.Declared {
    var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
    body(&tally)
    return tally.report(known: .all).declared[0]
  }

  @Test func aClockThatWasSetBackReversesNothing() {
    let row = row {
      $0.recordShell(command: "swift test", exitCode: 1, place: LogPlace(order: 1, step: 1, start: 9_000, end: 9_001), id: "a")
      $0.recordEdit(LogPlace(order: 2, step: 2, start: 9_002, end: 9_003))
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 3, step: 3, start: 100, end: 101), id: "b")
    }
    #expect(row.result == "passed" && !row.editedAfter && row.failedBefore == true && row.isProven)
    let reversed = self.row {
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 1, step: 1, start: 9_000, end: 9_001), id: "a")
      $0.recordEdit(LogPlace(order: 2, step: 2, start: 100, end: 101))
    }
    #expect(reversed.editedAfter && !reversed.isProven)
  }

  @Test func anEditWhileItRanCounts() {
    let row = row {
      $0.recordEdit(LogPlace(order: 1, step: 1, start: 10, end: 12))
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 2, step: 1, start: 11, end: 20), id: "a")
    }
    #expect(row.editedAfter)
    let before = self.row {
      $0.recordEdit(LogPlace(order: 1, step: 1, start: 10, end: 12))
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 2, step: 1, start: 13, end: 20), id: "a")
    }
    #expect(!before.editedAfter)
  }

  /// Both may have been at work in that millisecond.
  @Test func anEditThatEndedWhenItBeganMayCount() {
    func row(_ end: Double, step: Int = 1, isEdit: Bool = true) -> VerificationReport.Declared {
      self.row {
        let place = LogPlace(order: 1, step: step, start: 10, end: end)
        if isEdit { $0.recordEdit(place) } else { $0.recordShell(command: "x", exitCode: 0, place: place, id: "x") }
        $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 2, step: 1, start: 12, end: 20), id: "a")
      }
    }
    #expect(!row(12).editedAfter && row(12).maybeEditedAfter == true && row(12, isEdit: false).maybeEditedAfter == true)
    #expect(row(11.999).isProven && row(12, step: 0).isProven && row(12, step: 0, isEdit: false).isProven)
  }

  @Test func aShellCommandAfterItMayHaveChangedFiles() {
    func tally(_ changedNothing: Bool, then after: String = "git status && ls") -> VerificationReport.Declared {
      var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
      tally.recordShell(command: "swift test 2>&1", exitCode: 0, place: LogPlace(order: 1, step: 1, start: 1, end: 2), id: "a")
      tally.recordShell(command: after, exitCode: 0, place: LogPlace(order: 2, step: 2, start: 3, end: 4), id: "b")
      return tally.report(known: .all, changedNothing: changedNothing).declared[0]
    }
    #expect(tally(false).maybeEditedAfter == true && !tally(false).isProven)
    #expect(tally(true).maybeEditedAfter == nil, "the trees are the same, nothing came before the check, and only questions after it")
    #expect(tally(true, then: "sed -i s/a/b/ x").maybeEditedAfter == true, "an ignored file is in no tree")
    #expect(row { $0.recordShell(command: "swift test && sed -i s/a/b/ x", exitCode: 0, place: LogPlace(order: 1, end: 2), id: "a") }.maybeEditedAfter == true)
  }

  /// The tree is as it was at the end, and not when the check ran.
  @Test(arguments: [
    "git stash -q && swift test && git stash pop -q", "git checkout -q main && swift test && git checkout -q work", "touch a && swift test; rm a",
    "mv a b && swift test && mv b a", "bash -c 'touch a; swift test; rm a'", "touch a && swift test",
  ])
  func whatIsChangedAndPutBackInOneCommand(command: String) {
    var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
    tally.recordShell(command: command, exitCode: 0, place: LogPlace(order: 1, step: 1, start: 1, end: 2), id: "a")
    tally.recordShell(command: "ls", exitCode: 0, place: LogPlace(order: 2, step: 2, start: 3, end: 4), id: "b")
    #expect(!tally.report(known: .all, changedNothing: true).declared[0].isProven)
  }

  @Test(arguments: [
    "(sleep 2; echo 1 > rc) >/dev/null 2>&1 </dev/null & true", "npm run dev &", "nohup x > log 2>&1 &", "setsid -f x", "bash -c 'x & y'", "tmux new -d x",
  ])
  func whatWasLeftRunningMayChangeFilesAtAnyTime(command: String) {
    let row = row {
      $0.recordShell(command: command, exitCode: 0, place: LogPlace(order: 1, step: 1, start: 1, end: 2), id: "a")
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 2, step: 2, start: 3, end: 4), id: "b")
    }
    #expect(row.result == "passed" && row.maybeEditedAfter == true)
  }

  @Test(arguments: ["x 2>&1", "x >&2", "a && b", "x &> log", "curl 'http://h/?a=1&b=2'"])
  func noneOfTheseLeavesAnythingRunning(command: String) {
    let row = row {
      $0.recordShell(command: command, exitCode: 0, place: LogPlace(order: 1, step: 1, start: 1, end: 2), id: "a")
      $0.recordShell(command: "swift test", exitCode: 0, place: LogPlace(order: 2, step: 2, start: 3, end: 4), id: "b")
    }
    #expect(row.isProven)
  }

  @Test func elsewhereProvesNothingHere() {
    func result(_ command: String, in folder: String?) -> String {
      row { $0.recordShell(command: command, exitCode: 0, startedIn: folder, place: LogPlace(order: 1, end: 2), id: "a") }.result
    }
    #expect(row { $0.recordShell(command: "swift test", exitCode: 0, startedIn: "/other", place: LogPlace(order: 1, end: 2), id: "a") }.result == "unknown")
    #expect(result("swift test", in: "/w/sub") == "unknown" && result("cd /w && swift test", in: "/w/sub") == "passed")
    #expect(result("swift test", in: "/w/") == "passed" && result("cd sub && swift test", in: nil) == "passed")
    // By its name it is inside; where the links lead the caller knows.
    var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
    tally.recordShell(command: "cd link && swift test", exitCode: 0, place: LogPlace(order: 1, end: 2), id: "a")
    #expect(tally.report(known: .all) { $0 == "/w/link" }.declared[0].result == "unknown")
    #expect(tally.report(known: .all) { $0 == "/w" }.declared[0].result == "passed")
  }
}
