import Testing

@testable import ShellReading

/// The log's order counts, not the clock.
@Suite struct LogPlaceTests {
  private func row(_ body: (inout VerificationTally) -> Void) -> VerificationReport.Declared {
    var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
    body(&tally)
    return tally.report(unseen: .nothing).declared[0]
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

  @Test func aShellCommandAfterItMayHaveChangedFiles() {
    func tally(_ changedNothing: Bool) -> VerificationReport.Declared {
      var tally = VerificationTally(declared: ["swift test"], workspace: "/w")
      tally.recordShell(command: "swift test 2>&1", exitCode: 0, place: LogPlace(order: 1, step: 1, start: 1, end: 2), id: "a")
      tally.recordShell(command: "sed -i s/a/b/ x", exitCode: 0, place: LogPlace(order: 2, step: 2, start: 3, end: 4), id: "b")
      return tally.report(unseen: .nothing, changedNothing: changedNothing).declared[0]
    }
    #expect(tally(false).maybeEditedAfter == true && !tally(false).isProven)
    #expect(tally(true).maybeEditedAfter == nil, "the trees are the same, and nothing came before the check")
    #expect(row { $0.recordShell(command: "swift test && sed -i s/a/b/ x", exitCode: 0, place: LogPlace(order: 1, end: 2), id: "a") }.maybeEditedAfter == true)
  }

  @Test func elsewhereProvesNothingHere() {
    #expect(row { $0.recordShell(command: "swift test", exitCode: 0, startedIn: "/other", place: LogPlace(order: 1, end: 2), id: "a") }.result == "unknown")
    #expect(row { $0.recordShell(command: "swift test", exitCode: 0, startedIn: "/w/sub", place: LogPlace(order: 1, end: 2), id: "a") }.result == "passed")
  }
}
