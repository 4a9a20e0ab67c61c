import CodexSetup
import Foundation
import PosixSupport
import Workspace

/// The checks of the machine: helper programs, PATH, the state folder. Facts are gathered apart from what is made of them.
enum SystemChecks {
  // MARK: - Programs

  /// Where the programs are that OpenCode and this server call.
  struct Programs: Sendable, Equatable {
    /// nil: not found.
    var git: String?
    /// Why the git that is there doesn't work: macOS has a program in its place that only asks to install one.
    var gitFailure: String?
    var rg: String?
    /// PATH is no more than the system's own folders, as a GUI or a daemon gives it.
    var pathIsBare: Bool
    /// What a GUI would not find, though our PATH does; with the login shell's PATH taken into account.
    var missingInGUI: [String]
  }

  /// The folders that every process has, whoever started it.
  static let barePath = "/usr/bin:/bin:/usr/sbin:/sbin"

  /// - Parameters:
  ///   - namesOpenCode: OPENCODE_BIN says where OpenCode is, PATH need not
  ///   - loginPath: the PATH that the user's login shell sets, nil when it gives none
  static func programs(path: String, namesOpenCode: Bool = false, loginPath: @autoclosure () -> String?) -> Programs {
    let names = ["git", "rg"] + (namesOpenCode ? [] : ["opencode"])
    let found = Dictionary(uniqueKeysWithValues: names.map { ($0, ProgramFinder.locate($0, path: path, workspace: nil)) })
    var missing = names.filter { found[$0] != .some(nil) && ProgramFinder.locate($0, path: barePath, workspace: nil) == nil }
    if !missing.isEmpty, let login = loginPath() { missing.removeAll { ProgramFinder.locate($0, path: login, workspace: nil) != nil } }
    let bare = Set(barePath.split(separator: ":"))
    let git = found["git"] ?? nil
    return Programs(
      git: git, gitFailure: git.flatMap(gitFailure), rg: found["rg"] ?? nil,
      pathIsBare: path.split(separator: ":").allSatisfy { bare.contains($0) }, missingInGUI: missing)
  }

  private static func gitFailure(_ path: String) -> String? {
    do {
      _ = try GitProgram(path: path, deadline: .after(10)).version(folder: "/")
      return nil
    } catch { return "\(error)" }
  }

  static func checks(_ programs: Programs) -> [Check] {
    var checks: [Check] = []
    let without = "changed files are then found by size and time only, without lines or diffs"
    switch (programs.git, programs.gitFailure) {
    case (nil, _): checks.append(.warning("git", "not on PATH: \(without)", mend: "install git"))
    case (let path?, nil): checks.append(.ok("git", "found", detail: path))
    case (let path?, let why?):
      checks.append(.warning("git", "\(path) doesn't work (\(why)): \(without)", mend: Platform.isMac ? "xcode-select --install" : "install git"))
    }
    checks.append(
      programs.rg.map { .ok("rg", "found", detail: $0) }
        ?? .warning("rg", "not on PATH: OpenCode's glob and grep tools fail without ripgrep", mend: "install ripgrep"))
    if !programs.missingInGUI.isEmpty {
      checks.append(
        .warning(
          "PATH", "\(programs.missingInGUI.joined(separator: ", ")) would not be found when Codex is started by a desktop or a daemon",
          mend: programs.missingInGUI.contains("opencode")
            ? "set PATH in your login shell's profile, or install again with OPENCODE_BIN set" : "set PATH in your login shell's profile"))
    } else if programs.pathIsBare {
      checks.append(.ok("PATH", "bare (\(barePath)); the login shell is asked for more"))
    } else {
      checks.append(.ok("PATH", "its programs are found by a desktop's Codex too"))
    }
    return checks
  }

  // MARK: - The workspace

  /// macOS asks the user before a program may read these folders, and refuses in silence where nobody can answer.
  /// - Returns: the folder that `workspace` lies in; nil: it is in none of them
  static func guardedFolder(of workspace: String, home: String) -> String? {
    // The file system ignores case.
    let parts = workspace.lowercased().split(separator: "/")
    let own = home.lowercased().split(separator: "/")
    guard parts.starts(with: own), parts.count > own.count else { return nil }
    return ["Documents", "Desktop", "Downloads"].first { $0.lowercased() == parts[own.count] }
  }

  static func workspaceChecks(_ workspace: String, home: String, isMac: Bool = Platform.isMac) -> [Check] {
    guard isMac, let folder = guardedFolder(of: workspace, home: home) else { return [] }
    return [
      .warning(
        "workspace", "\(workspace) lies in \(folder), which macOS guards: the program that starts Codex needs your leave, else files there can't be read",
        mend: "System Settings, Privacy & Security, Files and Folders: allow it for your terminal or Codex; or keep projects elsewhere")
    ]
  }

  // MARK: - The state folder

  struct StateFacts: Sendable, Equatable {
    var path: String
    var exists: Bool
    /// nil: it could be written; else why not.
    var writeFailure: String?
    /// Permission bits, when it exists.
    var mode: mode_t?
    var isOurs: Bool
    var freeBytes: Int64?
  }

  /// Looks without leaving anything behind: in an existing folder a file is made and removed, else the nearest folder above is judged.
  static func stateFacts(path: String) -> StateFacts {
    var facts = StateFacts(path: path, exists: false, isOurs: true)
    var info = stat()
    if stat(path, &info) == 0 {
      facts.exists = true
      facts.mode = info.st_mode & 0o777
      facts.isOurs = info.st_uid == geteuid()
      facts.freeBytes = PrivateFiles.freeSpace(path)
      let probe = "\(path)/.doctor.\(getpid())"
      do {
        guard PrivateFiles.isFolder(path) else { throw PosixError("open", path: path, code: ENOTDIR) }
        _ = try PrivateFiles.createOnce(probe, with: [UInt8](repeating: 0, count: 512))
      } catch {
        facts.writeFailure = "\(error)"
      }
      unlink(probe)
      return facts
    }
    var above = (path as NSString).deletingLastPathComponent
    while above != "/", !above.isEmpty, !PrivateFiles.exists(above) { above = (above as NSString).deletingLastPathComponent }
    facts.freeBytes = PrivateFiles.freeSpace(above)
    if !PrivateFiles.isFolder(above) {
      facts.writeFailure = "\(above) is not a folder"
    } else if access(above, W_OK | X_OK) != 0 {
      facts.writeFailure = "can't make it in \(above): \(PosixError.text(of: errno))"
    }
    return facts
  }

  static func checks(_ facts: StateFacts) -> [Check] {
    var checks: [Check] = []
    let quoted = "'" + facts.path.replacing("'", with: "'\\''") + "'"
    if let failure = facts.writeFailure {
      checks.append(.problem("state folder", "\(facts.path) can't be written: \(failure)", mend: "mend its permissions, or set OPENCODE_WORKER_STATE_DIR"))
    } else if !facts.isOurs {
      checks.append(.problem("state folder", "\(facts.path) belongs to another user", mend: "set OPENCODE_WORKER_STATE_DIR to a folder of your own"))
    } else if let mode = facts.mode, mode & 0o077 != 0 {
      checks.append(.warning("state folder", "\(facts.path) can be entered by others (mode \(String(mode, radix: 8)))", mend: "chmod 700 \(quoted)"))
    } else {
      checks.append(.ok("state folder", facts.exists ? "private and writable" : "made at the first run", detail: facts.path))
    }
    if let free = facts.freeBytes {
      let text = free >= 1 << 30 ? "\(free >> 30) GiB free" : "\(free >> 20) MiB free"
      switch free {
      case ..<(64 << 20): checks.append(.problem("free space", "\(text) for logs and snapshots", mend: "make room on the file system of \(facts.path)"))
      case ..<(1 << 30):
        checks.append(.warning("free space", "\(text): a long run's log and snapshots may need more", mend: "make room on the file system of \(facts.path)"))
      default: checks.append(.ok("free space", text))
      }
    }
    return checks
  }
}
