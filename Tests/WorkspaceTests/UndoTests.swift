import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// A run in a fixture, and its undo.
private struct UndoneRun {
  let fixture: GitFixture
  let baseline: WorkspaceBaseline
  let changes: ChangedFiles
  let store: UndoStore

  init(_ fixture: GitFixture, during: () throws -> Void) throws {
    self.fixture = fixture
    baseline = WorkspaceBaseline.record(cwd: fixture.work, runFolder: fixture.run, git: GitFixture.git, deadline: .after(60))
    try during()
    changes = baseline.finish(runFolder: fixture.run, toolPaths: [], endSeen: true, deadline: .after(60))
    baseline.tidy(runFolder: fixture.run, keeping: changes)
    store = UndoStore(runFolder: fixture.run)
  }

  func recorded(_ rows: [ChangedFile]? = nil) throws -> (UndoJournal, UndoRecording.Found) {
    var journal = UndoJournal(root: changes.root, at: 0)
    let recording = UndoRecording(
      changes: changes, baseline: baseline, runFolder: fixture.run, git: GitProgram(path: GitFixture.git, deadline: .after(60)), store: store,
      isDryRun: false)
    let found = try recording.entries(rows ?? changes.files, nextContent: &journal.nextContent)
    journal.entries = found.entries
    return (journal, found)
  }

  func move(_ journal: UndoJournal, to side: UndoJournal.Side) -> UndoMove {
    UndoMove(journal, to: side, chosen: Array(journal.entries.indices), store: store, began: baseline.began)
  }

  /// Undoes all of it.
  /// - Throws: with what is in the way
  func undo() throws -> UndoJournal {
    let (journal, found) = try recorded()
    if !found.obstacles.isEmpty { throw TestFailure("\(found.obstacles)") }
    var move = move(journal, to: .before)
    try move.carryOut(now: 1)
    return move.journal
  }

  func redo() throws {
    var move = move(try #require(try store.load()), to: .after)
    try move.carryOut(now: 2)
  }
}

/// Every file, link and folder of a work tree but git's own: content or target, and whether it is executable.
private func picture(_ folder: String) throws -> [String: String] {
  var found: [String: String] = [:]
  var queue: [PathBytes] = [[]]
  while let next = queue.popLast() {
    for name in try BytePaths.names(in: WorkspacePath.join(Array(folder.utf8), next)) where name != Array(".git".utf8) {
      let path = WorkspacePath.join(next, name)
      let full = WorkspacePath.join(Array(folder.utf8), path)
      guard let facts = FileFacts.of(full) else { continue }
      switch facts.kind {
      case .folder:
        found[WorkspacePath.shown(path)] = "folder"
        queue.append(path)
      case .link: found[WorkspacePath.shown(path)] = "link \(WorkspacePath.shown(try BytePaths.target(ofLink: full)))"
      case .file:
        let file = try BytePaths.open(full, O_RDONLY)
        defer { file.close() }
        found[WorkspacePath.shown(path)] = "\(facts.executable ? "x" : "f") \(WorkspacePath.shown(try file.bytes(limit: Int(facts.size))))"
      case .other: found[WorkspacePath.shown(path)] = "other"
      }
    }
  }
  return found
}

private func difference(_ one: [String: String], _ other: [String: String]) -> String {
  Set(one.keys).union(other.keys).sorted().filter { one[$0] != other[$0] }.map { "\($0): \(one[$0] ?? "-") | \(other[$0] ?? "-")" }.joined(separator: "\n")
}

/// Numbers that are the same in each run of the tests.
private struct Dice {
  private var state: UInt64
  init(_ seed: Int) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func roll(_ sides: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % sides
  }
}

@Suite(.blocking) struct UndoTests {
  /// Puts something, anything, under a name that is mostly new and sometimes in the way of others.
  private static func scatter(_ fixture: GitFixture, _ dice: inout Dice, steps: Int) throws {
    let names = ["a", "b.txt", "dir", "dir/c", "dir/sub/d", "dir/sub/e.bin", "é ü", "x y/z", "x y/z/w", "deep/er/and/deeper", ".hidden", "-dash", "q\"uote"]
    for _ in 0..<steps {
      let name = names[dice.roll(names.count)]
      let top = fixture.path(name)
      switch dice.roll(8) {
      case 0:
        if PrivateFiles.exists(top) { try FileManager.default.removeItem(atPath: top) }
      case 1:
        if FileFacts.of(Array(top.utf8))?.kind == .file { try fixture.executable(name, dice.roll(2) == 0) }
      case 2:
        let other = fixture.path(names[dice.roll(names.count)])
        if PrivateFiles.exists(top), !other.hasPrefix(top), !PrivateFiles.exists(other),
          (try? FileManager.default.createDirectory(atPath: (other as NSString).deletingLastPathComponent, withIntermediateDirectories: true)) != nil
        {
          try FileManager.default.moveItem(atPath: top, toPath: other)
        }
      default:
        // Whatever is in the way goes.
        var path = fixture.work
        for part in name.split(separator: "/").dropLast() {
          path += "/\(part)"
          if PrivateFiles.exists(path), FileFacts.of(Array(path.utf8))?.kind != .folder { try FileManager.default.removeItem(atPath: path) }
        }
        if PrivateFiles.exists(top) { try FileManager.default.removeItem(atPath: top) }
        try FileManager.default.createDirectory(atPath: (top as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let number = dice.roll(5)
        if number == 0 {
          try fixture.link(name, to: ["a", "dir", "nowhere", "../outside"][dice.roll(4)])
        } else {
          let bytes = [[], Array("one\ntwo\n".utf8), Array("three\r\nfour\r\n".utf8), (0..<300).map { UInt8(truncatingIfNeeded: $0) }][number - 1]
          try fixture.write(name, bytes + (dice.roll(2) == 0 ? [] : Array("\(dice.roll(1000))".utf8)), executable: dice.roll(4) == 0)
        }
      }
    }
  }

  /// Whatever was there and whatever a run did: undo gives what was, redo what the run left, and again.
  @Test(arguments: 0..<24) func whatWasComesBackAndWhatWasDoneToo(seed: Int) throws {
    var dice = Dice(seed)
    let fixture = try GitFixture(format: seed % 5 == 4 ? "sha256" : "sha1", withCommit: seed % 6 != 5)
    try Self.scatter(fixture, &dice, steps: 12)
    if seed % 6 != 5 { try fixture.commit("second") }
    try Self.scatter(fixture, &dice, steps: seed % 4 * 4)
    if seed % 3 == 0 { try fixture.git("add", "-A") }
    let before = try picture(fixture.work)
    let run = try UndoneRun(fixture) { try Self.scatter(fixture, &dice, steps: 1 + seed % 10 * 2) }
    let after = try picture(fixture.work)
    try #require(run.changes.exact, "\(run.changes.why ?? "")")
    let status = try fixture.git("diff", "--cached", "--raw")
    _ = try run.undo()
    // Folders that were empty before aren't known to git.
    func files(_ picture: [String: String]) -> [String: String] { picture.filter { $0.value != "folder" } }
    let undone = try picture(fixture.work)
    #expect(files(undone) == files(before), "\(difference(undone, before))")
    #expect(try fixture.git("diff", "--cached", "--raw") == status, "the index is the user's")
    try run.redo()
    let redone = try picture(fixture.work)
    #expect(redone == after, "\(difference(redone, after))")
    var again = run.move(try #require(try run.store.load()), to: .before)
    try again.carryOut(now: 3)
    #expect(try files(picture(fixture.work)) == files(before))
  }

  /// A process that is killed anywhere in the middle: the next undo finishes, or the next redo takes it back.
  @Test(arguments: [UndoJournal.Side.before, .after]) func anInterruptedUndoIsFinishedOrTakenBack(_ side: UndoJournal.Side) throws {
    let fixture = try GitFixture()
    try fixture.write("mine.txt", "uncommitted\n")
    let before = try picture(fixture.work)
    let run = try UndoneRun(fixture) {
      try fixture.write("a.txt", "changed\n")
      try fixture.remove("dir/c.txt")
      try fixture.remove("dir")
      try fixture.write("dir", "a file now\n")
      try fixture.write("new/deep/file", "n\n")
      try fixture.write("mine.txt", "theirs\n")
    }
    let after = try picture(fixture.work)
    let (journal, found) = try run.recorded()
    #expect(found.obstacles == [])
    // As the journal stands when some of it is done: some paths are here, some there, and a temporary file is left.
    for done in 0...journal.entries.count {
      var half = journal
      var temporaries: [String] = []
      for index in half.entries.indices {
        half.entries[index].wanted = .before
        half.entries[index].isSettled = false
      }
      let order = half.entries.indices.sorted { half.entries[$0].before == nil && half.entries[$1].before != nil }
      for index in order.prefix(done) {
        let entry = half.entries[index]
        if entry.before == nil { try fixture.remove(entry.path) }
      }
      if done > 0 {
        try fixture.write(".opencode-worker-undo-left", "half")
        half.entries[0].temporary = ".opencode-worker-undo-left"
        temporaries = [".opencode-worker-undo-left"]
      }
      half.removedFolders = [.init(path: "new/deep", permissions: 0o755), .init(path: "new", permissions: 0o755)]
      half.madeFolders = ["dir"]
      try run.store.save(half)
      #expect(try run.store.load()?.isInterrupted == true)
      var next = run.move(half, to: side)
      try next.carryOut(now: 5)
      let now = try picture(fixture.work)
      let wanted = side == .before ? before : after
      #expect(now == wanted, "\(done): \(difference(now, wanted))")
      #expect(next.journal.isInterrupted == false && temporaries.allSatisfy { !PrivateFiles.exists(fixture.path($0)) })
      var back = run.move(next.journal, to: .after)
      try back.carryOut(now: 6)
      #expect(try picture(fixture.work) == after)
    }
  }

  @Test func filesThatHaveChangedSinceAreNamedAndNothingIsDone() throws {
    let fixture = try GitFixture()
    let run = try UndoneRun(fixture) {
      try fixture.write("a.txt", "changed\n")
      try fixture.write("new.txt", "new\n")
      try fixture.remove("b.txt")
    }
    try fixture.write("a.txt", "mine now\n")
    try fixture.write("b.txt", "made again\n")
    let found = try run.recorded().1
    #expect(found.obstacles.map(\.path).sorted() == ["a.txt", "b.txt"])
    #expect(found.obstacles.allSatisfy { $0.why == "it has changed since the run" })
    #expect(found.entries.map(\.path) == ["new.txt"])
    // Put back by hand already.
    try fixture.write("b.txt", "b\n")
    #expect(try run.recorded().1.alreadyThere == ["b.txt"])
  }

  /// A line ending or an encoding that git converts: the bytes as they were, or none.
  @Test func convertedFilesComeBackByteForByteOrAreRefused() throws {
    let fixture = try GitFixture()
    try fixture.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n*.u16 working-tree-encoding=UTF-16LE\n")
    try fixture.write("all.txt", "one\r\ntwo\r\n")
    try fixture.write("mixed.txt", "one\r\ntwo\nthree\r\n")
    try fixture.write("plain.txt", "no newline")
    try fixture.write("v.id", "$Id$\n")
    try fixture.write("wide.u16", Array("aяb".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }))
    try fixture.commit("converted")
    try fixture.remove("v.id")
    try fixture.git("checkout", "-q", "--", "v.id")
    let before = try picture(fixture.work)
    let names = ["all.txt", "mixed.txt", "plain.txt", "v.id", "wide.u16"]
    let run = try UndoneRun(fixture) { for name in names { try fixture.write(name, "gone") } }
    let (journal, found) = try run.recorded()
    #expect(found.obstacles.map(\.path).sorted() == ["mixed.txt", "v.id", "wide.u16"], "\(found.obstacles)")
    #expect(found.obstacles.allSatisfy { $0.why.contains("git conver") })
    var move = run.move(journal, to: .before)
    try move.carryOut(now: 1)
    let now = try picture(fixture.work)
    for name in ["all.txt", "plain.txt"] { #expect(now[name] == before[name]) }
  }

  @Test func theBytesOnDiskFollowFromObjectAndSize() {
    func text(_ object: String, _ size: UInt32, isLink: Bool = false, hasCRLF: Bool = true) -> String? {
      UndoRecording.onDisk(Array(object.utf8), size: size, isLink: isLink, hasCRLF: hasCRLF).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(text("a\nb\n", 4) == "a\nb\n" && text("", 0) == "")
    #expect(text("a\nb\n", 6) == "a\r\nb\r\n" && text("a\nb\n", 6, hasCRLF: false) == nil)
    #expect(text("a\nb\n", 5) == nil && text("a\nb\n", 3) == nil && text("a\nb\n", 7) == nil)
    #expect(text("$Id$\n", 6) == nil && text("a\rb\n", 5) == nil && text("a", 0, isLink: true) == "a")
  }

  /// A filter whose attribute is gone: its objects hold other bytes than the files did, of the same number or as many more as there are lines.
  @Test(arguments: [false, true]) func bytesThatNeverWereArentWritten(settingIsGone: Bool) throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "sed 's/ $//'")
    try fixture.git("config", "filter.t.clean", "tr a-z A-Z")
    try fixture.write(fixture.path(".git/info/attributes"), "*.s filter=r\n*.t filter=t\n")
    // Older than the index: git doesn't look at them again.
    for (name, text) in [("x.s", "a \nb \n"), ("x.t", "lower\n"), ("plain.c", "c\n")] {
      try fixture.write(name, text)
      try BytePaths.setModified(fixture.path(name), 1_700_000_000_000_000_000)
    }
    try fixture.commit("filtered")
    try fixture.remove(".git/info/attributes")
    for name in ["r", "t"] where settingIsGone { try fixture.git("config", "--remove-section", "filter.\(name)") }
    let before = try picture(fixture.work)
    // Nothing tells of a filter that changed no length and is gone with its setting.
    let names = settingIsGone ? ["x.s", "plain.c"] : ["x.s", "x.t", "plain.c"]
    let run = try UndoneRun(fixture) { for name in names { try fixture.remove(name) } }
    let (journal, found) = try run.recorded()
    #expect(found.obstacles.map(\.path) == (settingIsGone ? ["x.s"] : []), "\(found.obstacles)")
    #expect(found.obstacles.allSatisfy { $0.why.contains("a filter") })
    var move = run.move(journal, to: .before)
    try move.carryOut(now: 1)
    let now = try picture(fixture.work)
    for name in names where !found.obstacles.map(\.path).contains(name) { #expect(now[name] == before[name], "\(name)") }
  }

  @Test func whatWasHiddenOrIsNotOursIsRefused() throws {
    let fixture = try GitFixture()
    try fixture.write(".gitignore", "secret\nout/\n")
    try fixture.commit("ignore")
    try fixture.write("secret", "mine\n")
    try fixture.write("out/old", "mine\n")
    let run = try UndoneRun(fixture) {
      try fixture.write(".gitignore", "\n")
      try fixture.write("secret", "theirs\n")
      try fixture.write("out/old", "theirs\n")
      try fixture.git("init", "-q", "made")
      try fixture.write("made/file", "m\n")
    }
    let found = try run.recorded().1
    #expect(Set(found.obstacles.map(\.path)) == ["secret", "out/old", "made/file"], "\(found.obstacles)")
    #expect(found.entries.map(\.path) == [".gitignore"])
  }

  /// What the user closed stays closed.
  @Test func permissionsComeBack() throws {
    let fixture = try GitFixture()
    try fixture.write("key", "secret\n")
    chmod(fixture.path("key"), 0o600)
    try fixture.write("tool", Array("#!/bin/sh\n".utf8), executable: true)
    chmod(fixture.path("a.txt"), 0o640)
    let run = try UndoneRun(fixture) {
      try fixture.remove("key")
      try fixture.executable("tool", false)
      try fixture.write("a.txt", "x\n")
    }
    _ = try run.undo()
    func permissions(_ name: String) -> UInt32? { BytePaths.attributes(Array(fixture.path(name).utf8))?.permissions }
    #expect(permissions("key") == 0o600 && permissions("tool") == 0o755 && permissions("a.txt") == 0o640)
  }

  /// git is told to look away: the disk knows who is executable.
  @Test func permissionsComeBackWhereGitDoesNotKnowThem() throws {
    let fixture = try GitFixture()
    try fixture.git("config", "core.fileMode", "false")
    try fixture.write("tool", Array("#!/bin/sh\n".utf8), executable: true)
    try fixture.commit("tool")
    try fixture.write("mine", Array("#!/bin/sh\n".utf8))
    chmod(fixture.path("mine"), 0o700)
    let before = ["tool", "mine", "a.txt"].map { BytePaths.attributes(Array(fixture.path($0).utf8))?.permissions }
    let run = try UndoneRun(fixture) {
      try fixture.write("tool", "x\n")
      try fixture.remove("mine")
      try fixture.write("a.txt", "x\n")
    }
    _ = try run.undo()
    #expect(["tool", "mine", "a.txt"].map { BytePaths.attributes(Array(fixture.path($0).utf8))?.permissions } == before)
  }

  @Test func aFileThatTheRunMadeExecutableIsAsOpenAsBefore() throws {
    let fixture = try GitFixture()
    try fixture.write("mine", "m\n")
    let before = BytePaths.attributes(Array(fixture.path("mine").utf8))?.permissions
    let run = try UndoneRun(fixture) { chmod(fixture.path("mine"), 0o711) }
    _ = try run.undo()
    #expect(BytePaths.attributes(Array(fixture.path("mine").utf8))?.permissions == before)
  }

  /// In the second after a commit git keeps no size of a symlink.
  @Test func aFreshSymlinkComesBack() throws {
    let fixture = try GitFixture()
    try fixture.link("l", to: "a.txt")
    try fixture.commit("link")
    try fixture.write("new.txt", "dirty\n")
    let run = try UndoneRun(fixture) { try fixture.remove("l") }
    _ = try run.undo()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: fixture.path("l")) == "a.txt")
  }

  /// Attributes that lie where git looks and a list of files doesn't show them: another's file, an ignored one, one that only the index has.
  @Test(arguments: ["ignored", "index"]) func filtersAreKnownWhereverTheyAreNamed(place: String) throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "tr a-z n-za-m")
    try fixture.git("config", "filter.r.smudge", "tr a-z n-za-m")
    if place == "ignored" { try fixture.write(".gitignore", ".gitattributes\n") }
    try fixture.write(".gitattributes", "*.f filter=r\n")
    try fixture.write("x.f", "hello")
    try fixture.commit("filtered")
    if place == "index" { try fixture.remove(".gitattributes") }
    let run = try UndoneRun(fixture) { try BytePaths.setModified(fixture.path("x.f"), 1_000_000_000) }
    #expect(run.changes.files.isEmpty && run.changes.exact, "\(run.changes.lines) \(run.changes.why ?? "")")
    let other = try UndoneRun(fixture) { try fixture.write("x.f", "hello, and more") }
    _ = try other.undo()
    #expect(try PrivateFiles.read(fixture.path("x.f")) == Array("hello".utf8))
  }

  /// Only the filter could tell whether a touched file is as committed: that is no uncommitted work, and no change for certain.
  @Test func aTouchedFilteredFileIsNoUncommittedWork() throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "tr a-z n-za-m")
    try fixture.git("config", "filter.r.smudge", "tr a-z n-za-m")
    try fixture.write(".gitattributes", "*.f filter=r\n")
    try fixture.write("x.f", "hello")
    try fixture.commit("filtered")
    try BytePaths.setModified(fixture.path("x.f"), 1_000_000_000)
    let uncommitted = try ChangedFiles.uncommitted(cwd: fixture.work, git: GitFixture.git, deadline: .after(60))
    #expect(!uncommitted.exact && uncommitted.why?.contains("x.f") == true)
    let run = try UndoneRun(fixture) { try fixture.remove("x.f") }
    #expect(run.changes.lines == ["D x.f"] && run.changes.lostWork.isEmpty && run.changes.exact)
    _ = try run.undo()
    #expect(try PrivateFiles.read(fixture.path("x.f")) == Array("hello".utf8))
  }

  /// What is on disk as in the index may be staged all the same.
  @Test(arguments: ["*.f filter=r\n", "# none\n"]) func stagedFilteredFilesAreUncommittedWork(attributes: String) throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "tr a-z n-za-m")
    try fixture.git("config", "filter.r.smudge", "tr a-z n-za-m")
    try fixture.write(".gitattributes", attributes)
    try fixture.write("x.f", "hello")
    try fixture.commit("filtered")
    try fixture.write("x.f", "hello, and more")
    try fixture.write("n.f", "new")
    try fixture.git("add", "x.f", "n.f")
    // So that git's index has sizes of both.
    sleep(1)
    try fixture.git("status")
    let uncommitted = try ChangedFiles.uncommitted(cwd: fixture.work, git: GitFixture.git, deadline: .after(60))
    #expect(uncommitted.lines.map { $0.replacing("*", with: "") } == ["A n.f", "M x.f"] && uncommitted.exact, "\(uncommitted.lines) \(uncommitted.why ?? "")")
    let run = try UndoneRun(fixture) {
      try fixture.remove("n.f")
      try fixture.write("x.f", "other")
    }
    #expect(run.changes.lines == ["D* n.f", "M* x.f"])
    _ = try run.undo()
    #expect(try PrivateFiles.read(fixture.path("x.f")) == Array("hello, and more".utf8))
  }

  @Test(arguments: [["checkout", "-q", "--", "x.f"], ["reset", "-q", "--hard"]]) func workInFilteredFilesThatIsThrownAwayIsLost(command: [String]) throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "tr a-z n-za-m")
    try fixture.git("config", "filter.r.smudge", "tr a-z n-za-m")
    try fixture.write(".gitattributes", "*.f filter=r\n")
    for name in ["x.f", "y.f"] { try fixture.write(name, "hello") }
    try fixture.commit("filtered")
    try fixture.write("x.f", "hello, and more")
    try fixture.write("y.f", "hello, and more")
    let changes = try fixture.changes {
      try fixture.git(list: command)
      try fixture.write("y.f", "other work")
    }
    #expect(changes.lostWork.map(\.path) == ["x.f"], "\(changes.lines)")
  }

  /// Too large to be hashed, and converted by a filter: nothing tells whether a touched one has changed.
  @Test func aLargeFilteredFileThatWasTouchedIsADoubt() throws {
    let fixture = try GitFixture()
    try fixture.git("config", "filter.r.clean", "wc -c")
    try fixture.write(".gitattributes", "*.f filter=r\n")
    try fixture.write("x.f", "")
    #expect(truncate(fixture.path("x.f"), 9 << 20) == 0)
    try fixture.commit("large")
    sleep(1)
    try fixture.git("status")
    #expect(try fixture.changes {}.exact)
    let changes = try fixture.changes { try BytePaths.setModified(fixture.path("x.f"), 1_000_000_000) }
    #expect(!changes.exact && changes.why?.contains("x.f") == true, "\(changes.lines)")
  }

  @Test func whatIsStagedAndNotOnDiskIsToldOfTheUncommitted() throws {
    let fixture = try GitFixture()
    try fixture.git("sparse-checkout", "set", "--no-cone", "/*.txt")
    let blob = try fixture.git("rev-parse", "HEAD:a.txt").prefix(40)
    try fixture.git("update-index", "--cacheinfo", "100644,\(blob),dir/c.txt")
    try fixture.git("update-index", "--skip-worktree", "dir/c.txt")
    let uncommitted = try ChangedFiles.uncommitted(cwd: fixture.work, git: GitFixture.git, deadline: .after(60))
    #expect(uncommitted.files.isEmpty && uncommitted.why == "staged, and not on disk: dir/c.txt")
  }

  /// One file that git can't encode keeps nothing else from being told.
  @Test func aFileThatIsNotInItsEncodingIsToldBesideTheOthers() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try fixture.write(".gitattributes", "*.u working-tree-encoding=UTF-16\n")
      try fixture.write("x.u", "abc")
      try fixture.write("b.txt", "changed\n")
    }
    #expect(changes.lines == ["A .gitattributes", "M b.txt", "A x.u"], "\(changes.why ?? "")")
  }

  /// What git leaves out by its name is compared by size and time, and not put back.
  @Test func namesThatGitRefusesAreToldAndLeftAlone() throws {
    let fixture = try GitFixture()
    let run = try UndoneRun(fixture) {
      try fixture.link(".gitmodules", to: "a.txt")
      try fixture.write("s/.GIT", "s\n")
    }
    #expect(run.changes.lines == ["A .gitmodules", "A s/.GIT"])
    let links = try GitFixture()
    try links.link(".gitmodules", to: "a.txt")
    let replaced = try UndoneRun(links) {
      try links.remove(".gitmodules")
      try links.write(".gitmodules", "[x]\n")
    }
    #expect(!replaced.changes.exact && replaced.changes.lines == ["M* .gitmodules"], "\(replaced.changes.lines)")
  }

  /// What this user can't read is named, and the others are put back.
  @Test(.enabled(if: getuid() != 0, "whoever is root can read everything")) func whatCantBeReadIsLeftAlone() throws {
    let fixture = try GitFixture()
    let run = try UndoneRun(fixture) {
      for name in ["a.txt", "b.txt", "dir/c.txt", "dir/new"] { try fixture.write(name, "changed\n") }
    }
    chmod(fixture.path("a.txt"), 0)
    chmod(fixture.path("dir"), 0)
    defer { chmod(fixture.path("dir"), 0o755) }
    let (journal, found) = try run.recorded()
    #expect(Set(found.obstacles.map(\.path)) == ["a.txt", "dir/c.txt", "dir/new"] && found.alreadyThere.isEmpty, "\(found.obstacles)")
    #expect(journal.entries.map(\.path) == ["b.txt"])
    var move = run.move(journal, to: .before)
    try move.carryOut(now: 1)
    #expect(try PrivateFiles.read(fixture.path("b.txt")) == Array("b\n".utf8))
    chmod(fixture.path("b.txt"), 0)
    if case .blocked = run.move(try #require(try run.store.load()), to: .after).standings()[0] {} else { Issue.record("b.txt isn't blocked") }
  }

  /// A folder that goes is taken from the one above it.
  @Test(.enabled(if: getuid() != 0, "whoever is root may change everything")) func foldersThatCantGoAreSaidBefore() throws {
    let fixture = try GitFixture()
    let run = try UndoneRun(fixture) {
      try fixture.write("n/m/q", "q\n")
      try fixture.write("a.txt", "changed\n")
      chmod(fixture.path("n"), 0o555)
    }
    defer { chmod(fixture.path("n"), 0o755) }
    let (journal, found) = try run.recorded()
    #expect(found.obstacles.isEmpty && journal.entries.count == 2)
    let standings = run.move(journal, to: .before).standings()
    #expect(standings.contains(.blocked("no right to change the folder n")) && standings.contains(.toMove), "\(standings)")
    // What holds something else stays, and is in nobody's way.
    try fixture.write("n/m/mine", "mine\n")
    #expect(run.move(journal, to: .before).standings() == [.toMove, .toMove])
    var move = run.move(journal, to: .before)
    try move.carryOut(now: 1)
    #expect(PrivateFiles.exists(fixture.path("n/m/mine")) && !PrivateFiles.exists(fixture.path("n/m/q")))
  }

  /// Nothing is written through a link, and a file with other names isn't torn from them.
  @Test func linksOnTheWayAndHardLinksAreRefused() throws {
    let fixture = try GitFixture()
    let run = try UndoneRun(fixture) {
      try fixture.write("dir/c.txt", "changed\n")
      try fixture.write("a.txt", "changed\n")
    }
    try FileManager.default.moveItem(atPath: fixture.path("dir"), toPath: "\(fixture.top)/elsewhere")
    try fixture.link("dir", to: "\(fixture.top)/elsewhere")
    link(fixture.path("a.txt"), "\(fixture.top)/other-name")
    let (journal, found) = try run.recorded()
    #expect(found.obstacles.map(\.path) == ["dir/c.txt"])
    let move = run.move(journal, to: .before)
    #expect(move.standings().count == 1)
    guard case .blocked(let why)? = move.standings().first else { throw TestFailure("a file with two names was taken") }
    #expect(why.contains("2 names"))
    #expect(try picture("\(fixture.top)/elsewhere") == ["c.txt": "f changed\n"])
  }

  /// After the end only what changed is kept, and it doesn't need the repository.
  @Test func aRunKeepsTheContentsOfItsOwnChangesOnly() throws {
    let fixture = try GitFixture()
    for number in 0..<300 { try fixture.write("untracked/\(number)", "untouched \(number)\n") }
    let before = try picture(fixture.work)
    let run = try UndoneRun(fixture) {
      try fixture.write("a.txt", "changed\n")
      try fixture.remove("untracked/7")
    }
    let kept = try Command(
      GitFixture.git, ["cat-file", "--batch-all-objects", "--batch-check"], environment: ["GIT_DIR": "\(fixture.run)/git/0", "PATH": "/usr/bin:/bin"],
      folder: fixture.run, deadline: .after(60)
    ).run().outputText.split(separator: "\n")
    #expect(kept.filter { $0.contains(" blob ") }.count == 3, "\(kept)")
    #expect(!PrivateFiles.exists("\(fixture.run)/git/0/index") && !PrivateFiles.exists("\(fixture.run)/git/0/base.index"))
    #expect(try run.changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 1 << 20).text.contains("-untouched 7"))
    // The repository's objects are gone, as after a rewritten history.
    try FileManager.default.removeItem(atPath: fixture.path(".git/objects"))
    try PrivateFiles.createFolder(fixture.path(".git/objects"))
    _ = try run.undo()
    #expect(try picture(fixture.work) == before)
  }

  @Test func aRunThatMovedHEADIsGitsToUndo() throws {
    let fixture = try GitFixture()
    let before = try picture(fixture.work)
    let run = try UndoneRun(fixture) {
      try fixture.write("a.txt", "changed\n")
      try fixture.commit("theirs")
    }
    let git = GitProgram(path: GitFixture.git, deadline: .after(60))
    func moved() throws -> ChangedFiles.MovedHead? { try run.changes.movedHead(run.baseline, rows: run.changes.files, git: git) }
    let found = try #require(try moved())
    #expect(found.why.contains("(1 commit)") && found.commands.count == 1)
    // The command as it is shown.
    let result = try Command("/bin/sh", ["-c", found.commands[0]], environment: ["PATH": "/usr/bin:/bin", "HOME": fixture.home], deadline: .after(60)).run()
    #expect(result.succeeded, "\(result.errorText)")
    #expect(try moved() == nil)
    _ = try run.undo()
    #expect(try picture(fixture.work) == before)
    #expect(try fixture.git("status", "--porcelain") == "")
    try fixture.write("b.txt", "mine\n")
    try fixture.commit("mine")
    #expect(try moved()?.commands == [])
  }
}
