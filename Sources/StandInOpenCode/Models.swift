import Foundation
import JSON

/// The stand-in's models, priced in USD per million tokens.
struct Model {
  static let provider = "stand-in"
  static let all = [
    Model(id: "m1", name: "Stand-in One", reasoning: true, context: 128_000, input: 3, output: 15, cacheRead: 0.3),
    Model(id: "m2", name: "Stand-in Two", reasoning: false, context: 32_000, input: 1, output: 2, cacheRead: 0),
    Model(id: "org/nested:free", name: "Nested name", reasoning: false, context: 32_000, input: 0, output: 0, cacheRead: 0),
  ]

  let id: String
  let name: String
  let reasoning: Bool
  let context: Int
  let input: Double
  let output: Double
  let cacheRead: Double

  static func named(_ reference: String) -> Model? { all.first { "\(provider)/\($0.id)" == reference } }

  /// What `models --verbose` prints of it.
  var description: JSONValue {
    let media: JSONValue = ["text": true, "audio": false, "image": false, "video": false, "pdf": false]
    let efforts = ["low", "medium", "high"].map { (key: $0, value: JSONValue.object(["reasoningEffort": .string($0)])) }
    return [
      "id": .string(id), "api": ["id": .string(id), "npm": "@ai-sdk/openai-compatible", "url": ""], "status": "active", "name": .string(name),
      "providerID": .string(Model.provider),
      "capabilities": [
        "temperature": false, "reasoning": .bool(reasoning), "attachment": false, "toolcall": true, "input": media, "output": media, "interleaved": false,
      ],
      "cost": ["input": .number(input), "output": .number(output), "cache": ["read": .number(cacheRead), "write": 0]], "options": [:],
      "limit": ["context": JSONValue(context), "output": 8192], "headers": [:], "family": "", "release_date": "",
      "variants": .object(JSONObject(reasoning ? efforts : [])),
    ]
  }
}

/// Tokens of a step or of a session, and what they cost.
struct Usage {
  var input = 0
  var output = 0
  var reasoning = 0
  var cacheRead = 0
  var cost = 0.0

  init() {}

  /// - Parameter counts: token counts in OpenAI's shape; nil: ordinary ones
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
    if withTotal { tokens["total"] = JSONValue(input + output + reasoning + cacheRead) }
    tokens["input"] = JSONValue(input)
    tokens["output"] = JSONValue(output)
    tokens["reasoning"] = JSONValue(reasoning)
    tokens["cache"] = ["write": 0, "read": JSONValue(cacheRead)]
    return .object(tokens)
  }
}

/// Ids as OpenCode makes them: sorted by time, sessions from the newest to the oldest.
struct Identifiers {
  private var last: UInt64 = 0

  mutating func next(_ prefix: String, descending: Bool = false) -> String {
    last = max(last + 1, UInt64(max(0, Date().timeIntervalSince1970 * 1000)) << 12)
    let number = (descending ? ~last : last) & 0xFFFF_FFFF_FFFF
    let hex = String(number, radix: 16)
    let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    let tail = (0..<14).map { _ in letters[Int.random(in: 0..<letters.count)] }
    return "\(prefix)_" + String(repeating: "0", count: 12 - hex.count) + hex + String(tail)
  }
}
