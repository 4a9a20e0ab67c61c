/// The two programs that go by the name of `opencode`: 1.x, and 2.x, which is a rewrite with a command line and events of its own.
/// Rests on `docs/generations.md`.
package enum Generation: Int, Sendable, Equatable, Codable {
  case v1 = 1
  case v2 = 2

  /// Reads what this generation prints.
  package var decoder: any EventDecoding {
    switch self {
    case .v1: OpenCode1Events()
    case .v2: OpenCode2Events()
    }
  }
}
