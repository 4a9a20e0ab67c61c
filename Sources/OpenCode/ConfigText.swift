import JSON

/// Configuration as OpenCode reads it: JSON with comments and trailing commas. Members keep their order, which decides between permission rules.
enum ConfigText {
  /// - Throws: `JSONSyntaxError` with line and column
  static func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8, as: .commented) }
}
