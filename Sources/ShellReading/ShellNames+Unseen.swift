extension ShellNames {
  private static let shellsOfAnyKind = shells.union(["fish", "pwsh", "csh", "tcsh", "yash", "rbash"])

  /// Whether a command that isn't harmless by its name runs others that may be any: what stands on a shell's input, text in which a placeholder stands for
  /// what isn't known, an alias of git.
  static func runsUnseen(_ words: [ShellWord]) -> Bool {
    let names = words.map { $0.ascii.map(base) }
    switch names.first ?? nil {
    case "parallel": return true
    case "env" where words.contains(where: isSplitOption): return true
    case "find" where words.contains { runsText($0) }:
      if words.contains(where: { $0.units.count > 2 && ShellText.holds(Array("{}".utf8), in: $0.bytes) }) { return true }
    default: break
    }
    if names.contains("git"), words.contains(where: { ShellText.holds(Array("alias.".utf8), in: $0.bytes) }),
      words.contains(where: { !$0.isLiteral || $0.bytes.contains(UInt8(ascii: "!")) })
    {
      return true
    }
    if let xargs = names.firstIndex(of: "xargs"), runsUnseen(behindXargs: words[(xargs + 1)...]) { return true }
    guard let shell = names.lastIndex(where: { $0.map(shellsOfAnyKind.contains) ?? false }) else { return false }
    // No script is named.
    return words[(shell + 1)...].allSatisfy { $0.isOption && $0.ascii != "--version" && $0.ascii != "--help" }
  }

  /// Whether what isn't known of a command's words can only name files: behind the text that `sed` runs, of which nothing is an expansion.
  static func onlyNamesFiles(_ words: [ShellWord]) -> Bool {
    let arguments = words.dropFirst()
    switch words.first?.ascii.map(base) {
    case "less", "more": return true
    case "sed", "gsed":
      let (options, operands) = (arguments.filter(\.isOption), arguments.filter { !$0.isOption })
      // `-e` and `-f` say it elsewhere.
      guard options.allSatisfy({ $0.isLiteral && !$0.bytes.contains(UInt8(ascii: "e")) && !$0.bytes.contains(UInt8(ascii: "f")) }) else { return false }
      return operands.first.map { $0.isLiteral && !$0.units.isEmpty } ?? false
    default: return false
    }
  }

  /// `-S`, also behind other letters: it splits text, in which variables may stand.
  private static func isSplitOption(_ word: ShellWord) -> Bool {
    let bytes = word.bytes
    guard word.isOption else { return false }
    return bytes.starts(with: "--s".utf8) || bytes.dropFirst().drop { "i0v".utf8.contains($0) }.first == UInt8(ascii: "S")
  }

  private static func runsUnseen(behindXargs words: ArraySlice<ShellWord>) -> Bool {
    var rest = words
    var placeholder: [UInt8]?
    while let option = rest.first, option.isOption {
      rest.removeFirst()
      let letters = option.bytes.dropFirst()
      if letters.starts(with: "-r".utf8) {
        placeholder = letters.firstIndex(of: UInt8(ascii: "=")).map { Array(letters[($0 + 1)...]) } ?? Array("{}".utf8)
      } else if letters.first != UInt8(ascii: "-"), let letter = letters.firstIndex(where: { "IJi".utf8.contains($0) }) {
        placeholder = Array(letters[(letter + 1)...])
        if placeholder == [] { placeholder = letters[letter] == UInt8(ascii: "i") ? Array("{}".utf8) : rest.popFirst()?.bytes }
      } else if letters.count == 1, letters.allSatisfy({ "nPLdsaER".utf8.contains($0) }) {
        rest = rest.dropFirst()
      }
    }
    guard let program = rest.first else { return false }
    guard let name = program.ascii else { return true }
    if let placeholder, placeholder.count > 32 || ShellText.holds(placeholder, in: program.bytes) { return true }
    // To a shell's text that is known, words are only added.
    return startsAny(base(name)) && (placeholder != nil || !shells.contains(base(name)))
  }
}
