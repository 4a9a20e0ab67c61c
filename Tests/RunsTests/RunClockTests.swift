import Foundation
import PosixSupport
import Testing

@testable import OpenCode
@testable import Runs

/// Somebody sets the clock while a run goes on. What is far from an hour is "at once" here.
@Suite struct RunClockTests {
  private let hour = 3600.0
  private let wall = Date().timeIntervalSince1970

  /// A run that began just now, by a clock that has since been moved by `jump` seconds.
  private func record(jump: Double, boot: Bool = true) -> RunRecord {
    let installed = InstalledOpenCode(Installation(path: "/bin/opencode", version: OpenCodeVersion(1, 18, 34), foundBy: "test"))
    let request = RunRequest(start: StartArguments(message: "Do it."), installation: installed, arguments: [])
    return RunRecord(id: "x", staging: "x", startedAt: wall - jump, startedSinceBoot: boot ? .now : nil, request: request)
  }

  private func isNear(_ one: Double, _ other: Double) -> Bool { abs(one - other) < 900 }

  @Test(arguments: [3600.0, -3600.0, 40.0 * 86_400.0, 7300.0 * 86_400.0, 0.0])
  func aJumpIsNotTimeThatPassed(_ jump: Double) {
    let record = record(jump: jump)
    #expect(record.elapsed < 900)
    #expect(isNear(record.clock, record.startedAt))
  }

  @Test(arguments: [3600.0, -3600.0, 0.0])
  func nothingIsOlderThanItIs(_ jump: Double) {
    let record = record(jump: jump)
    // Told before the jump, and after it.
    for moment in [record.startedAt, wall] {
      #expect(isNear(record.now(seeing: [moment]), moment), "\(jump)")
    }
    // What isn't of this world.
    #expect(isNear(record.now(seeing: [1e12, .infinity, .nan]), record.startedAt))
  }

  @Test func whatIsOldIsOld() {
    let record = record(jump: 0)
    #expect(isNear(record.now(seeing: [wall - 5 * hour]), wall))
  }

  @Test func aRecordWithoutTheMachinesCountGoesByTheWallClock() {
    let record = record(jump: hour, boot: false)
    #expect(isNear(record.elapsed, hour))
  }
}
