import Foundation
import PosixSupport
import Testing

@testable import OpenCode

@Suite struct ProgramFinderTests {
  @Test func aProgramIsTakenFromTheFirstHonestEntry() throws {
    let scratch = try Scratch()
    try scratch.file("a/tool", "no program")
    let tool = try scratch.script("b/tool", "")
    try scratch.script("c/tool", "")
    let path = [".", "relative", "a", "b", "c"].map { $0.count == 1 && $0 != "." ? "\(scratch.path)/\($0)" : $0 }.joined(separator: ":")
    #expect(ProgramFinder.locate("tool", path: path, workspace: nil) == tool)
    #expect(ProgramFinder.locate("tool", path: path, workspace: scratch.path + "/b") == scratch.path + "/c/tool")
    #expect(ProgramFinder.locate("tool", path: path, workspace: scratch.path) == nil)
    #expect(ProgramFinder.locate("tool", path: nil, workspace: nil) == nil)
  }

  @Test(arguments: ["", "../sh", "/bin/sh", "a/b"]) func whatIsNoNameIsNotLookedUp(name: String) {
    #expect(ProgramFinder.locate(name, path: "/bin:/usr/bin", workspace: nil) == nil)
  }

  @Test func aFolderIsNoProgram() throws {
    let scratch = try Scratch()
    try scratch.folder("bin/git")
    #expect(ProgramFinder.locate("git", path: scratch.path + "/bin", workspace: nil) == nil)
  }

  /// Someone working in their home folder still has programs there.
  @Test func aWorkspaceThatHoldsTheHomeFolderRulesNothingOut() {
    #expect(!ProgramFinder.isInside(NSHomeDirectory() + "/.opencode/bin/opencode", NSHomeDirectory()))
    #expect(!ProgramFinder.isInside("/usr/bin/git", "/"))
  }

  @Test func aWorkspaceOfASimilarNameIsAnother() throws {
    let scratch = try Scratch()
    try scratch.folder("work")
    let tool = try scratch.script("work-tools/tool", "")
    #expect(ProgramFinder.locate("tool", path: scratch.path + "/work-tools", workspace: scratch.path + "/work") == tool)
  }
}

@Suite struct LoginShellTests {
  @Test(arguments: [nil, "", "/usr/bin:/bin:/usr/sbin:/sbin", "/usr/local/bin:/usr/bin/", "/System/Cryptexes/App/usr/bin:/usr/bin", ".:/usr/bin"])
  func aPathWithoutAnythingOfTheUsersIsBare(path: String?) { #expect(LoginShell.isBare(path)) }

  @Test(arguments: ["/opt/homebrew/bin:/usr/bin", "/home/u/.local/bin:/usr/bin", "/nix/store/x/bin"])
  func aPathThatTheUserSetIsNot(path: String) {
    #expect(!LoginShell.isBare(path))
    #expect(LoginShell.completed(["PATH": path, "SHELL": "/nonexistent"]) == path)
  }

  @Test func theLoginShellIsAskedFromTheRootFolderWhateverItPrintsBefore() throws {
    let scratch = try Scratch()
    let shell = try scratch.script("shell", "echo Welcome; echo PATH=/wrong; PATH=/opt/tools/bin:rel:$PWD:/usr/bin; export PATH; exec /bin/sh -c \"$4\"")
    #expect(LoginShell.askPath(["SHELL": shell, "PWD": scratch.path], deadline: 10) == "/opt/tools/bin:/:/usr/bin")
  }

  @Test func aBarePathIsCompletedByTheLoginShells() throws {
    let scratch = try Scratch()
    let shell = try scratch.script("shell", "PATH=/opt/tools/bin:/usr/bin; export PATH; exec /bin/sh -c \"$4\"")
    let child = ChildEnvironment.cleaned(["SHELL": shell, "HOME": scratch.path, "PATH": "/usr/bin:/bin"])
    #expect(child["PATH"] == "/opt/tools/bin:/usr/bin:/bin")
  }

  @Test func aShellThatHangsOrDoesNotExistIsNoAnswer() async throws {
    let scratch = try Scratch()
    let hanging = try scratch.script("hanging", "exec sleep 60")
    #expect(await onThread { LoginShell.askPath(["SHELL": hanging], deadline: 0.5) } == nil)
    #expect(LoginShell.askPath(["SHELL": "/nonexistent/shell"], deadline: 1) == nil)
    #expect(LoginShell.askPath(["SHELL": "/bin/false"], deadline: 5) == nil)
  }
}

@Suite struct ChildEnvironmentTests {
  @Test func openCodeGetsTheMarkerAndNoOtherVariableOfOurs() {
    let base = ["PATH": "/home/u/bin:/usr/bin", "OPENCODE_WORKER_STATE_DIR": "/x", "OPENCODE_WORKER_RUN": "old", "OPENCODE_CONFIG": "/c", "PWD": "/stale"]
    let installation = Installation(path: "/home/u/.opencode/bin/opencode", version: OpenCodeVersion(1, 18, 34), foundBy: "PATH")
    let run = ChildEnvironment.make(base, for: installation, folder: "/work", run: "20261122-1")
    #expect(run == ["PATH": "/home/u/bin:/usr/bin", "OPENCODE_WORKER_RUN": "20261122-1", "OPENCODE_CONFIG": "/c", "PWD": "/work"])
    #expect(ChildEnvironment.make(base, for: installation, folder: "/work")["OPENCODE_WORKER_RUN"] == nil)
  }

  @Test func aScriptFindsItsInterpreterBesideIt() {
    let script = Installation(path: "/opt/node/bin/opencode", version: OpenCodeVersion(1, 4, 0), foundBy: "usual place", isWrapper: true)
    #expect(ChildEnvironment.make(["PATH": "/home/u/bin"], for: script, folder: "/")["PATH"] == "/home/u/bin:/opt/node/bin")
  }
}
