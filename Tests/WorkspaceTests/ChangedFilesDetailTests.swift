import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// What a row says, the patch, what changed since, and what isn't committed.
@Suite(.blocking) struct ChangedFilesDetailTests {
  @Test("Lines, modes and binary files")
  func rows() throws {
    let fixture = try GitFixture()
    try fixture.write("bin", [0, 1, 2])
    try fixture.write("long.txt", (1...40).map { "line \($0)\n" }.joined())
    try fixture.commit("more")
    let changes = try fixture.changes {
      try fixture.write("a.txt", "one\nTWO\nthree\nfour\n")
      try fixture.write("bin", [0, 9])
      try fixture.executable("b.txt")
      try fixture.git("mv", "long.txt", "moved.txt")
      try fixture.write("moved.txt", (1...41).map { "line \($0)\n" }.joined())
    }
    #expect(changes.lines == ["M a.txt", "M b.txt", "M bin", "R long.txt -> moved.txt"])
    let rows = changes.files
    #expect(rows[0].added == 2 && rows[0].removed == 1)
    #expect(rows[1].mode == "100644 to 100755" && rows[1].added == 0)
    #expect(rows[2].binary == true && rows[2].added == nil)
    #expect(rows[3].added == 1 && rows[3].removed == 0)
    #expect(changes.counts == ChangedFiles.Counts(added: 0, modified: 3, deleted: 0, renamed: 1))
  }

  static let oddNames: [[UInt8]] = [
    Array("new\nline".utf8), Array("quo\"te".utf8), Array("\"begins".utf8), Array("ta\tb".utf8), Array("ünï".utf8), [0x62, 0x61, 0x64, 0xff, 0x6e],
    [0x80], Array("back\\slash".utf8), Array(" space ".utf8), Array("-dash".utf8), Array(":colon".utf8), Array("st*r[x]".utf8), [0xff, 0x5c, 0x22, 0x0a],
  ]

  @Test("Odd names come back byte for byte, in the list and in the patch", arguments: oddNames)
  func oddName(name: [UInt8]) throws {
    let fixture = try GitFixture()
    let full = Array(fixture.work.utf8) + [WorkspacePath.slash] + name + [0]
    func write(_ text: String) throws {
      let fd = full.withUnsafeBufferPointer { $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT | O_TRUNC, 0o644) } }
      // APFS takes no name that isn't UTF-8.
      if fd < 0, errno == EILSEQ, String(validating: name, as: UTF8.self) == nil {
        print("NOTICE: the name \(WorkspacePath.shown(name)) was skipped: the file system doesn't take it")
        throw NameRefused()
      }
      guard fd >= 0 else { throw PosixError("open") }
      defer { close(fd) }
      try Descriptor(raw: fd).writeAll(Array(text.utf8))
    }
    do { try write("before\n") } catch is NameRefused { return }
    let baseline = fixture.record()
    try write("after the run\n")
    let changes = fixture.finish(baseline, tools: [WorkspacePath.shown(name)])
    #expect(changes.files.map { WorkspacePath.bytes($0.path) } == [name])
    #expect(changes.files.map(\.change) == [.modified])
    #expect(changes.exact, "\(changes.why ?? "")")
    let patch = try changes.patch(paths: [changes.files[0].path], runFolder: fixture.run, git: GitFixture.git, limit: 1000)
    #expect(patch.text.contains("-before\n+after the run\n"))
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300)) == [])
    usleep(5000)
    try write("after the run\n")
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300)) == [])
    try write("after the end\n")
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300)) == changes.files.map(\.path))
  }

  private struct NameRefused: Error {}

  @Test("A tool's other spelling of a name is the same row, where both lead to the same file")
  func otherSpelling() throws {
    let fixture = try GitFixture()
    try fixture.write("Readme.md", "before\n")
    try fixture.write("other.txt", "before\n")
    try fixture.write(".gitignore", "README.MD\nOther.txt\n")
    try fixture.commit("names")
    let baseline = fixture.record()
    try fixture.write("Readme.md", "after\n")
    try fixture.write("other.txt", "after\n")
    // What a file system that ignores case does with the other spelling; where this one does, both are there already.
    _ = link(fixture.work + "/Readme.md", fixture.work + "/README.MD")
    let changes = fixture.finish(baseline, tools: ["README.MD", "Other.txt"])
    let rows = changes.files.filter { $0.path == "Readme.md" || $0.path == "other.txt" }
    #expect(rows.first { $0.path == "Readme.md" }?.byTool == true)
    let isFolding = PrivateFiles.exists(fixture.work + "/OTHER.TXT")
    #expect(rows.first { $0.path == "other.txt" }?.byTool == (isFolding ? true : nil))
  }

  @Test("How names are shown")
  func shown() {
    #expect(WorkspacePath.shown(Array("plain ü.txt".utf8)) == "plain ü.txt")
    #expect(WorkspacePath.shown([0x63, 0x61, 0x66, 0xe9]) == #""caf\351""#)
    #expect(WorkspacePath.shown(Array("\"q".utf8)) == #""\"q""#)
    #expect(WorkspacePath.bytes("\"not closed") == Array("\"not closed".utf8))
    #expect(WorkspacePath.bytes(#""bad \x""#) == Array(#""bad \x""#.utf8))
    #expect(WorkspacePath.normalized(Array("a/./b//../c".utf8)) == Array("a/c".utf8))
    #expect(WorkspacePath.normalized(Array("a/../../b".utf8)) == nil)
  }

  @Test("The patch in pages is the whole patch, and no character is cut")
  func paging() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try fixture.write("a.txt", (1...200).map { "Zeile \($0): äöü € 🦉\n" }.joined())
      try fixture.write("latin.txt", [0xe4, 0xf6, 0x0a])
    }
    let whole = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 1 << 20)
    #expect(whole.nextOffset == nil)
    for limit in [4, 7, 97, 1000] {
      var (text, offset): (String, Int?) = ("", 0)
      var pages = 0
      while let from = offset, pages < (limit < 90 ? 20 : 10_000) {
        let page = try changes.patch(runFolder: fixture.run, git: GitFixture.git, offset: from, limit: limit)
        #expect(page.text.utf8.count <= 3 * limit)
        text += page.text
        offset = page.nextOffset
        pages += 1
      }
      #expect(limit < 90 ? whole.text.hasPrefix(text) : text == whole.text, "\(limit)")
    }
    let beyond = try changes.patch(runFolder: fixture.run, git: GitFixture.git, offset: 1 << 30, limit: 100)
    #expect(beyond.text == "" && beyond.nextOffset == nil)
  }

  @Test("The patch of chosen paths: what the run did, not what came later")
  func chosen() throws {
    let fixture = try GitFixture()
    try fixture.write("a.txt", "one\ndirty\nthree\n")
    let changes = try fixture.changes {
      try fixture.write("a.txt", "one\nby the run\nthree\n")
      try fixture.git("mv", "b.txt", "moved.txt")
      try fixture.write("dir/c.txt", "changed\n")
      try fixture.commit("all of it")
    }
    try fixture.write("a.txt", "by someone else\n")
    func patch(_ paths: [String]) throws -> String { try changes.patch(paths: paths, runFolder: fixture.run, git: GitFixture.git, limit: 10_000).text }
    let one = try patch(["a.txt"])
    #expect(one.contains("-dirty\n+by the run\n") && !one.contains("someone") && !one.contains("dir/c.txt"))
    #expect(try patch([fixture.path("dir")]).contains("a/dir/c.txt"))
    #expect(try patch(["moved.txt"]).contains("rename from b.txt"))
    #expect(try patch(["b.txt"]).contains("rename to moved.txt"))
    #expect(throws: WorkspaceError.self) { try patch(["nowhere.txt"]) }
    #expect(throws: WorkspaceError.self) { try patch(["../outside"]) }
    #expect(throws: WorkspaceError.self) { try changes.patch(runFolder: fixture.run, git: GitFixture.git, offset: -1, limit: 100) }
    #expect(throws: WorkspaceError.self) { try changes.patch(runFolder: fixture.run, git: nil, limit: 100) }
  }

  @Test("What changed since: deleted, recreated and touched files")
  func since() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      for name in ["a.txt", "dir/c.txt", "new.txt", "other.txt"] { try fixture.write(name, "by the run\n") }
      try fixture.remove("b.txt")
    }
    func since() -> [String]? { changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300)) }
    #expect(since() == [])
    try BytePaths.setModified(fixture.path("a.txt"), 1_000_000_000_000_000_000)
    try fixture.write("unrelated", "x\n")
    #expect(since() == [])
    try fixture.write("b.txt", "back\n")
    try fixture.remove("new.txt")
    try fixture.executable("other.txt")
    try fixture.write("dir/c.txt", "by someone\n")
    #expect(since() == ["b.txt", "dir/c.txt", "new.txt", "other.txt"])
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(-1)) == nil)
  }

  @Test("Uncommitted changes against HEAD, without a run")
  func uncommitted() throws {
    let fixture = try GitFixture()
    try fixture.write("staged.txt", "s\n")
    try fixture.git("add", "staged.txt")
    try fixture.write("a.txt", "one\n2\nthree\n")
    try fixture.write("new.txt", "n\n")
    try fixture.remove("b.txt")
    let before = try fixture.fingerprint()
    try ChangedFiles.withUncommitted(cwd: fixture.path("dir"), git: GitFixture.git, deadline: .after(300)) { changes, folder throws in
      #expect(changes.root == fixture.work && changes.basis == "HEAD")
      #expect(changes.lines == ["M a.txt", "D b.txt", "A new.txt", "A staged.txt"])
      #expect(changes.exact)
      let patch = try changes.patch(paths: ["a.txt"], runFolder: folder, git: GitFixture.git, limit: 1000)
      #expect(patch.text.contains("-two\n+2\n"))
    }
    try expectSame(before, fixture.fingerprint())
    #expect(throws: WorkspaceError.self) { try ChangedFiles.uncommitted(cwd: fixture.top, git: GitFixture.git, deadline: .after(300)) }
    #expect(throws: WorkspaceError.self) { try ChangedFiles.uncommitted(cwd: fixture.work, git: nil, deadline: .after(300)) }
  }

  @Test("A change in the same instant, of the same size, is never missed")
  func racing() throws {
    let fixture = try GitFixture()
    for round in 0..<15 {
      try fixture.write("b.txt", "staged \(round % 10)\n")
      try fixture.git("add", "b.txt")
      try fixture.write("b.txt", "before \(round % 10)\n")
      let baseline = fixture.record()
      #expect(fixture.finish(baseline).lines == [])
      try fixture.write("b.txt", "during \(round % 10)\n")
      let changes = fixture.finish(baseline)
      #expect(changes.lines == ["M* b.txt"])
      let patch = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 1000).text
      #expect(patch.contains("-before \(round % 10)\n+during \(round % 10)\n"))
      try fixture.write("b.txt", "before \(round % 10)\n")
      #expect(fixture.finish(baseline).lines == [])
    }
  }

  @Test("Line endings that git converts: a file written again as it was hasn't changed")
  func lineEndings() throws {
    let fixture = try GitFixture()
    try fixture.write("crlf.txt", "1\r\n2\r\n")
    try fixture.commit("with carriage returns")
    try fixture.git("config", "core.autocrlf", "true")
    let changes = try fixture.changes {
      try fixture.write("crlf.txt", "?")
      try fixture.write("crlf.txt", "1\r\n2\r\n")
      try fixture.write("b.txt", "b\r\nc\r\n")
    }
    #expect(changes.lines == ["M b.txt"])
    #expect(changes.files[0].added == 1 && changes.files[0].removed == 0)
  }

  @Test("The measuring used by the benchmark")
  func measure() throws {
    let fixture = try GitFixture()
    let measured = try WorkspaceMeasure.run(cwd: fixture.work, git: GitFixture.git) { try fixture.write("a.txt", "changed\n") }
    #expect(measured.files == 1 && measured.exact && measured.record > 0 && measured.finish > 0)
  }

  @Test("A damaged index is an error, never a crash")
  func damagedIndex() throws {
    let fixture = try GitFixture()
    let bytes = try PrivateFiles.read(fixture.path(".git/index"))
    #expect(try GitIndex(bytes, idLength: 20).entries.count == 3)
    for length in 0..<bytes.count { _ = try? GitIndex(Array(bytes[..<length]), idLength: 20) }
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 0xff
      _ = try? GitIndex(damaged, idLength: 20)
    }
    #expect(throws: WorkspaceError.self) { try GitIndex(Array("DIRC".utf8), idLength: 20) }
    try fixture.git("update-index", "--index-version", "4")
    let fourth = try GitIndex(PrivateFiles.read(fixture.path(".git/index")), idLength: 20)
    #expect(fourth.entries.map { WorkspacePath.shown(fourth.path($0)) } == ["a.txt", "b.txt", "dir/c.txt"])
  }
}
