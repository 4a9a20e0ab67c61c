import Foundation
import OpenCode
import TestSupport
import Testing

@testable import Runs

/// Where in a run stands what a subagent did: its session may be continued, may go on in the background, or be named by no event.
@Suite struct SubagentPlaceTests {
  /// A call of a subagent from one second to another.
  private func task(_ part: String, from start: Int, to end: Int) -> String {
    #"{"type":"tool_use","timestamp":\#(end)000,"sessionID":"ses_1","part":{"id":"\#(part)","callID":"\#(part)","messageID":"m","tool":"task","#
      + #""state":{"status":"completed","input":{"description":"d","prompt":"p","subagent_type":"general"},"metadata":{"sessionId":"ses_2"},"#
      + #""time":{"start":\#(start)000,"end":\#(end)000}}}}"#
  }

  private func edit(_ part: String, at second: Int) -> String { EventLines.edit("m", "rc", part: part, at: second * 1000) }

  private func row(_ lines: [String], _ change: (inout SessionFacts) -> Void) throws -> (result: String, isProven: Bool, row: String) {
    var digest = try Log.digest([EventLines.start("m")] + lines, declared: ["chk"])
    var facts = SessionFacts()
    facts.asked = true
    change(&facts)
    digest.add(facts)
    let row = digest.verification.report(known: .all).declared[0]
    return (row.result, row.isProven, "\(row)")
  }

  private func check(_ exit: Int, at second: Double) -> SessionFacts.ShellCall {
    SessionFacts.ShellCall(id: "c\(second)", command: "chk", exitCode: exit, start: second - 0.1, at: second, session: "ses_2")
  }

  @Test func aContinuedSubagentsOldCheckStaysWhereItWas() throws {
    let lines = [task("p1", from: 10, to: 20), edit("e", at: 25), task("p2", from: 30, to: 40)]
    let old = try row(lines) { $0.shellCommands = [check(0, at: 15)] }
    #expect(old.result == "passed" && !old.isProven, "\(old)")
    let new = try row(lines) { $0.shellCommands = [check(1, at: 15), check(0, at: 35)] }
    #expect(new.result == "passed" && new.isProven, "\(new)")
    let failed = try row([task("p1", from: 10, to: 20), task("p2", from: 30, to: 40)]) { $0.shellCommands = [check(0, at: 15), check(1, at: 35)] }
    #expect(failed.result == "failed", "\(failed)")
  }

  @Test func whatNoCallCoversProvesNothing() throws {
    // In the background its call has ended before it; one that failed is named by no event.
    #expect(try row([task("p1", from: 10, to: 11)]) { $0.shellCommands = [check(0, at: 15)] }.result == "unknown")
    #expect(try row([edit("e", at: 20)]) { $0.shellCommands = [check(0, at: 15)] }.result == "unknown")
    let own = EventLines.bash("m", "chk", exit: 0, part: "b", at: 12_000)
    let late = try row([task("p1", from: 10, to: 11), own]) { $0.edits = [SessionFacts.Edit(at: 15, session: "ses_2")] }
    #expect(late.result == "passed" && !late.isProven, "\(late)")
    #expect(try row([own]) { $0.hadBackgroundWork = true }.isProven == false)
    #expect(try row([own]) { _ in }.isProven)
  }

  @Test func anEditThatEndedInAnErrorMayHaveWritten() throws {
    let own = EventLines.bash("m", "chk", exit: 0, part: "b", at: 12_000)
    let row = try row([own, EventLines.tool("m", "write", error: "could not be formatted", part: "w")]) { _ in }
    #expect(row.result == "passed" && !row.isProven, "\(row)")
  }

  @Test func aStepWithoutItsEndLeavesTheUsageUnknown() throws {
    let whole = try Log.digest([EventLines.start("a"), EventLines.finish("a", "tool-calls"), EventLines.start("b"), EventLines.finish("b", "stop")])
    #expect(RunUsage(whole).missing == nil && RunUsage(whole).cost == 1)
    let cut = try Log.digest([EventLines.start("a"), EventLines.text("a", "x"), EventLines.start("b"), EventLines.finish("b", "stop")])
    #expect(RunUsage(cut).cost == nil && RunUsage(cut).missing?.contains("whose end is not in the log") == true)
  }
}
