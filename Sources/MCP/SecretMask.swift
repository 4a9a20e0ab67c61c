import Foundation
import JSON

/// Hides what looks like a key, token or password. Well-known shapes only: ids and paths stay as they are, and so do words that merely begin
/// like a key.
package enum SecretMask {
  private struct Shape {
    let prefix: [UInt8]
    /// Characters that must follow, at least.
    let length: Int

    init(_ prefix: String, _ length: Int) {
      self.prefix = Array(prefix.utf8)
      self.length = length
    }
  }

  private static let shapes: [Shape] = [
    Shape("sk-", 20), Shape("sk_live_", 16), Shape("sk_test_", 16), Shape("rk_live_", 16), Shape("ghp_", 30), Shape("gho_", 30), Shape("ghu_", 30),
    Shape("ghs_", 30), Shape("ghr_", 30), Shape("github_pat_", 30), Shape("glpat-", 20), Shape("xoxb-", 20), Shape("xoxp-", 20), Shape("xoxa-", 20),
    Shape("xoxs-", 20), Shape("xapp-", 20), Shape("AKIA", 16), Shape("ASIA", 16), Shape("AIza", 30), Shape("ya29.", 20), Shape("npm_", 30),
    Shape("pypi-", 30), Shape("hf_", 30), Shape("gsk_", 30), Shape("xai-", 30), Shape("dop_v1_", 30), Shape("SG.", 30), Shape("eyJ", 40),
    Shape("AGE-SECRET-KEY-", 30),
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

  /// The text with what looks like a secret hidden.
  package static func hiding(_ text: String) -> String {
    var count = 0
    return apply(to: text, count: &count)
  }

  package static func apply(to text: String, count: inout Int) -> String {
    let bytes = Array(text.utf8)
    let found = blocks(bytes) + passwords(bytes) + bearers(bytes) + beside(bytes) + tokens(bytes)
    guard !found.isEmpty else { return text }
    var out: [UInt8] = []
    var at = 0
    for range in found.sorted(by: { ($0.lowerBound, $1.upperBound) < ($1.lowerBound, $0.upperBound) }) where range.lowerBound >= at {
      out += bytes[at..<range.lowerBound]
      out += "[masked]".utf8
      at = range.upperBound
      count += 1
    }
    return String(decoding: out + bytes[at...], as: UTF8.self)
  }

  // MARK: - Tokens with a prefix of their own

  private static func tokens(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var index = 0
    while index < bytes.count {
      // An escape sequence colours what follows: its letter is no part of it.
      if bytes[index] == 0x1b, index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "[") {
        index += 2
        while index < bytes.count, !(0x40...0x7e).contains(bytes[index]) { index += 1 }
        index += 1
        continue
      }
      guard isPart(bytes[index]) else {
        index += 1
        continue
      }
      var end = index
      while end < bytes.count, isPart(bytes[end]) { end += 1 }
      let starts = [index] + textStarts(bytes, index..<end)
      if let range = starts.lazy.compactMap({ token(bytes, $0..<end) }).first { found.append(range) }
      index = end
    }
    return found
  }

  /// Where a word begins whose first letters belong to what stands before it: an escape in a string's source (`\n`, `\u001b`, `\x1b`, `%0A`), or
  /// the rest of a colour whose ESC was taken away (`[31m`, `31m`).
  private static func textStarts(_ bytes: [UInt8], _ word: Range<Int>) -> [Int] {
    guard let first = bytes[word].first else { return [] }
    let before = word.lowerBound > 0 ? bytes[word.lowerBound - 1] : 0x20
    func hexadecimal(from start: Int, _ count: Int) -> [Int] {
      let end = start + count
      return end <= word.upperBound && bytes[start..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) ? [end] : []
    }
    switch before {
    case UInt8(ascii: "\\"):
      switch first {
      case UInt8(ascii: "u"): return hexadecimal(from: word.lowerBound + 1, 4)
      case UInt8(ascii: "x"): return hexadecimal(from: word.lowerBound + 1, 2)
      case UInt8(ascii: "0"), UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "e"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
        UInt8(ascii: "t"), UInt8(ascii: "v"):
        return [word.lowerBound + 1]
      default: return []
      }
    case UInt8(ascii: "%"): return hexadecimal(from: word.lowerBound, 2)
    default:
      let letter = word.lowerBound + bytes[word].prefix(while: isDigit).count
      guard letter < word.upperBound, isLetter(bytes[letter]) else { return [] }
      let isSequence = before == UInt8(ascii: "[") || before == UInt8(ascii: ";")
      return isSequence || (letter > word.lowerBound && bytes[letter] == UInt8(ascii: "m")) ? [letter + 1] : []
    }
  }

  /// Whether something that begins here stands at the beginning of a word.
  private static func isAtStart(_ bytes: [UInt8], _ index: Int) -> Bool {
    guard index > 0, isAlphanumeric(bytes[index - 1]) else { return true }
    var start = index
    while start > 0, index - start < 8, isPart(bytes[start - 1]) { start -= 1 }
    return textStarts(bytes, start..<bytes.count).contains(index)
  }

  private static func token(_ bytes: [UInt8], _ word: Range<Int>) -> Range<Int>? {
    // A dot or dash that ends a sentence is not the token's.
    var end = word.upperBound
    while end > word.lowerBound, [UInt8(ascii: "."), UInt8(ascii: "-")].contains(bytes[end - 1]) { end -= 1 }
    let token = bytes[word.lowerBound..<end]
    guard let shape = shapes.first(where: { token.count >= $0.prefix.count + $0.length && token.starts(with: $0.prefix) }) else { return nil }
    let rest = token.dropFirst(shape.prefix.count)
    return looksRandom(rest) ? rest.startIndex..<end : nil
  }

  private static func isPart(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte) }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { isAlphanumeric(byte) && !isDigit(byte) }

  /// Keys mix digits into their letters; names are words, each of letters or of digits, with a dash between.
  private static func looksRandom(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.contains(where: isDigit) else { return false }
    let words = bytes.split { [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0) }
    if words.contains(where: { $0.count >= 16 }) { return true }
    return words.contains { word in word.count >= 6 && word.contains(where: isDigit) && word.contains(where: isLetter) && !isNumbered(word) }
  }

  /// `v12`, `model4`, `20b`: a word with a number before or after it.
  private static func isNumbered(_ word: ArraySlice<UInt8>) -> Bool {
    let letters = word.drop(while: isDigit)
    return letters.drop(while: isLetter).allSatisfy(isDigit)
  }

  // MARK: - Secrets that are told by what stands around them

  /// `scheme://user:password@host`, and a token in the user's place.
  private static func passwords(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while let scheme = find("://", in: bytes, from: at) {
      at = scheme.upperBound
      // Without a scheme's name before it this is no URL; what is given ends at a space, a quote or the path.
      guard scheme.lowerBound > 0, isAlphanumeric(bytes[scheme.lowerBound - 1]) else { continue }
      var end = at
      var lastAt: Int?
      while end < bytes.count, bytes[end] > 0x20, !Array("\"'<>`/?#\\".utf8).contains(bytes[end]) {
        if bytes[end] == UInt8(ascii: "@") { lastAt = end }
        end += 1
      }
      guard let lastAt, lastAt > at else { continue }
      if let colon = bytes[at..<lastAt].firstIndex(of: UInt8(ascii: ":")) {
        // A placeholder is no password: `user:$PASSWORD@`, `user:<password>@`, `user:***@`.
        let password = bytes[(colon + 1)..<lastAt]
        if let first = password.first, first != UInt8(ascii: "$"), first != UInt8(ascii: "{"), !password.allSatisfy({ $0 == UInt8(ascii: "*") }) {
          found.append((colon + 1)..<lastAt)
        }
      } else if lastAt - at >= 20, looksRandom(bytes[at..<lastAt]) {
        found.append(at..<lastAt)
      }
    }
    return found
  }

  /// What stands between the lines of a PEM block that holds a private key; to the end of the text when its last line was cut.
  private static func blocks(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var at = 0
    while let begin = find("-----BEGIN ", in: bytes, from: at) {
      at = begin.upperBound
      guard let label = find("-----", in: bytes, from: at), label.lowerBound - at <= 60,
        find("PRIVATE KEY", in: Array(bytes[at..<label.lowerBound]), from: 0) != nil
      else { continue }
      let end = find("-----END ", in: bytes, from: label.upperBound)?.lowerBound ?? bytes.count
      if end > label.upperBound { found.append(label.upperBound..<end) }
      at = end
    }
    return found
  }

  /// `Authorization: Bearer ...` and `Basic ...`.
  private static func bearers(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    for (word, least) in [("bearer ", 16), ("authorization: basic ", 8)] {
      var at = 0
      while let match = find(word, in: bytes, from: at, ignoringCase: true) {
        at = match.upperBound
        guard isAtStart(bytes, match.lowerBound) else { continue }
        var end = at
        while end < bytes.count, isPart(bytes[end]) || Array("+/=~".utf8).contains(bytes[end]) { end += 1 }
        while end > at, [UInt8(ascii: "."), UInt8(ascii: "-")].contains(bytes[end - 1]) { end -= 1 }
        if end - at >= least, bytes[at..<end].contains(where: isDigit) { found.append(at..<end) }
        at = end
      }
    }
    return found
  }

  private static let secretNames = ["aws_secret_access_key", "secretaccesskey", "aws_session_token", "sessiontoken", "secret_access_key"]

  /// AWS's secrets have no prefix: 40 characters beside their name, or near their id.
  private static func beside(_ bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    for name in secretNames {
      var at = 0
      while let match = find(name, in: bytes, from: at, ignoringCase: true) {
        at = match.upperBound
        var start = at
        while start < bytes.count, start - at < 8, Array(" \t:=\"'\\".utf8).contains(bytes[start]) { start += 1 }
        let end = base64End(bytes, start)
        if end - start >= 30 { found.append(start..<end) }
      }
    }
    for prefix in ["AKIA", "ASIA"] {
      var at = 0
      while let id = find(prefix, in: bytes, from: at) {
        at = id.upperBound
        let near = min(bytes.count, id.upperBound + 200)
        var index = id.upperBound + 16
        while index < near {
          let end = base64End(bytes, index)
          let value = bytes[index..<end]
          if value.count == 40, value.contains(where: isDigit), value.contains(where: isLetter), value.contains(where: { (0x41...0x5a).contains($0) }) {
            found.append(index..<end)
          }
          index = max(end, index) + 1
        }
      }
    }
    return found
  }

  private static func base64End(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start
    while end < bytes.count, isAlphanumeric(bytes[end]) || [UInt8(ascii: "+"), UInt8(ascii: "/")].contains(bytes[end]) { end += 1 }
    return end
  }

  private static func find(_ text: String, in bytes: [UInt8], from: Int, ignoringCase: Bool = false) -> Range<Int>? {
    let wanted = Array(text.utf8)
    guard bytes.count - from >= wanted.count else { return nil }
    for start in from...(bytes.count - wanted.count) {
      var count = 0
      while count < wanted.count {
        let byte = bytes[start + count]
        guard byte == wanted[count] || (ignoringCase && isLetter(byte) && byte | 0x20 == wanted[count]) else { break }
        count += 1
      }
      if count == wanted.count { return start..<(start + wanted.count) }
    }
    return nil
  }
}
