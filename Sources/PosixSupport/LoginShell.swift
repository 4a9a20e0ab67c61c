import Foundation

/// What the user's terminal would have as PATH. A program started by a GUI or a daemon gets a bare one, without Homebrew and without
/// version managers.
package enum LoginShell {
  /// Whether nothing in a PATH was put there by the user: it is missing, or all its entries are the system's own folders.
  package static func isBare(_ path: String?) -> Bool {
    ProgramFinder.entries(of: path).filter { $0.hasPrefix("/") }.allSatisfy { entry in
      let folder = entry.count > 1 && entry.hasSuffix("/") ? String(entry.dropLast()) : entry
      return systemFolders.contains(folder) || systemPrefixes.contains { folder.hasPrefix($0) }
    }
  }

  /// PATH as it is when it isn't bare; else the login shell's, followed by what it lacks.
  package static func completed(_ environment: [String: String]) -> String? {
    let own = environment["PATH"]
    guard isBare(own), let shells = shared.path(environment) else { return own }
    var seen: Set<String> = []
    return (ProgramFinder.entries(of: shells) + ProgramFinder.entries(of: own)).filter { seen.insert($0).inserted }.joined(separator: ":")
  }

  /// Asks the login shell for its PATH, blocking the calling thread.
  /// - Returns: nil when there is no such shell, or it doesn't answer in time
  package static func askPath(_ environment: [String: String], deadline: Deadline) -> String? {
    guard let shell = shell(environment), PrivateFiles.isExecutable(shell) else { return nil }
    // Many set PATH for interactive shells only. `env` is asked, not $PATH: that is a list in some shells.
    let marker = "opencode-worker-\(UInt64.random(in: 0 ... .max))"
    var plain = environment
    plain["PWD"] = "/"
    let command = Command(
      shell, ["-l", "-i", "-c", "echo \(marker); /usr/bin/env"], environment: plain, folder: "/", deadline: deadline, outputLimit: 1 << 20,
      ownSession: true)
    guard let result = try? command.run(), result.status != nil else { return nil }
    let lines = result.outputText.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasSuffix(marker) }) else { return nil }
    let path = lines[start...].first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
    let entries = ProgramFinder.entries(of: path).filter { $0.hasPrefix("/") }
    return entries.isEmpty ? nil : entries.joined(separator: ":")
  }

  private static func shell(_ environment: [String: String]) -> String? {
    if let named = environment["SHELL"], named.hasPrefix("/") { return named }
    guard let entry = getpwuid(getuid()), let shell = entry.pointee.pw_shell else { return nil }
    return String(cString: shell)
  }

  private static let systemFolders: Set<String> = [
    "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games", "/usr/local/games", "/snap/bin",
  ]
  private static let systemPrefixes = ["/System/", "/Library/Apple/", "/var/run/com.apple."]

  private static let shared = Answer()

  /// The shell is asked once in a process's life: its start-up files may be slow.
  private final class Answer: @unchecked Sendable {
    private let lock = NSLock()
    private var known: [String: String?] = [:]

    func path(_ environment: [String: String]) -> String? {
      let key = "\(environment["SHELL"] ?? "") \(environment["HOME"] ?? "")"
      lock.lock()
      defer { lock.unlock() }
      if let answer = known[key] { return answer }
      let answer = LoginShell.askPath(environment, deadline: .after(5))
      known[key] = answer
      return answer
    }
  }
}
