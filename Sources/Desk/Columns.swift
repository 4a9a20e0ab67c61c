import Text

/// How wide text is on a terminal, and text cut to a width. Colours have no width.
package enum Columns {
  /// As terminals draw them: two for the wide characters of East Asia and for emoji, none for what joins the one before.
  package static func width(_ character: Character) -> Int {
    var width = 0
    for scalar in character.unicodeScalars { width = max(width, Columns.width(scalar)) }
    // An emoji made of several, or told to be one by a variation selector.
    return character.unicodeScalars.contains { $0.value == 0xFE0F } ? 2 : width
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
      2
    case 0x231A...0x231B, 0x23E9...0x23EC, 0x25FD...0x25FE, 0x2614...0x2615, 0x2648...0x2653, 0x26A1, 0x26BD...0x26BE, 0x2705, 0x270A...0x270B, 0x2728, 0x274C,
      0x274E, 0x2753...0x2755, 0x2757, 0x2795...0x2797, 0x2B1B...0x2B1C, 0x2B50:
      2
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: 0
      default: 1
      }
    }
  }

  /// For a terminal that doesn't take UTF-8, where bytes of it would be obeyed: our own signs in ASCII, whatever else with a `?` a column.
  package static func ascii(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
    var out = ""
    for character in text {
      switch character {
      case "…": out += ">"
      case "─": out += "-"
      case "·": out += "|"
      case "→": out += ">"
      default: out += character.utf8.allSatisfy { $0 < 0x80 } ? String(character) : String(repeating: "?", count: width(character))
      }
    }
    return out
  }

  package static func width(_ text: String) -> Int { TerminalText.plain(text).reduce(0) { $0 + width($1) } }

  /// `text` in at most `limit` columns; what was cut shows as `…`. Colour sequences stay, and end with what is cut.
  package static func fit(_ text: String, _ limit: Int) -> String {
    guard width(text) > limit else { return text }
    var out = ""
    var columns = 0
    var (inSequence, isColoured) = (false, false)
    for character in text {
      if character == "\u{1B}" { (inSequence, isColoured) = (true, true) }
      if inSequence {
        out.append(character)
        if character.isLetter { inSequence = false }
        continue
      }
      columns += width(character)
      if columns >= limit { break }
      out.append(character)
    }
    return out + "…" + (isColoured ? "\u{1B}[0m" : "")
  }
}
