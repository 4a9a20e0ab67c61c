/// Goes through an understood command and carries the meaning of its exit code to the declared one in it. When it is there more than once, the last place counts.
struct ShellWalk {
  /// What is known of one part's exit code.
  private enum Known {
    case zero, nonzero, nothing
  }

  /// The exit codes of what comes before.
  private enum Earlier: Int, Comparable {
    /// It can't fail.
    case none
    /// 1 or 2: of `cd`, and of files that can't be opened, in every shell.
    case small
    case any

    static func < (one: Earlier, other: Earlier) -> Bool { one.rawValue < other.rawValue }

    func contains(_ code: Int) -> Bool { self == .any || (self == .small && code <= 2) }
  }

  /// What has happened in the shell before a part runs.
  private struct State {
    /// Every folder that it may be in; nil: any.
    var folders: Set<ShellFolder>?
    var isAssigned = false
    /// The first assigned variable that can make another command of what follows.
    var changing: String?
    /// Nothing ran but `cd`, assignments and `export`.
    var isClean = true
    /// zsh ends at a pattern that fits no file.
    var mayEndEarly = false
    /// A text that names the declared command was printed, or held in a variable.
    var isMentioned = false
    var hasWrapper = false
    var files: [ShellRedirection] = []
    /// Something comes after the part.
    var isFollowed = false
    /// Something that may change files came before it.
    var isPreceded = false

    static let folderLimit = 16
    static let stepLimit = 100

    mutating func assign(_ assignments: [ShellAssignment]) {
      isAssigned = isAssigned || !assignments.isEmpty
      if changing == nil { changing = assignments.first(where: ShellNames.changesMeaning)?.name }
    }
  }

  let target: DeclaredCommand
  let command: ShellCommand
  let exitCode: Int?
  let start: ShellFolder

  private var known: Known { exitCode.map { $0 == 0 ? .zero : .nonzero } ?? .nothing }
  private var state: State { State(folders: [start]) }

  /// The whole command is the declared one.
  func asAWhole() -> ShellFinding { finding(known, ShellAddition(), state) }

  /// - Precondition: nothing was refused in the command
  func finding() -> ShellFinding? {
    if let found = scan(command.script, known, state) { return found }
    guard target.single == nil, target.mayBe(in: command.script, text: command.text, of: command) else { return nil }
    return ShellFinding(verdict: .unknown, why: "its parts may have run")
  }

  // MARK: Where it is

  private func scan(_ script: ShellScript, _ known: Known, _ before: State) -> ShellFinding? {
    var state = before
    var found: ShellFinding?
    let own = target.script.chains
    let lastLoud = script.chains.lastIndex { !$0.pipelines.allSatisfy(isQuiet) } ?? -1
    for (index, chain) in script.chains.enumerated() {
      let isList = own.count > 1 && index + own.count <= script.chains.count && script.chains[index..<(index + own.count)].elementsEqual(own)
      if isList {
        let isEnd = index + own.count == script.chains.count
        found = finding(isEnd ? known : .nothing, ShellAddition(), state)
        found?.isFollowed = before.isFollowed || !isEnd
      }
      state.isFollowed = before.isFollowed || lastLoud > index
      if let finding = scan(chain, index == script.chains.count - 1 ? known : .nothing, &state) { found = finding }
    }
    return found
  }

  private func scan(_ chain: ShellChain, _ known: Known, _ state: inout State) -> ShellFinding? {
    let count = chain.pipelines.count
    // Of the chain up to and with pipeline i.
    var prefix = [Known](repeating: .nothing, count: count)
    prefix[count - 1] = known
    for index in stride(from: count - 1, to: 0, by: -1) {
      prefix[index - 1] = chain.operators[index - 1] == .and && prefix[index] == .zero ? .zero : .nothing
    }
    let isConjunction = chain.operators.allSatisfy { $0 == .and }
    var folders = state.folders
    /// The exit codes with which what comes before can have kept the next one from running.
    var before = Earlier.none
    var found: ShellFinding?
    var index = 0
    let isFollowed = state.isFollowed
    let lastLoud = chain.pipelines.lastIndex { !isQuiet($0) } ?? -1
    while index < count {
      let match = target.match(in: chain, at: index)
      let end = index + (match?.count ?? 1)
      var part = prefix[end - 1]
      if index > 0 {
        let isOr = chain.operators[index - 1] == .or
        if isOr ? part == .zero : part == .nonzero && before.contains(exitCode ?? 0) { part = .nothing }
      }
      state.isFollowed = isFollowed || lastLoud >= end
      if let match {
        found = finding(part, match.addition, state)
      } else if let command = chain.pipelines[index].only {
        if let finding = scan(command, part, state) {
          found = finding
        } else {
          mention(command, isPiped: false, &state)
        }
      } else {
        for command in chain.pipelines[index].commands {
          if scan(command, .nothing, state) != nil || isSame(command) {
            found = unknown("the exit code isn't its own", state)
            found?.isFollowed = true
          }
          mention(command, isPiped: true, &state)
        }
      }
      for pipeline in chain.pipelines[index..<end] {
        before = max(before, isConjunction ? failures(of: pipeline, state) : .any)
        pass(pipeline, isConjunction: isConjunction, &state)
        folders = union(folders, state.folders)
      }
      index = end
    }
    // What comes behind `a && cd b` runs also when `a` failed.
    state.folders = folders
    state.isFollowed = isFollowed
    return found
  }

  /// Whether it changes no file.
  private func isQuiet(_ pipeline: ShellPipeline) -> Bool { pipeline.commands.allSatisfy(\.isQuiet) }

  /// A command that isn't the declared one.
  private func scan(_ part: ShellSimple, _ known: Known, _ before: State) -> ShellFinding? {
    guard let inner = part.inner, !part.runsUnseen else {
      let mayRun = target.mayRun(part, of: command) || (before.isMentioned && target.single != nil && command.isInterpreter(part))
      return mayRun ? unknown("it may have run by another program", before) : nil
    }
    var state = before
    var layer = part
    while layer.shellText == nil, let inside = layer.unwrapped() {
      layer = inside
      state.hasWrapper = true
    }
    state.assign(layer.assignments)
    state.files += layer.files
    if target.single == nil, let text = layer.shellText, ShellText.trimmed(text.bytes) == target.bytes { return finding(known, ShellAddition(), state) }
    guard let refusal = inner.refusal else { return scan(inner, known, state) }
    return target.mayBe(in: inner, text: part.text, of: command) ? unknown("it may have run; not read here: \(refusal)", before) : nil
  }

  private func isSame(_ command: ShellSimple) -> Bool {
    target.match(in: ShellChain(pipelines: [ShellPipeline(commands: [command])]), at: 0) != nil
  }

  // MARK: What the commands before do

  private func mention(_ part: ShellSimple, isPiped: Bool, _ state: inout State) {
    guard command.hasInterpreter, !state.isMentioned else { return }
    let isTold = !isPiped && part.files.isEmpty && part.name.map(ShellNames.telling.contains) ?? false
    state.isMentioned = !isTold && target.isMentioned(by: part)
  }

  /// With what a pipeline can fail.
  private func failures(of pipeline: ShellPipeline, _ state: State) -> Earlier {
    guard let command = pipeline.only, state.isClean, command.redirections.isEmpty, state.changing == nil else {
      return .any
    }
    if command.words.isEmpty || command.name == "export" { return .none }
    guard let folder = folder(of: command) else { return .any }
    // The shell itself started in that folder, and passes by no other on the way: `none/..` fails where `none` isn't there.
    let isSure = start.isAbsolute && state.folders == [start] && start.entering(folder) == start && start.passes(folder) { start.isInside($0) }
    return isSure ? .none : .small
  }

  /// What a plain `cd` names.
  private func folder(of command: ShellSimple) -> [UInt8]? {
    guard command.name == "cd" else { return nil }
    let words = command.words.dropFirst()
    guard let target = words.last, words.count == 1 || (words.count == 2 && words.first?.ascii == "--") else { return nil }
    guard target.isLiteral, let first = target.units.first, first != UInt16(UInt8(ascii: "-")), first != UInt16(UInt8(ascii: "+")) else { return nil }
    return target.bytes
  }

  private func union(_ one: Set<ShellFolder>?, _ other: Set<ShellFolder>?) -> Set<ShellFolder>? {
    guard let one, let other else { return nil }
    let all = one.union(other)
    return all.count > State.folderLimit ? nil : all
  }

  private func pass(_ pipeline: ShellPipeline, isConjunction: Bool, _ state: inout State) {
    if !isQuiet(pipeline) { state.isPreceded = true }
    for command in pipeline.commands {
      if !command.isLiteral, command.words.contains(where: { $0.has(ShellWord.glob) }) { state.mayEndEarly = true }
      switch command.name {
      case "cd":
        let inside = pipeline.only == nil ? nil : folder(of: command).flatMap { name in state.folders.map { Set($0.map { $0.entering(name) }) } }
        state.folders = isConjunction ? inside : union(state.folders, inside)
        if state.folders?.contains(where: { $0.steps.count > State.stepLimit }) ?? false { state.folders = nil }
      case "export": state.assign(command.words.compactMap(\.assignment))
      case _ where command.words.isEmpty: state.assign(command.assignments)
      default:
        state.isClean = false
        state.assign(command.assignments.filter { ShellNames.isOfTheShell($0.name) })
      }
    }
  }

  // MARK: What it proves

  private func unknown(_ why: String, _ state: State) -> ShellFinding {
    ShellFinding(
      verdict: .unknown, why: why, folders: state.folders.map { $0.map(\.path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } },
      isFollowed: state.isFollowed, isPreceded: state.isPreceded)
  }

  private func finding(_ known: Known, _ addition: ShellAddition, _ state: State) -> ShellFinding {
    var finding = unknown("the exit code isn't its own", state)
    guard let exitCode else {
      finding.why = "no exit code is known"
      return finding
    }
    var state = state
    state.assign(addition.assignments)
    let files = state.files + addition.files
    if let doubt = doubt(files, state) {
      finding.why = doubt
    } else if known == .zero {
      (finding.verdict, finding.exitCode, finding.why) = (.passed, 0, nil)
    } else if known == .nonzero {
      finding.why = doubt(ofFailure: exitCode, files, state, hasWrapper: state.hasWrapper || addition.hasWrapper)
      if finding.why == nil { (finding.verdict, finding.exitCode) = (.failed, exitCode) }
    }
    return finding
  }

  /// Why what ran may be another command than the declared one.
  private func doubt(_ files: [ShellRedirection], _ state: State) -> String? {
    if let changing = state.changing { return "it ran with \(changing) set" }
    if files.contains(where: { $0.kind == .input }) { return "it ran with another input" }
    let words = target.script.commands.flatMap(\.words)
    if files.contains(where: { file in words.contains { $0.base == file.target.base } }) { return "its output went into a file that it names" }
    if state.folders != [start], target.script.commands.contains(where: { $0.name == "cd" }) { return "its own cd started from another folder" }
    let isAlone = state.isClean && state.folders == [start] && !state.isAssigned
    if !isAlone, words.contains(where: { !$0.isLiteral }) { return "its expansions may stand for something else there" }
    return nil
  }

  /// Why it may not have run although the shell failed.
  private func doubt(ofFailure code: Int, _ files: [ShellRedirection], _ state: State, hasWrapper: Bool) -> String? {
    if state.mayEndEarly { return "a pattern that fits no file may have ended the shell before" }
    if code == 1, target.holdsPattern { return "exit 1 may be of zsh, which runs nothing where a pattern fits no file" }
    if !files.isEmpty, Earlier.small.contains(code) { return "exit \(code) may be of the file for its output" }
    switch code {
    case 126, 127: return "exit \(code): it, or a command that it needs, couldn't be started"
    case _ where hasWrapper && ShellVerdict.wrapperExitCodes.contains(code): return "exit \(code) may be of the program that it ran by"
    case 129...192 where !state.isClean: return "exit \(code): a signal may have ended the shell before"
    case 1...255: return nil
    default: return "exit \(code) is none of a shell"
    }
  }
}
