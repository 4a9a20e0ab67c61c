import Testing

@testable import Desk

@Suite struct CompletionsTests {
  private let entries = [
    Completions.Entry("status", "How a run's state is: told", options: ["--json"], takesRun: true), Completions.Entry("demo", "A demo"),
  ]

  @Test(arguments: Completions.shells) func everyShellGetsAllCommands(shell: String) throws {
    let script = try #require(Completions.script(for: shell, entries))
    for word in ["status", "demo", "json", "runs --ids"] { #expect(script.contains(word), "\(shell): \(word)") }
  }

  @Test func anotherShellIsNone() { #expect(Completions.script(for: "tcsh", entries) == nil) }
}
