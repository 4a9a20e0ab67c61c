import Desk
import PosixSupport

/// `completions SHELL`.
enum CompletionsCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, most: 1)
    let entries = UserCommand.all.map {
      Completions.Entry($0.name, $0.summary, options: $0.options, takesRun: $0.takesRun, takesPaths: $0.words.contains("PATH"))
    }
    guard let shell = words.rest.first, let script = Completions.script(for: shell, entries) else {
      throw CommandWords.Wrong("it takes one of \(Completions.shells.joined(separator: ", "))")
    }
    Terminal.write(script)
    return ExitCode.success
  }
}
