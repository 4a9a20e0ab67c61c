import PosixSupport

extension ChangedFiles {
  /// Why files alone can't be put back: the run moved HEAD, and it is still where it moved it or somewhere else.
  package struct MovedHead: Sendable, Equatable {
    package let why: String
    /// What takes that back and leaves every file as it is; nil: HEAD has moved again since.
    package let commands: [String]
  }

  /// - Parameters:
  ///   - baseline: the workspace before the run
  ///   - rows: those that are to be put back
  /// - Returns: nil: HEAD is where it was before the run, or the run never moved it
  /// - Throws: `WorkspaceError`
  package func movedHead(_ baseline: WorkspaceBaseline, rows: [ChangedFile], git: GitProgram) throws -> MovedHead? {
    for tree in baseline.trees where PrivateFiles.isFolder(tree.folder) {
      let top = WorkspacePath.bytes(tree.prefix)
      guard tree.prefix.isEmpty || rows.contains(where: { WorkspacePath.relative(WorkspacePath.bytes($0.path), to: top) != nil }) else { continue }
      let own = commits.filter { ($0.repository ?? "") == tree.prefix }
      let isMoved = tree.prefix.isEmpty ? headBefore != headAfter || switchedBranch : !own.isEmpty
      guard isMoved, case .repository(let now) = try GitRepository.find(tree.folder, git) else { continue }
      if now.head == tree.head, GitRef.isSame(now.branch, tree.branch) { continue }
      func short(_ id: String?) -> String { id.map { String($0.prefix(10)) } ?? "no commit" }
      let place = tree.prefix.isEmpty ? "" : " in \(tree.prefix)"
      let after = tree.prefix.isEmpty ? headAfter : own.first?.id
      let made = own.isEmpty ? "" : own.count == 1 ? " (1 commit)" : " (\(own.count)\(own.count == GitTree.commitLimit ? " or more" : "") commits)"
      let branch = tree.prefix.isEmpty && switchedBranch ? ", from \(branchBefore ?? "no branch") to \(branchAfter ?? "no branch")" : ""
      let why = "the run moved HEAD\(place) from \(short(tree.head)) to \(short(after))\(made)\(branch)"
      guard now.head == after else { return MovedHead(why: "\(why), and it has moved again since: take that back with git first", commands: []) }
      return MovedHead(why: why, commands: commands(tree, now))
    }
    return nil
  }

  private func commands(_ tree: GitTree, _ now: GitRepository) -> [String] {
    let git = "git -C \(ChangedFiles.shellWord(tree.folder))"
    var commands: [String] = []
    if !GitRef.isSame(now.branch, tree.branch) {
      commands.append(tree.branch.map { "\(git) symbolic-ref HEAD \(ChangedFiles.shellWord("refs/heads/\($0)"))" } ?? "\(git) checkout --quiet --detach")
    }
    commands.append(tree.head.map { "\(git) reset --quiet \($0)" } ?? "\(git) update-ref -d HEAD")
    return commands
  }

  /// Quoted for a shell where that is needed.
  private static func shellWord(_ text: String) -> String {
    // Shown as something else these would name something else: the shell's own printf says them.
    let isUnshowable = text.unicodeScalars.contains {
      switch $0.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
      default: false
      }
    }
    if isUnshowable {
      let octal = text.utf8.map { byte in
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
      return "\"$(printf '\(octal.joined())')\""
    }
    let plain = text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || "/._-+@:,=".utf8.contains($0) }
    return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
