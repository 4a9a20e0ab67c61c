import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

/// A part of the usage is never told as the whole.
@Suite struct UsageWholeTests {
  @Test func anOpenLastStepIsMissing() throws {
    let usage = RunUsage(
      try Log.digest([EventLines.start("a"), EventLines.text("a", "x"), EventLines.finish("a", "tool-calls"), EventLines.start("b"), EventLines.text("b", "y")])
    )
    #expect(usage.cost == nil && usage.missing?.contains("last step") == true && usage.tokens.total == 100)
  }

  @Test func stepsWithoutUsageAreMissing() throws {
    let usage = RunUsage(try Log.digest([EventLines.start("a"), EventLines.text("a", "x"), EventLines.finish("a", "stop", tokens: 0, cost: 0)]))
    #expect(usage.cost == nil && usage.missing == "the usage of 1 steps: the provider told none")
  }

  @Test func aWholeRunHasItsCost() throws {
    let usage = RunUsage(try Log.digest([EventLines.start("a"), EventLines.text("a", "x"), EventLines.finish("a", "stop")]))
    #expect(usage.cost == 0.5 && usage.missing == nil)
  }
}
