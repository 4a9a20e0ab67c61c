import OpenCode

/// The usage of all steps seen.
package struct UsageSum: Codable, Sendable, Equatable {
  package var tokens = TokenCounts()
  /// USD, of the steps whose model has a price.
  package var cost = 0.0
  /// Steps whose end told their usage.
  package var steps = 0
  /// Steps that used tokens and cost nothing: their model has no price.
  package var unpricedSteps = 0
  /// Steps whose end told no usage: their provider sends none, or its stream broke off.
  package var untoldSteps = 0

  package var costIsKnown: Bool { unpricedSteps == 0 }

  package mutating func add(_ step: StepUsage) {
    tokens = tokens + step.tokens
    cost += step.cost
    steps += 1
    if step.isUnpriced { unpricedSteps += 1 }
    if step.tokens.total == 0 { untoldSteps += 1 }
  }

  package mutating func remove(_ step: StepUsage) {
    tokens = tokens - step.tokens
    cost = max(0, cost - step.cost)
    steps = max(0, steps - 1)
    if step.isUnpriced { unpricedSteps = max(0, unpricedSteps - 1) }
    if step.tokens.total == 0 { untoldSteps = max(0, untoldSteps - 1) }
  }
}
