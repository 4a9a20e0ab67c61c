import Foundation
import JSON

/// The head of an agent's `.md` file: as much YAML as people write there (maps, lists, plain and quoted words).
struct FrontMatter {
  let members: JSONObject
  let body: String

  init(_ text: String) {
    let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard parts.first == "---", let end = parts.dropFirst().firstIndex(of: "---") else {
      (members, body) = ([:], text)
      return
    }
    var rest = parts[1..<end].filter { !$0.allSatisfy(\.isWhitespace) && !$0.drop { $0 == " " }.hasPrefix("#") }[...]
    members = FrontMatter.block(&rest, 0).object ?? [:]
    body = parts[(end + 1)...].joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func indent(_ text: Substring) -> Int { text.prefix { $0 == " " }.count }

  /// The map or list that begins with the first of the lines, which is indented by at least `depth`.
  private static func block(_ rest: inout ArraySlice<Substring>, _ depth: Int) -> JSONValue {
    guard let first = rest.first, indent(first) >= depth else { return .null }
    let own = indent(first)
    if first.dropFirst(own).hasPrefix("-") { return list(&rest, own) }
    var map = JSONObject()
    while let text = rest.first, indent(text) == own, let colon = colon(in: text) {
      rest.removeFirst()
      let key = scalar(text[..<colon]).string ?? ""
      let value = text[text.index(after: colon)...]
      // A list may stand as far left as its key.
      let inner = rest.first.map { indent($0) > own || indent($0) == own && $0.dropFirst(own).hasPrefix("-") } ?? false
      map[key] = value.allSatisfy(\.isWhitespace) && inner ? block(&rest, own) : scalar(value)
    }
    return .object(map)
  }

  private static func list(_ rest: inout ArraySlice<Substring>, _ own: Int) -> JSONValue {
    var items: [JSONValue] = []
    while let text = rest.first, indent(text) == own, text.dropFirst(own).hasPrefix("-") {
      rest.removeFirst()
      let item = text.dropFirst(own + 1)
      guard colon(in: item) != nil, !item.drop(while: { $0 == " " }).hasPrefix("{") else {
        items.append(scalar(item))
        continue
      }
      // The item's first member stands beside the dash, the others below it.
      rest = ([Substring(String(repeating: " ", count: own + 1) + item)] + rest)[...]
      items.append(block(&rest, own + 1))
    }
    return .array(items)
  }

  /// The colon after a key: outside quotes, before a space or the end.
  private static func colon(in text: Substring) -> Substring.Index? {
    var quote: Character?
    for index in text.indices {
      let letter = text[index]
      if let open = quote {
        if letter == open { quote = nil }
      } else if letter == "\"" || letter == "'" {
        quote = letter
      } else if letter == ":", text.index(after: index) == text.endIndex || text[text.index(after: index)] == " " {
        return index
      }
    }
    return nil
  }

  private static func scalar(_ text: Substring) -> JSONValue {
    let word = text.trimmingCharacters(in: .whitespaces)
    if word.count > 1, word.hasPrefix("'"), word.hasSuffix("'") { return .string(String(word.dropFirst().dropLast())) }
    return (try? JSONValue(parsing: Array(word.utf8))) ?? .string(word)
  }
}
