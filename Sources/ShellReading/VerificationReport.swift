/// What a run's shell commands, and the worker's own, proved about the declared verification commands.
package struct VerificationReport: Codable, Sendable, Equatable {
  package struct Declared: Codable, Sendable, Equatable {
    package var command: String
    /// `passed`, `failed`, `unknown` or `not run`; of the worker's own also `timed out`.
    package var result: String
    /// Of the last shell command that ran it, when that proved a result.
    package var exitCode: Int?
    /// Why it is `unknown`, where the last shell command tells.
    package var why: String?
    /// How many shell commands ran it, or may have run it.
    package var times: Int
    /// Seconds since 1970 of the last one's end.
    package var at: Double?
    /// A tool changed files after it last began.
    package var editedAfter: Bool
    /// Shell commands came after it, and whether they changed anything isn't known.
    package var maybeEditedAfter: Bool?
    /// It passed at last, and had failed before.
    package var failedBefore: Bool?
    /// `worker`: it was run after OpenCode's end. Absent: by OpenCode.
    package var by: String?
    /// How long the worker's own took.
    package var seconds: Double?
    /// The last of what the worker's own printed, when it failed.
    package var lastOutput: String?

    /// It passed, and nothing was changed since.
    package var isProven: Bool { result == "passed" && !editedAfter && maybeEditedAfter != true }
  }
  package struct Undeclared: Codable, Sendable, Equatable {
    package var command: String
    /// Nil when the shell's exit code doesn't prove it.
    package var exitCode: Int?
    package var times: Int
  }
  package var declared: [Declared]
  /// Tests, builds and linters that weren't declared, in the order in which they last ran.
  package var undeclared: [Undeclared]
}
