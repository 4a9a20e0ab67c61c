import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Runs

/// End, timer and cancellation race for each waiter; whoever comes first, everybody goes on once.
@Suite struct RunReleaseTests {
  private func held() throws -> (release: RunRelease, holder: Descriptor, scratch: Scratch) {
    let scratch = try Scratch()
    let holder = try Fifo.hold(scratch.path("fifo"))
    let watch = try #require(try Fifo.watch(scratch.path("fifo")))
    return (RunRelease(watch), holder, scratch)
  }

  @Test func theEndReleasesAllThatWaitAndAllThatComeLater() async throws {
    let (release, holder, _) = try held()
    let waiters = (0..<50).map { _ in Task { await release.wait(seconds: 600) } }
    holder.close()
    for waiter in waiters { await waiter.value }
    #expect(release.isOver)
    await release.wait(seconds: 600)
  }

  @Test func aTimerReleasesItsOwnWaiterOnly() async throws {
    let (release, holder, _) = try held()
    defer { holder.close() }
    let other = Task { await release.wait(seconds: 600) }
    for seconds in [0, -1, 0.001, 0.01] { await release.wait(seconds: seconds) }
    #expect(!release.isOver)
    other.cancel()
    await other.value
  }

  @Test func cancellingBeforeAndWhileWaitingReleases() async throws {
    let (release, holder, _) = try held()
    defer { holder.close() }
    for _ in 0..<100 {
      let waiter = Task { await release.wait(seconds: 600) }
      if Bool.random() { await Task.yield() }
      waiter.cancel()
      await waiter.value
    }
    #expect(!release.isOver)
  }

  @Test func endTimerAndCancellationAtOnceReleaseEverybodyOnce() async throws {
    for _ in 0..<20 {
      let (release, holder, _) = try held()
      let waiters = (0..<20).map { number in Task { await release.wait(seconds: number % 3 == 0 ? 0.001 : 600) } }
      for (number, waiter) in waiters.enumerated() where number % 3 == 1 { waiter.cancel() }
      holder.close()
      for waiter in waiters { await waiter.value }
      await release.wait(seconds: 600)
      #expect(release.isOver)
    }
  }
}
