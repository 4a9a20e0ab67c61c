import JSON

/// Tokens of a step or of a session, and what they cost.
struct Usage: Equatable {
  var input = 0
  var output = 0
  var reasoning = 0
  var cacheRead = 0
  var cost = 0.0

  init() {}

  /// - Parameter counts: token counts in OpenAI's shape; nil: ordinary ones; an empty object: the provider told none
  init(_ counts: JSONValue?, model: Model) {
    let prompt = counts == nil ? 1200 : counts?["prompt_tokens"]?.int ?? 0
    let completion = counts == nil ? 80 : counts?["completion_tokens"]?.int ?? 0
    cacheRead = counts == nil ? 1000 : counts?["prompt_tokens_details"]?["cached_tokens"]?.int ?? 0
    reasoning = counts == nil ? 16 : counts?["completion_tokens_details"]?["reasoning_tokens"]?.int ?? 0
    input = max(0, prompt - cacheRead)
    output = max(0, completion - reasoning)
    let dollars = Double(input) * model.input + Double(output + reasoning) * model.output + Double(cacheRead) * model.cacheRead
    cost = dollars / 1_000_000
  }

  /// As stored in a session.
  init(session: JSONValue) {
    cost = session["cost"]?.double ?? 0
    let tokens = session["tokens"]
    input = tokens?["input"]?.int ?? 0
    output = tokens?["output"]?.int ?? 0
    reasoning = tokens?["reasoning"]?.int ?? 0
    cacheRead = tokens?["cache"]?["read"]?.int ?? 0
  }

  static func + (left: Usage, right: Usage) -> Usage {
    var sum = left
    sum.input += right.input
    sum.output += right.output
    sum.reasoning += right.reasoning
    sum.cacheRead += right.cacheRead
    sum.cost = ((left.cost + right.cost) * 1e9).rounded() / 1e9
    return sum
  }

  func tokens(withTotal: Bool) -> JSONValue {
    var tokens = JSONObject()
    if withTotal, self != Usage() { tokens["total"] = JSONValue(input + output + reasoning + cacheRead) }
    tokens["input"] = JSONValue(input)
    tokens["output"] = JSONValue(output)
    tokens["reasoning"] = JSONValue(reasoning)
    tokens["cache"] = ["write": 0, "read": JSONValue(cacheRead)]
    return .object(tokens)
  }
}
