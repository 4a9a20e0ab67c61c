import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode

@Suite struct AgentFilesTests {
  private func put(_ scratch: Scratch, _ path: String, _ text: String = "Work.\n") throws {
    let path = scratch.path + "/" + path
    try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
    try PrivateFiles.replace(path, with: Array(text.utf8))
  }

  @Test func filesAreNamedByTheirPathBelowTheFolder() throws {
    let scratch = try Scratch()
    for path in ["agent/one.md", "agents/team/deep/two.md", "agents/.hidden.md", "mode/three.md", "modes/four.md", "modes/sub/no.md", "agents/no.txt", "no.md"]
    {
      try put(scratch, path)
    }
    #expect(AgentFiles(in: scratch.path).files.map(\.name) == [".hidden", "four", "one", "team/deep/two", "three"])
  }

  @Test func theHeadTellsWhatIsDisabledAndHasRules() throws {
    let scratch = try Scratch()
    let heads = [
      ("a", "---\ndisabled: true\n---\n"), ("b", "---\r\ndescription: \"disable: true\"\r\ndisable: true # off\r\n---\r\nx"),
      ("c", "---\ndisabled: false\n---\n"),
      ("d", "---\npermissions:\n  - action: shell\n---\n"), ("e", "---\n\"tools\":\n  bash: true\n---\n"), ("f", "disabled: true\n"),
      ("g", "---\nnested:\n  disabled: true\n---\ndisabled: true\npermission: x\n"), ("h", "---\n{disabled: true, permission: {bash: allow}}\n---\n"),
    ]
    for (name, head) in heads { try put(scratch, "agents/\(name).md", head) }
    let files = AgentFiles(in: scratch.path).files
    #expect(files.filter(\.isDisabled).map(\.name) == ["a", "b"])
    #expect(files.filter(\.hasRules).map(\.name) == ["d", "e", "h"])
  }

  /// FIFOs, loops, links and trees without end: it comes to an end, and says when it saw only a part.
  @Test func whateverLiesThereItEnds() throws {
    let scratch = try Scratch()
    try put(scratch, "agents/real.md")
    try put(scratch, "elsewhere/linked.md")
    #expect(mkfifo(scratch.path + "/agents/pipe.md", 0o600) == 0)
    for (link, target) in [
      ("agents/loop", "."), ("agents/up", ".."), ("agents/there", "../elsewhere"), ("agents/gone.md", "nowhere"), ("agents/l.md", "real.md"),
    ] {
      #expect(symlink(target, scratch.path + "/" + link) == 0)
    }
    let files = AgentFiles(in: scratch.path)
    #expect(!files.isCut)
    #expect(files.files.map(\.name).filter { !$0.contains("up/") } == ["l", "pipe", "real", "there/linked"])
    #expect(files.files.first { $0.name == "pipe" }?.hasRules == true)
    let cut = AgentFiles(in: scratch.path, entries: 3)
    #expect(cut.isCut && cut.files.count <= 3)
    var deep = "agents"
    for _ in 0..<30 { deep += "/d" }
    try put(scratch, deep + "/x.md")
    #expect(AgentFiles(in: scratch.path).isCut)
  }
}
