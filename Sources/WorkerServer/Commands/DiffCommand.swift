import Desk
import Foundation
import PosixSupport
import Runs
import Workspace

/// `diff [RUN] [PATH...]`: the run's own diff.
enum DiffCommand {
  /// Bytes at a time. git makes all that comes before them each time, which is much where binary files are in it.
  private static let (page, pipePage) = (1 << 20, 64 << 20)
  private static let seconds = 60.0

  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["--no-pager"], most: 1000)
    // The first word is a run if it can be one, or several where no file has that name; otherwise it is a path already.
    let state = StateFolder.standard(environment)
    let named = words.rest.first.flatMap { word in
      (try? RunChoice.id(word, in: state)) != nil || (RunChoice.fits(word, in: state) && !PrivateFiles.exists(word)) ? word : nil
    }
    let paths = Array(words.rest.dropFirst(named == nil ? 0 : 1))
    let style = Terminal.style(environment)
    let usesPager = Terminal.isTerminal && !words.flags.contains("--no-pager")
    return DeskCommand.withRun(named, environment) { run, _ in
      guard run.isOver else {
        Terminal.error("opencode-worker: \(run.folder.id) is alive: what it changed is compared when it has ended.")
        return ExitCode.failure
      }
      return try await onThread { try show(run, paths, environment, style, usesPager) }
    }
  }

  private static func show(_ run: RunSnapshot, _ paths: [String], _ environment: [String: String], _ style: Style, _ usesPager: Bool) throws -> Int32 {
    guard let changes = Stored.load(ChangedFiles.self, from: run.folder.changes) else {
      throw WorkspaceError("the list of changes of \(run.folder.id) is gone or damaged: \(run.folder.changes)")
    }
    if !changes.exact { Terminal.error("opencode-worker: not exact: \(Words.line(changes.why ?? "unknown why", 400))") }
    let paths = try paths.map { try place(of: $0, in: changes, run) }
    if changes.files.isEmpty {
      Terminal.error("The run changed no file.")
      return ExitCode.success
    }
    let git = ProgramFinder.locate("git", path: environment["PATH"], workspace: run.record.request.cwd)
    var pager: Pager?
    defer { pager?.finish() }
    var offset: Int? = 0
    while let from = offset {
      let (bytes, next) = try changes.patchBytes(
        paths: paths, isForGit: !Terminal.isTerminal, runFolder: run.folder.path, git: git, offset: from, limit: Terminal.isTerminal ? page : pipePage,
        deadline: .after(seconds))
      // Not before there is something to show.
      if usesPager, from == 0 { pager = Pager(environment) }
      if !Terminal.isTerminal {
        Terminal.write(bytes)
      } else {
        let shown = DiffColours.text(String(decoding: bytes, as: UTF8.self), style: style)
        if let pager {
          guard pager.write(shown) else { break }
        } else {
          Terminal.write(shown)
        }
      }
      offset = next
    }
    return ExitCode.success
  }
}

extension DiffCommand {
  /// A path is meant from where one is, as `undo` takes it, or as the lists show it.
  private static func place(of path: String, in changes: ChangedFiles, _ run: RunSnapshot) throws -> String {
    for candidate in [UndoCommand.absolute(path), path] where changes.rows(at: [candidate]).missing.isEmpty { return candidate }
    throw WorkspaceError("\"\(Words.line(path, 300))\" is no run, and not among the changed files of \(run.folder.id)")
  }
}

/// The user's pager, fed through a pipe.
private final class Pager {
  private let child: ChildProcess
  private let input: Descriptor

  /// nil: there is none.
  init?(_ environment: [String: String]) {
    let command = [environment["GIT_PAGER"], environment["PAGER"]].compactMap { $0 }.first ?? "less"
    guard !command.isEmpty, command != "cat", let pipe = try? Descriptor.pipe() else { return nil }
    let settings = environment.merging(["LESS": environment["LESS"] ?? "FRX", "LV": environment["LV"] ?? "-c"]) { $1 }
    guard
      let child = try? ChildProcess(
        "/bin/sh", ["-c", command], environment: settings, input: pipe.read, output: Descriptor(raw: STDOUT_FILENO), errors: Descriptor(raw: STDERR_FILENO))
    else {
      pipe.read.close()
      pipe.write.close()
      return nil
    }
    pipe.read.close()
    self.child = child
    input = pipe.write
  }

  /// - Returns: false when the reader has left
  func write(_ text: String) -> Bool { (try? input.writeAll(Array(text.utf8))) != nil }

  func finish() {
    input.close()
    _ = child.wait()
  }
}
