import Foundation
import TestSupport
import Testing

@testable import PosixSupport

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
