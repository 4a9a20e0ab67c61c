import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// What a hostile repository tries to have run.
struct Hostility: Sendable, CustomTestStringConvertible {
  let name: String
  let arm: @Sendable (_ fixture: GitFixture, _ folder: String, _ trap: String) throws -> Void
  var testDescription: String { name }

  init(_ name: String, _ arm: @escaping @Sendable (GitFixture, String, String) throws -> Void) {
    self.name = name
    self.arm = arm
  }
}

@Suite(.blocking) struct WorkspaceSafetyTests {
  static let traps: [Hostility] = [
    Hostility("core.fsmonitor") { try $0.git("config", "core.fsmonitor", $2, folder: $1) },
    Hostility("hooks") { fixture, folder, trap in
      let hooks = ["post-index-change", "post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc", "sendemail-validate"]
      let gitFolder = try fixture.git("rev-parse", "--absolute-git-dir", folder: folder)
      for hook in hooks { try FileManager.default.createSymbolicLink(atPath: "\(gitFolder)/hooks/\(hook)", withDestinationPath: trap) }
      try FileManager.default.createDirectory(atPath: "\(fixture.top)/hooks", withIntermediateDirectories: true)
      for hook in hooks { try FileManager.default.createSymbolicLink(atPath: "\(fixture.top)/hooks/\(hook)", withDestinationPath: trap) }
      try fixture.git("config", "core.hooksPath", "\(fixture.top)/hooks", folder: folder)
    },
    Hostility("filters") { fixture, folder, trap in
      try fixture.write("\(folder.isEmpty ? "" : folder + "/").gitattributes", "* filter=evil\n")
      for key in ["clean", "smudge", "process"] { try fixture.git("config", "filter.evil.\(key)", trap, folder: folder) }
      try fixture.git("config", "filter.evil.required", "true", folder: folder)
    },
    Hostility("textconv and external diff") { fixture, folder, trap in
      try fixture.write("\(folder.isEmpty ? "" : folder + "/").gitattributes", "* diff=evil merge=evil\n")
      for key in ["diff.evil.textconv", "diff.evil.command", "diff.external", "merge.evil.driver", "interactive.diffFilter"] {
        try fixture.git("config", key, trap, folder: folder)
      }
    },
    Hostility("gpg with log.showSignature") { fixture, folder, trap in
      for (key, value) in [("gpg.program", trap), ("log.showSignature", "true"), ("commit.gpgSign", "true"), ("gpg.ssh.program", trap)] {
        try fixture.git("config", key, value, folder: folder)
      }
    },
    Hostility("aliases, pagers, editors, ssh and helpers") { fixture, folder, trap in
      for alias in ["rev-parse", "diff-files", "ls-files", "update-index", "write-tree", "diff-index", "rev-list", "config"] {
        try fixture.git("config", "alias.\(alias)", "!\(trap)", folder: folder)
      }
      for key in [
        "core.pager", "core.editor", "core.sshCommand", "core.askPass", "credential.helper", "core.gitProxy", "pager.diff", "uploadpack.packObjectsHook",
      ] {
        try fixture.git("config", key, trap, folder: folder)
      }
    },
    Hostility("an included configuration") { fixture, folder, trap in
      try fixture.write("\(fixture.top)/evil.config", "[core]\n\tfsmonitor = \(trap)\n\thooksPath = \(fixture.top)/hooks\n[diff]\n\texternal = \(trap)\n")
      try fixture.git("config", "includeIf.gitdir:/.path", "\(fixture.top)/evil.config", folder: folder)
    },
    Hostility("a promisor remote") { fixture, folder, trap in
      for (key, value) in [
        ("remote.evil.url", "ext::\(trap)"), ("remote.evil.promisor", "true"), ("extensions.partialClone", "evil"), ("protocol.ext.allow", "always"),
      ] {
        try fixture.git("config", key, value, folder: folder)
      }
    },
  ]

  @Test("A hostile repository runs nothing and stays as it is, to the byte", arguments: traps, ["", "sub", "nested"])
  func nothingRuns(_ trap: Hostility, in folder: String) throws {
    let inner = try GitFixture()
    let fixture = try GitFixture()
    try fixture.git("submodule", "--quiet", "add", inner.work, "sub")
    try fixture.write("nested/n.txt", "n\n")
    try fixture.git("init", "-q", folder: "nested")
    try fixture.commit("inside", folder: "nested")
    try fixture.git("add", "a.txt", "sub")
    try fixture.git("commit", "-qm", "second")
    let (script, marker) = ("\(fixture.top)/trap", "\(fixture.top)/ran")
    try fixture.program(script, "#!/bin/sh\necho \"$0 $*\" >>\(marker)\ncat\n")
    try trap.arm(fixture, folder, script)
    let prefix = folder.isEmpty ? "" : folder + "/"
    try fixture.write("\(prefix)untracked.txt", "u\n")
    unlink(marker)

    let before = try fixture.fingerprint()
    let baseline = fixture.record()
    try expectSame(before, fixture.fingerprint())
    try fixture.write("\(prefix)untracked.txt", "changed\n")
    if folder.isEmpty { try fixture.write("a.txt", "changed\n") }
    // A new commit, for what looks at signatures; whatever the user's own git ran for it doesn't count.
    let commit = try fixture.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "meanwhile", folder: folder)
    try fixture.git("update-ref", "HEAD", commit, folder: folder)
    unlink(marker)
    let between = try fixture.fingerprint()
    let changes = fixture.finish(baseline, tools: ["a.txt"])
    #expect(changes.lines.contains("M* \(prefix)untracked.txt"))
    #expect(changes.commits.map(\.subject) == ["meanwhile"])
    _ = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 100_000)
    try fixture.write("\(fixture.top)/unrelated", "")
    let touched = changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300))
    #expect(touched == [])
    _ = try ChangedFiles.uncommitted(cwd: fixture.work, git: GitFixture.git, deadline: .after(20))
    try expectSame(between, fixture.fingerprint())
    let ran = (try? PrivateFiles.read(marker)).map { String(decoding: $0, as: UTF8.self) }
    #expect(ran == nil, "ran: \(ran ?? "")")
    #expect(changes.exact, "\(changes.why ?? "")")
  }

  @Test("git variables of the caller don't reach git")
  func environment() throws {
    let fixture = try GitFixture()
    let program = GitProgram(path: "/usr/bin/env", deadline: .after(300))
    setenv("GIT_INDEX_FILE", "/nowhere", 1)
    defer { unsetenv("GIT_INDEX_FILE") }
    let names = Set(String(decoding: try program.run([], folder: fixture.work), as: UTF8.self).split(separator: "\n").map { $0.prefix { $0 != "=" } })
    #expect(names.contains("GIT_OPTIONAL_LOCKS") && names.contains("LC_ALL"))
    #expect(!names.contains("GIT_INDEX_FILE") && !names.contains("SHELL"))
  }
}
