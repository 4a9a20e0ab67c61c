/// The text of a shell command that a run executed, read once.
package struct ShellCommand: Sendable {
  /// Longer ones aren't read. No shell on Linux takes more than 128 KiB with `-c`.
  package static let byteLimit = 256 << 10
  private static let headLimit = 400

  /// Without blanks around it; of a text that wasn't read only the beginning.
  let text: [UInt8]
  /// Why the text wasn't read; nil: it was.
  let unread: String?
  let script: ShellScript
  /// Every simple command that was seen, those of inner shells and of parts that aren't understood too.
  let commands: [ShellSimple]
  /// Some command in it runs text that may come from elsewhere in it.
  let hasInterpreter: Bool
  /// The names of files that it writes by redirection.
  private let written: Set<[UInt16]>

  /// - Parameter isCut: parts of the text are missing; then nothing can be said about what it ran
  package init(_ text: String, isCut: Bool = false) {
    let isLong = text.utf8.count > ShellCommand.byteLimit
    unread = isCut ? "only a part of the command's text is known" : isLong ? "the command is too long to be read" : nil
    guard unread == nil else {
      self.text = Array(text.utf8.prefix(ShellCommand.headLimit))
      (script, commands, hasInterpreter, written) = (ShellScript(), [], false, [])
      return
    }
    self.text = ShellText.trimmed(Array(text.utf8))
    let script = ShellReader.read(self.text)
    let commands = script.allCommands
    let outputs = commands.flatMap { $0.redirections.filter { $0.kind == .output || $0.kind == .append } }
    let written = Set(outputs.map { Array($0.target.base) })
    self.script = script
    self.commands = commands
    self.written = written
    hasInterpreter = commands.contains { ShellCommand.isInterpreter($0, written: written) }
  }

  /// Whether each command in it changes no file.
  var isQuiet: Bool { unread == nil && script.refusal == nil && !commands.isEmpty && commands.allSatisfy(\.isQuiet) }

  /// Whether it may leave something running: a `&` of a background command, or a program that is for that.
  var mayDetach: Bool {
    if unread != nil { return true }
    if commands.contains(where: { command in command.words.prefix(4).contains { $0.ascii.map { ShellNames.detaching.contains(ShellNames.base($0)) } ?? false } }
    ) {
      return true
    }
    let isUnderstood = script.refusal == nil && commands.allSatisfy { $0.inner.map { $0.refusal == nil } ?? true } && !hasInterpreter
    return !isUnderstood && ShellText.holdsBackground(text)
  }

  /// Whether it runs text: of its words, its input or a file that was written before.
  func isInterpreter(_ command: ShellSimple) -> Bool { ShellCommand.isInterpreter(command, written: written) }

  private static func isInterpreter(_ command: ShellSimple, written: Set<[UInt16]>) -> Bool {
    if ShellNames.isInterpreter(command) { return true }
    return !written.isEmpty && !command.runsNoWord && command.words.contains { written.contains(Array($0.base)) }
  }

  /// Whether it sets the variable anywhere.
  func assigns(_ name: String) -> Bool {
    commands.contains { command in
      command.assignments.contains { $0.name.utf8.elementsEqual(name.utf8) }
        || command.words.contains { $0.assignment?.name.utf8.elementsEqual(name.utf8) ?? false }
    }
  }
}
