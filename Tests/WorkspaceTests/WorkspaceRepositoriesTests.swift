import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// Repositories of every kind, and repositories in repositories.
@Suite(.blocking) struct WorkspaceRepositoriesTests {
  @Test("A subfolder of a repository: the whole repository is looked at")
  func subfolder() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes(cwd: "dir", tools: ["c.txt", "../b.txt", fixture.path("a.txt"), "/etc/passwd", "../../x"]) {
      for name in ["a.txt", "b.txt", "dir/c.txt", "dir/by-shell.txt"] { try fixture.write(name, "changed\n") }
    }
    #expect(changes.root == fixture.work)
    #expect(changes.lines.filter { !$0.contains(" /") } == ["M a.txt", "M b.txt", "A dir/by-shell.txt", "M dir/c.txt"])
    #expect(Set(changes.files.filter { $0.outside == true }.map(\.path)) == ["/etc/passwd", fixture.top + "/x"])
    #expect(changes.files.filter { $0.byTool == true && $0.outside != true }.map(\.path) == ["a.txt", "b.txt", "dir/c.txt"])
    #expect(changes.exact)
  }

  @Test("A cwd given through a symlink, and tool paths too")
  func symlinkedFolder() throws {
    let fixture = try GitFixture()
    try FileManager.default.createSymbolicLink(atPath: "\(fixture.top)/alias", withDestinationPath: fixture.work)
    let baseline = WorkspaceBaseline.record(cwd: "\(fixture.top)/alias/dir", runFolder: fixture.run, git: GitFixture.git, deadline: .after(20))
    try fixture.write("dir/c.txt", "changed\n")
    let changes = fixture.finish(baseline, tools: ["\(fixture.top)/alias/dir/c.txt"])
    #expect(changes.root == fixture.work)
    #expect(changes.files.map(\.byTool) == [true])
  }

  @Test("A linked worktree")
  func linkedWorktree() throws {
    let fixture = try GitFixture()
    try fixture.git("worktree", "add", "-q", "-b", "linked", "\(fixture.top)/linked")
    try fixture.write(".git/info/exclude", "*.ign\n")
    let linked = "\(fixture.top)/linked"
    let changes = try fixture.changes(cwd: linked) {
      try fixture.write("\(linked)/a.txt", "changed\n")
      try fixture.write("\(linked)/x.ign", "ignored\n")
      try fixture.commit("in the linked one", folder: linked)
      try fixture.write("b.txt", "elsewhere\n")
    }
    #expect(changes.root == linked)
    #expect(changes.lines == ["M a.txt"])
    #expect(changes.commits.map(\.subject) == ["in the linked one"])
    #expect(changes.branchBefore == "linked" && changes.branchAfter == "linked")
    #expect(changes.exact)
  }

  @Test("A repository without a commit", arguments: ["sha1", "sha256"])
  func unborn(format: String) throws {
    let fixture = try GitFixture(format: format, withCommit: false)
    try fixture.write("old.txt", "old\n")
    let changes = try fixture.changes {
      try fixture.write("new.txt", "new\n")
      try fixture.commit("the first")
    }
    #expect(changes.lines == ["A new.txt"])
    #expect(changes.headBefore == nil && changes.headAfter != nil)
    #expect(changes.branchBefore == "main" && changes.branchAfter == "main")
    #expect(changes.commits.map(\.subject) == ["the first"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("A SHA-256 repository")
  func longNames() throws {
    let fixture = try GitFixture(format: "sha256")
    let changes = try fixture.changes {
      try fixture.write("a.txt", "one\ntwo\n")
      try fixture.commit("work")
    }
    #expect(changes.lines == ["M a.txt"])
    #expect(changes.files[0].added == 0 && changes.files[0].removed == 1)
    #expect(changes.commits.map(\.id.count) == [64])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("Commits, and the branch before and after")
  func commits() throws {
    let fixture = try GitFixture()
    try fixture.git("branch", "old-branch")
    let changes = try fixture.changes {
      try fixture.git("checkout", "-qb", "feature")
      try fixture.write("a.txt", "1\n")
      try fixture.commit("one")
      try fixture.write("a.txt", "2\n")
      try fixture.commit("two\n\nwith a body")
      try fixture.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
      try fixture.git("checkout", "-q", "old-branch")
    }
    #expect(changes.commits.map(\.subject) == ["", "two", "one"])
    #expect(changes.lines == [])
    #expect(changes.branchBefore == "main" && changes.branchAfter == "old-branch")
    #expect(changes.headBefore == changes.headAfter)
  }

  @Test("An amended commit is one new commit, a detached HEAD no branch")
  func amended() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes {
      try fixture.git("checkout", "-q", "--detach")
      try fixture.git("commit", "-q", "--amend", "-m", "amended")
    }
    #expect(changes.commits.map(\.subject) == ["amended"])
    #expect(changes.branchBefore == "main" && changes.branchAfter == nil)
    #expect(changes.headBefore != changes.headAfter)
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("Commits that were only fetched or checked out aren't new")
  func switched() throws {
    let fixture = try GitFixture()
    try fixture.git("checkout", "-qb", "side")
    try fixture.write("side.txt", "s\n")
    try fixture.commit("before the run")
    try fixture.git("checkout", "-q", "main")
    let changes = try fixture.changes { try fixture.git("merge", "-q", "side") }
    #expect(changes.commits == [])
    #expect(changes.lines == ["A side.txt"])
  }

  @Test("Changes in a submodule, with and without a commit there", arguments: [false, true])
  func submodule(commits: Bool) throws {
    let inner = try GitFixture()
    let fixture = try GitFixture()
    try fixture.git("submodule", "--quiet", "add", inner.work, "lib/sub")
    try fixture.commit("submodule")
    try fixture.write("lib/sub/b.txt", "dirty\n")
    let changes = try fixture.changes(tools: ["lib/sub/new.txt"]) {
      try fixture.write("lib/sub/a.txt", "changed\n")
      try fixture.write("lib/sub/b.txt", "dirtier\n")
      try fixture.write("lib/sub/new.txt", "n\n")
      if commits { try fixture.commit("inside", folder: "lib/sub") }
    }
    #expect(changes.lines == ["M lib/sub/a.txt", "M* lib/sub/b.txt", "A lib/sub/new.txt"])
    #expect(changes.files.map(\.byTool) == [nil, nil, true])
    #expect(changes.commits.map(\.repository) == (commits ? ["lib/sub"] : []))
    #expect(changes.exact, "\(changes.why ?? "")")
    let patch = try changes.patch(paths: ["lib/sub/a.txt"], runFolder: fixture.run, git: GitFixture.git, limit: 10_000)
    #expect(patch.text.contains("+++ b/lib/sub/a.txt") && patch.text.contains("+changed") && !patch.text.contains("dirtier"))
  }

  @Test("Changes in a nested repository, with and without a commit", arguments: [false, true])
  func nested(hasCommit: Bool) throws {
    let fixture = try GitFixture()
    try fixture.write("nested/x.txt", "x\n")
    try fixture.git("init", "-q", folder: "nested")
    if hasCommit { try fixture.commit("inside", folder: "nested") }
    let changes = try fixture.changes {
      try fixture.write("a.txt", "changed\n")
      try fixture.write("nested/x.txt", "changed\n")
      try fixture.write("nested/y.txt", "y\n")
    }
    #expect(changes.lines == ["M a.txt", hasCommit ? "M nested/x.txt" : "M* nested/x.txt", "A nested/y.txt"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("A nested repository made by the run, one deleted, one whose .git is removed")
  func nestedComeAndGo() throws {
    let fixture = try GitFixture()
    for name in ["gone", "plain"] {
      try fixture.write("\(name)/x.txt", "x of \(name)\n")
      try fixture.git("init", "-q", folder: name)
      try fixture.commit("inside", folder: name)
    }
    let changes = try fixture.changes {
      try fixture.write("made/m.txt", "m\n")
      try fixture.git("init", "-q", folder: "made")
      try fixture.remove("gone")
      try fixture.remove("plain/.git")
      try fixture.write("plain/y.txt", "y\n")
    }
    #expect(changes.lines == ["D gone/x.txt", "A made/m.txt", "A plain/y.txt"])
    #expect(changes.why?.contains("plain itself is gone") == true)
    let patch = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 10_000)
    #expect(patch.text.contains("# gone/x.txt: deleted") && patch.text.contains("+++ b/made/m.txt") && patch.text.contains("+++ b/plain/y.txt"))
  }

  @Test("Repositories two levels down are named, not passed over")
  func twoLevels() throws {
    let fixture = try GitFixture()
    for name in ["one", "one/two"] {
      try fixture.write("\(name)/x.txt", "x\n")
      try fixture.git("init", "-q", folder: name)
    }
    let changes = try fixture.changes {}
    #expect(!changes.exact)
    #expect(changes.why?.contains("one/two") == true)
  }

  @Test("A submodule replaced by a file, and one initialised by the run")
  func submoduleReplaced() throws {
    let inner = try GitFixture()
    let fixture = try GitFixture()
    for name in ["first", "second"] { try fixture.git("submodule", "--quiet", "add", inner.work, name) }
    try fixture.commit("submodules")
    try fixture.git("submodule", "--quiet", "deinit", "-f", "second")
    let changes = try fixture.changes {
      try fixture.remove("first")
      try fixture.write("first", "a file now\n")
      try fixture.git("submodule", "--quiet", "update", "--init", "second")
    }
    #expect(changes.lines == ["A first", "D first/a.txt", "D first/b.txt", "D first/dir/c.txt", "A second/a.txt", "A second/b.txt", "A second/dir/c.txt"])
  }

  @Test("A partial clone: nothing is fetched, nothing is missing")
  func partialClone() throws {
    let origin = try GitFixture()
    try origin.write("a.txt", "newer\n")
    try origin.commit("second")
    try origin.git("config", "uploadpack.allowFilter", "true")
    let fixture = try GitFixture(format: nil)
    try fixture.git("clone", "-q", "--filter=blob:none", "--sparse", "file://\(origin.work)", fixture.path("clone"))
    let before = try fixture.fingerprint("clone/.git")
    let baseline = fixture.record(cwd: "clone")
    #expect(baseline.exact, "\(baseline.why ?? "")")
    try fixture.write("clone/a.txt", "changed\n")
    try fixture.write("clone/dir/c.txt", "where the blob was never fetched\n")
    let changes = fixture.finish(baseline)
    #expect(changes.lines == ["M a.txt", "A dir/c.txt"])
    #expect(try fixture.fingerprint("clone/.git") == before)
  }

  @Test("A shallow clone's new commits")
  func shallow() throws {
    let origin = try GitFixture()
    for number in 1...3 { try origin.git("commit", "-q", "--allow-empty", "-m", "number \(number)") }
    let fixture = try GitFixture(format: nil)
    try fixture.git("clone", "-q", "--depth=1", "file://\(origin.work)", fixture.path("clone"))
    let changes = try fixture.changes(cwd: "clone") { try fixture.git("commit", "-q", "--allow-empty", "-m", "new", folder: "clone") }
    #expect(changes.commits.map(\.subject) == ["new"])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("The user's own alternates, relative ones too, and odd folder names")
  func alternates() throws {
    let fixture = try GitFixture(format: nil)
    let origin = try GitFixture()
    try fixture.git("clone", "-q", "--shared", origin.work, fixture.path("odd \"name\"\nof a folder\\"))
    let clone = fixture.path("odd \"name\"\nof a folder\\")
    let changes = try fixture.changes(cwd: clone) { try fixture.write("\(clone)/a.txt", "one\nTWO\nthree\n") }
    #expect(changes.root == clone)
    #expect(changes.lines == ["M a.txt"])
    #expect(changes.files.map(\.added) == [1])
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("git-lfs and its like: the bytes on disk are compared, no filter runs")
  func filters() throws {
    let fixture = try GitFixture()
    let marker = "\(fixture.top)/ran"
    try fixture.write(".gitattributes", "*.bin filter=lfs -text\n")
    try fixture.git("config", "filter.lfs.clean", "echo pointer")
    try fixture.git("config", "filter.lfs.smudge", "cat")
    try fixture.write("same.bin", "raw content\n")
    try fixture.write("changed.bin", "raw content 2\n")
    try fixture.write("back.bin", "raw content 3\n")
    try fixture.write("large.bin", [UInt8](repeating: 1, count: Int(HashBudget.file) + 1))
    try fixture.write("large2.bin", [UInt8](repeating: 2, count: Int(HashBudget.file) + 1))
    // Of files as young as the index git doesn't trust the times, and without the filter it can't tell.
    for name in ["same", "changed", "back", "large", "large2"] { try BytePaths.setModified(fixture.path("\(name).bin"), 1_700_000_000_000_000_000) }
    try fixture.commit("with lfs")
    #expect(try fixture.git("show", "HEAD:same.bin") == "pointer")
    try fixture.git("config", "filter.lfs.clean", "touch \(marker); cat")
    try fixture.git("config", "filter.lfs.process", "touch \(marker)")
    try fixture.git("config", "filter.lfs.required", "true")
    let changes = try fixture.changes {
      try fixture.write("changed.bin", "raw content of the run\n")
      try fixture.write("back.bin", "?")
      try fixture.write("back.bin", "raw content 3\n")
      try fixture.write("new.bin", "new\n")
      try fixture.write("large2.bin", [UInt8](repeating: 3, count: Int(HashBudget.file) + 2))
    }
    #expect(changes.lines == ["M changed.bin", "M large2.bin", "A new.bin"])
    #expect(changes.files[0].added == 1 && changes.files[0].removed == 1)
    let uncommitted = try ChangedFiles.uncommitted(cwd: fixture.work, git: GitFixture.git, deadline: .after(20))
    #expect(uncommitted.lines.contains("M* same.bin") == false && uncommitted.lines.contains("M changed.bin"), "\(uncommitted.lines)")
    #expect(!uncommitted.lines.contains("M same.bin") && !uncommitted.lines.contains("M large.bin"))
    #expect(!PrivateFiles.exists(marker))
  }
}
