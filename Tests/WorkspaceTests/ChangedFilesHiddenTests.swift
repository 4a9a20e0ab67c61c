import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// Files that git hid before the run, or hides after it, and folders that were moved: a file's age doesn't tell where it was.
@Suite(.blocking) struct ChangedFilesHiddenTests {
  private static func rules(_ text: String, _ more: @escaping @Sendable (GitFixture) throws -> Void = { _ in }) -> @Sendable (GitFixture) throws -> Void {
    {
      try $0.write(".gitignore", text)
      try $0.commit("rules")
      try more($0)
    }
  }

  private static func move(_ fixture: GitFixture, _ from: String, _ to: String) throws {
    try #require(rename(fixture.path(from), fixture.path(to)) == 0)
  }

  // swift-format-ignore: OnlyOneTrailingClosureArgument
  static let cases: [ChangeCase] = [
    ChangeCase(
      "a folder with rules of its own is moved", ["R pkg/.gitignore -> lib/.gitignore", "R pkg/b -> lib/b"],
      before: {
        try $0.write("pkg/.gitignore", "dist/\n")
        try $0.write("pkg/b", "some content\n")
        try $0.commit("pkg")
      }
    ) { try move($0, "pkg", "lib") },
    ChangeCase(
      "a folder is moved and the rules change", ["M .gitignore", "R dir/c.txt -> lib/c.txt"],
      before: rules("*.log\n") {
        try $0.write("dir/c.txt", "c, in a folder\n")
        try $0.commit("dir")
      }
    ) {
      try move($0, "dir", "lib")
      try $0.write(".gitignore", "*.log\n*.p\n")
    },
    ChangeCase(
      "a folder with rules comes from elsewhere", ["A pkg/.gitignore", "A pkg/x.txt"],
      before: {
        try $0.write("\($0.top)/template/.gitignore", "*.log\n")
        try $0.write("\($0.top)/template/x.txt", "x\n")
      }
    ) { try move($0, "\($0.top)/template", "pkg") },
    ChangeCase(
      "what such rules hide", ["A pkg/.gitignore", "A pkg/x.log"], before: { try $0.write("\($0.top)/template/.gitignore", "*.log\n") }
    ) {
      try move($0, "\($0.top)/template", "pkg")
      try $0.write("pkg/x.log", "x\n")
    },
    ChangeCase(
      "rules that hide all of such a folder", ["A pkg/.gitignore", "A pkg/x.txt"],
      before: {
        try $0.write("\($0.top)/template/.gitignore", "*\n")
        try $0.write("\($0.top)/template/x.txt", "x\n")
      }
    ) { try move($0, "\($0.top)/template", "pkg") },
    ChangeCase(
      "out of an ignored folder, when the rules change", ["M .gitignore", "A s/2"],
      before: rules("ignored/\n") { try $0.write("ignored/s/2", "2\n") }
    ) {
      try move($0, "ignored/s", "s")
      try $0.write(".gitignore", "ignored/\n*.x\n")
    },
    ChangeCase(
      "written in an ignored folder, by a tool", ["W build/x", "W build/y"], tools: ["build/x", "build/y"],
      before: rules("build/\n") { try $0.write("build/x", "old") }
    ) {
      try $0.write("build/other", "")
      try $0.write("build/x", "new")
      try $0.write("build/y", "new")
    },
    ChangeCase("ignored by a rule, and new", ["A y.o"], tools: ["y.o"], before: rules("*.o\n")) { try $0.write("y.o", "new") },
    // git shows a folder in which everything is ignored as if it were ignored itself.
    ChangeCase(
      "moved to where only ignored files were", ["R dir/c.txt -> build/dir/c.txt"], before: rules("*.o\n") { try $0.write("build/o.o", "o") }
    ) { try move($0, "dir", "build/dir") },
    ChangeCase(
      "new beside ignored files", ["A docs/README.md", "A docs/deep/x"],
      before: rules(".DS_Store\ncache/\n") {
        try $0.write("docs/.DS_Store", "1\n")
        try $0.write("docs/deep/cache/x", "1\n")
      }
    ) {
      try $0.write("docs/README.md", "# t\n")
      try $0.write("docs/deep/x", "1\n")
    },
    ChangeCase(
      "hidden by the run beside ignored files", ["M .gitignore", "A build/secret.txt"], before: rules("*.o\n") { try $0.write("build/o.o", "o") }
    ) {
      try $0.write(".gitignore", "*.o\nbuild/\n")
      try $0.write("build/secret.txt", "s\n")
    },
    ChangeCase(
      "moved into an ignored folder, and committed", ["R dir/c.txt -> build/dir/c.txt"], before: rules("build/\n") { try $0.write("build/o", "o") }
    ) {
      try $0.git("add", "-f", "dir")
      try move($0, "dir", "build/dir")
      try $0.git("add", "-A")
      try $0.git("add", "-f", "build/dir")
      try $0.git("commit", "-qm", "moved")
    },
    ChangeCase(
      "an ignored folder replaced by another, and committed", ["D .gitignore", "W build/o", "W build/p"],
      before: rules("build/\n") {
        try $0.write("build/o", "o")
        try $0.write("\($0.top)/nb/o", "o2")
        try $0.write("\($0.top)/nb/p", "p")
      }
    ) {
      try $0.remove("build")
      try $0.remove(".gitignore")
      try move($0, "\($0.top)/nb", "build")
      try $0.commit("replaced")
    },
    ChangeCase(
      "rules outside a sparse checkout", ["A a/y.txt"],
      before: rules("*.log\n") {
        try $0.write("a/f", "f\n")
        try $0.commit("a")
        try $0.git("sparse-checkout", "set", "--no-cone", "/a/")
        #expect(!PrivateFiles.exists($0.path(".gitignore")))
      }
    ) {
      try $0.write("a/x.log", "l\n")
      try $0.write("a/y.txt", "y\n")
    },
    ChangeCase(
      "no longer ignored, and written", ["M .gitignore", "W s/j"],
      before: rules("s/\n") {
        try $0.write("s/j", "j\n")
        try $0.write("s/old", "j\n")
      }
    ) {
      try $0.write(".gitignore", "\n")
      try $0.write("s/j", "jj\n")
    },
    ChangeCase(
      "no longer ignored, as a repository", ["M .gitignore", "W s/k"],
      before: rules("s/\n") { try $0.write("s/j", "j\n") }
    ) {
      try $0.write(".gitignore", "\n")
      try $0.git("init", "-q", "s")
      try $0.write("s/k", "k\n")
    },
  ]

  /// What wasn't hashed is in no index, and was there all the same.
  @Test func aRuleForLargeFilesHidesNothingNew() throws {
    let fixture = try GitFixture()
    for number in 0..<3 {
      try fixture.write("large/\(number)", "")
      #expect(truncate(fixture.path("large/\(number)"), 9 << 20) == 0)
    }
    usleep(12_000)
    let changes = try fixture.changes { try fixture.write(".gitignore", "large/\n") }
    #expect(changes.lines == ["A .gitignore"], "\(changes.why ?? "")")
  }

  @Test("What git hid is told as what is known of it", arguments: cases)
  func table(_ change: ChangeCase) throws {
    let (_, changes) = try change.played()
    #expect(changes.lostWork.isEmpty)
    #expect(changes.counts.total == changes.files.count)
  }
}
