/// What the exit code of a shell command says about a command that was to be run.
package enum ShellVerdict: String, Codable, Sendable {
  case passed, failed, unknown
}

/// A declared command, read once, to be looked for in the shell commands of a run.
package struct ShellTarget: Sendable {
  package let text: String
  private let script: ShellScript?
  private let flat: [[String]]
  private let rough: String
  /// The variables that it sets for itself: without them it would be another command.
  private let variables: [String]

  package init(_ text: String) {
    self.text = text.trimmingShellBlanks
    script = try? ShellParser.parse(text)
    flat = script.map { $0.flattened(depth: 0).map(\.words) } ?? []
    rough = ShellTarget.rough(text)
    if let first = script?.items.first?.chain.pipelines.first?.commands.first, case .simple(let command) = first {
      variables = command.assignments.map { $0.name + "=" }
    } else {
      variables = []
    }
  }

  /// What `command`, ended with `exitCode` (nil: none is known), proves about this one; nil: it isn't in there.
  ///
  /// Passed and failed are only said where the exit code proves it. The exceptions are the agreed ones: when `cd x &&` or an output file's redirection
  /// before the command fails, it counts as failed although it never ran.
  package func verdict(in command: String, exitCode: Int?) -> ShellVerdict? {
    let known = exitCode.map { $0 == 0 ? Known.zero : Known.nonzero } ?? .nothing
    guard !text.isEmpty else { return nil }
    if command.trimmingShellBlanks == text { return known.verdict }
    guard let outer = try? ShellParser.parse(command) else { return isRoughly(in: command) ? .unknown : nil }
    if let script, let verdict = Finder(target: script, exitCode: exitCode).scan(outer, known, ShellEffects(), depth: 0) { return verdict }
    return isSomewhere(in: outer, command) ? .unknown : nil
  }

  // MARK: Places where it may have run, with an exit code that nobody saw

  private func isSomewhere(in outer: ShellScript, _ command: String) -> Bool {
    guard variables.allSatisfy(command.contains) else { return false }
    let commands = outer.flattened(depth: 0)
    if !flat.isEmpty, commands.count >= flat.count {
      for start in 0...(commands.count - flat.count) where zip(commands[start...], flat).allSatisfy({ ShellTarget.mayBe($0.words, $1) }) { return true }
    }
    if commands.contains(where: { $0.opaque || ShellNames.interpreters.contains(ShellNames.base($0.words.first ?? "")) }), isRoughly(in: command) {
      return true
    }
    for (words, _) in commands where ShellNames.runners.contains(ShellNames.base(words.first ?? "")) {
      if words.contains(where: { $0.contains { $0 == " " || $0 == "\n" } && isRoughly(in: $0) }) { return true }
    }
    return false
  }

  /// The same words, also behind a program that runs others.
  private static func mayBe(_ words: [String], _ wanted: [String]) -> Bool {
    if words == wanted { return true }
    guard let name = words.first.map(ShellNames.base), ShellNames.runners.contains(name), words.count > wanted.count else { return false }
    // `npm install eslint`, `command -v make` run nothing of the kind.
    if ShellNames.managers.contains(name), !["run", "exec", "x", "dlx"].contains(words[1]) { return false }
    if name == "command", words[1].hasPrefix("-") { return false }
    return Array(words.suffix(wanted.count)) == wanted
  }

  private func isRoughly(in other: String) -> Bool {
    guard !rough.isEmpty else { return false }
    let (text, wanted) = (Array(ShellTarget.rough(other).utf8), Array(rough.utf8))
    func isEdge(_ byte: UInt8?) -> Bool { byte.map { " ;&|()<>{}=/`".utf8.contains($0) } ?? true }
    // Knuth, Morris, Pratt: a foreign text must not take quadratic time.
    var borders = [0]
    var length = 0
    for byte in wanted.dropFirst() {
      while length > 0, byte != wanted[length] { length = borders[length - 1] }
      if byte == wanted[length] { length += 1 }
      borders.append(length)
    }
    length = 0
    for (index, byte) in text.enumerated() {
      while length > 0, length == wanted.count || byte != wanted[length] { length = borders[length - 1] }
      if byte == wanted[length] { length += 1 }
      guard length == wanted.count else { continue }
      let start = index + 1 - length
      if isEdge(start > 0 ? text[start - 1] : nil), isEdge(index + 1 < text.count ? text[index + 1] : nil) { return true }
    }
    return false
  }

  /// Without quotes, runs of white space as one space.
  private static func rough(_ text: String) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"): continue
      case 9, 10, 13, 32: if let last = out.last, last != 32 { out.append(32) }
      default: out.append(byte)
      }
    }
    while out.last == 32 { out.removeLast() }
    return String(decoding: out, as: UTF8.self)
  }
}

extension String {
  fileprivate var trimmingShellBlanks: String {
    var part = unicodeScalars[...]
    while let scalar = part.first, " \t\n\r".unicodeScalars.contains(scalar) { part.removeFirst() }
    while let scalar = part.last, " \t\n\r".unicodeScalars.contains(scalar) { part.removeLast() }
    return String(part)
  }
}

/// What is known of one part's exit code.
private enum Known {
  case zero, nonzero, nothing

  var verdict: ShellVerdict {
    switch self {
    case .zero: .passed
    case .nonzero: .failed
    case .nothing: .unknown
    }
  }

  /// An exit code says nothing of what comes last when something before may have ended the shell with the same.
  func after(_ effects: ShellEffects) -> Known {
    switch self {
    case .zero where effects.endsWithZero: .nothing
    case .nonzero where effects.endsWithNonzero: .nothing
    default: self
    }
  }
}

/// Finds the target in a script and carries the exit code's meaning inwards to it. When it is there more than once, the last place counts.
private struct Finder {
  let target: ShellScript
  let exitCode: Int?
  let chain: ShellChain?
  let pipeline: ShellPipeline?
  let node: ShellNode?

  init(target: ShellScript, exitCode: Int?) {
    self.target = target
    self.exitCode = exitCode
    chain = target.items.count == 1 && !target.items[0].background ? target.items[0].chain : nil
    pipeline = chain.flatMap { $0.pipelines.count == 1 ? $0.pipelines[0] : nil }
    node = pipeline.flatMap { $0.commands.count == 1 && !$0.negated ? $0.commands[0] : nil }
  }

  func scan(_ script: ShellScript, _ known: Known, _ before: ShellEffects, depth: Int) -> ShellVerdict? {
    if depth > 20 { return nil }
    var (effects, found, index) = (before, ShellVerdict?.none, 0)
    while index < script.items.count {
      let item = script.items[index]
      let end = index + target.items.count
      if chain == nil, end <= script.items.count, Array(script.items[index..<end]) == target.items {
        found = (end == script.items.count ? known.after(effects) : .nothing).verdict
        for item in script.items[index..<end] where !item.background { effects.merge(ShellEffects(item.chain)) }
        index = end
        continue
      }
      let isLast = index == script.items.count - 1
      if let verdict = scan(item.chain, isLast && !item.background ? known : .nothing, effects, depth: depth) { found = verdict }
      if !item.background { effects.merge(ShellEffects(item.chain)) }
      index += 1
    }
    return found
  }

  private func scan(_ other: ShellChain, _ known: Known, _ before: ShellEffects, depth: Int) -> ShellVerdict? {
    let count = other.pipelines.count
    // `part[i]`: pipeline i alone; `prefix[i]`: the chain up to and with it.
    var part = [Known](repeating: .nothing, count: count)
    var prefix = part
    prefix[count - 1] = known
    for index in stride(from: count - 1, through: 0, by: -1) {
      let whole = prefix[index]
      if index == 0 {
        part[0] = whole
      } else {
        switch other.operators[index - 1] {
        case .and:
          part[index] = whole == .zero ? .zero : whole == .nonzero && other.onlyPrepares(until: index) ? .nonzero : .nothing
          prefix[index - 1] = whole == .zero ? .zero : .nothing
        case .or:
          part[index] = whole == .nonzero ? .nonzero : .nothing
        }
      }
    }
    var (effects, found, index) = (before, ShellVerdict?.none, 0)
    while index < count {
      if let chain, chain.pipelines.count > 1 {
        let end = index + chain.pipelines.count - 1
        if end < count, Array(other.pipelines[index...end]) == chain.pipelines, Array(other.operators[index..<end]) == chain.operators {
          // `x || a && b` is `(x || a) && b`: inside a longer chain only these stand for themselves.
          if index == 0 {
            found = prefix[end].after(effects).verdict
          } else if other.operators[index - 1] == .and, chain.operators.allSatisfy({ $0 == .and }) {
            let whole = prefix[end]
            let proven = whole == .zero || (whole == .nonzero && other.onlyPrepares(until: index))
            found = (proven ? whole.after(effects) : .nothing).verdict
          } else {
            found = .unknown
          }
          for pipeline in other.pipelines[index...end] { effects.merge(ShellEffects(pipeline)) }
          index = end + 1
          continue
        }
      }
      if let verdict = scan(other.pipelines[index], part[index], effects, depth: depth) { found = verdict }
      effects.merge(ShellEffects(other.pipelines[index]))
      index += 1
    }
    return found
  }

  private func scan(_ other: ShellPipeline, _ known: Known, _ before: ShellEffects, depth: Int) -> ShellVerdict? {
    let known = known.after(before)
    if let pipeline {
      if pipeline == other { return known.verdict }
      // Redirections and assignments may be added to the last command of a pipeline, as to any.
      if pipeline.negated == other.negated, pipeline.commands.count == other.commands.count,
        zip(other.commands, pipeline.commands).allSatisfy({ $0.isSame(as: $1) })
      {
        return known.verdict
      }
    }
    let inner = other.negated ? Known.nothing : known
    let count = other.commands.count
    // The last command's exit is the pipeline's; with `pipefail`, which may be set, only a zero says that it was zero.
    func knownAt(_ index: Int) -> Known { count == 1 ? inner : index == count - 1 && inner == .zero ? .zero : .nothing }
    var (found, index) = (ShellVerdict?.none, 0)
    while index < count {
      if let pipeline, !pipeline.negated, pipeline.commands.count > 1 {
        let end = index + pipeline.commands.count
        if end <= count, zip(other.commands[index..<end], pipeline.commands).allSatisfy({ $0.isSame(as: $1) }) {
          found = knownAt(end - 1).verdict
          index = end
          continue
        }
      }
      if let verdict = scan(other.commands[index], knownAt(index), before, depth: depth + 1) { found = verdict }
      index += 1
    }
    return found
  }

  private func scan(_ other: ShellNode, _ known: Known, _ before: ShellEffects, depth: Int) -> ShellVerdict? {
    if let node, other.isSame(as: node) { return known.verdict }
    switch other {
    case .simple(let command):
      guard let inside = command.unwrapped() else { return nil }
      // Of a timeout, of the command not being found, and killed: `timeout`'s own exit codes.
      let isTimeouts = exitCode.map { (124...127).contains($0) || $0 == 137 } ?? true
      let inner: Known = inside.hasTimeout && known == .nonzero && isTimeouts ? .nothing : known
      switch inside.content {
      case .command(let command): return scan(.simple(command), inner, before, depth: depth + 1)
      case .script(let text, let effects):
        guard depth < 20, let script = try? ShellParser.parse(text) else { return nil }
        return scan(script, inner, effects, depth: depth + 1)
      }
    case .subshell(let script, _), .group(let script, _): return scan(script, known, before, depth: depth + 1)
    case .compound(_, _, let parts, _):
      return parts.contains { scan($0, .nothing, ShellEffects(), depth: depth + 1) != nil } ? .unknown : nil
    case .function(_, let body): return scan(body, .nothing, ShellEffects(), depth: depth + 1).map { _ in .unknown }
    }
  }
}

extension ShellChain {
  /// Whether everything before pipeline `index` only changes the folder or sets variables, joined by `&&`.
  fileprivate func onlyPrepares(until index: Int) -> Bool {
    guard operators[0..<index].allSatisfy({ $0 == .and }) else { return false }
    return pipelines[0..<index].allSatisfy {
      guard !$0.negated, $0.commands.count == 1, case .simple(let command) = $0.commands[0] else { return false }
      guard command.words.allSatisfy({ $0.substitutions.isEmpty }), command.assignments.allSatisfy({ $0.value.substitutions.isEmpty }) else { return false }
      return command.words.isEmpty ? !command.assignments.isEmpty : command.words[0].literal.map(["cd", "pushd", "export"].contains) ?? false
    }
  }
}

extension ShellNode {
  /// The same command, or one with assignments and redirections added.
  fileprivate func isSame(as target: ShellNode) -> Bool {
    switch (self, target) {
    case (.simple(let own), .simple(let wanted)):
      guard own.words == wanted.words, !own.words.isEmpty || own.assignments == wanted.assignments else { return false }
      let names = Set(wanted.assignments.map(\.name))
      return own.assignments.filter { names.contains($0.name) } == wanted.assignments && wanted.redirections.allSatisfy(own.redirections.contains)
    case (.subshell(let own, let all), .subshell(let wanted, let some)), (.group(let own, let all), .group(let wanted, let some)):
      return own == wanted && some.allSatisfy(all.contains)
    default: return self == target
    }
  }
}

/// How a command can end the shell that runs it, so that what follows never runs.
package struct ShellEffects: Equatable, Sendable {
  package var endsWithZero = false
  package var endsWithNonzero = false

  package static let any = ShellEffects(endsWithZero: true, endsWithNonzero: true)
  package static let failing = ShellEffects(endsWithZero: false, endsWithNonzero: true)

  package init(endsWithZero: Bool = false, endsWithNonzero: Bool = false) {
    self.endsWithZero = endsWithZero
    self.endsWithNonzero = endsWithNonzero
  }

  package mutating func merge(_ other: ShellEffects) {
    endsWithZero = endsWithZero || other.endsWithZero
    endsWithNonzero = endsWithNonzero || other.endsWithNonzero
  }

  package init(_ chain: ShellChain) {
    self.init()
    for pipeline in chain.pipelines { merge(ShellEffects(pipeline)) }
  }

  package init(_ script: ShellScript) {
    self.init()
    for item in script.items where !item.background { merge(ShellEffects(item.chain)) }
  }

  package init(_ pipeline: ShellPipeline) {
    self.init()
    for node in pipeline.commands { merge(ShellEffects(node)) }
  }

  package init(_ node: ShellNode) {
    self.init()
    switch node {
    case .simple(let command): merge(ShellEffects(command))
    case .subshell: break
    case .group(let script, _): merge(ShellEffects(script))
    case .compound(let kind, let words, let parts, _):
      for part in parts { merge(ShellEffects(part)) }
      if kind == "((" || (kind != "[[" && kind != "case" && words.contains(where: \.mayAbort)) { merge(.failing) }
      if kind == "[[" || kind == "case", words.contains(where: { $0.pieces.contains { if case .expansion = $0 { true } else { false } } && $0.mayAbort }) {
        merge(.failing)
      }
    // From here on a name may mean anything.
    case .function: merge(.any)
    }
  }

  private init(_ command: ShellSimple) {
    self.init()
    let all = command.words + command.assignments.map(\.value) + command.redirections.map(\.target)
    if all.contains(where: \.mayAbort) { merge(.failing) }
    guard let first = command.words.first else { return }
    guard let name = first.literal else {
      // A variable may hold the name of a builtin, unless a path is built from it.
      if !first.pieces.contains(where: { if case .literal(let text) = $0 { text.contains("/") } else { false } }) { merge(.any) }
      return
    }
    let arguments = Array(command.words.dropFirst())
    switch name {
    case "exit", "return", "bye", "logout":
      if let text = arguments.first?.literal, let code = UInt8(text) {
        merge(code == 0 ? ShellEffects(endsWithZero: true) : .failing)
      } else {
        merge(.any)
      }
    case "set": merge(ShellEffects(setArguments: arguments.map(\.literal)))
    case "source", ".":
      let known = ["/activate", "/nvm.sh", "/.cargo/env", "/asdf.sh", "/conda.sh", "/.bashrc", "/.profile", "/.bash_profile", "/.zshrc"]
      let isKnown = arguments.count == 1 && known.contains { ("/" + arguments[0].plain).hasSuffix($0) }
      merge(isKnown ? .failing : .any)
    case "exec": merge(arguments.isEmpty ? .failing : .any)
    case "kill", "pkill", "killall", "readonly", "typeset", "declare", "local", "shift": merge(.failing)
    case "eval", "trap", "shopt", "setopt", "unsetopt", "emulate", "alias", "unalias", "enable", "suspend", "disable", "autoload", "hash", "break", "continue":
      merge(.any)
    case "command", "builtin", "noglob", "nocorrect", "-":
      var rest = command
      rest.words.removeFirst()
      merge(ShellEffects(rest))
      if arguments.first?.plain.hasPrefix("-") ?? false { merge(.any) }
    case ":", "export", "unset": if !command.redirections.isEmpty { merge(.failing) }
    default: break
    }
  }

  private init(setArguments: [String?]) {
    self = .failing
    var isOptionName = false
    for argument in setArguments {
      guard let argument else {
        self = .any
        return
      }
      if isOptionName {
        if !["errexit", "nounset", "pipefail", "xtrace", "verbose"].contains(argument) { self = .any }
        isOptionName = false
      } else if let sign = argument.first, sign == "-" || sign == "+", argument != "--" {
        if !argument.dropFirst().allSatisfy({ "euxvEo".contains($0) }) { self = .any }
        isOptionName = argument.contains("o")
      }
    }
  }
}

/// Programs that are known by name.
package enum ShellNames {
  package static let shells: Set<String> = ["sh", "bash", "zsh", "dash", "ksh", "ash"]
  /// These run shell code that is not in their words.
  package static let interpreters: Set<String> = shells.union(["eval", "source", "."])
  /// These run the command in their words, or a text that they are given.
  package static let runners: Set<String> = shells.union([
    "eval", "sudo", "doas", "su", "xargs", "ssh", "docker", "podman", "kubectl", "nix", "nix-shell", "direnv", "mise", "asdf", "script", "unbuffer", "watch",
    "strace", "ltrace", "setsid", "stdbuf", "ionice", "chrt", "taskset", "xvfb-run", "parallel", "env", "timeout", "gtimeout", "nice", "nohup", "time",
    "command", "exec", "builtin", "noglob", "poetry", "uv", "pipenv", "pdm", "hatch", "rye", "bundle", "npx", "pnpm", "yarn", "bunx", "npm", "corepack",
    "concurrently", "dotenv", "cross-env", "flock", "tmux", "screen", "op", "doppler", "trap", "arch", "rosetta", "caffeinate", "python", "python3", "perl",
    "ruby",
    "node",
  ])

  /// Of those, the ones that do other things too.
  package static let managers: Set<String> = [
    "poetry", "uv", "pipenv", "pdm", "hatch", "rye", "bundle", "pnpm", "yarn", "npm", "mise", "asdf", "docker", "podman", "kubectl",
  ]

  /// The program's name without its folder.
  package static func base(_ word: String) -> String { word.split(separator: "/").last.map(String.init) ?? word }
}

extension ShellSimple {
  package enum Content {
    case command(ShellSimple)
    /// A script of its own, with what its options may do to it.
    case script(String, ShellEffects)
  }

  /// What `env A=1`, `nice`, `timeout 60`, `bash -c` and the like run, when nothing but that decides their exit code.
  /// `hasTimeout`: some exit codes may be those of `timeout` itself.
  package func unwrapped() -> (content: Content, hasTimeout: Bool)? {
    guard let first = words.first?.literal else { return nil }
    var rest = ArraySlice(words.dropFirst())
    func inner(_ rest: ArraySlice<ShellWord>, assignments: [Assignment] = [], hasTimeout: Bool = false) -> (content: Content, hasTimeout: Bool)? {
      guard let next = rest.first, next.literal?.hasPrefix("-") != true else { return nil }
      return (.command(ShellSimple(assignments: self.assignments + assignments, words: Array(rest), redirections: redirections)), hasTimeout)
    }
    switch ShellNames.base(first) {
    case "env":
      var added: [Assignment] = []
      while let word = rest.first {
        if let equals = word.assignment {
          added.append(equals)
        } else if word.literal == "-u", rest.count > 1 {
          rest.removeFirst()
        } else if word.literal != "-i" && word.literal != "--" {
          break
        }
        rest.removeFirst()
      }
      return inner(rest, assignments: added)
    case "command" where first == "command", "nohup", "time": return inner(rest)
    case "nice":
      if rest.first?.literal == "-n", rest.count > 1 { rest = rest.dropFirst(2) }
      return inner(rest)
    case "timeout", "gtimeout":
      while let option = rest.first?.literal, option.hasPrefix("-") {
        switch option {
        case "-k", "-s", "--signal", "--kill-after": rest = rest.dropFirst(2)
        case "-v", "--verbose", "--foreground": rest = rest.dropFirst()
        case _ where option.hasPrefix("--signal=") || option.hasPrefix("--kill-after=") || option.hasPrefix("-k") || option.hasPrefix("-s"):
          rest = rest.dropFirst()
        default: return nil
        }
      }
      guard let duration = rest.first?.literal, duration.first?.isNumber ?? false else { return nil }
      return inner(rest.dropFirst(), hasTimeout: true)
    case let name where ShellNames.shells.contains(name):
      var effects = ShellEffects()
      var isScript = false
      while let option = rest.first?.literal, option.hasPrefix("-") || option.hasPrefix("+") {
        rest = rest.dropFirst()
        switch option {
        case "--login", "--norc", "--noprofile", "--posix": break
        case "-o", "+o":
          guard let value = rest.first?.literal, ["errexit", "nounset", "pipefail", "xtrace"].contains(value) else { return nil }
          effects.merge(.failing)
          rest = rest.dropFirst()
        case _ where option.count > 1 && option.hasPrefix("-") && option.dropFirst().allSatisfy { "lceuxi".contains($0) }:
          if option.contains("e") || option.contains("u") { effects.merge(.failing) }
          if option.contains("c") { isScript = true }
        default: return nil
        }
      }
      guard isScript, let text = rest.first?.literal else { return nil }
      return (.script(text, effects), false)
    default: return nil
    }
  }
}

extension ShellWord {
  /// A word `A=1` as `env` takes it.
  fileprivate var assignment: ShellSimple.Assignment? {
    guard case .literal(let text)? = pieces.first, let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
    let name = text[..<equals]
    guard name.unicodeScalars.allSatisfy(ShellParser.isNameScalar) else { return nil }
    var value = self
    let rest = String(text[text.index(after: equals)...])
    if rest.isEmpty { value.pieces.removeFirst() } else { value.pieces[0] = .literal(rest) }
    return ShellSimple.Assignment(name: String(name), value: value)
  }
}

extension ShellScript {
  /// Every simple command in order, quotes and wrappers taken off, with what runs in inner shells and substitutions.
  /// `opaque`: it holds a part that couldn't be read.
  package func flattened(depth: Int) -> [(words: [String], opaque: Bool)] {
    guard depth < 12 else { return [] }
    return items.flatMap { $0.chain.pipelines.flatMap { $0.commands.flatMap { $0.flattened(depth: depth + 1) } } }
  }
}

extension ShellNode {
  fileprivate func flattened(depth: Int) -> [(words: [String], opaque: Bool)] {
    switch self {
    case .simple(let command): command.flattened(depth: depth)
    case .subshell(let script, _), .group(let script, _), .function(_, let script): script.flattened(depth: depth)
    case .compound(_, let words, let parts, _):
      words.flatMap { ShellSimple.inside($0, depth: depth) } + parts.flatMap { $0.flattened(depth: depth) }
    }
  }
}

extension ShellSimple {
  fileprivate func flattened(depth: Int) -> [(words: [String], opaque: Bool)] {
    let inside =
      (assignments.map(\.value) + words + redirections.map(\.target)).flatMap { ShellSimple.inside($0, depth: depth) }
      + redirections.filter { $0.expands && ($0.body ?? "").contains { $0 == "$" || $0 == "`" } }.map { ([$0.body ?? ""], true) }
    guard !words.isEmpty, depth < 12 else { return inside }
    switch unwrapped()?.content {
    case .command(let command)?:
      var command = command
      command.assignments = []
      command.redirections = []
      return inside + command.flattened(depth: depth + 1)
    case .script(let text, _)?:
      guard let script = try? ShellParser.parse(text) else { return inside + [(words.map(\.plain), true)] }
      return inside + script.flattened(depth: depth + 1)
    case nil: return inside + [(words.map(\.plain), false)]
    }
  }

  fileprivate static func inside(_ word: ShellWord, depth: Int) -> [(words: [String], opaque: Bool)] {
    word.substitutions.flatMap { text -> [(words: [String], opaque: Bool)] in
      guard let script = try? ShellParser.parse(text) else { return [([text], true)] }
      return script.flattened(depth: depth + 1)
    }
  }
}
