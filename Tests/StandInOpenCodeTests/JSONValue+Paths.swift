import JSON

/// The members' paths, `part.state.input.command`; what kind of value each has.
func paths(_ value: JSONValue, _ prefix: String = "") -> Set<String> {
  switch value {
  case .object(let object): object.members.reduce(into: [prefix + "{}"]) { $0.formUnion(paths($1.value, "\(prefix).\($1.key)")) }
  case .array(let elements): elements.reduce(into: [prefix + "[]"]) { $0.formUnion(paths($1, prefix + "[]")) }
  case .string: [prefix + " string"]
  case .integer, .number: [prefix + " number"]
  case .bool: [prefix + " bool"]
  case .null: [prefix + " null"]
  }
}
