import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// One case: what the workspace was like before, what the run did, and what the review says.
struct ChangeCase: Sendable, CustomTestStringConvertible {
  let name: String
  let expected: [String]
  var tools: [String] = []
  let before: @Sendable (GitFixture) throws -> Void
  let during: @Sendable (GitFixture) throws -> Void

  var testDescription: String { name }

  init(
    _ name: String, _ expected: [String], tools: [String] = [], before: @escaping @Sendable (GitFixture) throws -> Void = { _ in },
    during: @escaping @Sendable (GitFixture) throws -> Void
  ) {
    self.name = name
    self.expected = expected
    self.tools = tools
    self.before = before
    self.during = during
  }

  /// Plays it in a repository of its own, and expects its rows and that they are exact.
  func played() throws -> (fixture: GitFixture, changes: ChangedFiles) {
    let fixture = try GitFixture()
    try before(fixture)
    // Times that tell before from after even on a coarse clock.
    usleep(12_000)
    let changes = try fixture.changes(tools: tools) { try during(fixture) }
    #expect(changes.lines == expected)
    #expect(changes.exact, "\(changes.why ?? "")")
    return (fixture, changes)
  }
}

private let dirty: @Sendable (GitFixture) throws -> Void = {
  try $0.write("a.txt", "one\ntwo changed\nthree\n")
  try $0.write("new.txt", "untracked\n")
}

@Suite(.blocking) struct ChangedFilesTests {
  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let cases: [ChangeCase] = [
    ChangeCase("nothing", []) { _ in },
    ChangeCase("dirty and untracked before, untouched", [], before: dirty) { _ in },
    ChangeCase("dirty before and changed again", ["M* a.txt", "M* new.txt"], before: dirty) {
      try $0.write("a.txt", "one\nagain\nthree\n")
      try $0.write("new.txt", "changed\n")
    },
    ChangeCase(
      "staged before, changed again", ["M* a.txt"],
      before: {
        try dirty($0)
        try $0.git("add", "-A")
      }
    ) { try $0.write("a.txt", "x\n") },
    ChangeCase("changed and changed back", [], before: dirty) {
      try $0.write("b.txt", "other\n")
      try $0.write("b.txt", "b\n")
      try $0.write("a.txt", "?")
      try $0.write("a.txt", "one\ntwo changed\nthree\n")
    },
    ChangeCase("put back to what is committed", ["M* a.txt"], before: dirty) { try $0.write("a.txt", "one\ntwo\nthree\n") },
    ChangeCase("added, modified, deleted", ["M a.txt", "D b.txt", "A dir/new.txt"]) {
      try $0.write("a.txt", "one\n")
      try $0.remove("b.txt")
      try $0.write("dir/new.txt", "n\n")
    },
    ChangeCase("untracked before, deleted", ["D* new.txt"], before: dirty) { try $0.remove("new.txt") },
    ChangeCase("a folder deleted", ["D dir/c.txt"]) { try $0.remove("dir") },
    ChangeCase("renamed", ["R a.txt -> z.txt"]) { try $0.git("mv", "a.txt", "z.txt") },
    ChangeCase("renamed by the shell, dirty before", ["R* a.txt -> dir/z.txt"], before: dirty) {
      try FileManager.default.moveItem(atPath: $0.path("a.txt"), toPath: $0.path("dir/z.txt"))
    },
    ChangeCase("made executable", ["M b.txt"]) { try $0.executable("b.txt") },
    ChangeCase(
      "symlinks made, turned and deleted", ["M link", "D old", "A fresh"].sorted { $0.dropFirst(2) < $1.dropFirst(2) },
      before: {
        try $0.link("link", to: "a.txt")
        try $0.link("old", to: "nowhere")
        try $0.commit("links")
      }
    ) {
      try $0.remove("link")
      try $0.link("link", to: "b.txt")
      try $0.remove("old")
      try $0.link("fresh", to: "/nowhere/at/all")
    },
    ChangeCase("a file became a symlink", ["M b.txt"]) {
      try $0.remove("b.txt")
      try $0.link("b.txt", to: "a.txt")
    },
    ChangeCase("a folder replaced by a symlink", ["A dir", "D dir/c.txt", "A other/c.txt"]) {
      try $0.remove("dir")
      try $0.write("other/c.txt", "different\n")
      try $0.link("dir", to: "other")
    },
    ChangeCase("a folder replaced by a file, a file by a folder", ["D b.txt", "A b.txt/in.txt", "A dir", "D dir/c.txt"]) {
      try $0.remove("dir")
      try $0.write("dir", "now a file, with words of its own\n")
      try $0.remove("b.txt")
      try $0.write("b.txt/in.txt", "something else entirely\n")
    },
    ChangeCase("a tracked file replaced by a FIFO", ["D b.txt"]) {
      try $0.remove("b.txt")
      #expect(mkfifo($0.path("b.txt"), 0o600) == 0)
    },
    ChangeCase("committed by the run", ["M a.txt", "A made.txt"]) {
      try $0.write("a.txt", "committed\n")
      try $0.write("made.txt", "m\n")
      try $0.commit("work")
    },
    ChangeCase("dirty before, committed by the run without a change", [], before: dirty) { try $0.commit("what was there") },
    ChangeCase("amended", ["M b.txt"]) {
      try $0.write("b.txt", "amended\n")
      try $0.git("commit", "-qa", "--amend", "-m", "amended")
    },
    ChangeCase(
      "switched to another branch", ["M a.txt", "A side.txt"],
      before: {
        try $0.git("checkout", "-qb", "side")
        try $0.write("side.txt", "s\n")
        try $0.write("a.txt", "side\n")
        try $0.commit("side")
        try $0.git("checkout", "-q", "main")
      }
    ) { try $0.git("checkout", "-q", "side") },
    ChangeCase("stashed", ["M* a.txt", "D* new.txt"], before: dirty) { try $0.git("stash", "-q", "-u") },
    ChangeCase("reset --hard", ["M* a.txt"], before: dirty) { try $0.git("reset", "-q", "--hard") },
    ChangeCase(
      "a conflict being resolved", ["M* a.txt"],
      before: {
        try $0.git("checkout", "-qb", "side")
        try $0.write("a.txt", "theirs\n")
        try $0.commit("theirs")
        try $0.git("checkout", "-q", "main")
        try $0.write("a.txt", "ours\n")
        try $0.commit("ours")
        try $0.git("merge", "-q", "side", mayFail: true)
        #expect(try $0.git("ls-files", "-u") != "")
      }
    ) { try $0.write("a.txt", "both\n") },
    ChangeCase(
      "a conflict that stays", [],
      before: {
        try $0.git("checkout", "-qb", "side")
        try $0.git("rm", "-q", "a.txt")
        try $0.commit("theirs")
        try $0.git("checkout", "-q", "main")
        try $0.write("a.txt", "ours\n")
        try $0.commit("ours")
        try $0.git("merge", "-q", "side", mayFail: true)
      }
    ) { _ in },
    ChangeCase(
      "a split index", ["M a.txt", "D dir/c.txt"],
      before: {
        try $0.git("update-index", "--split-index")
        try $0.write("s.txt", "s\n")
        try $0.git("add", "-A")
      }
    ) {
      try $0.write("a.txt", "split\n")
      try $0.remove("dir/c.txt")
    },
    ChangeCase(
      "a sparse checkout", ["M a.txt", "A dir/c.txt"],
      before: {
        try $0.git("sparse-checkout", "set", "--no-cone", "/*.txt")
        #expect(!PrivateFiles.exists($0.path("dir/c.txt")))
      }
    ) {
      try $0.write("a.txt", "changed\n")
      try $0.write("dir/c.txt", "written where nothing was checked out\n")
    },
    ChangeCase(
      "a sparse checkout that the run ends", ["A dir/c.txt"], before: { try $0.git("sparse-checkout", "set", "--no-cone", "/*.txt") }
    ) { try $0.git("sparse-checkout", "disable") },
    ChangeCase(
      "deleted and hidden from git status", ["A b.txt"],
      before: {
        try $0.git("update-index", "--skip-worktree", "b.txt")
        try $0.remove("b.txt")
      }
    ) { try $0.write("b.txt", "other\n") },
    ChangeCase(
      "a split index with an entry replaced", ["M a.txt"],
      before: {
        try $0.git("config", "splitIndex.maxPercentChange", "100")
        try $0.git("update-index", "--split-index")
        try $0.write("b.txt", "replaced\n")
        try $0.git("add", "b.txt")
      }
    ) { try $0.write("a.txt", "split\n") },
    ChangeCase(
      "a submodule that was never fetched", ["A lk/z"],
      before: {
        try $0.git("update-index", "--add", "--cacheinfo", "160000,\($0.git("rev-parse", "HEAD").prefix(40)),lk")
        try $0.git("commit", "-qm", "lk")
        try FileManager.default.createDirectory(atPath: $0.path("lk"), withIntermediateDirectories: true)
      }
    ) { try $0.write("lk/z", "z\n") },
    ChangeCase(
      "two names that a setting takes for one", ["R readme.md -> README.md", "A UP"],
      before: {
        try $0.git("config", "core.ignoreCase", "true")
        try $0.write("readme.md", "read me, please\n")
        try $0.commit("readme")
        try $0.write("up", "up\n")
      }
    ) {
      try #require(rename($0.path("readme.md"), $0.path("README.md")) == 0)
      try $0.write("UP", "UP\n")
    },
    ChangeCase("a sparse index", ["M a.txt"], before: { try $0.git("sparse-checkout", "set", "--cone", "--sparse-index") }) {
      try $0.write("a.txt", "changed\n")
    },
    ChangeCase(
      "assume-unchanged files", ["M a.txt"],
      before: {
        try $0.git("update-index", "--assume-unchanged", "a.txt", "b.txt")
        try $0.write("b.txt", "dirty, hidden from git status\n")
      }
    ) { try $0.write("a.txt", "changed\n") },
    ChangeCase(
      "intent to add", ["M* new.txt"],
      before: {
        try $0.write("new.txt", "n\n")
        try $0.git("add", "-N", "new.txt")
      }
    ) { try $0.write("new.txt", "changed\n") },
    ChangeCase(
      "intent to add, untouched", [],
      before: {
        try $0.write("new.txt", "n\n")
        try $0.git("add", "-N", "new.txt")
      }
    ) { _ in },
    ChangeCase("index.lock left behind", ["M a.txt"], before: { try $0.write(".git/index.lock", "") }) { try $0.write("a.txt", "x\n") },
    ChangeCase(
      "binary files", ["M bin"],
      before: {
        try $0.write("bin", [0, 1, 2, 255])
        try $0.commit("bin")
      }
    ) { try $0.write("bin", [0, 255, 1]) },
    ChangeCase(
      "ignored files stay out", ["A seen.txt"],
      before: {
        try $0.write(".gitignore", "*.log\nbuild/\n")
        try $0.commit("ignore")
      }
    ) {
      try $0.write("x.log", "l\n")
      try $0.write("build/out", "o\n")
      try $0.write("seen.txt", "s\n")
    },
    ChangeCase(
      "ignored files that a tool named", ["W .env", "D gone.log", "A x.log"], tools: ["x.log", ".env", "old.log", "gone.log"],
      before: {
        try $0.write(".gitignore", "*.log\n.env\n")
        try $0.commit("ignore")
        try $0.write(".env", "A=1\n")
        try $0.write("old.log", "l\n")
        try $0.write("gone.log", "l\n")
      }
    ) {
      try $0.write("x.log", "l\n")
      try $0.write(".env", "A=2\n")
      try $0.remove("gone.log")
    },
    ChangeCase(
      "ignored before, no longer ignored", ["M .gitignore"],
      before: {
        try $0.write(".gitignore", "*.log\n")
        try $0.commit("ignore")
        try $0.write("x.log", "was there\n")
      }
    ) { try $0.write(".gitignore", "# nothing\n") },
    ChangeCase(
      "an ignored file committed by force", ["A forced.log"],
      before: {
        try $0.write(".gitignore", "*.log\n")
        try $0.commit("ignore")
        try $0.write("old.log", "was there\n")
      }
    ) {
      try $0.write("forced.log", "f\n")
      try $0.git("add", "-f", "forced.log", "old.log")
      try $0.git("commit", "-qm", "forced")
    },
    ChangeCase("names that git would not check out", ["A git~1", "A back\\slash"].sorted { $0.dropFirst(2) < $1.dropFirst(2) }) {
      try $0.write("git~1", "1\n")
      try $0.write("back\\slash", "2\n")
    },
    ChangeCase(
      "line endings converted on the way in", ["M b.txt"],
      before: {
        try $0.git("config", "core.autocrlf", "true")
        try $0.write("crlf.txt", "1\r\n2\r\n")
        try $0.commit("crlf")
      }
    ) { try $0.write("b.txt", "bb\r\n") },
  ]

  @Test("What the run did is listed, and nothing else", arguments: cases)
  func table(_ change: ChangeCase) throws {
    let (fixture, changes) = try change.played()
    #expect(changes.root == fixture.work)
  }
}
