/// What a run's shell commands proved about the declared verification commands.
package struct VerificationReport: Codable, Sendable, Equatable {
  package struct Declared: Codable, Sendable, Equatable {
    package var command: String
    /// `passed`, `failed`, `unknown` or `not run`.
    package var result: String
    /// Of the last shell command that ran it, when that proved a result.
    package var exitCode: Int?
    /// Why it is `unknown`, where the last shell command tells.
    package var why: String?
    /// How many shell commands ran it, or may have run it.
    package var times: Int
    /// Seconds since 1970 of the last one's end.
    package var at: Double?
    /// Files were changed after it last ran.
    package var editedAfter: Bool
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
