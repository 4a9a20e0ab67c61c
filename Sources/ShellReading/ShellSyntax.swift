/// A command line as a POSIX shell or bash reads it: items in sequence.
package struct ShellScript: Equatable, Sendable {
  package var items: [ShellItem]
}

/// One element of a sequence: `a && b || c`, with `&` behind it or not.
package struct ShellItem: Equatable, Sendable {
  package var chain: ShellChain
  package var background: Bool
}

/// Pipelines joined by `&&` and `||`, read from the left: `operators[i]` stands before `pipelines[i + 1]`.
package struct ShellChain: Equatable, Sendable {
  package enum Operator: Sendable { case and, or }
  package var pipelines: [ShellPipeline]
  package var operators: [Operator]
}

package struct ShellPipeline: Equatable, Sendable {
  package var negated: Bool
  package var commands: [ShellNode]
}

package indirect enum ShellNode: Equatable, Sendable {
  case simple(ShellSimple)
  case subshell(ShellScript, [ShellRedirection])
  case group(ShellScript, [ShellRedirection])
  /// A loop or conditional: its kind, the words of its head, the lists inside.
  case compound(String, [ShellWord], [ShellScript], [ShellRedirection])
  case function(String, ShellScript)
}

/// Assignments, words and redirections: `A=1 swift test 2>&1`.
package struct ShellSimple: Equatable, Sendable {
  package struct Assignment: Equatable, Sendable {
    package let name: String
    package let value: ShellWord
  }
  package var assignments: [Assignment] = []
  package var words: [ShellWord] = []
  package var redirections: [ShellRedirection] = []
}

package struct ShellRedirection: Equatable, Sendable {
  /// With the descriptor's number: `2>&`.
  package let operation: String
  package let target: ShellWord
  /// The text of a here-document.
  package let body: String?
  /// Whether the shell expands the here-document's text.
  package var expands = false
}

/// A word without its quotes. Two words are equal when the shell makes the same of them, however they are quoted.
package struct ShellWord: Equatable, Sendable {
  package enum Piece: Equatable, Sendable {
    case literal(String)
    /// An unquoted character that matches file names or is expanded: `*`, `?`, `[`, `~`, `{`.
    case active(String)
    /// `$A`, `$(...)`, backticks; unquoted ones are split into words.
    case expansion(String, quoted: Bool)
  }
  package var pieces: [Piece] = []

  package mutating func append(_ text: String) {
    // Taken out and put back, so that it grows in place: a long word must not take quadratic time.
    if case .literal(var before)? = pieces.last {
      pieces.removeLast()
      before += text
      pieces.append(.literal(before))
    } else {
      pieces.append(.literal(text))
    }
  }

  /// The text, if the shell changes nothing about it.
  package var literal: String? {
    switch (pieces.count, pieces.first) {
    case (0, _): ""
    case (1, .literal(let text)?): text
    default: nil
    }
  }

  /// The text without quotes, expansions as they were written.
  package var plain: String {
    pieces.map {
      switch $0 {
      case .literal(let text), .active(let text), .expansion(let text, _): text
      }
    }.joined()
  }

  /// The scripts inside `$(...)`, backticks and `<(...)`.
  package var substitutions: [String] {
    pieces.compactMap {
      guard case .expansion(let text, _) = $0 else { return nil }
      // `((...))` is two subshells to some shells.
      if text.hasPrefix("((") || text.hasPrefix("`") { return String(text.dropFirst().dropLast()) }
      for opening in ["$(", "<(", ">("] where text.hasPrefix(opening) { return String(text.dropFirst(2).dropLast()) }
      return text.contains("$(") || text.contains("`") ? text : nil
    }
  }

  /// Whether its expansion can end the shell: a pattern without a match (zsh), `${A:?}`, arithmetic and other forms that can be an error.
  package var mayAbort: Bool {
    pieces.contains {
      switch $0 {
      case .literal: false
      case .active(let text): text != "~"
      case .expansion(let text, _):
        text.hasPrefix("$((") || (text.hasPrefix("${") && !text.dropFirst(2).dropLast().unicodeScalars.allSatisfy(ShellParser.isNameScalar))
      }
    }
  }
}

/// Text that isn't a complete command, or uses something that isn't read here: then nothing may be concluded from its exit.
package struct ShellSyntaxError: Error {
  package let reason: String
}

/// Reads a command line. Strict: what a shell would refuse, or what isn't known here, is an error.
package struct ShellParser {
  /// - Throws: `ShellSyntaxError`
  package static func parse(_ text: String) throws -> ShellScript {
    guard text.utf8.count <= 1 << 18 else { throw ShellSyntaxError(reason: "too long") }
    var parser = ShellParser(scalars: Array(text.unicodeScalars))
    let script = try parser.script()
    guard parser.current == nil else { throw parser.error("unexpected \(parser.current!)") }
    guard !script.items.isEmpty else { throw parser.error("no command") }
    return script
  }

  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private var waitingBodies: [(index: Int, delimiter: String, stripTabs: Bool)] = []
  /// Bodies of here-documents by order of appearance; filled in when the line they start after has ended.
  private var bodies: [String] = []

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  // MARK: Characters

  private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }
  private func ahead(_ offset: Int) -> Unicode.Scalar? { position + offset < scalars.count ? scalars[position + offset] : nil }
  private func error(_ reason: String) -> ShellSyntaxError { ShellSyntaxError(reason: reason) }
  private func starts(_ text: String) -> Bool { text.unicodeScalars.enumerated().allSatisfy { ahead($0.offset) == $0.element } }

  private mutating func take(_ text: String) -> Bool {
    guard starts(text) else { return false }
    position += text.unicodeScalars.count
    return true
  }

  private mutating func expect(_ text: String) throws {
    guard take(text) else { throw error("\(text) expected") }
  }

  package static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
  }
  private static func isMeta(_ scalar: Unicode.Scalar) -> Bool { " \t\n;&|<>()".unicodeScalars.contains(scalar) }

  private mutating func skipBlanks() {
    while let scalar = current {
      if scalar == " " || scalar == "\t" {
        position += 1
      } else if scalar == "\\", ahead(1) == "\n" {
        position += 2
      } else if scalar == "#" {
        while current.map({ $0 != "\n" }) ?? false { position += 1 }
      } else {
        return
      }
    }
  }

  private mutating func skipBlanksAndNewlines() {
    skipBlanks()
    while current == "\n" {
      newline()
      skipBlanks()
    }
  }

  private mutating func newline() {
    position += 1
    for waiting in waitingBodies {
      var body = ""
      while current != nil {
        var line = ""
        while let scalar = current, scalar != "\n" {
          line.unicodeScalars.append(scalar)
          position += 1
        }
        if current != nil { position += 1 }
        if waiting.stripTabs { line = String(line.drop { $0 == "\t" }) }
        if line == waiting.delimiter { break }
        body += line + "\n"
      }
      bodies[waiting.index] = body
    }
    waitingBodies = []
  }

  // MARK: Lists

  private static let closing: Set<String> = ["then", "do", "done", "fi", "elif", "else", "esac", "}"]

  /// The unquoted word at the cursor, when it is one that could be reserved.
  private func reserved() -> String? {
    var (offset, word) = (0, "")
    while let scalar = ahead(offset), !ShellParser.isMeta(scalar) {
      if "'\"\\$`".unicodeScalars.contains(scalar) || offset > 10 { return nil }
      word.unicodeScalars.append(scalar)
      offset += 1
    }
    return word.isEmpty ? nil : word
  }

  private mutating func takeReserved(_ word: String) -> Bool {
    guard reserved() == word else { return false }
    return take(word)
  }

  private mutating func expectReserved(_ word: String) throws {
    skipBlanksAndNewlines()
    guard takeReserved(word) else { throw error("\(word) expected") }
  }

  private var atClosing: Bool {
    guard let scalar = current else { return true }
    if scalar == ")" || starts(";;") || starts(";&") { return true }
    return reserved().map(ShellParser.closing.contains) ?? false
  }

  private mutating func script() throws -> ShellScript {
    depth += 1
    defer { depth -= 1 }
    if depth > 40 { throw error("nested too deep") }
    let firstBody = bodies.count
    var items: [ShellItem] = []
    while true {
      skipBlanksAndNewlines()
      if atClosing { break }
      let chain = try chain()
      skipBlanks()
      var (separated, background) = (true, false)
      if current == "\n" {
        newline()
      } else if current == ";", !starts(";;"), !starts(";&") {
        position += 1
      } else if current == "&", !starts("&&") {
        position += 1
        background = true
      } else {
        separated = false
      }
      items.append(ShellItem(chain: chain, background: background))
      if !separated, !atClosing { throw error("unexpected text after a command") }
    }
    if depth == 1 {
      // A here-document whose line was the last one has no body.
      waitingBodies = []
      var next = firstBody
      items = items.map { fill($0, &next) }
    }
    return ShellScript(items: items)
  }

  private mutating func list() throws -> ShellScript {
    let script = try script()
    if script.items.isEmpty { throw error("empty list") }
    return script
  }

  private mutating func chain() throws -> ShellChain {
    var chain = ShellChain(pipelines: [try pipeline()], operators: [])
    while true {
      skipBlanks()
      if take("&&") {
        chain.operators.append(.and)
      } else if take("||") {
        chain.operators.append(.or)
      } else {
        return chain
      }
      skipBlanksAndNewlines()
      chain.pipelines.append(try pipeline())
    }
  }

  private mutating func pipeline() throws -> ShellPipeline {
    var negated = false
    skipBlanks()
    while true {
      if takeReserved("!") {
        negated.toggle()
      } else if takeReserved("time") {
        skipBlanks()
        _ = takeReserved("-p")
      } else {
        break
      }
      skipBlanks()
    }
    var commands = [try node()]
    while true {
      skipBlanks()
      guard current == "|", !starts("||") else { break }
      position += 1
      _ = take("&")
      skipBlanksAndNewlines()
      commands.append(try node())
    }
    return ShellPipeline(negated: negated, commands: commands)
  }

  // MARK: Commands

  private mutating func node() throws -> ShellNode {
    depth += 1
    defer { depth -= 1 }
    if depth > 40 { throw error("nested too deep") }
    skipBlanks()
    if starts("((") {
      var word = ShellWord()
      word.pieces = [.expansion(try balanced(from: position, open: "(", close: ")"), quoted: false)]
      return .compound("((", [word], [], try redirections())
    }
    if take("(") {
      let inner = try list()
      try expect(")")
      return .subshell(inner, try redirections())
    }
    switch reserved() {
    case "{":
      position += 1
      let inner = try list()
      try expectReserved("}")
      return .group(inner, try redirections())
    case "if": return try conditional()
    case "while", "until":
      let kind = reserved() ?? ""
      position += 5
      let condition = try list()
      return .compound(kind, [], [condition, try body()], try redirections())
    case "for", "select": return try loop()
    case "case": return try choice()
    case "[[": return try test()
    case "function", "coproc", "repeat", "foreach": throw error("not read")
    case let word? where ShellParser.closing.contains(word): throw error("unexpected \(word)")
    default: return try simple()
    }
  }

  private mutating func body() throws -> ShellScript {
    try expectReserved("do")
    let inner = try list()
    try expectReserved("done")
    return inner
  }

  private mutating func conditional() throws -> ShellNode {
    position += 2
    var parts = [try list()]
    try expectReserved("then")
    parts.append(try list())
    while true {
      skipBlanksAndNewlines()
      if takeReserved("elif") {
        parts.append(try list())
        try expectReserved("then")
        parts.append(try list())
      } else if takeReserved("else") {
        parts.append(try list())
        try expectReserved("fi")
        break
      } else {
        try expectReserved("fi")
        break
      }
    }
    return .compound("if", [], parts, try redirections())
  }

  private mutating func loop() throws -> ShellNode {
    let kind = reserved() ?? ""
    position += kind.utf8.count
    skipBlanks()
    var words: [ShellWord] = []
    if starts("((") {
      var head = ShellWord()
      head.pieces = [.expansion(try balanced(from: position, open: "(", close: ")"), quoted: false)]
      words = [head]
    } else {
      words = [try word()]
      skipBlanksAndNewlines()
      if takeReserved("in") {
        skipBlanks()
        while let scalar = current, !ShellParser.isMeta(scalar) {
          words.append(try word())
          skipBlanks()
        }
      }
    }
    skipBlanks()
    if current == ";", !starts(";;") { position += 1 }
    return .compound(kind, words, [try body()], try redirections())
  }

  private mutating func choice() throws -> ShellNode {
    position += 4
    skipBlanks()
    var words = [try word()]
    try expectReserved("in")
    var parts: [ShellScript] = []
    while true {
      skipBlanksAndNewlines()
      if takeReserved("esac") { break }
      _ = take("(")
      repeat {
        skipBlanks()
        words.append(try word())
        skipBlanks()
      } while take("|")
      try expect(")")
      parts.append(try script())
      skipBlanksAndNewlines()
      if take(";;&") || take(";;") || take(";&") { continue }
      try expectReserved("esac")
      break
    }
    return .compound("case", words, parts, try redirections())
  }

  private mutating func test() throws -> ShellNode {
    position += 2
    var words: [ShellWord] = []
    while true {
      skipBlanksAndNewlines()
      guard let scalar = current else { throw error("]] expected") }
      if takeReserved("]]") { break }
      if ShellParser.isMeta(scalar) {
        position += 1
        var sign = ShellWord()
        sign.append(String(scalar))
        words.append(sign)
      } else {
        words.append(try word())
      }
    }
    return .compound("[[", words, [], try redirections())
  }

  private mutating func simple() throws -> ShellNode {
    var command = ShellSimple()
    while true {
      skipBlanks()
      if let redirection = try redirection() {
        command.redirections.append(redirection)
        continue
      }
      guard let scalar = current else { break }
      if scalar == "(" {
        guard command.words.count == 1, command.assignments.isEmpty, let name = command.words[0].literal, take("(") else { throw error("unexpected (") }
        skipBlanks()
        try expect(")")
        skipBlanksAndNewlines()
        let body = try node()
        return .function(
          name,
          ShellScript(items: [ShellItem(chain: ShellChain(pipelines: [ShellPipeline(negated: false, commands: [body])], operators: []), background: false)]))
      }
      if ShellParser.isMeta(scalar), !starts("<("), !starts(">(") { break }
      if command.words.isEmpty, let name = takeAssignmentName() {
        var value = ShellWord()
        if current == "(" {
          value.pieces = [.expansion(try balanced(from: position, open: "(", close: ")"), quoted: false)]
        } else if let scalar = current, !ShellParser.isMeta(scalar) {
          value = try word()
        }
        command.assignments.append(ShellSimple.Assignment(name: name, value: value))
      } else {
        command.words.append(try word())
      }
    }
    if command == ShellSimple() { throw error("a command expected") }
    return .simple(command)
  }

  /// `A=`, `A+=`: the name, with the `+`.
  private mutating func takeAssignmentName() -> String? {
    var (offset, name) = (0, "")
    while let scalar = ahead(offset), ShellParser.isNameScalar(scalar) {
      name.unicodeScalars.append(scalar)
      offset += 1
    }
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else { return nil }
    if ahead(offset) == "+", ahead(offset + 1) == "=" {
      name += "+"
      offset += 1
    }
    guard ahead(offset) == "=" else { return nil }
    position += offset + 1
    return name
  }

  private mutating func redirections() throws -> [ShellRedirection] {
    var all: [ShellRedirection] = []
    skipBlanks()
    while let next = try redirection() {
      all.append(next)
      skipBlanks()
    }
    return all
  }

  private mutating func redirection() throws -> ShellRedirection? {
    var offset = 0
    while let scalar = ahead(offset), ("0"..."9").contains(scalar) { offset += 1 }
    if offset == 0, starts("<(") || starts(">(") { return nil }
    let start = position
    if offset == 0, starts("&>") {
      position += 1
    } else {
      guard let scalar = ahead(offset), scalar == "<" || scalar == ">" else { return nil }
      position += offset
    }
    var operation = ""
    for candidate in ["<<<", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"] where take(candidate) {
      operation = String(String.UnicodeScalarView(scalars[start..<position]))
      break
    }
    skipBlanks()
    guard let scalar = current, !ShellParser.isMeta(scalar) || starts("<(") || starts(">(") else { throw error("a redirection without a target") }
    let targetStart = position
    let target = try word()
    let isQuoted = scalars[targetStart..<position].contains { "'\"\\".unicodeScalars.contains($0) }
    guard operation.hasSuffix("<<") || operation.hasSuffix("<<-") else { return ShellRedirection(operation: operation, target: target, body: nil) }
    waitingBodies.append((bodies.count, target.plain, operation.hasSuffix("-")))
    bodies.append("")
    return ShellRedirection(operation: operation, target: target, body: "", expands: !isQuoted)
  }

  // MARK: Words

  private mutating func word() throws -> ShellWord {
    var word = ShellWord()
    var any = false
    while let scalar = current {
      if starts("<(") || starts(">(") {
        guard !any else { throw error("unexpected (") }
        let start = position
        position += 1
        _ = try balanced(from: start, open: "(", close: ")")
        word.pieces.append(.expansion(String(String.UnicodeScalarView(scalars[start..<position])), quoted: false))
        any = true
        continue
      }
      if ShellParser.isMeta(scalar) { break }
      any = true
      switch scalar {
      case "'":
        position += 1
        let start = position
        while current.map({ $0 != "'" }) ?? false { position += 1 }
        guard current != nil else { throw error("' expected") }
        word.append(String(String.UnicodeScalarView(scalars[start..<position])))
        position += 1
      case "\"":
        position += 1
        try doubleQuoted(&word)
      case "\\":
        guard let next = ahead(1) else { throw error("a \\ at the end") }
        position += 2
        if next != "\n" { word.append(String(next)) }
      case "$", "`": try expansion(&word, quoted: false)
      case "*", "?":
        position += 1
        word.pieces.append(.active(String(scalar)))
      case "[":
        position += 1
        // The command `[` is no pattern.
        if word.pieces.isEmpty, current.map(ShellParser.isMeta) ?? true { word.append("[") } else { word.pieces.append(.active("[")) }
      case "{":
        position += 1
        if current == "}" { word.append("{") } else { word.pieces.append(.active("{")) }
      case "~" where word.pieces.isEmpty:
        position += 1
        word.pieces.append(.active("~"))
      default:
        position += 1
        word.append(String(scalar))
      }
    }
    guard any else { throw error("a word expected") }
    return word
  }

  private mutating func doubleQuoted(_ word: inout ShellWord) throws {
    depth += 1
    defer { depth -= 1 }
    if depth > 40 { throw error("nested too deep") }
    word.append("")
    while let scalar = current {
      switch scalar {
      case "\"":
        position += 1
        return
      case "\\":
        guard let next = ahead(1) else { throw error("\" expected") }
        position += 2
        if "$`\"\\".unicodeScalars.contains(next) {
          word.append(String(next))
        } else if next != "\n" {
          word.append("\\" + String(next))
        }
      case "$", "`": try expansion(&word, quoted: true)
      default:
        position += 1
        word.append(String(scalar))
      }
    }
    throw error("\" expected")
  }

  private mutating func expansion(_ word: inout ShellWord, quoted: Bool) throws {
    let start = position
    position += 1
    if scalars[start] == "`" {
      while let scalar = current, scalar != "`" { position += scalar == "\\" ? 2 : 1 }
      guard current != nil else { throw error("` expected") }
      position += 1
    } else {
      switch current {
      case "(": _ = try balanced(from: position, open: "(", close: ")")
      case "{": _ = try balanced(from: position, open: "{", close: "}")
      case "'" where !quoted:
        position += 1
        while let scalar = current, scalar != "'" { position += scalar == "\\" ? 2 : 1 }
        guard current != nil else { throw error("' expected") }
        position += 1
      case "\"" where !quoted: return
      case let scalar? where "?$!#@*-".unicodeScalars.contains(scalar) || ("0"..."9").contains(scalar): position += 1
      case let scalar? where ShellParser.isNameScalar(scalar):
        while let scalar = current, ShellParser.isNameScalar(scalar) { position += 1 }
      default:
        word.append("$")
        return
      }
    }
    word.pieces.append(.expansion(String(String.UnicodeScalarView(scalars[start..<min(position, scalars.count)])), quoted: quoted))
  }

  /// Moves past the bracket that closes the one at or just after `start`; returns the text from the cursor to there.
  private mutating func balanced(from start: Int, open: Unicode.Scalar, close: Unicode.Scalar) throws -> String {
    depth += 1
    defer { depth -= 1 }
    if depth > 40 { throw error("nested too deep") }
    let begin = position
    var level = 0
    while let scalar = current {
      position += 1
      switch scalar {
      case "\\": position += 1
      case "'":
        while current.map({ $0 != "'" }) ?? false { position += 1 }
        guard current != nil else { throw error("' expected") }
        position += 1
      case "\"":
        var inside = ShellWord()
        try doubleQuoted(&inside)
      case open: level += 1
      case close:
        level -= 1
        if level == 0 { return String(String.UnicodeScalarView(scalars[begin..<position])) }
      default: break
      }
    }
    throw error("\(close) expected")
  }

  // MARK: Here-documents

  private func fill(_ item: ShellItem, _ next: inout Int) -> ShellItem {
    var item = item
    item.chain.pipelines = item.chain.pipelines.map { pipeline in
      var pipeline = pipeline
      pipeline.commands = pipeline.commands.map { fill($0, &next) }
      return pipeline
    }
    return item
  }

  private func fill(_ script: ShellScript, _ next: inout Int) -> ShellScript { ShellScript(items: script.items.map { fill($0, &next) }) }

  /// In the order in which they were read: what is inside comes before the redirections behind it.
  private func fill(_ node: ShellNode, _ next: inout Int) -> ShellNode {
    switch node {
    case .simple(var command):
      command.redirections = fill(command.redirections, &next)
      return .simple(command)
    case .subshell(let inner, let redirections):
      let filled = fill(inner, &next)
      return .subshell(filled, fill(redirections, &next))
    case .group(let inner, let redirections):
      let filled = fill(inner, &next)
      return .group(filled, fill(redirections, &next))
    case .compound(let kind, let words, let parts, let redirections):
      let filled = parts.map { fill($0, &next) }
      return .compound(kind, words, filled, fill(redirections, &next))
    case .function(let name, let body): return .function(name, fill(body, &next))
    }
  }

  private func fill(_ redirections: [ShellRedirection], _ next: inout Int) -> [ShellRedirection] {
    redirections.map {
      guard $0.body != nil else { return $0 }
      defer { next += 1 }
      return ShellRedirection(operation: $0.operation, target: $0.target, body: bodies.indices.contains(next) ? bodies[next] : "", expands: $0.expands)
    }
  }
}
