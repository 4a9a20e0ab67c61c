import Foundation
import PosixSupport

/// An OpenCode that can be run.
package struct Installation: Sendable, Equatable {
  /// What is executed. Never resolved: a symlink's own name can matter.
  package let path: String
  package let version: OpenCodeVersion
  /// How it was found, for people: `OPENCODE_BIN`, `PATH`, `usual place`; and behind which wrapper.
  package let foundBy: String
  /// A script or a version manager's shim: it needs its interpreter on PATH, and its version may differ from folder to folder.
  package let isWrapper: Bool

  package init(path: String, version: OpenCodeVersion, foundBy: String, isWrapper: Bool = false) {
    self.path = path
    self.version = version
    self.foundBy = foundBy
    self.isWrapper = isWrapper
  }
}

/// No OpenCode that works, with every place that was tried.
package struct OpenCodeNotFound: Error, CustomStringConvertible, Sendable {
  package let tried: [ProgramFinder.Attempt]
  /// What OPENCODE_BIN says, where that decides.
  package let named: String?

  package init(tried: [ProgramFinder.Attempt], named: String? = nil) { (self.tried, self.named) = (tried, named) }

  /// How somebody gets one.
  package static let install = "npm install -g opencode-ai (or https://opencode.ai), then opencode auth login"

  private var wrong: [ProgramFinder.Attempt] { tried.filter { $0.problem != "not there" } }

  /// Where something was wrong the place is named; those that simply lack it are counted. `places` names them.
  package var description: String {
    if let named, named.contains("/") {
      switch tried.last?.problem {
      case "not there": return "OPENCODE_BIN names \(named), which doesn't exist"
      case "relative": return "OPENCODE_BIN is \"\(named)\": it must be an absolute path, or a name on PATH"
      case let problem: return "OPENCODE_BIN names \(named), which can't be used: \(problem ?? "it isn't known why")"
      }
    }
    if let named {
      return "OPENCODE_BIN is \"\(named)\", and PATH has no such program that works" + wrong.map { "; \($0.path): \($0.problem ?? "")" }.joined()
    }
    let missing = tried.count - wrong.count
    let places = "not on PATH nor in the usual places (\(missing) looked at)"
    guard !wrong.isEmpty else { return "OpenCode isn't installed: \(places)" }
    return "No OpenCode that works: " + wrong.map { "\($0.path): \($0.problem ?? "usable")" }.joined(separator: "; ")
      + (missing > 0 ? "; elsewhere \(places)" : "")
  }

  /// What to do about it.
  package var remedy: String {
    if named != nil { return "set OPENCODE_BIN to OpenCode's absolute path, or unset it" }
    return wrong.isEmpty ? OpenCodeNotFound.install : "install it anew: \(OpenCodeNotFound.install)"
  }

  /// Every place that was looked at; nil: none.
  package var places: String? {
    let missing = tried.filter { $0.problem == "not there" }.map(\.path)
    let parts = wrong.map { "\($0.path): \($0.problem ?? "usable")" } + (missing.isEmpty ? [] : ["not in " + missing.joined(separator: ", ")])
    return parts.isEmpty ? nil : "looked for: " + parts.joined(separator: "; ")
  }
}

/// Where OpenCode is found: `docs/facts/opencode-cli.md`, "Finding the binary".
package enum OpenCodeFinder {
  /// Finds OpenCode and asks its version: `OPENCODE_BIN`, then PATH (the login shell's when ours is bare), then the usual places.
  /// A set but unusable `OPENCODE_BIN` is an error, not skipped. Blocks the calling thread.
  /// - Parameters:
  ///   - workspace: where the run will work; nothing inside it is executed
  ///   - cache: a folder for what native binaries answered; nil: ask
  /// - Throws: `OpenCodeNotFound`
  package static func find(environment: [String: String], workspace: String?, cache: String?) throws -> Installation {
    let search = Search(environment: ChildEnvironment.cleaned(environment), workspace: workspace, cache: cache.map { VersionCache(folder: $0) })
    return try search.run()
  }

  /// The program of an installation with the version that it tells now; nil: it tells none. Blocks the calling thread.
  /// - Parameters:
  ///   - folder: where a version manager's shim is asked
  ///   - deadline: seconds
  package static func askAgain(_ installation: Installation, environment: [String: String], folder: String, deadline: Deadline) -> Installation? {
    let environment = ChildEnvironment.make(environment, for: installation, folder: folder)
    guard let version = try? VersionUnknown.ask(installation.path, environment: environment, folder: folder, deadline: deadline) else { return nil }
    return Installation(path: installation.path, version: version, foundBy: installation.foundBy, isWrapper: installation.isWrapper)
  }

  /// Where installers and version managers put it.
  static func usualPlaces(home: String) -> [String] {
    let own = [
      ".opencode/bin", ".local/bin", ".bun/bin", ".npm-global/bin", ".local/share/pnpm", "Library/pnpm", ".volta/bin",
      ".local/share/mise/shims", ".asdf/shims", ".nix-profile/bin",
    ]
    let system = [
      "/opt/homebrew/bin", "/usr/local/bin", "/home/linuxbrew/.linuxbrew/bin", "/run/current-system/sw/bin", "/nix/var/nix/profiles/default/bin",
      "/usr/bin",
    ]
    return own.map { "\(home)/\($0)" } + system
  }
}

/// One search, remembering what was tried.
private final class Search {
  let environment: [String: String]
  let workspace: String?
  let cache: VersionCache?
  var tried: [ProgramFinder.Attempt] = []

  init(environment: [String: String], workspace: String?, cache: VersionCache?) {
    self.environment = environment
    self.workspace = workspace
    self.cache = cache
  }

  func run() throws -> Installation {
    if let named = environment["OPENCODE_BIN"], !named.isEmpty { return try explicit(named) }
    let path = environment["PATH"]
    if let found = look(in: ProgramFinder.entries(of: path), "PATH") { return found }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
    let known = Set(ProgramFinder.entries(of: path))
    if let found = look(in: OpenCodeFinder.usualPlaces(home: home).filter { !known.contains($0) }, "usual place") { return found }
    throw OpenCodeNotFound(tried: tried)
  }

  /// The user chose it by its path: it is taken wherever it lies. By name alone it is looked up like any other.
  private func explicit(_ named: String) throws -> Installation {
    if !named.contains("/") {
      let attempts = ProgramFinder.attempts(named, folders: ProgramFinder.entries(of: environment["PATH"]), workspace: workspace)
      tried += attempts.filter { $0.problem != nil }
      if let path = attempts.last(where: { $0.problem == nil })?.path, let found = installation(path, "OPENCODE_BIN") { return found }
    } else if let problem = ProgramFinder.problem(with: named, workspace: nil) {
      tried = [.init(path: "OPENCODE_BIN=\(named)", problem: problem)]
    } else if let found = installation(named, "OPENCODE_BIN") {
      return found
    }
    throw OpenCodeNotFound(tried: tried, named: named)
  }

  private func look(in folders: [String], _ how: String) -> Installation? {
    var rest = folders[...]
    while !rest.isEmpty {
      let attempts = ProgramFinder.attempts("opencode", folders: Array(rest), workspace: workspace)
      tried += attempts.filter { $0.problem != nil }
      guard let path = attempts.last(where: { $0.problem == nil })?.path else { return nil }
      if let found = installation(path, how) { return found }
      rest = rest.dropFirst(attempts.count)
    }
    return nil
  }

  /// The program at `path`, or the native binary that it hides; nil (and why, in `tried`) if neither tells its version.
  private func installation(_ path: String, _ how: String) -> Installation? {
    let behind = Wrapper.nativeBinaries(behind: path, environment: environment, workspace: workspace)
    for (candidate, wrapper) in behind.map({ ($0, true) }) + [(path, false)] {
      let kind = ProgramKind(candidate)
      do {
        let version = try self.version(of: candidate, kind)
        return Installation(
          path: candidate, version: version, foundBy: wrapper ? "\(how), behind \(path)" : how, isWrapper: kind != .native)
      } catch {
        tried.append(.init(path: candidate, problem: error.description))
      }
    }
    return nil
  }

  private func version(of path: String, _ kind: ProgramKind) throws(VersionUnknown) -> OpenCodeVersion {
    // A shim's answer depends on the folder and on what its manager has installed; a script's on the folder. A native binary is always itself.
    let stamp = kind == .shim ? nil : FileStamp(path)
    let key = kind == .native ? path : "\(path) in \(workspace ?? "/")"
    if let stamp, let known = cache?.version(of: key, stamp) { return known }
    // A native binary is kept from reading what lies in the workspace.
    let version = try VersionUnknown.ask(path, environment: environment, folder: kind == .native ? "/" : workspace ?? "/")
    if let stamp { cache?.remember(version, of: key, stamp) }
    return version
  }
}

/// Why a program didn't tell its version.
struct VersionUnknown: Error, CustomStringConvertible {
  let description: String

  /// Seconds that `--version` may take; OpenCode needs 0.6 on a quiet machine.
  static let seconds = 10.0

  static func ask(_ path: String, environment: [String: String], folder: String, deadline: Deadline = .after(seconds)) throws(VersionUnknown) -> OpenCodeVersion
  {
    var environment = environment
    environment["PWD"] = folder
    let command = Command(path, ["--version"], environment: environment, folder: folder, deadline: deadline, outputLimit: 1 << 16)
    let result: Command.Result
    do { result = try command.run() } catch { throw VersionUnknown(description: "can't be run (\(error))") }
    guard let status = result.status else { throw VersionUnknown(description: "`--version` didn't end within \(Int(deadline.seconds)) s") }
    if status.succeeded, let version = OpenCodeVersion(result.outputText) ?? OpenCodeVersion(result.errorText) { return version }
    let words = Complaint.text(errors: result.errorText, output: result.outputText)
    let ending = status.succeeded ? "printed no version" : "ended with \(status.text)"
    throw VersionUnknown(description: "`--version` \(ending)" + (words.isEmpty ? "" : ": \(words)"))
  }
}
