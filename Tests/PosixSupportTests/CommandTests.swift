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

  @Test func aTrustedProgramsOutputIsKeptToItsLimit() throws {
    func run(_ script: String, limit: Int = 1 << 20, input: [UInt8] = []) throws -> Command.Result {
      var command = Command("/bin/sh", ["-c", script], deadline: .after(60), outputLimit: limit)
      command.isTrusted = true
      return try command.run(input: input)
    }
    let all = try run("cat; printf abc; echo err >&2; exit 3", input: Array("12 ".utf8))
    #expect(all.status == .exited(3))
    #expect(all.outputText == "12 abc")
    #expect(all.errorText == "err\n")
    #expect(try run("exit 0").output.isEmpty)
    let much = try run("head -c 300000 /dev/zero || exit 9", limit: 100_000)
    #expect((90_000...100_000).contains(much.output.count))
    // Where it lies in memory, it isn't cut in silence.
    if SystemHabits.memoryFile(limit: 1) != nil { #expect(much.status == .exited(9)) }
  }

  @Test func theEndIsSeenWithAndWithoutANotice() throws {
    let result = try Command("/bin/sh", ["-c", "sleep 0.2; kill -TERM $$"], deadline: .after(60)).run()
    #expect(result.status == .signaled(15))
    let hanging = try Command("/bin/sh", ["-c", "sleep 900"], deadline: .after(0.3)).run()
    #expect(hanging.status == nil)
  }
}
