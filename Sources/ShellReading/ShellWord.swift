/// A word of a shell command after quote removal, byte by byte.
///
/// Two words are equal when every shell makes the same of them, however they are quoted. They are compared as bytes: what Swift calls equal text
/// (canonical equivalents) are different words to a shell.
struct ShellWord: Equatable, Sendable {
  /// Each byte, with a mark on those that the shell replaces.
  private(set) var units: [UInt16] = []
  /// All marks in the word.
  private(set) var marks: UInt16 = 0

  /// An unquoted character of a pattern of file names.
  static let glob: UInt16 = 0x100
  /// Text that stands for something else and may become any number of words.
  static let unquotedExpansion: UInt16 = 0x200
  /// Text that stands for something else, inside double quotes: it stays one word.
  static let quotedExpansion: UInt16 = 0x400

  init() {}

  init(literal bytes: some Sequence<UInt8>) { units = bytes.map(UInt16.init) }

  private init(units: [UInt16]) {
    self.units = units
    marks = units.reduce(0) { $0 | ($1 & 0xFF00) }
  }

  mutating func append(_ byte: UInt8, mark: UInt16 = 0) {
    units.append(UInt16(byte) | mark)
    marks |= mark
  }

  /// The shell changes nothing about it.
  var isLiteral: Bool { marks == 0 }

  func has(_ mark: UInt16) -> Bool { marks & mark != 0 }

  /// The bytes, without the marks.
  var bytes: [UInt8] { units.map { UInt8(truncatingIfNeeded: $0) } }

  /// A literal word of ASCII characters: names, options. Nothing else may be compared as text.
  var ascii: String? {
    guard marks == 0, units.count <= 128, units.allSatisfy({ $0 < 0x80 }) else { return nil }
    return text
  }

  /// As text, for the names of checks.
  var text: String {
    String(unsafeUninitializedCapacity: units.count) { buffer in
      for (index, unit) in units.enumerated() { buffer[index] = UInt8(truncatingIfNeeded: unit) }
      return units.count
    }
  }

  /// What comes after the last slash.
  var base: ArraySlice<UInt16> { units[((units.lastIndex(of: UInt16(UInt8(ascii: "/"))) ?? -1) + 1)...] }

  var isOption: Bool { units.first == UInt16(UInt8(ascii: "-")) }

  /// Whether it may be text in some language, not only a name, a path or an option.
  var isText: Bool { !units.allSatisfy { ShellNames.isNameByte(UInt8(truncatingIfNeeded: $0)) || "./:=@%+,-".utf8.contains(UInt8(truncatingIfNeeded: $0)) } }

  /// Whether what follows stands at the beginning, of the word or of a part behind `=` or `:`, when what the shell replaces turns out to be empty.
  var mayBegin: Bool {
    guard let last = units.last(where: { $0 & ~ShellWord.glob < 0x100 }) else { return true }
    return last == UInt16(UInt8(ascii: "=")) || last == UInt16(UInt8(ascii: ":"))
  }

  /// `NAME=value`, as `env` and `export` take it.
  var assignment: ShellAssignment? {
    guard let equals = units.firstIndex(of: UInt16(UInt8(ascii: "="))) else { return nil }
    let name = ShellWord(units: Array(units[..<equals]))
    guard let text = name.ascii, ShellNames.isVariable(text) else { return nil }
    return ShellAssignment(name: text, value: ShellWord(units: Array(units[(equals + 1)...])))
  }
}

/// `NAME=value`.
struct ShellAssignment: Equatable, Sendable {
  let name: String
  let value: ShellWord
}

/// A redirection of the first three descriptors.
struct ShellRedirection: Equatable, Sendable {
  enum Kind: Sendable { case input, output, append, duplicate }
  let descriptor: UInt8
  let kind: Kind
  let target: ShellWord

  /// It can't fail and the command can't notice more than where its output goes.
  var isHarmless: Bool {
    if kind == .duplicate { return true }
    guard target.ascii == "/dev/null" else { return false }
    return kind == .input ? descriptor == 0 : descriptor != 0
  }
}
