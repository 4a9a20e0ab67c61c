import JSON

/// Hides what looks like a key or token. Only whole tokens with well-known prefixes: ids and paths stay as they are.
package enum SecretMask {
  private struct Shape {
    let prefix: String
    /// Characters that must follow, at least.
    let length: Int
  }

  private static let shapes: [Shape] = [
    Shape(prefix: "sk-", length: 20), Shape(prefix: "sk_live_", length: 16), Shape(prefix: "sk_test_", length: 16),
    Shape(prefix: "rk_live_", length: 16), Shape(prefix: "ghp_", length: 30), Shape(prefix: "gho_", length: 30), Shape(prefix: "ghu_", length: 30),
    Shape(prefix: "ghs_", length: 30), Shape(prefix: "ghr_", length: 30), Shape(prefix: "github_pat_", length: 30),
    Shape(prefix: "glpat-", length: 20), Shape(prefix: "xoxb-", length: 20), Shape(prefix: "xoxp-", length: 20), Shape(prefix: "xoxa-", length: 20),
    Shape(prefix: "xapp-", length: 20), Shape(prefix: "AKIA", length: 16), Shape(prefix: "ASIA", length: 16), Shape(prefix: "AIza", length: 30),
    Shape(prefix: "ya29.", length: 20), Shape(prefix: "npm_", length: 30), Shape(prefix: "pypi-", length: 30), Shape(prefix: "hf_", length: 30),
    Shape(prefix: "gsk_", length: 30), Shape(prefix: "xai-", length: 30), Shape(prefix: "dop_v1_", length: 30), Shape(prefix: "SG.", length: 30),
    Shape(prefix: "eyJ", length: 40),
  ]

  /// Members whose values are ids or paths.
  private static let plain: Set<String> = ["run", "session", "cwd", "root", "path", "from", "logPath", "cursor", "nextCursor", "id", "project"]

  package static func apply(to value: JSONValue, count: inout Int) -> JSONValue {
    switch value {
    case .string(let text): return .string(apply(to: text, count: &count))
    case .array(let elements): return .array(elements.map { apply(to: $0, count: &count) })
    case .object(let object):
      return .object(JSONObject(object.members.map { ($0.key, plain.contains($0.key) ? $0.value : apply(to: $0.value, count: &count)) }))
    default: return value
    }
  }

  package static func apply(to text: String, count: inout Int) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var index = 0
    var changed = false
    while index < bytes.count {
      guard isPart(bytes[index]) else {
        out.append(bytes[index])
        index += 1
        continue
      }
      var end = index
      while end < bytes.count, isPart(bytes[end]) { end += 1 }
      // A dot or dash that ends a sentence is not the token's.
      var tokenEnd = end
      while tokenEnd > index, [UInt8(ascii: "."), UInt8(ascii: "-")].contains(bytes[tokenEnd - 1]) { tokenEnd -= 1 }
      let inPath = (index > 0 && bytes[index - 1] == UInt8(ascii: "/")) || (end < bytes.count && bytes[end] == UInt8(ascii: "/"))
      let token = bytes[index..<tokenEnd]
      if !inPath, let shape = shapes.first(where: { token.count >= $0.prefix.utf8.count + $0.length && token.starts(with: $0.prefix.utf8) }),
        looksRandom(token, after: shape.prefix)
      {
        out += shape.prefix.utf8
        out += "[masked]".utf8
        out += bytes[tokenEnd..<end]
        count += 1
        changed = true
      } else {
        out += bytes[index..<end]
      }
      index = end
    }
    return changed ? String(decoding: out, as: UTF8.self) : text
  }

  private static func isPart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: false
    }
  }

  /// Keys hold digits; names made of words seldom do.
  private static func looksRandom(_ token: ArraySlice<UInt8>, after prefix: String) -> Bool {
    token.dropFirst(prefix.utf8.count).contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
