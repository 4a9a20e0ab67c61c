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
  func aFileOrAFolderIsMeantHoweverItIsWritten(path: String, rows: [String]) { #expect(changes.rows(at: path)?.map(\.path) == rows) }

  @Test(arguments: ["..", "../w/a.txt", "src/../../a.txt"])
  func whatLeadsOutIsNone(path: String) { #expect(changes.rows(at: path) == nil) }
}
