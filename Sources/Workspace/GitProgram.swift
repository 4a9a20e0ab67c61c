import Foundation
import PosixSupport

/// Why a workspace, or a part of it, couldn't be recorded; in words for the reviewer.
package struct WorkspaceError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// The git program, run so that nothing of the caller's environment gets through and nothing runs for ever.
package struct GitProgram: Sendable {
  package let path: String
  package let deadline: Deadline

  package init(path: String, deadline: Deadline) { (self.path, self.deadline) = (path, deadline) }

  /// Runs git, blocking the calling thread.
  /// - Throws: `WorkspaceError` with git's own words when it fails (unless `accepting` that status) or is too slow
  package func run(
    _ arguments: [String], folder: String, place: GitPlace? = nil, input: [UInt8] = [], outputLimit: Int = allOutput, accepting: Set<Int32> = []
  ) throws -> [UInt8] {
    try runNoting(arguments, folder: folder, place: place, input: input, outputLimit: outputLimit, accepting: accepting).output
  }

  /// The same, with what git said on stderr although it succeeded: a folder that it couldn't read is told nowhere else.
  package func runNoting(
    _ arguments: [String], folder: String, place: GitPlace? = nil, input: [UInt8] = [], outputLimit: Int = allOutput, accepting: Set<Int32> = []
  ) throws -> (output: [UInt8], status: Int32, warnings: [String]) {
    let name = "git \(arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? "")"
    guard !deadline.hasPassed else { throw WorkspaceError("\(name): no time left") }
    // A helper without input reads /dev/null; no list of paths is ever an empty file by mistake.
    var command = Command(
      path, arguments, environment: GitProgram.environment.merging(place?.variables ?? [:]) { $1 }, folder: folder, deadline: deadline,
      outputLimit: outputLimit)
    // Whoever wants the beginning only mustn't get an error for the rest.
    command.isTrusted = outputLimit == GitProgram.allOutput
    let result: Command.Result
    do { result = try command.run(input: input) } catch { throw WorkspaceError("\(name): \(error)") }
    guard let status = result.status else { throw WorkspaceError("\(name) was too slow") }
    switch status {
    case .exited(0): return (result.output, 0, GitProgram.warnings(result.errors))
    case .exited(let code) where accepting.contains(code): return (result.output, code, GitProgram.warnings(result.errors))
    case .exited(let code): throw WorkspaceError("\(name): \(GitProgram.words(result.errors) ?? "exit \(code)")")
    case .signaled(let number): throw WorkspaceError("\(name): ended by \(ExitStatus.signalName(number))")
    }
  }

  /// Bytes; more is an error.
  package static let allOutput = 256 << 20

  /// Major and minor number.
  /// - Throws: `WorkspaceError`
  package func version(folder: String) throws -> (Int, Int) {
    let words = String(decoding: try run(["version"], folder: folder), as: UTF8.self).split(separator: " ")
    let numbers = (words.count > 2 ? words[2] : "").split(separator: ".").prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else { throw WorkspaceError("git version: unexpected reply") }
    return (numbers[0], numbers[1])
  }

  /// Lines without git's prefix; those about attributes that it doesn't understand say nothing of what was seen.
  private static func warnings(_ errors: [UInt8]) -> [String] {
    errors.split(separator: 0x0a).map { String(decoding: $0.prefix(300), as: UTF8.self) }.filter { !$0.contains("attribute") }.map {
      for prefix in ["warning: ", "error: "] where $0.hasPrefix(prefix) { return String($0.dropFirst(prefix.count)) }
      return $0
    }
  }

  /// The line of git's own words that says most.
  private static func words(_ errors: [UInt8]) -> String? {
    let lines = errors.split(separator: 0x0a).map { String(decoding: $0.prefix(300), as: UTF8.self) }
    return lines.first { $0.hasPrefix("fatal:") } ?? lines.first { $0.hasPrefix("error:") } ?? lines.first
  }

  /// Only what git needs: every GIT_* variable of ours stays outside, no system configuration of attributes, no locks, no questions.
  private static let environment: [String: String] = {
    var kept = OwnProcess.environment.filter {
      ["HOME", "XDG_CONFIG_HOME", "TMPDIR", "DEVELOPER_DIR", "USER", "LOGNAME"].contains($0.key)
    }
    kept["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
    kept["LC_ALL"] = "C"
    kept["GIT_OPTIONAL_LOCKS"] = "0"
    kept["GIT_NO_LAZY_FETCH"] = "1"
    kept["GIT_NO_REPLACE_OBJECTS"] = "1"
    kept["GIT_TERMINAL_PROMPT"] = "0"
    return kept
  }()
}

/// A git directory of ours with, or without, a work tree: no configuration but its own is read.
package struct GitPlace: Sendable {
  package let directory: String
  package let workTree: String?
  /// Whether the user's objects can be read. Without them nothing of the user's is written either: git touches an object of theirs
  /// (its modification time) when it is about to write the same one.
  package var seesObjects = true
  /// Another index file than the directory's own, by its name in there.
  package var index: String?

  package var variables: [String: String] {
    var set = ["GIT_DIR": directory, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"]
    if let workTree { set["GIT_WORK_TREE"] = workTree }
    if let index { set["GIT_INDEX_FILE"] = "\(directory)/\(index)" }
    if seesObjects, let bytes = try? PrivateFiles.read("\(directory)/alternates"), let text = String(validating: bytes, as: UTF8.self) {
      set["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = text
    }
    return set
  }
}
