import Foundation

/// Looks programs up as a shell would, but never where the work being done could have planted one: not through a relative
/// PATH entry and not inside the workspace.
package enum ProgramFinder {
  /// One place where a program was looked for, and what was found there.
  package struct Attempt: Sendable, Equatable {
    package let path: String
    /// nil: usable.
    package let problem: String?

    package init(path: String, problem: String?) {
      self.path = path
      self.problem = problem
    }
  }

  /// The absolute path of a program, symlinks in it not resolved: what a multi-call binary does depends on its own name.
  /// - Parameters:
  ///   - path: the value of PATH
  ///   - workspace: the folder whose content isn't trusted
  package static func locate(_ name: String, path: String?, workspace: String?) -> String? {
    attempts(name, folders: entries(of: path), workspace: workspace).last { $0.problem == nil }?.path
  }

  /// Looks in `folders` one after the other and stops at the first usable program.
  package static func attempts(_ name: String, folders: [String], workspace: String?) -> [Attempt] {
    guard !name.isEmpty, !name.contains("/"), !name.contains("\0") else { return [Attempt(path: name, problem: "not a program's name")] }
    var tried: [Attempt] = []
    for folder in folders {
      let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      let attempt = Attempt(path: path, problem: problem(with: path, workspace: workspace))
      tried.append(attempt)
      if attempt.problem == nil { break }
    }
    return tried
  }

  /// Why the program at `path` can't or mustn't be run; nil if it may.
  package static func problem(with path: String, workspace: String?) -> String? {
    guard path.hasPrefix("/") else { return "relative" }
    guard PrivateFiles.exists(path) else { return "not there" }
    guard PrivateFiles.isExecutable(path) else { return "not executable" }
    return isInside(path, workspace) ? "inside the workspace" : nil
  }

  /// Whether a program lies in the workspace, by its own path or by what it points to. A workspace that holds the whole home folder
  /// is no project, and would rule out every program that the user has installed: it doesn't count.
  package static func isInside(_ path: String, _ workspace: String?) -> Bool {
    guard let workspace, let root = PrivateFiles.resolved(workspace) else { return false }
    // A home folder that isn't there (a service's user) lies nowhere but below `/`.
    if holds(root, PrivateFiles.resolved(NSHomeDirectory()) ?? "/") { return false }
    let folder = (path as NSString).deletingLastPathComponent
    return [folder, path].compactMap(PrivateFiles.resolved).contains { holds(root, $0) }
  }

  /// The entries of a PATH, without doubles. An empty one means the current folder: relative, so refused later.
  package static func entries(of path: String?) -> [String] {
    var seen: Set<String> = []
    return (path ?? "").split(separator: ":").map(String.init).filter { seen.insert($0).inserted }
  }

  /// Whether a path is `root` or lies below it, by name.
  package static func holds(_ root: String, _ path: String) -> Bool {
    root == "/" || path == root || path.hasPrefix(root + "/")
  }
}
