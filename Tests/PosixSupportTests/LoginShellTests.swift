import Foundation
import TestSupport
import Testing

@testable import PosixSupport

@Suite(.blocking) struct LoginShellTests {
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
    #expect(LoginShell.askPath(["SHELL": shell, "PWD": scratch.path], deadline: .after(10)) == "/opt/tools/bin:/:/usr/bin")
  }

  /// An interactive shell makes its group the terminal's: it mustn't be in our session.
  @Test func theLoginShellLeadsASessionOfItsOwn() throws {
    let scratch = try Scratch()
    let shell = try scratch.script("shell", "PATH=/session-$(ps -o sid= -p $$ | tr -d ' '):/pid-$$:/usr/bin; export PATH; exec /usr/bin/env sh -c \"$4\"")
    let path = try #require(LoginShell.askPath(["SHELL": shell, "PATH": "/usr/bin:/bin"], deadline: .after(30)))
    let entries = path.split(separator: ":")
    #expect(entries.count == 3 && (entries[0].dropFirst(9) == entries[1].dropFirst(5) || entries[0] == "/session-0"), "\(path)")
  }

  @Test func aShellThatHangsOrDoesNotExistIsNoAnswer() async throws {
    let scratch = try Scratch()
    let hanging = try scratch.script("hanging", "exec sleep 60")
    #expect(await onThread { LoginShell.askPath(["SHELL": hanging], deadline: .after(0.5)) } == nil)
    #expect(LoginShell.askPath(["SHELL": "/nonexistent/shell"], deadline: .after(1)) == nil)
    #expect(LoginShell.askPath(["SHELL": "/bin/false"], deadline: .after(5)) == nil)
  }
}
