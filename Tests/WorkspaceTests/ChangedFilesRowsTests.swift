import TestSupport
import Testing

@testable import Workspace

/// One way to say which rows are meant, for the list and for the patch.
@Suite(.blocking) struct ChangedFilesRowsTests {
  private var changes: ChangedFiles {
    var changes = ChangedFiles(root: "/w")
    var moved = ChangedFile(path: "new/b.txt", change: .renamed)
    moved.from = "old/b.txt"
    changes.files = [
      ChangedFile(path: "a.txt", change: .added), moved, ChangedFile(path: "src/a.txt", change: .modified), ChangedFile(path: "srcs", change: .added),
      ChangedFile(path: "/home/me/.bashrc", change: .written),
    ]
    return changes
  }

  @Test(arguments: [
    ("a.txt", ["a.txt"]), ("./a.txt", ["a.txt"]), ("/w/a.txt", ["a.txt"]), ("src", ["src/a.txt"]), ("src/", ["src/a.txt"]), ("src//a.txt", ["src/a.txt"]),
    ("old", ["new/b.txt"]), ("new/b.txt", ["new/b.txt"]), (".", ["a.txt", "new/b.txt", "src/a.txt", "srcs", "/home/me/.bashrc"]),
    ("/w", ["a.txt", "new/b.txt", "src/a.txt", "srcs", "/home/me/.bashrc"]), ("src/../a.txt", ["a.txt"]), ("none", []), ("/elsewhere/a.txt", []),
    ("/home/me/.bashrc", ["/home/me/.bashrc"]), ("/home", ["/home/me/.bashrc"]), ("home/me/.bashrc", []),
  ])
  func aFileOrAFolderIsMeantHoweverItIsWritten(path: String, rows: [String]) {
    let found = changes.rows(at: [path])
    #expect(found.rows.map(\.path) == rows)
    #expect(found.missing == (rows.isEmpty ? [path] : []))
  }

  @Test func severalAreEachRowOnceAndWhatIsMissingIsSaid() throws {
    let found = changes.rows(at: ["src", "..", "old", "src/a.txt", "none", "/home"])
    #expect(found.rows.map(\.path) == ["new/b.txt", "src/a.txt", "/home/me/.bashrc"])
    #expect(found.missing == ["..", "none"])
    #expect(try changes.rows(atAll: ["srcs", "./a.txt"]).map(\.path) == ["a.txt", "srcs"])
    #expect(try changes.rows(atAll: []).count == 5)
  }

  @Test(arguments: [
    ("..", "not in the workspace: .."), ("../w/a.txt", "not in the workspace: ../w/a.txt"), ("src/../../a.txt", "not in the workspace: src/../../a.txt"),
    ("none", "not among the changed files: none"), ("", "a path is empty"),
  ])
  func whatIsntThereIsRefused(path: String, why: String) {
    let error = #expect(throws: WorkspaceError.self) { try changes.rows(atAll: ["a.txt", path]) }
    #expect(error?.description == why)
    #expect(path.isEmpty || changes.rows(at: [path]).missing == [path])
  }
}
