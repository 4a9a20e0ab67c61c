/// A command that was declared as a check, read once, to be looked for in the shell commands of a run.
package struct DeclaredCommand: Sendable {
  package let text: String
  /// Without blanks around it.
  let bytes: [UInt8]
  let script: ShellScript
  /// The only command in it, where it is one.
  let single: ShellSimple?
  /// It holds an unquoted pattern of file names. (`[[ a = b* ]]` looks for no file.)
  let holdsPattern: Bool
  private let rough: [UInt8]
  /// What it runs, without `cd`, assignments and reserved words.
  private let steps: [ShellSimple]

  package init(_ text: String) {
    let isLong = text.utf8.count > ShellCommand.byteLimit
    self.init(text: text, script: isLong ? ShellScript(refusal: "too long", isConfused: true) : ShellReader.read(ShellText.trimmed(Array(text.utf8))))
  }

  /// A command that was seen as a part of another one.
  init(part command: ShellSimple) {
    self.init(text: "", script: ShellScript(chains: [ShellChain(pipelines: [ShellPipeline(commands: [command])])], commands: [command]))
  }

  private init(text: String, script: ShellScript) {
    self.text = text
    self.script = script
    bytes = ShellText.trimmed(Array(text.utf8))
    let pipeline = script.chains.count == 1 && script.chains[0].pipelines.count == 1 ? script.chains[0].pipelines[0] : nil
    single = pipeline?.only.flatMap { $0.words.isEmpty ? nil : $0 }
    rough = ShellText.rough(single.map { Array($0.words.map(\.bytes).joined(separator: " ".utf8)) } ?? bytes)
    holdsPattern = script.allCommands.contains { command in
      !ShellNames.isBracketTest(command.words) && command.words.contains { $0.has(ShellWord.glob) }
    }
    steps = script.allCommands.filter { command in
      !command.words.isEmpty && command.inner == nil && command.name != "cd" && !(command.name.map(ShellNames.refused.contains) ?? false)
    }
  }

  /// What `command`, ended with `exitCode`, proves about this one; nil: it isn't run by it.
  ///
  /// A text in which it is only mentioned (a commit's message, a here-document's text) is no run. What is run by the programs that a command starts isn't seen.
  /// - Parameters:
  ///   - exitCode: of the shell; nil when none is known
  ///   - folder: absolute path, without symbolic links, of where the shell started; nil when it isn't known
  package func finding(in command: ShellCommand, exitCode: Int?, startedIn folder: String? = nil) -> ShellFinding? {
    guard !script.commands.isEmpty || !bytes.isEmpty else { return nil }
    if let unread = command.unread { return ShellFinding(verdict: .unknown, why: unread) }
    let walk = ShellWalk(target: self, command: command, exitCode: exitCode, start: ShellFolder(folder ?? ""))
    if single == nil, command.text == bytes { return walk.asAWhole() }
    guard let refusal = command.script.refusal else { return walk.finding() }
    guard mayBe(in: command.script, text: command.text, of: command) else { return nil }
    return ShellFinding(verdict: .unknown, why: "it may have run; not read here: \(refusal)")
  }

  // MARK: The same command

  /// The command itself at a place in a chain: how many pipelines it takes there, and what was added to it.
  func match(in chain: ShellChain, at index: Int) -> (count: Int, addition: ShellAddition)? {
    if let single {
      guard let command = chain.pipelines[index].only, let addition = DeclaredCommand.addition(to: single, in: command) else { return nil }
      return (1, addition)
    }
    guard script.chains.count == 1, let own = script.chains.first else { return nil }
    let end = index + own.pipelines.count
    // `x || a && b` is `(x || a) && b`: behind others only `a && b` stands for itself, and only behind `&&`.
    let stands = index == 0 || own.pipelines.count == 1 || (chain.operators[index - 1] == .and && own.operators.allSatisfy { $0 == .and })
    guard stands, end <= chain.pipelines.count, chain.operators[index..<(end - 1)].elementsEqual(own.operators) else { return nil }
    var all = ShellAddition()
    for (other, wanted) in zip(chain.pipelines[index..<end], own.pipelines) {
      if let command = other.only, let wanted = wanted.only, let addition = DeclaredCommand.addition(to: wanted, in: command) {
        all.merge(addition)
      } else if other != wanted {
        return nil
      }
    }
    return (own.pipelines.count, all)
  }

  /// What `command` has more than `wanted`; nil: it is another command.
  private static func addition(to wanted: ShellSimple, in command: ShellSimple) -> ShellAddition? {
    var addition = ShellAddition()
    var layer: ShellSimple? = command
    for _ in 0..<8 {
      guard let current = layer else { return nil }
      // `env cd x` starts a program, which changes no folder but its own; so of every builtin that changes the shell.
      if addition.hasWrapper, ["cd", "export"].contains(current.name) { return nil }
      let names = wanted.assignments.map(\.name)
      if current.words == wanted.words, current.files.starts(with: wanted.files), current.assignments.filter({ names.contains($0.name) }) == wanted.assignments
      {
        addition.assignments = current.assignments.filter { !names.contains($0.name) }
        addition.files = Array(current.files.dropFirst(wanted.files.count))
        return addition
      }
      layer = current.unwrapped()
      addition.hasWrapper = true
    }
    return nil
  }

  // MARK: Where it may have run

  /// Whether `script`, a part of `command` with the text `text` that isn't understood, may run it.
  func mayBe(in script: ShellScript, text: [UInt8], of command: ShellCommand) -> Bool {
    if command.hasInterpreter || script.isConfused, ShellText.mentions(rough, in: text) { return true }
    guard !self.script.isConfused, !steps.isEmpty else { return ShellText.mentions(rough, in: text) }
    var next = 0
    for part in script.allCommands where next < steps.count && DeclaredCommand.mayRun(part, steps[next], of: command) { next += 1 }
    return next == steps.count
  }

  /// Whether a command that isn't this one may still run it.
  func mayRun(_ part: ShellSimple, of command: ShellCommand) -> Bool {
    guard let single else { return false }
    return DeclaredCommand.mayRun(part, single, of: command) || (command.isInterpreter(part) && isMentioned(by: part))
  }

  func isMentioned(by part: ShellSimple) -> Bool { ShellText.mentions(rough, in: part.text) }

  private static func mayRun(_ part: ShellSimple, _ wanted: ShellSimple, of command: ShellCommand) -> Bool {
    var layer: ShellSimple? = part
    for _ in 0..<8 {
      guard let current = layer else { break }
      if mayEqual(current.words, wanted.words) || isNamesake(current.words, wanted.words) {
        // The same words without the variables that it sets for itself are another command.
        return wanted.assignments.allSatisfy { wanted in
          current.assignments.contains { $0.name.utf8.elementsEqual(wanted.name.utf8) } || command.assigns(wanted.name)
        }
      }
      layer = current.unwrapped()
    }
    if part.runsUnseen || holdsText(of: wanted, part) { return true }
    if part.runsNoWord || part.words.count < 2 || ShellNames.onlyNamesFiles(part.words) { return false }
    // What `xargs swift` runs isn't in its words.
    if ShellNames.makesCommands(part), part.words.contains(where: { $0.base == wanted.words.first?.base }) { return true }
    // A program that runs others: `sudo swift test`, `find -exec swift test ;`.
    let words = part.words.suffix(from: min(1, part.words.count))
    let ends: Set<String> = [";", "+", "{}", ":::"]
    let tail = words.last.flatMap(\.ascii).map(ends.contains) ?? false ? words.dropLast() : words
    if part.isLiteral { return tail.count >= wanted.words.count && mayEqual(Array(tail.suffix(wanted.words.count)), wanted.words) }
    let (own, other) = (joined(tail), joined(wanted.words[...]))
    return own.reversed().prefix { $0 < 0x100 }.starts(with: other.reversed().prefix { $0 < 0x100 })
      || other.reversed().prefix { $0 < 0x100 }.starts(with: own.reversed().prefix { $0 < 0x100 })
  }

  /// Whether text that a program may run holds it: of one that isn't known to run none (`sed '1e t check'`), or in the variables for it (`EDITOR`);
  /// in whatever order its words stand there.
  private static func holdsText(of wanted: ShellSimple, _ part: ShellSimple) -> Bool {
    guard !part.words.isEmpty else { return false }
    let arguments = part.words.dropFirst()
    let exported = part.name == "export" ? arguments.compactMap(\.assignment) : []
    let texts = (part.assignments + exported).map(\.value) + (part.runsNoWord ? [] : arguments).filter(\.isText)
    guard !texts.isEmpty else { return false }
    let names = ShellText.rough(Array(wanted.words.map(\.bytes).joined(separator: " ".utf8))).split(separator: UInt8(ascii: " ")).map { Array($0) }
    return texts.contains { text in names.allSatisfy { ShellText.mentions($0, in: text.bytes) } }
  }

  /// The same program by another path, with the same arguments.
  private static func isNamesake(_ words: [ShellWord], _ wanted: [ShellWord]) -> Bool {
    guard let first = words.first, let other = wanted.first, first.isLiteral else { return false }
    return first.base == other.base && words.dropFirst() == wanted.dropFirst()
  }

  /// Whether they are the same, or may be where something stands for other text.
  private static func mayEqual(_ words: [ShellWord], _ wanted: [ShellWord]) -> Bool {
    if words == wanted { return !words.isEmpty }
    guard words.contains(where: { !$0.isLiteral }) || wanted.contains(where: { !$0.isLiteral }) else { return false }
    let (own, other) = (joined(words[...]), joined(wanted[...]))
    func agree(_ one: some Sequence<UInt16>, _ two: some Sequence<UInt16>) -> Bool { zip(one, two).allSatisfy { $0 == $1 } }
    func plain(_ units: some Sequence<UInt16>) -> [UInt16] { Array(units.prefix { $0 < 0x100 }) }
    let (head, tail) = (plain(own), plain(own.reversed()))
    return agree(head, plain(other)) && agree(tail, plain(other.reversed())) && (other.contains { $0 >= 0x100 } || head.count + tail.count <= other.count)
  }

  private static func joined(_ words: ArraySlice<ShellWord>) -> [UInt16] { Array(words.map(\.units).joined(separator: [UInt16(UInt8(ascii: " "))])) }
}

/// By coding it is its text, as it was declared.
extension DeclaredCommand: Codable, Equatable {
  package init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  package static func == (one: DeclaredCommand, other: DeclaredCommand) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }
}

/// What stands around a declared command where it was found.
struct ShellAddition {
  var hasWrapper = false
  var assignments: [ShellAssignment] = []
  /// Redirections that can fail, or change its input.
  var files: [ShellRedirection] = []

  mutating func merge(_ other: ShellAddition) {
    hasWrapper = hasWrapper || other.hasWrapper
    assignments += other.assignments
    files += other.files
  }
}
