import Text

/// Pieces of a page. Text from outside gets in through `text` only.
package enum HTML {
  /// Escaped, for element content and quoted attributes; nothing that moves, hides or turns.
  package static func text(_ text: String) -> String {
    var out: [UInt8] = []
    let printable = TerminalText.printable(text)
    out.reserveCapacity(printable.utf8.count)
    for byte in printable.utf8 {
      switch byte {
      case UInt8(ascii: "&"): out += Array("&amp;".utf8)
      case UInt8(ascii: "<"): out += Array("&lt;".utf8)
      case UInt8(ascii: ">"): out += Array("&gt;".utf8)
      case UInt8(ascii: "\""): out += Array("&quot;".utf8)
      case UInt8(ascii: "'"): out += Array("&#39;".utf8)
      default: out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// An element around markup that is safe already.
  package static func element(_ name: String, class kind: String? = nil, _ inside: String) -> String {
    "<\(name)\(kind.map { " class=\"\($0)\"" } ?? "")>\(inside)</\(name)>"
  }
}
