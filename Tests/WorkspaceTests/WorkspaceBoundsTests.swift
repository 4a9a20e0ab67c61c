import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Workspace

/// Repositories made to take all memory, all time or all space.
@Suite(.blocking) struct WorkspaceBoundsTests {
  /// A version 4 index in which each name is the one before and a little more.
  private static func bomb(entries: Int, suffix: Int) -> [UInt8] {
    func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
    var bytes = Array("DIRC".utf8) + number(4) + number(entries)
    for _ in 0..<entries {
      bytes += [UInt8](repeating: 0, count: 24) + number(0o100644) + [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 1, count: 20)
      bytes += [0x0f, 0xff, 0] + [UInt8](repeating: UInt8(ascii: "a"), count: suffix) + [0]
    }
    return bytes + [UInt8](repeating: 0, count: 20)
  }

  @Test("An index of 1 MB that unfolds to hundreds", arguments: [(12_000, 20), (14_000, 1)])
  func indexBomb(entries: Int, suffix: Int) throws {
    let before = OwnProcess.peakMemory
    let bytes = Self.bomb(entries: entries, suffix: suffix)
    #expect(throws: WorkspaceError.self) { try GitIndex(bytes, idLength: 20) }
    #expect(OwnProcess.peakMemory - before < 200 << 20)
  }

  @Test("An index whose last name has one letter, with nothing behind it")
  func shortestName() throws {
    let empty = [UInt8](repeating: 0, count: 24)
    let bytes =
      Array("DIRC".utf8) + [0, 0, 0, 2, 0, 0, 0, 1] + empty + [0, 0, 0x81, 0xa4] + empty.prefix(12) + [UInt8](repeating: 7, count: 20) + [0, 1]
      + Array("a\0".utf8) + [UInt8](repeating: 0, count: 20)
    let index = try GitIndex(bytes, idLength: 20)
    #expect(index.entries.map(index.path) == [Array("a".utf8)])
  }

  @Test("An index that can't be read doesn't keep a run from starting, and says so")
  func crafted() throws {
    let fixture = try GitFixture()
    try fixture.write(".git/index", Self.bomb(entries: 12_000, suffix: 20))
    let baseline = fixture.record()
    #expect(baseline.kind == .plain && baseline.why?.contains("index") == true, "\(baseline.why ?? "")")
  }

  @Test("A huge sparse file beside the index isn't copied")
  func sparseSharedIndex() throws {
    let fixture = try GitFixture()
    let name = ".git/sharedindex.\(String(repeating: "0a", count: 20))"
    try fixture.write(name, "")
    #expect(truncate(fixture.path(name), 1 << 40) == 0)
    let changes = try fixture.changes { try fixture.write("a.txt", "changed\n") }
    #expect(changes.lines == ["M a.txt"] && changes.exact)
    #expect(DiskUse.bytes(below: fixture.run) < 4 << 20)
    #expect(truncate(fixture.path(".git/index"), 1 << 40) == 0)
    let baseline = fixture.record()
    #expect(baseline.kind == .plain && baseline.why?.contains("more than") == true, "\(baseline.why ?? "")")
  }

  @Test("More untracked files than are hashed: known by name, size and time from the beginning")
  func manyUntracked() throws {
    let fixture = try GitFixture()
    for number in 0..<20_300 { try fixture.write("u/\(number / 1000)/\(number)", "") }
    let baseline = try JSONDecoder().decode(WorkspaceBaseline.self, from: JSONEncoder().encode(fixture.record(deadline: .after(120))))
    #expect(baseline.kind == .git && baseline.why?.contains("300 files beyond") == true, "\(baseline.why ?? "")")
    // The last in the order of their names, beyond those that are hashed.
    try fixture.write("u/9/9999", "changed\n")
    try fixture.remove("u/9/9998")
    try fixture.write("u/new", "x\n")
    let changes = baseline.finish(runFolder: fixture.run, toolPaths: [], endSeen: true, deadline: .after(120))
    #expect(changes.lines == ["D* u/9/9998", "M* u/9/9999", "A u/new"])
  }

  @Test("What is kept after the end is what the list needs")
  func tidied() throws {
    let fixture = try GitFixture()
    for number in 0..<2000 { try fixture.write("many/\(number).txt", "\(number)\n") }
    try fixture.commit("many")
    try fixture.git("init", "-q", "nested")
    try fixture.write("nested/x", "x\n")
    let baseline = fixture.record()
    try fixture.write("a.txt", "changed\n")
    let changes = fixture.finish(baseline)
    let before = try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 4000).text
    #expect(!baseline.isTidied(runFolder: fixture.run))
    baseline.tidy(runFolder: fixture.run, keeping: changes)
    #expect(baseline.isTidied(runFolder: fixture.run))
    #expect(try changes.patch(runFolder: fixture.run, git: GitFixture.git, limit: 4000).text == before && before.contains("+changed"))
    #expect(changes.changedSince(runFolder: fixture.run, git: GitFixture.git, deadline: .after(300)) == [])
    #expect(DiskUse.bytes(below: fixture.run) < 200 << 10)
    // Nothing is made up from what is gone.
    let again = fixture.finish(baseline)
    #expect(again.lines == [] && !again.exact)
  }
}
