/// A command text as it was read.
struct ShellScript: Equatable, Sendable {
  /// What the text is made of. Only to be used when nothing was refused.
  var chains: [ShellChain] = []
  /// The first thing in the text that isn't one of the understood forms.
  var refusal: String?
  /// The text was read so badly that commands in it may have been taken for something else.
  var isConfused = false
  /// Every simple command that was seen, those in parts that aren't understood too.
  var commands: [ShellSimple] = []

  /// `commands` with those of inner shells.
  var allCommands: [ShellSimple] { commands.flatMap { [$0] + ($0.inner?.allCommands ?? []) } }
}

/// Pipelines joined by `&&` and `||`, read from the left: `operators[i]` stands before `pipelines[i + 1]`.
struct ShellChain: Equatable, Sendable {
  enum Operator: Sendable { case and, or }
  var pipelines: [ShellPipeline] = []
  var operators: [Operator] = []
}

/// Commands joined by `|`.
struct ShellPipeline: Equatable, Sendable {
  var isNegated = false
  var commands: [ShellSimple] = []

  /// The command, where its exit code is the pipeline's.
  var only: ShellSimple? { commands.count == 1 && !isNegated ? commands[0] : nil }
}

/// Assignments, words and redirections: `A=1 swift test 2>&1`.
final class ShellSimple: Equatable, Sendable {
  let assignments: [ShellAssignment]
  let words: [ShellWord]
  let redirections: [ShellRedirection]
  /// What a shell that it starts runs.
  let inner: ShellScript?
  /// The first word, when it is plain.
  let name: String?
  /// No word in it is replaced by the shell.
  let isLiteral: Bool
  /// The first word that names a program that runs text.
  let interpreter: Int?
  /// None of its words can be a command that it runs.
  let runsNoWord: Bool
  /// It runs commands that may be any.
  let runsUnseen: Bool

  init(assignments: [ShellAssignment] = [], words: [ShellWord], redirections: [ShellRedirection] = [], inner: ShellScript? = nil) {
    self.assignments = assignments
    self.words = words
    self.redirections = redirections
    self.inner = inner
    name = words.first?.ascii
    isLiteral = words.allSatisfy { $0.isLiteral }
    interpreter = words.firstIndex { ShellNames.runsText($0) }
    runsNoWord = ShellNames.runsNoWord(name, words)
    runsUnseen = !runsNoWord && ShellNames.runsUnseen(words)
  }

  static func == (one: ShellSimple, other: ShellSimple) -> Bool {
    one === other || (one.words == other.words && one.assignments == other.assignments && one.redirections == other.redirections)
  }

  /// Its words and the values that it assigns, without quotes.
  var text: [UInt8] { Array((assignments.map(\.value) + words).map(\.bytes).joined(separator: " ".utf8)) }

  /// Where its input and output go, other than to where they can't fail.
  var files: [ShellRedirection] { redirections.isEmpty ? [] : redirections.filter { !$0.isHarmless } }
}
