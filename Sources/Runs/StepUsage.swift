import OpenCode

/// What one step used.
package struct StepUsage: Codable, Sendable, Equatable {
  package var tokens: TokenCounts
  /// USD.
  package var cost: Double

  package init(tokens: TokenCounts, cost: Double) {
    self.tokens = tokens
    self.cost = cost
  }

  /// It used tokens and cost nothing: its model has no price.
  package var isUnpriced: Bool { cost == 0 && tokens.total > 0 }
}
