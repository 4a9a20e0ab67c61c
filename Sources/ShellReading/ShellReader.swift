/// Reads a command text.
///
/// It understands a short list of forms that mean the same to bash, dash, zsh and ksh: simple commands of plain words and quotes, joined by `&&`, `||`,
/// `|`, `;` and new lines. What it doesn't understand it names (`ShellScript.refusal`) and reads on, to see which commands the text may hold; where it can't
/// be sure of having seen them all, it says that too (`isConfused`).
struct ShellReader {
  private let bytes: [UInt8]
  private var position = 0
  private let shells: Int
  private var depth = 0
  private var script = ShellScript()
  /// Here-documents whose text starts with the next line.
  private var documents: [(delimiter: [UInt8], stripsTabs: Bool, expands: Bool)] = []

  /// Deeper nesting isn't followed.
  private static let depthLimit = 24
  private static let shellLimit = 8

  static func read(_ bytes: [UInt8], insideShells shells: Int = 0) -> ShellScript {
    var reader = ShellReader(bytes: bytes, shells: shells)
    let chains = reader.list(closing: nil)
    if !reader.documents.isEmpty { reader.confuse("a here-document without an end") }
    if reader.script.commands.isEmpty { reader.refuse("no command") }
    reader.script.chains = reader.script.refusal == nil ? chains : []
    return reader.script
  }

  private init(bytes: [UInt8], shells: Int) {
    self.bytes = bytes
    self.shells = shells
  }

  private mutating func refuse(_ what: @autoclosure () -> String) {
    if script.refusal == nil { script.refusal = what() }
  }

  private mutating func confuse(_ what: String) {
    refuse(what)
    script.isConfused = true
  }

  // MARK: Bytes

  private func byte(_ offset: Int = 0) -> UInt8? { position + offset < bytes.count ? bytes[position + offset] : nil }

  private func starts(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    guard starts(text) else { return false }
    position += text.utf8CodeUnitCount
    return true
  }

  /// Blanks, continued lines and a comment.
  private mutating func skipBlanks() {
    while let next = byte() {
      if next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") {
        position += 1
      } else if next == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "\n") {
        position += 2
      } else if next == UInt8(ascii: "#") {
        position = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      } else {
        return
      }
    }
  }

  // MARK: Lists

  /// The chains up to `closing`, or the end.
  private mutating func list(closing: UInt8?) -> [ShellChain] {
    depth += 1
    defer { depth -= 1 }
    guard depth <= ShellReader.depthLimit else {
      confuse("nested too deep")
      position = bytes.count
      return []
    }
    var chains: [ShellChain] = []
    var chain = ShellChain()
    var pipeline = ShellPipeline()
    /// A command must come next: after `&&`, `||`, `|` and `!`.
    var isOpen = false
    func isStart() -> Bool { chain.pipelines.isEmpty && pipeline.commands.isEmpty && !isOpen }
    func endChain() {
      if !pipeline.commands.isEmpty { chain.pipelines.append(pipeline) }
      if !chain.pipelines.isEmpty { chains.append(chain) }
      chain = ShellChain()
      pipeline = ShellPipeline()
      isOpen = false
    }
    while true {
      skipBlanks()
      guard let next = byte() else {
        if closing != nil { confuse("a bracket without an end") }
        break
      }
      switch next {
      case UInt8(ascii: "\n"):
        newline()
        if !isOpen { endChain() } else if pipeline.isNegated { refuse("'!' at the end of a line") }
      case UInt8(ascii: ";"):
        position += 1
        if isStart() || isOpen { refuse("an empty command") }
        if let after = byte(), ";&|".utf8.contains(after) { refuse("a pattern's end") }
        endChain()
      case UInt8(ascii: "&") where byte(1) != UInt8(ascii: ">"):
        if take("&&") {
          if isStart() || isOpen { refuse("an empty command") }
          join(.and)
        } else {
          position += 1
          refuse("a command in the background")
          endChain()
        }
      case UInt8(ascii: "|"):
        if isStart() || isOpen { refuse("an empty command") }
        if take("||") {
          join(.or)
        } else {
          position += 1
          if take("&") { refuse("'|&'") }
          isOpen = true
        }
      case UInt8(ascii: "("):
        if byte(1) == UInt8(ascii: "(") { confuse("arithmetic") }
        refuse("a subshell or function")
        position += 1
        _ = list(closing: UInt8(ascii: ")"))
      case UInt8(ascii: ")"):
        position += 1
        if closing == next {
          if !documents.isEmpty { confuse("a here-document inside brackets") }
          endChain()
          return chains
        }
        confuse("a bracket that isn't open")
      case UInt8(ascii: "!") where byte(1).map({ " \t\n".utf8.contains($0) }) ?? true:
        position += 1
        if pipeline.isNegated || !pipeline.commands.isEmpty { refuse("'!' inside a pipeline") }
        pipeline.isNegated = true
        isOpen = true
      default:
        guard let command = command() else { continue }
        if !isOpen, !isStart() { refuse("a command after another one") }
        pipeline.commands.append(command)
        isOpen = false
      }
    }
    if isOpen { refuse("an unfinished command") }
    endChain()
    return chains

    func join(_ operation: ShellChain.Operator) {
      chain.pipelines.append(pipeline)
      chain.operators.append(operation)
      pipeline = ShellPipeline()
      isOpen = true
    }
  }

  /// Past the end of a line, and the here-documents that it began.
  private mutating func newline() {
    position += 1
    for document in documents {
      var isEnded = false
      let start = position
      while !isEnded, position < bytes.count {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        var line = bytes[position..<end]
        if document.stripsTabs { line = line.drop { $0 == UInt8(ascii: "\t") } }
        isEnded = line.elementsEqual(document.delimiter)
        position = min(end + 1, bytes.count)
      }
      if !isEnded { confuse("a here-document without an end") }
      // It may run commands, or end elsewhere.
      if document.expands, bytes[start..<position].contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "`") || $0 == UInt8(ascii: "\\") }) {
        confuse("a here-document with expansions")
      }
    }
    documents = []
  }

  // MARK: Commands

  private static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "<"),
      UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"):
      true
    default: false
    }
  }

  /// A simple command; nil when only reserved words, which are refused, were there.
  private mutating func command() -> ShellSimple? {
    var assignments: [ShellAssignment] = []
    var words: [ShellWord] = []
    var redirections: [ShellRedirection] = []
    loop: while true {
      skipBlanks()
      guard let next = byte() else { break }
      switch next {
      case UInt8(ascii: "<"), UInt8(ascii: ">"):
        if byte(1) == UInt8(ascii: "(") {
          words.append(processSubstitution())
        } else if let redirection = redirection(of: nil) {
          redirections.append(redirection)
        }
      case UInt8(ascii: "&") where byte(1) == UInt8(ascii: ">"):
        refuse("'&>'")
        position += 1
        _ = redirection(of: nil)
      case UInt8(ascii: "("):
        refuse("a bracket in a command")
        break loop
      case _ where ShellReader.endsWord(next): break loop
      case UInt8(ascii: "0")...UInt8(ascii: "9") where byte(1) == UInt8(ascii: "<") || byte(1) == UInt8(ascii: ">"):
        position += 1
        if let redirection = redirection(of: next - UInt8(ascii: "0")) { redirections.append(redirection) }
      default:
        if words.isEmpty, let name = takeAssignedName() {
          let value = byte().map(ShellReader.endsWord) ?? true ? ShellWord() : word()
          if byte() == UInt8(ascii: "(") { refuse("an array") }
          if value.has(ShellWord.glob) { refuse("a pattern in an assignment") }
          assignments.append(ShellAssignment(name: name, value: value))
          continue
        }
        let start = position
        let word = word()
        if start == position { break loop }
        let isRaw = word.units.count == position - start
        if isRaw, word.units.count == 1, word.has(ShellWord.unquotedExpansion) {
          refuse("'{' or '}'")
          // What comes before and what comes after are commands of their own.
          if !words.isEmpty { _ = finish(ShellSimple(assignments: assignments, words: words, redirections: redirections)) }
          (assignments, words, redirections) = ([], [], [])
        } else if isRaw, words.isEmpty, word.units.count <= 6, let text = word.ascii, ShellNames.joining.contains(text) {
          refuse("'\(text)'")
        } else {
          if isRaw, words.isEmpty, word.ascii == "case" { confuse("'case'") }
          words.append(word)
        }
        // Shells differ in where the here-document begins then.
        if !documents.isEmpty, bytes[start..<position].contains(UInt8(ascii: "\n")) { confuse("a here-document before a quoted line") }
        // The digits of a redirection of a descriptor with more than one digit.
        if let last = words.last, last.units.count > 1, byte() == UInt8(ascii: "<") || byte() == UInt8(ascii: ">"),
          last.units.allSatisfy(ShellNames.isDigit)
        {
          confuse("a descriptor of several digits")
        }
      }
    }
    guard !words.isEmpty || !assignments.isEmpty || !redirections.isEmpty else { return nil }
    return finish(ShellSimple(assignments: assignments, words: words, redirections: redirections))
  }

  private mutating func finish(_ command: ShellSimple) -> ShellSimple {
    if let refusal = command.refusal { refuse(refusal) }
    var inner: ShellScript?
    if shells < ShellReader.shellLimit, command.interpreter != nil {
      if let text = command.wrappedShellText {
        inner = ShellReader.read(text.bytes, insideShells: shells + 1)
      } else if let shell = command.interpreter {
        // With options that aren't known: any text may be what it runs.
        let texts = command.words[(shell + 1)...].filter { $0.units.contains { ShellReader.endsWord(UInt8(truncatingIfNeeded: $0)) } }.prefix(16)
        let scripts = texts.map { ShellReader.read($0.bytes, insideShells: shells + 1) }
        if !scripts.isEmpty {
          inner = ShellScript(refusal: "these options of a shell", isConfused: scripts.contains { $0.isConfused }, commands: scripts.flatMap(\.commands))
        }
      }
    }
    let whole =
      inner == nil ? command : ShellSimple(assignments: command.assignments, words: command.words, redirections: command.redirections, inner: inner)
    if inner?.isConfused ?? false { script.isConfused = true }
    script.commands.append(whole)
    return whole
  }

  private mutating func takeAssignedName() -> String? {
    var end = position
    while end < bytes.count, ShellNames.isNameByte(bytes[end]) { end += 1 }
    guard end > position, end < bytes.count, !ShellNames.isDigit(UInt16(bytes[position])) else { return nil }
    guard bytes[end] == UInt8(ascii: "=") else {
      if bytes[end] == UInt8(ascii: "+"), end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "=") { refuse("'+='") }
      return nil
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private mutating func processSubstitution() -> ShellWord {
    refuse("a process substitution")
    position += 2
    _ = list(closing: UInt8(ascii: ")"))
    var word = ShellWord()
    word.append(UInt8(ascii: "<"), mark: ShellWord.quotedExpansion)
    return word
  }

  private mutating func redirection(of descriptor: UInt8?) -> ShellRedirection? {
    if let descriptor, descriptor > 2 { refuse("descriptor \(descriptor)") }
    let isInput = byte() == UInt8(ascii: "<")
    var kind = isInput ? ShellRedirection.Kind.input : .output
    var document: Bool?
    if take("<<<") {
      refuse("a here-string")
    } else if take("<<-") {
      document = true
    } else if take("<<") {
      document = false
    } else if take(">&") {
      kind = .duplicate
    } else if take(">>") {
      kind = .append
    } else if take("<>") || take("<&") || take(">|") {
      refuse("this redirection")
    } else {
      position += 1
    }
    if byte() == UInt8(ascii: "!") { refuse("'!' behind a redirection") }
    let digitFollows = byte().map { "12".utf8.contains($0) } ?? false
    skipBlanks()
    if byte() == UInt8(ascii: "<") || byte() == UInt8(ascii: ">"), byte(1) == UInt8(ascii: "(") {
      _ = processSubstitution()
      return nil
    }
    guard let next = byte(), !ShellReader.endsWord(next) else {
      confuse("a redirection without a target")
      return nil
    }
    let start = position
    let target = word()
    if let document {
      refuse("a here-document")
      let isQuoted = bytes[start..<position].contains { "'\"\\".utf8.contains($0) }
      documents.append((target.bytes, document, !isQuoted))
      return nil
    }
    if !target.isLiteral || target.units.isEmpty { refuse("a redirection to a place that isn't plain text") }
    // zsh takes the `1` of `>&1>x` for the number of the second one, and `<1-5>` for a pattern.
    if byte() == UInt8(ascii: "<") || byte() == UInt8(ascii: ">"), target.units.allSatisfy({ ShellNames.isDigit($0) || $0 == UInt16(UInt8(ascii: "-")) }) {
      confuse("redirections without a blank between")
    }
    if kind == .duplicate, !digitFollows || target.units.count != 1 { refuse("this redirection") }
    return ShellRedirection(descriptor: descriptor ?? (isInput ? 0 : 1), kind: kind, target: target)
  }

  // MARK: Words

  private mutating func word() -> ShellWord {
    var word = ShellWord()
    let start = position
    while let next = byte() {
      switch next {
      case UInt8(ascii: "'"):
        position += 1
        let end = bytes[position...].firstIndex(of: next) ?? bytes.count
        for byte in bytes[position..<end] { appendQuoted(byte, to: &word) }
        position = end
        if byte() == nil { confuse("a quote without an end") } else { position += 1 }
      case UInt8(ascii: "\""):
        position += 1
        doubleQuoted(&word)
      case UInt8(ascii: "\\"):
        guard let escaped = byte(1) else {
          confuse("a backslash at the end")
          position += 1
          break
        }
        position += 2
        if escaped == UInt8(ascii: "\n") { confuse("a line that goes on inside a word") } else { appendQuoted(escaped, to: &word) }
        if escaped >= 0x80 { refuse("characters outside ASCII without quotes") }
      case UInt8(ascii: "$"), UInt8(ascii: "`"): expansion(&word, isQuoted: false)
      case UInt8(ascii: "*"), UInt8(ascii: "?"):
        position += 1
        word.append(next, mark: ShellWord.glob)
      case UInt8(ascii: "["):
        position += 1
        // The command `[` is no pattern.
        let isWord = position == start + 1 && byte().map(ShellReader.endsWord) ?? true
        word.append(next, mark: isWord ? 0 : ShellWord.glob)
      case UInt8(ascii: "{"), UInt8(ascii: "}"):
        position += 1
        if next == UInt8(ascii: "{"), position == start + 1, byte() == UInt8(ascii: "}"), byte(1).map(ShellReader.endsWord) ?? true {
          // `{}` stays what it is.
          position += 1
          word.append(next)
          word.append(UInt8(ascii: "}"))
        } else {
          refuse("braces")
          word.append(next, mark: ShellWord.unquotedExpansion)
        }
      // zsh ends where `~none` or `=none` fits nothing.
      case UInt8(ascii: "~") where word.mayBegin:
        position += 1
        refuse("'~'")
        word.append(next, mark: ShellWord.quotedExpansion)
      case UInt8(ascii: "=") where word.mayBegin:
        position += 1
        refuse("'=' before a name")
        word.append(next, mark: ShellWord.quotedExpansion)
      case _ where ShellReader.endsWord(next): return word
      case 0x80...:
        position += 1
        refuse("characters outside ASCII without quotes")
        word.append(next)
      default:
        position += 1
        appendQuoted(next, to: &word)
      }
    }
    return word
  }

  private mutating func appendQuoted(_ byte: UInt8, to word: inout ShellWord) {
    if byte < 0x20 && byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\t") || byte == 0x7F { refuse("a control character") }
    word.append(byte)
  }

  private mutating func doubleQuoted(_ word: inout ShellWord) {
    while let next = byte() {
      switch next {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        position += 1
        guard let escaped = byte() else { break }
        position += 1
        if "$`\"\\".utf8.contains(escaped) {
          word.append(escaped)
        } else if escaped != UInt8(ascii: "\n") {
          word.append(next)
          appendQuoted(escaped, to: &word)
        }
      case UInt8(ascii: "$"), UInt8(ascii: "`"): expansion(&word, isQuoted: true)
      default:
        position += 1
        appendQuoted(next, to: &word)
      }
    }
    confuse("a quote without an end")
  }

  /// A line that goes on in the midst of an expansion: what follows belongs to it, and shells differ in what they make of it.
  private mutating func skipContinuations() {
    while byte() == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "\n") {
      confuse("a line that goes on inside an expansion")
      position += 2
    }
  }

  /// What may belong to the expansion before it: `$#NAME`, `$~NAME`.
  private mutating func skipPlain() {
    while let next = byte(), !ShellReader.endsWord(next), !"'\"\\$`".utf8.contains(next) { position += 1 }
  }

  private mutating func expansion(_ word: inout ShellWord, isQuoted: Bool) {
    let mark = isQuoted ? ShellWord.quotedExpansion : ShellWord.unquotedExpansion
    let start = position
    position += 1
    skipContinuations()
    switch byte() {
    case _ where bytes[start] == UInt8(ascii: "`"):
      refuse("a command substitution")
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "`")) ?? bytes.count
      let inside = bytes[position..<end]
      if end == bytes.count || inside.contains(UInt8(ascii: "\\")) { confuse("a command substitution in backquotes") }
      if depth < ShellReader.depthLimit {
        let inner = ShellReader.read(Array(inside), insideShells: shells)
        if inner.isConfused { script.isConfused = true }
        script.commands += inner.commands
      }
      position = min(end + 1, bytes.count)
      return word.append(UInt8(ascii: "`"), mark: mark)
    case UInt8(ascii: "(")?:
      refuse("a command substitution")
      if byte(1) == UInt8(ascii: "(") { confuse("arithmetic") }
      position += 1
      if !documents.isEmpty { confuse("a here-document inside brackets") }
      _ = list(closing: UInt8(ascii: ")"))
      return word.append(UInt8(ascii: "$"), mark: mark)
    case UInt8(ascii: "{")?:
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count
      let inside = bytes[(position + 1)..<max(end, position + 1)]
      if end == bytes.count || inside.contains(where: { "'\"`\\$({\n".utf8.contains($0) }) {
        confuse("this expansion")
      } else if !ShellNames.isVariable(String(decoding: inside, as: UTF8.self)) {
        refuse("this expansion")
      }
      position = min(end + 1, bytes.count)
    case UInt8(ascii: "'")? where !isQuoted:
      confuse("a quote behind '$'")
      // To most shells a backslash keeps the quote from ending.
      position += 1
      while let next = byte(), next != UInt8(ascii: "'") { position += next == UInt8(ascii: "\\") ? 2 : 1 }
      position = min(position + 1, bytes.count)
    case UInt8(ascii: "?")?, UInt8(ascii: "$")?: position += 1
    case let next? where ShellNames.isNameByte(next) && !ShellNames.isDigit(UInt16(next)):
      while let next = byte(), ShellNames.isNameByte(next) {
        position += 1
        skipContinuations()
      }
    case UInt8(ascii: "\"")? where isQuoted, UInt8(ascii: " ")? where isQuoted:
      word.append(UInt8(ascii: "$"))
      return
    case let next? where "0123456789@*#!-".utf8.contains(next):
      refuse("'$\(Character(Unicode.Scalar(next)))'")
      position += 1
      skipPlain()
    // zsh has forms of its own.
    default:
      confuse("this use of '$'")
      skipPlain()
    }
    skipContinuations()
    // zsh reads `$A[1]` and `$A:h` in ways of its own.
    if let next = byte(), "[:".utf8.contains(next) { refuse("this expansion") }
    for byte in bytes[start..<position] { word.append(byte, mark: mark) }
  }
}
