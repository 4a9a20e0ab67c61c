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

  var variants: [String] { reasoning ? ["low", "medium", "high"] : [] }

  /// What `models --verbose` prints of it.
  var description: JSONValue {
    let media: JSONValue = ["text": true, "audio": false, "image": false, "video": false, "pdf": false]
    let efforts = variants.map { (key: $0, value: JSONValue.object(["reasoningEffort": .string($0)])) }
    return [
      "id": .string(id), "api": ["id": .string(id), "npm": "@ai-sdk/openai-compatible", "url": ""], "status": "active", "name": .string(name),
      "providerID": .string(Model.provider),
      "capabilities": [
        "temperature": false, "reasoning": .bool(reasoning), "attachment": false, "toolcall": true, "input": media, "output": media, "interleaved": false,
      ],
      "cost": ["input": .number(input), "output": .number(output), "cache": ["read": .number(cacheRead), "write": 0]], "options": [:],
      "limit": ["context": JSONValue(context), "output": 8192], "headers": [:], "family": "", "release_date": "",
      "variants": .object(JSONObject(efforts)),
    ]
  }
}
