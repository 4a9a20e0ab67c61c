import Foundation
import PosixSupport
import Workspace

/// Why nothing of a run can be put back.
package struct UndoRefusal: Error, CustomStringConvertible, Sendable {
  package let description: String
  /// What a person types first.
  package let commands: [String]

  package init(_ why: String, commands: [String] = []) { (description, self.commands) = (why, commands) }
}

/// Puts back what a run changed, or brings it back again. All that is meant, or nothing: unless somebody says to leave what can't be.
package struct RunUndo: Sendable {
  package let run: RunSnapshot
  package let state: StateFolder
  /// Of git, where it is installed.
  package let git: String?

  package init(run: RunSnapshot, state: StateFolder, git: String?) { (self.run, self.state, self.git) = (run, state, git) }

  /// For git.
  private static let seconds = 300.0

  package struct Step: Sendable, Equatable {
    package enum Act: String, Sendable {
      /// It is there on both sides.
      case change
      /// It comes back.
      case create
      case delete
    }

    package let path: String
    package let act: Act
  }

  package struct Plan {
    package fileprivate(set) var move: UndoMove
    package var steps: [Step] = []
    /// Paths that can't be brought there, and why.
    package var obstacles: [UndoMove.Obstacle] = []
    /// Paths that are there already.
    package var there: [String] = []
    /// What stays as the run left it, whatever is put back.
    package var notes: [String] = []
    /// Contents that were written for this plan.
    fileprivate var fresh: [String] = []
    /// How many entries the journal had before.
    fileprivate var known = 0
    fileprivate var lock: FileLock?

    package var side: UndoJournal.Side { move.side }
    /// What was begun before isn't finished.
    package var isInterrupted: Bool { move.journal.isInterrupted }
    package var root: String { move.journal.root }
  }

  /// Looks at everything; writes nothing into the workspace.
  /// - Parameters:
  ///   - paths: relative to the workspace's root or absolute, folders with what is below; empty: all
  ///   - leaving: what can't be put back is left out instead of keeping all from it
  ///   - isDryRun: nothing is written into the run's folder either
  /// - Throws: `UndoRefusal`, `WorkspaceError`, `PosixError`
  package func plan(_ paths: [String], to side: UndoJournal.Side, leaving: Bool, isDryRun: Bool) throws -> Plan {
    guard run.isOver else { throw UndoRefusal("\(run.folder.id) is alive: what it changed is known when it has ended") }
    guard let changes = Stored.load(ChangedFiles.self, from: run.folder.changes) else {
      throw UndoRefusal("the list of changes of \(run.folder.id) is gone or damaged: \(run.folder.changes)")
    }
    try refuseWhileAnotherWorks(in: changes.root)
    let store = UndoStore(runFolder: run.folder.path)
    let lock = isDryRun ? nil : try RunUndo.lock(store)
    do {
      var plan = try plan(changes, paths, to: side, leaving: leaving, isDryRun: isDryRun, store)
      plan.lock = lock
      return plan
    } catch {
      lock?.release()
      throw error
    }
  }

  private static func lock(_ store: UndoStore) throws -> FileLock {
    try PrivateFiles.createFolder(store.folder)
    guard let lock = try FileLock.take("\(store.folder)/lock") else { throw UndoRefusal("another undo of this run is at work") }
    return lock
  }

  private func plan(
    _ changes: ChangedFiles, _ paths: [String], to side: UndoJournal.Side, leaving: Bool, isDryRun: Bool, _ store: UndoStore
  ) throws -> Plan {
    let known = try store.load()
    guard PrivateFiles.isFolder(changes.root) else { throw UndoRefusal("the folder \(changes.root) is gone") }
    let rows = try changes.rows(atAll: paths)
    var journal = known ?? UndoJournal(root: changes.root, at: 0)
    // Bytes: names that differ in their normal form only are different files.
    let places = Set(journal.entries.map { Array($0.path.utf8) })
    let meant = Set(rows.flatMap { [$0.path, $0.from].compactMap { $0 } }.map { Array($0.utf8) })
    if let stuck = journal.entries.first(where: { !$0.isSettled && !meant.contains(Array($0.path.utf8)) }) {
      throw UndoRefusal("an undo of this run was interrupted at \(stuck.path): finish it first, without naming files (undo, or undo --redo)")
    }
    if side == .after {
      let chosen = journal.entries.indices.filter {
        meant.contains(Array(journal.entries[$0].path.utf8)) && (journal.entries[$0].wanted == .before || !journal.entries[$0].isSettled)
      }
      if chosen.isEmpty { throw UndoRefusal("nothing of that was undone: there is nothing to bring back") }
      var plan = Plan(move: UndoMove(journal, to: side, chosen: chosen, store: store, began: 0))
      plan.known = journal.entries.count
      return settled(plan, recorded: [], leaving: leaving)
    }
    guard changes.exact else { throw UndoRefusal("what the run changed isn't known exactly: \(changes.why ?? "unknown why")") }
    guard let baseline = Stored.load(WorkspaceBaseline.self, from: run.folder.workspace), baseline.kind == .git else {
      throw UndoRefusal("what was there before the run isn't known")
    }
    guard let git else { throw UndoRefusal("git is not installed") }
    let program = GitProgram(path: git, deadline: .after(RunUndo.seconds))
    if let moved = try changes.movedHead(baseline, rows: rows, git: program) {
      throw UndoRefusal(
        moved.why + (moved.commands.isEmpty ? "" : ". This takes it back and leaves every file as it is; then undo again"), commands: moved.commands)
    }
    let new = rows.filter { row in [row.path, row.from].compactMap { $0 }.contains { !places.contains(Array($0.utf8)) } }
    let recording = UndoRecording(changes: changes, baseline: baseline, runFolder: run.folder.path, git: program, store: store, isDryRun: isDryRun)
    let first = journal.nextContent
    let found: UndoRecording.Found
    do {
      found = try recording.entries(new, nextContent: &journal.nextContent)
    } catch {
      store.remove((first..<journal.nextContent).map(String.init))
      throw error
    }
    let recordedBefore = journal.entries.count
    journal.entries += found.entries.filter { !places.contains(Array($0.path.utf8)) }
    let recorded = Set(recordedBefore..<journal.entries.count)
    let chosen = journal.entries.indices.filter { meant.contains(Array(journal.entries[$0].path.utf8)) }
    var plan = Plan(move: UndoMove(journal, to: side, chosen: chosen, store: store, began: baseline.began))
    plan.known = recordedBefore
    plan.fresh = (first..<journal.nextContent).map(String.init)
    plan.there = found.alreadyThere
    plan.obstacles = found.obstacles
    if paths.isEmpty {
      plan.obstacles += changes.ignoredGone.map { .init($0, "git ignores it and the run deleted it: it wasn't kept") }
    }
    plan.notes = RunUndo.notes(changes)
    return settled(plan, recorded: recorded, leaving: leaving)
  }

  /// Looks how each entry stands; what is left out may be in the way of others.
  private func settled(_ plan: Plan, recorded: Set<Int>, leaving: Bool) -> Plan {
    var plan = plan
    while true {
      let move = plan.move
      let standings = move.standings(recorded: recorded)
      var obstacles: [UndoMove.Obstacle] = []
      var rest: [Int] = []
      for (index, standing) in zip(move.chosen, standings) {
        if case .blocked(let why) = standing { obstacles.append(.init(move.journal.entries[index].path, why)) } else { rest.append(index) }
      }
      plan.obstacles += obstacles
      if !leaving || obstacles.isEmpty {
        for (index, standing) in zip(move.chosen, standings) {
          let entry = move.journal.entries[index]
          switch standing {
          case .there: plan.there.append(entry.path)
          case .toMove:
            let act: Step.Act = entry.state(move.side) == nil ? .delete : entry.state(move.side.other) == nil ? .create : .change
            plan.steps.append(Step(path: entry.path, act: act))
          case .blocked: break
          }
        }
        func sorted(_ names: [String]) -> [String] { names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        plan.steps.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        plan.obstacles.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        plan.there = sorted(plan.there)
        return plan
      }
      plan.move = UndoMove(move.journal, to: move.side, chosen: rest, store: move.store, began: move.began)
    }
  }

  private static func notes(_ changes: ChangedFiles) -> [String] {
    var notes: [String] = []
    if !changes.commits.isEmpty {
      notes.append("\(changes.commitCount == 1 ? "1 commit" : "\(changes.commitCount) commits") that the run made stay in git")
    }
    if !changes.refs.isEmpty {
      notes.append("what the run did to branches, tags and stashes stays: \(changes.refs.prefix(3).map(\.name).joined(separator: ", "))")
    }
    return notes
  }

  /// Does it. No run can begin meanwhile.
  /// - Throws: `PosixError`, `WorkspaceError`, `UndoRefusal`; what was begun can be finished or taken back by the same command
  package func carryOut(_ plan: Plan) throws {
    let lock = try FileLock.take(state.liveLock)
    defer { lock?.release() }
    // Held by a run that works elsewhere: then none can begin here either.
    try refuseWhileAnotherWorks(in: plan.move.journal.root)
    // Entries that aren't meant now aren't kept.
    let chosen = Set(plan.move.chosen)
    let kept = plan.move.journal.entries.indices.filter { $0 < plan.known || chosen.contains($0) }
    var journal = plan.move.journal
    journal.entries = kept.map { plan.move.journal.entries[$0] }
    let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    var move = UndoMove(
      journal, to: plan.side, chosen: plan.move.chosen.compactMap { places[$0] }, store: plan.move.store, began: plan.move.began)
    try move.carryOut(now: Date().timeIntervalSince1970)
    plan.lock?.release()
  }

  /// Forgets what a plan that isn't carried out has written.
  package func abandon(_ plan: Plan) {
    plan.move.store.remove(plan.fresh)
    plan.lock?.release()
  }

  /// A run that is alive may be reading and writing what would be put back.
  private func refuseWhileAnotherWorks(in root: String) throws {
    for folder in state.unfinishedRuns() where folder.id != run.folder.id {
      guard try folder.isProcessAlive || Fifo.isHeld(folder.fifo) else { continue }
      let other = folder.loadRecord()?.request.cwd ?? "/"
      let top = Stored.load(WorkspaceBaseline.self, from: folder.workspace)?.root ?? other
      let overlaps = [other, top].contains { place in
        [(place, root), (root, place)].contains { WorkspacePath.relative(Array($0.utf8), to: Array($1.utf8)) != nil }
      }
      if overlaps { throw UndoRefusal("run \(folder.id) is alive in \(other): wait for its end (`opencode-worker watch` follows it)") }
    }
  }
}
