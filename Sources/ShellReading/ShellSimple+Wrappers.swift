extension ShellSimple {
  /// What `env A=1`, `nice`, `timeout 60` and the like run, with the wrapper taken off; nil: it isn't one of the known ones, or has options that aren't known.
  ///
  /// A wrapper's exit code is that of what it runs, but for `ShellVerdict.wrapperExitCodes`.
  func unwrapped() -> ShellSimple? {
    guard let name, let wrapper = ShellNames.trusted(name), ShellNames.wrappers.contains(wrapper) else { return nil }
    var rest = words.dropFirst()
    var added: [ShellAssignment] = []
    switch wrapper {
    case "env":
      while let assignment = rest.first?.assignment, let word = rest.first, !word.has(ShellWord.glob | ShellWord.unquotedExpansion) {
        added.append(assignment)
        rest.removeFirst()
      }
    case "nohup": break
    case "command" where name == "command", "time" where name == "time" || name == "/usr/bin/time": break
    case "nice":
      if rest.first?.ascii == "-n" {
        guard rest.count > 2, let value = rest.dropFirst().first?.ascii, Int(value) != nil else { return nil }
        rest = rest.dropFirst(2)
      }
    case "timeout", "gtimeout":
      while let option = rest.first?.ascii, option.hasPrefix("-") {
        switch option {
        case "-k", "-s": rest = rest.dropFirst(2)
        case "-v", "--verbose", "--foreground": rest = rest.dropFirst()
        case _ where option.hasPrefix("--signal=") || option.hasPrefix("--kill-after="): rest = rest.dropFirst()
        default: return nil
        }
      }
      guard let duration = rest.first?.ascii, let first = duration.utf8.first, ShellNames.isDigit(UInt16(first)) else { return nil }
      rest = rest.dropFirst()
    default: return nil
    }
    // `-x` would be an option, `A=1` an assignment to some and a program to others.
    guard let next = rest.first?.ascii, let first = next.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+"),
      !next.utf8.contains(UInt8(ascii: "="))
    else { return nil }
    return ShellSimple(assignments: assignments + added, words: Array(rest), redirections: redirections, inner: inner)
  }

  /// The text that a shell runs: `bash -c TEXT`, `-lc`, `-l -c`.
  var shellText: ShellWord? {
    guard let shell = name.flatMap(ShellNames.trusted), ShellNames.shells.contains(shell) else { return nil }
    let options = words.dropFirst().dropLast().map(\.ascii)
    guard [["-c"], ["-lc"], ["-l", "-c"]].contains(options), let text = words.last, text.isLiteral else { return nil }
    // Empty text, or what could be an option.
    guard let first = text.units.first, first != UInt16(UInt8(ascii: "-")), first != UInt16(UInt8(ascii: "+")) else { return nil }
    return text
  }

  /// The same behind all wrappers.
  var wrappedShellText: ShellWord? {
    var layer: ShellSimple? = self
    for _ in 0..<8 {
      guard let command = layer else { return nil }
      if let text = command.shellText { return text }
      layer = command.unwrapped()
    }
    return nil
  }

  /// Why it isn't known what this command does to the shell that runs it; nil: nothing, but for what `cd`, assignments and `export` say.
  var refusal: String? {
    guard let first = words.first else { return redirections.isEmpty ? nil : "a redirection without a command" }
    guard let name = first.ascii else { return "the program's name isn't plain text" }
    guard let start = name.utf8.first, ShellNames.isNameByte(start) || [".", "/", "[", ":"].contains(name.prefix(1)),
      name.utf8.allSatisfy({ ShellNames.isNameByte($0) || "./+-[:@".utf8.contains($0) })
    else { return "the program's name has unusual characters" }
    let arguments = words.dropFirst()
    switch name {
    case "cd": return assignments.isEmpty ? nil : "assignments before cd"
    case ":": return assignments.isEmpty && redirections.isEmpty ? nil : "assignments or redirections of ':'"
    case "export":
      let isPlain = arguments.allSatisfy {
        ($0.assignment != nil || $0.ascii.map(ShellNames.isVariable) ?? false) && !$0.has(ShellWord.glob | ShellWord.unquotedExpansion)
      }
      return isPlain && !arguments.isEmpty && assignments.isEmpty && redirections.isEmpty ? nil : "this form of export"
    case "test", "[": return isPlainTest ? nil : "this form of \(name)"
    case "printf": return isPlainPrintf ? nil : "this form of printf"
    case "command", "time":
      if name == "command", arguments.count == 2, ["-v", "-V"].contains(arguments.first?.ascii), arguments.last?.isLiteral ?? false { return nil }
      // `A=1 time x` is an error to zsh.
      if name == "time", !assignments.isEmpty { return "assignments before time" }
      guard let inside = unwrapped(), let inner = inside.name else { return "this form of \(name)" }
      return inner == "cd" || inner == "export" ? "\(inner) behind \(name)" : inside.refusal
    default: return ShellNames.refused.contains(name) ? "'\(name)'" : nil
    }
  }

  /// One test of plain words that does no arithmetic: in zsh and ksh `[ path=5 -eq 5 ]` can assign.
  private var isPlainTest: Bool {
    var arguments = words.dropFirst().map { $0.has(ShellWord.glob | ShellWord.unquotedExpansion) ? nil : $0 }[...]
    if name == "[" {
      guard arguments.popLast()??.ascii == "]" else { return false }
    }
    if arguments.first??.ascii == "!" { arguments.removeFirst() }
    let plain = arguments.compactMap { $0 }
    guard plain.count == arguments.count else { return false }
    switch plain.count {
    case 1: return true
    case 2:
      return plain[0].ascii.map { ["-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-L", "-n", "-p", "-r", "-s", "-S", "-u", "-w", "-x", "-z"].contains($0) }
        ?? false
    case 3: return ["=", "!="].contains(plain[1].ascii)
    default: return false
    }
  }

  /// `-v` sets a variable, `%d` does arithmetic.
  private var isPlainPrintf: Bool {
    guard words.count > 1, words[1].isLiteral, words[1].units.first != UInt16(UInt8(ascii: "-")) else { return false }
    var isFormat = false
    for byte in words[1].bytes {
      if isFormat, !"sb%".utf8.contains(byte) { return false }
      isFormat = !isFormat && byte == UInt8(ascii: "%")
    }
    return !isFormat
  }
}

extension ShellSimple {
  /// Whether it changes no file, by its name alone.
  var isQuiet: Bool {
    guard files.isEmpty, inner == nil else { return false }
    if words.isEmpty { return true }
    guard let name else { return false }
    return ShellNames.quiet.contains(name) || (name == "git" && words.count > 1 && words[1].ascii.map(ShellNames.quietOfGit.contains) ?? false)
  }
}
