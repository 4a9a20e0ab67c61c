import Foundation
import TestSupport
import Testing

/// What a run does to the user's work and to the repository itself.
@Suite(.blocking) struct RepositoryChangesTests {
  /// A modified, a staged, a deleted and an untracked file.
  private static func dirty() throws -> GitFixture {
    let fixture = try GitFixture()
    try fixture.write("a.txt", "one\nmine\nthree\n")
    try fixture.write("b.txt", "staged\n")
    try fixture.git("add", "b.txt")
    try fixture.write("new.txt", "untracked\n")
    return fixture
  }

  @Test("Uncommitted work thrown away", arguments: ["checkout", "reset", "stash", "clean"])
  func thrownAway(how: String) throws {
    let fixture = try Self.dirty()
    let changes = try fixture.changes {
      switch how {
      case "checkout": try fixture.git("checkout", "--", ".")
      case "reset": try fixture.git("reset", "-q", "--hard")
      case "stash": try fixture.git("stash", "-q", "-u")
      default: try fixture.git("clean", "-qfd")
      }
    }
    let expected: [String: [String]] = [
      "checkout": ["a.txt"], "reset": ["a.txt", "b.txt"], "stash": ["a.txt", "b.txt", "new.txt"], "clean": ["new.txt"],
    ]
    #expect(changes.lostWork.map(\.path) == expected[how])
    #expect(changes.exact, "\(changes.why ?? "")")
    let patch = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 10_000).text
    #expect(patch.contains(how == "clean" ? "-untracked" : "-mine"))
    #expect(changes.refs.map(\.kind) == (how == "stash" ? [.added] : []))
  }

  @Test("Work that was changed, moved or committed isn't gone")
  func kept() throws {
    let fixture = try Self.dirty()
    let changes = try fixture.changes {
      try fixture.write("a.txt", "one\nmine\nthree\nfour\n")
      try fixture.git("mv", "-f", "b.txt", "moved.txt")
      try fixture.commit("all of it")
      try fixture.write("new.txt", "untracked\nand more\n")
    }
    #expect(changes.lostWork.isEmpty, "\(changes.lostWork.map(\.path))")
    #expect(changes.rewritten == false && changes.refs.isEmpty)
    #expect(changes.commits.map(\.subject) == ["all of it"])
  }

  @Test("Branches whose names differ in their normal form only")
  func normalForms() throws {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    let fixture = try GitFixture()
    try fixture.git("branch", decomposed)
    try fixture.git("switch", "-qc", composed)
    // On a disk that takes them for one name they are one branch.
    guard try fixture.git("for-each-ref", "refs/heads").split(separator: "\n").count == 3 else { return }
    let changes = try fixture.changes {
      try fixture.git("switch", "-q", decomposed)
      try fixture.git("branch", "-q", "-D", composed)
    }
    #expect(changes.refs.map(\.kind) == [.deleted] && changes.switchedBranch)
    #expect(changes.refs.first.map { Array($0.name.utf8) } == Array("refs/heads/\(composed)".utf8))
  }

  @Test("Of many commits some are listed and all are counted")
  func manyCommits() throws {
    let fixture = try GitFixture()
    let changes = try fixture.changes { for number in 0..<203 { try fixture.git("commit", "-q", "--allow-empty", "-m", "\(number)") } }
    #expect(changes.commits.count == 200 && changes.commitCount == 203)
    #expect(changes.commits.first?.subject == "202")
  }

  @Test("Put back to another commit that was there already")
  func otherCommit() throws {
    let fixture = try GitFixture()
    try fixture.git("branch", "old")
    try fixture.write("a.txt", "second\n")
    try fixture.commit("second")
    try fixture.write("a.txt", "mine\n")
    let changes = try fixture.changes { try fixture.git("reset", "-q", "--hard", "old") }
    #expect(changes.lostWork.map(\.path) == ["a.txt"])
    #expect(changes.rewritten == true)
    #expect(changes.refs.map(\.name) == ["refs/heads/main"] && changes.refs.first?.kind == .rewritten)
  }

  @Test(
    "Put back to what an older commit holds",
    arguments: [
      ["reset", "-q", "--hard", "HEAD~1"], ["restore", "-s", "HEAD~1", "a.txt"], ["checkout", "HEAD~1", "--", "a.txt"],
      ["switch", "-q", "-f", "--detach", "HEAD~1"],
    ])
  func olderVersion(words: [String]) throws {
    let fixture = try GitFixture()
    try fixture.write("a.txt", "second\n")
    try fixture.commit("second")
    try fixture.write("a.txt", "mine\n")
    let changes = try fixture.changes { try fixture.git(list: words) }
    #expect(changes.lostWork.map(\.path) == ["a.txt"])
  }

  @Test("A change that the user's git is told not to see", arguments: ["core.trustctime=false", "core.checkStat=minimal"])
  func hiddenByTime(setting: String) throws {
    let fixture = try GitFixture()
    let words = setting.split(separator: "=").map(String.init)
    try fixture.git("config", words[0], words[1])
    func touch() { utimes(fixture.path("b.txt"), [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]) }
    touch()
    try fixture.git("status")
    // git compares whole seconds.
    usleep(1_100_000)
    let changes = try fixture.changes {
      try fixture.write("b.txt", "c\n")
      touch()
    }
    #expect(changes.lines == ["M b.txt"])
  }

  @Test("The repository itself is taken away")
  func repositoryGone() throws {
    let fixture = try GitFixture()
    try fixture.git("branch", "side")
    let changes = try fixture.changes { try fixture.remove(".git") }
    #expect(!changes.exact && changes.rewritten == true)
    #expect(changes.refs.map(\.name).sorted() == ["refs/heads/main", "refs/heads/side"] && changes.refs.allSatisfy { $0.kind == .deleted })
  }

  @Test("A commit in a linked work tree inside is one commit")
  func linkedWorkTree() throws {
    let fixture = try GitFixture()
    try fixture.git("worktree", "add", "-q", "inside", "-b", "w")
    let changes = try fixture.changes {
      try fixture.write("inside/new.txt", "new\n")
      try fixture.commit("one", folder: "inside")
    }
    #expect(changes.commits.map(\.subject) == ["one"])
  }

  @Test("History rewritten, or only continued", arguments: ["amend", "reset", "rebase", "commit", "switch", "detached", "prune"])
  func rewritten(how: String) throws {
    let fixture = try GitFixture()
    try fixture.git("branch", "side")
    try fixture.write("a.txt", "second\n")
    try fixture.commit("second")
    let changes = try fixture.changes {
      switch how {
      case "amend": try fixture.git("commit", "-q", "--amend", "-m", "other words")
      case "reset": try fixture.git("reset", "-q", "--hard", "HEAD~1")
      case "rebase": try fixture.git("rebase", "-q", "--root", "--exec", "git commit -q --amend -m x")
      case "commit": try fixture.commit("third")
      case "switch":
        try fixture.git("checkout", "-q", "side")
        try fixture.commit("on the side")
      case "detached": try fixture.git("checkout", "-q", "--detach", "HEAD~1")
      default:
        try fixture.git("commit", "-q", "--amend", "-m", "other words")
        try fixture.git("reflog", "expire", "--expire=now", "--all")
        try fixture.git("gc", "-q", "--prune=now")
      }
    }
    #expect(changes.rewritten == ["amend", "reset", "rebase", "prune"].contains(how), "\(String(describing: changes.rewritten)) \(changes.why ?? "")")
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("Branches, tags and stashes that are gone; a push")
  func refs() throws {
    let fixture = try GitFixture()
    try fixture.git("init", "-q", "--bare", fixture.top + "/remote.git", folder: fixture.top)
    try fixture.git("remote", "add", "origin", fixture.top + "/remote.git")
    try fixture.git("push", "-q", "-u", "origin", "main")
    for name in ["gone", "kept"] { try fixture.git("branch", name) }
    try fixture.git("tag", "v1")
    for text in ["first", "second"] {
      try fixture.write("a.txt", "\(text)\n")
      try fixture.git("stash", "push", "-q", "-m", text)
    }
    let changes = try fixture.changes {
      try fixture.git("branch", "-q", "-D", "gone")
      try fixture.git("tag", "-d", "v1")
      try fixture.git("stash", "drop", "-q", "stash@{1}")
      try fixture.commit("pushed")
      try fixture.git("push", "-q", "origin", "main")
    }
    let refs = changes.refs.map { "\($0.kind.rawValue) \($0.name)\($0.by.map { " by \($0)" } ?? "")" }
    #expect(Set(refs) == ["deleted refs/heads/gone", "deleted refs/tags/v1", "deleted On main: first", "remote refs/remotes/origin/main by push"])
    #expect(changes.rewritten == false)
  }

  @Test("Ignored files that are gone")
  func ignoredGone() throws {
    let fixture = try GitFixture()
    try fixture.write(".gitignore", ".env\nmodules/\n")
    try fixture.commit("ignore")
    try fixture.write(".env", "SECRET\n")
    try fixture.write("modules/x", "x\n")
    let changes = try fixture.changes { try fixture.git("clean", "-qfdx") }
    #expect(changes.ignoredGone.sorted() == [".env", "modules/"])
    #expect(changes.lines == [])
  }
}
