import TestSupport
import Testing

@testable import PosixSupport

@Suite(.blocking) struct CommandTests {
  @Test func aCommandReportsItsExitAndBothOutputs() throws {
    let result = try Command("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"], deadline: .after(10)).run()
    #expect(result.status == .exited(3))
    #expect(result.outputText == "out\n")
    #expect(result.errorText == "err\n")
  }
}
