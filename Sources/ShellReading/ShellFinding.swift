/// What a shell command proved about a declared one.
package enum ShellVerdict: String, Codable, Sendable {
  /// It ran and exited 0.
  case passed
  /// It ran and exited with something else.
  case failed
  /// It ran, or may have run, with an exit code that nobody knows.
  case unknown

  /// Of a wrapper itself (`env`, `nice`, `timeout`): out of time, couldn't run, not executable, not found, ended by a signal, which may be the one
  /// that `timeout` sent (busybox has no 124).
  static let wrapperExitCodes = Set([124, 125, 126, 127]).union(129...192)
}

/// One declared command's part in one shell command that has ended.
package struct ShellFinding: Equatable, Sendable {
  package var verdict: ShellVerdict
  /// The declared command's own; nil when `unknown`.
  package var exitCode: Int?
  /// Why it is `unknown`, in a few words; nil otherwise.
  package var why: String?
  /// Every folder that it may have run in, by what `cd` says (symbolic links aren't followed): absolute, or relative to the folder where the shell command started
  /// when that isn't known (`.` is that folder itself). Nil when it isn't known.
  package var folders: [String]?
  /// What may change files runs, or may run, beside it or after it in the same shell command.
  package var isFollowed = true
  /// What may change files runs, or may run, before it in the same shell command.
  package var isPreceded = true

  /// Whether it ran in `workspace` or below; nil when that isn't known. Names are compared as bytes.
  package func isInside(_ workspace: String) -> Bool? {
    guard let folders else { return nil }
    let root = ShellFolder(workspace)
    var answers: Set<Bool> = []
    for folder in folders.map(ShellFolder.init) {
      // What is relative started in the workspace.
      answers.insert(folder.isAbsolute ? folder.isInside(root) : folder.steps.first != ShellFolder.up)
    }
    return answers.count == 1 ? answers.first : nil
  }
}
