import JSON
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs
@testable import Workspace

/// What the log tells and what OpenCode's own store adds, put together.
@Suite struct RunReviewTests {
  private func review(_ facts: SessionFacts, cost: Double = 0.5) throws -> RunReview {
    let installed = InstalledOpenCode(Installation(path: "/bin/opencode", version: OpenCodeVersion(1, 18, 34), foundBy: "test"))
    var start = StartArguments(message: "Do it.")
    start.cwd = "/nowhere"
    let request = RunRequest(start: start, installation: installed, arguments: [])
    let digest = try Log.digest([EventLines.start("m"), EventLines.text("m", "Done."), EventLines.finish("m", "stop", tokens: 100, cost: cost)])
    return RunReview.make(
      .exited(0), at: 10, record: RunRecord(id: "x", staging: "x", startedAt: 1, request: request), digest: digest,
      changes: ChangedFiles(root: "/nowhere"), facts: facts)
  }

  private func subagent(cost: Double?) -> SessionFacts {
    var facts = SessionFacts()
    facts.subagents = [RunUsage.Subagent(session: "ses_2", tokens: TokenCounts(input: 50), cost: cost)]
    return facts
  }

  @Test func aSubagentsUsageIsAddedToTheRunsOwn() throws {
    let review = try review(subagent(cost: 0.25))
    #expect(review.usage.tokens.total == 150 && review.usage.cost == 0.75)
    #expect(review.outcome.attention.isEmpty)
  }

  @Test func whoeverHasNoPriceTheCostIsUnknownAndThatIsSaidOnce() throws {
    let below = try review(subagent(cost: nil))
    #expect(below.usage.cost == nil && below.usage.tokens.total == 150)
    #expect(below.outcome.attention.sentences == ["cost unknown: a subagent's model has no price"])
    #expect(try review(subagent(cost: nil), cost: 0).outcome.attention.sentences == ["cost unknown: the model has no price"])
    var last = SessionFacts()
    last.lastStep = StepUsage(tokens: TokenCounts(input: 50), cost: 0)
    #expect(try review(last).outcome.attention.sentences == ["cost unknown: the model has no price"])
  }
}
