import Foundation
import PosixSupport
import TestSupport
import Testing

/// Ways in which a change could go unseen while the list said that it was exact.
@Suite(.blocking) struct ChangedFilesSilentLossTests {
  @Test("Files hidden by .git/info/exclude, written during the run")
  func exclude() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try fixture.write(".git/info/exclude", "evil*\n")
      try fixture.write("evil.sh", "x\n")
      try fixture.write("dir/evil.sh", "x\n")
    }
    #expect(changes.lines == ["A dir/evil.sh", "A evil.sh"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("Exclusions taken away during the run: what was there before hasn't been added, what is new has")
  func excludeTakenAway() throws {
    let fixture = try GitFixture()
    try fixture.write(".git/info/exclude", "*.log\n")
    try fixture.write("old.log", "x\n")
    let changes = try fixture.changes {
      try fixture.write(".git/info/exclude", "")
      try fixture.write("new.log", "x\n")
    }
    #expect(changes.lines == ["A new.log"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("A folder that ignores itself, by a rule written during the run")
  func selfIgnored() throws {
    let fixture = try GitFixture()
    try fixture.write(".gitignore", "build/\n*.o\n")
    try fixture.write("build/old.bin", "x\n")
    try fixture.commit("ignore")
    let changes = try fixture.changes {
      try fixture.write("cache/.gitignore", "*\n")
      try fixture.write("cache/tool.sh", "x\n")
      // Ignored by rules of the user's own: as ever, not listed.
      try fixture.write("build/new.bin", "x\n")
      try fixture.write("x.o", "x\n")
    }
    #expect(changes.lines == ["A cache/.gitignore", "A cache/tool.sh"])
    #expect(changes.files.allSatisfy { $0.ignored == true })
    #expect(changes.exact, "\(changes.why ?? "")")
    let patch = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 4000)
    #expect(patch.text.contains("b/cache/tool.sh"))
  }

  @Test("Many files that a new rule hides are counted, and the list isn't exact")
  func manyHidden() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try fixture.write("venv/.gitignore", "*\n")
      for number in 0..<150 { try fixture.write("venv/lib/m\(number).py", "x\n") }
    }
    #expect(changes.lines == [])
    #expect(!changes.exact && changes.why?.contains("venv/ (151)") == true, "\(changes.why ?? "")")
  }

  @Test("A nested repository that ignores itself, new or already there")
  func nestedIgnoringItself() throws {
    let fixture = try GitFixture()
    try fixture.git("init", "-q", "old")
    try fixture.write("old/kept.txt", "x\n")
    let changes = try fixture.changes {
      try fixture.write("old/.gitignore", "*\n")
      try fixture.write("old/evil.sh", "x\n")
      try fixture.git("init", "-q", "new")
      try fixture.write("new/.gitignore", "*\n")
      try fixture.write("new/evil.sh", "x\n")
      try fixture.git("init", "-q", "other")
      try fixture.write("other/.git/info/exclude", "*\n")
      try fixture.write("other/evil.sh", "x\n")
    }
    #expect(changes.lines == ["A new/.gitignore", "A new/evil.sh", "A old/.gitignore", "A old/evil.sh", "A other/evil.sh"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("The work tree replaced by a link to where it is now")
  func replacedByLink() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try FileManager.default.moveItem(atPath: fixture.work, toPath: fixture.top + "/moved")
      try FileManager.default.createSymbolicLink(atPath: fixture.work, withDestinationPath: fixture.top + "/moved")
      try fixture.write("a.txt", "changed\n")
    }
    #expect(changes.lines == ["M a.txt"])
    #expect(!changes.exact && changes.why?.contains("replaced by a link") == true, "\(changes.why ?? "")")
  }

  @Test("A file named through a symlinked folder, or through a symlink: one row, with byTool")
  func symlinkedFolder() throws {
    let fixture = try GitFixture()
    try fixture.link("alias", to: "dir")
    try fixture.link("other.txt", to: "a.txt")
    try fixture.commit("links")
    let changes = try fixture.changes(tools: ["alias/c.txt", "alias/new.txt", fixture.work + "/other.txt"]) {
      try fixture.write("alias/c.txt", "changed\n")
      try fixture.write("alias/new.txt", "new\n")
      try fixture.write("other.txt", "changed\n")
    }
    #expect(changes.lines == ["M a.txt", "M dir/c.txt", "A dir/new.txt"])
    #expect(changes.files.allSatisfy { $0.byTool == true && $0.ignored == nil })
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("An ignored file that a subagent's tool named, known only after the comparison")
  func namedLater() throws {
    let fixture = try GitFixture()
    try fixture.write(".gitignore", ".env\n")
    try fixture.commit("ignore")
    let baseline = fixture.record()
    try fixture.write(".env", "x\n")
    try fixture.write("a.txt", "changed\n")
    var changes = fixture.finish(baseline)
    #expect(changes.lines == ["M a.txt"])
    baseline.addNamed([".env", "a.txt"], to: &changes, runFolder: fixture.run)
    #expect(changes.lines == ["A .env", "M a.txt"])
    #expect(changes.files.map(\.ignored) == [true, nil] && changes.files.allSatisfy { $0.byTool == true })
  }

  @Test("Names that differ in their normal form only are two files", arguments: ["sha1", nil])
  func normalForms(format: String?) throws {
    let fixture = try GitFixture(format: format)
    let (one, other) = ("caf\u{e9}.txt", "cafe\u{301}.txt")
    let changes = try fixture.changes(tools: [one]) {
      try fixture.write(one, "composed\n")
      try fixture.write(other, "decomposed\n")
    }
    try #require(FileFacts.of(Array(fixture.path(one).utf8))?.inode != FileFacts.of(Array(fixture.path(other).utf8))?.inode)
    #expect(changes.files.map { Array($0.path.utf8) } == [Array(other.utf8), Array(one.utf8)])
    #expect(changes.files.map(\.byTool) == [nil, true])
    try fixture.write(one, "changed again, and longer\n")
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300))?.map { Array($0.utf8) } == [Array(one.utf8)])
    guard format != nil else { return }
    let patch = try changes.patch(paths: [other, one], runFolder: fixture.run, git: GitFixture.git, limit: 4000)
    #expect(patch.text.contains("decomposed") && patch.text.contains("+composed"))
  }

  @Test("A folder that can't be read", .enabled(if: getuid() != 0, "whoever is root can read everything"))
  func unreadableFolder() throws {
    let fixture = try GitFixture()
    let baseline = fixture.record()
    try fixture.write("closed/new.txt", "x\n")
    chmod(fixture.path("closed"), 0)
    defer { chmod(fixture.path("closed"), 0o700) }
    let changes = fixture.finish(baseline)
    #expect(!changes.exact && changes.why?.contains("could not open directory 'closed/'") == true, "\(changes.why ?? "")")
  }

  @Test("What git says on stderr while it succeeds is a doubt")
  func warnings() throws {
    let fixture = try GitFixture()
    let git = "\(fixture.top)/git"
    try fixture.program(
      git,
      "#!/bin/sh\ncase \"$*\" in *-o*--exclude-standard) echo \"warning: could not open directory 'x/': Permission denied\" >&2;; esac\nexec /usr/bin/git \"$@\"\n"
    )
    let baseline = fixture.record(git: git)
    #expect(baseline.why == "git couldn't look at everything: could not open directory 'x/': Permission denied")
  }

  @Test(
    "FIFOs where git and we look for files don't hold anything up", .waiting,
    arguments: ["shallow", "info/exclude", "objects/info/alternates", "logs/refs/stash"])
  func fifos(name: String) throws {
    let fixture = try GitFixture()
    // git itself hangs on some of them, and is ended then. That it comes back at all is what is shown.
    let changes = try fixture.changes(seconds: 20) {
      try? FileManager.default.removeItem(atPath: fixture.path(".git/\(name)"))
      try FileManager.default.createDirectory(
        atPath: (fixture.path(".git/\(name)") as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      #expect(mkfifo(fixture.path(".git/\(name)"), 0o600) == 0)
      try fixture.write("a.txt", "changed\n")
    }
    #expect(changes.lines == ["M a.txt"] || !changes.exact)
    let again = fixture.record(deadline: .after(5))
    #expect(again.kind == .git || again.why != nil)
  }
}
