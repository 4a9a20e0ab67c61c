import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// The real OpenCode, the real Codex: they compute for two minutes, and have time limits of their own. So they run apart from the other tests, by
  /// the second test command of CONTRIBUTING.md. A suite of them has a name that begins with `Real`.
  package static var realPrograms: Self {
    .enabled(if: ProcessInfo.processInfo.environment["WORKER_TEST_REAL"] == "1", "WORKER_TEST_REAL=1 runs the tests with the real OpenCode and Codex")
  }
}
