import Foundation
import JSON
import Text

/// One argument of a tool.
package struct Parameter: Sendable {
  package enum Kind: Sendable {
    case string
    case bool
    case integer(ClosedRange<Int>)
    case strings
    case choice([String])
  }

  package let name: String
  package let kind: Kind
  package let description: String?
  package let isRequired: Bool
  /// Taken, but not offered: for callers who know it from elsewhere.
  package let isHidden: Bool
  /// What callers write for it elsewhere: not taken, but answered with its name.
  package let aliases: [String]
  /// What a caller that left it out should know.
  package let need: String?

  package init(
    _ name: String, _ kind: Kind, _ description: String? = nil, required: Bool = false, hidden: Bool = false, aliases: [String] = [],
    need: String? = nil
  ) {
    self.name = name
    self.kind = kind
    self.description = description
    isRequired = required
    isHidden = hidden
    self.aliases = aliases
    self.need = need
  }

  package var schema: JSONValue {
    var schema = JSONObject()
    switch kind {
    case .string: schema["type"] = "string"
    case .bool: schema["type"] = "boolean"
    case .integer: schema["type"] = "integer"
    case .strings:
      schema["type"] = "array"
      schema["items"] = ["type": "string"]
    case .choice(let values): schema["enum"] = JSONValue(strings: values)
    }
    schema["description"] = description.map { .string($0) }
    return .object(schema)
  }

  /// Why `value` doesn't fit; nil when it does.
  fileprivate func problem(with value: JSONValue) -> String? {
    switch kind {
    case .string: value.string == nil ? "a string" : nil
    case .bool: value.bool == nil ? "true or false" : nil
    case .integer(let range): value.int.map(range.contains) == true ? nil : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .strings: value.array?.allSatisfy { $0.string != nil } == true ? nil : "a list of strings"
    case .choice(let values): value.string.map(values.contains) == true ? nil : "one of " + values.map { "\"\($0)\"" }.joined(separator: ", ")
    }
  }
}

/// A tool's arguments, checked against its parameters. An argument that is `null` counts as absent.
package struct Arguments: Sendable {
  private let values: JSONObject

  /// Gemini offers its model this parameter of every tool, for its own use, and passes it on.
  private static let addedByClients: Set<String> = ["wait_for_previous"]

  /// - Throws: `ToolError` (`bad_argument`) naming the argument, what it was and what it must be
  package init(_ given: JSONObject, for tool: any Tool) throws {
    var values = JSONObject()
    for (key, value) in given.members where !Arguments.addedByClients.contains(key) {
      guard let parameter = tool.parameters.first(where: { $0.name == key }) else {
        let offered = tool.parameters.filter { !$0.isHidden }
        let known = offered.map(\.name)
        let plain = Arguments.plain(key)
        let nearest = offered.first { $0.aliases.contains { Arguments.plain($0) == plain } }?.name ?? EditDistance.closest(to: key, in: known)
        throw ToolError.badArgument(
          "\(tool.name) has no argument \"\(key.prefix(100))\".",
          hint: nearest.map { "Did you mean \"\($0)\"?" } ?? "It takes: \(known.joined(separator: ", ")).")
      }
      if value == .null { continue }
      if let expected = parameter.problem(with: value) {
        throw ToolError.badArgument("\"\(key)\" is \(value.text.prefix(100)).", hint: "It must be \(expected).")
      }
      values[key] = value
    }
    if let missing = tool.parameters.first(where: { $0.isRequired && values[$0.name] == nil }) {
      throw ToolError.badArgument("\"\(missing.name)\" is missing.", hint: missing.need ?? "\(tool.name) needs it.")
    }
    self.values = values
  }

  /// A name without its style: `working_directory` is `workingDirectory`.
  private static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }

  /// The arguments as one value, by their names.
  /// - Throws: `DecodingError` where a parameter's kind and the value's type don't go together
  package func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value { try JSONDecoder().decode(type, from: Data(JSONValue.object(values).bytes)) }

  package func string(_ name: String) -> String? { values[name]?.string }
  package func bool(_ name: String) -> Bool? { values[name]?.bool }
  package func integer(_ name: String) -> Int? { values[name]?.int }
  package func strings(_ name: String) -> [String]? { values[name]?.array?.compactMap(\.string) }

  /// The place in a list of `count` rows that `cursor` names; nil without one.
  /// - Throws: `ToolError` (`bad_argument`)
  package func cursor(in count: Int) throws -> Int? {
    guard let cursor = string("cursor") else { return nil }
    guard let index = Int(cursor), (0...count).contains(index) else {
      throw ToolError.badArgument("The cursor \"\(cursor.prefix(60))\" is not one of this list.", hint: "Pass nextCursor as it came.")
    }
    return index
  }
}
