import Foundation
import TestSupport
import Testing

@testable import PosixSupport

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
    #expect(LoginShell.askPath(["SHELL": shell, "PWD": scratch.path], deadline: .after(10)) == "/opt/tools/bin:/:/usr/bin")
  }

  @Test func aShellThatHangsOrDoesNotExistIsNoAnswer() async throws {
    let scratch = try Scratch()
    let hanging = try scratch.script("hanging", "exec sleep 60")
    #expect(await onThread { LoginShell.askPath(["SHELL": hanging], deadline: .after(0.5)) } == nil)
    #expect(LoginShell.askPath(["SHELL": "/nonexistent/shell"], deadline: .after(1)) == nil)
    #expect(LoginShell.askPath(["SHELL": "/bin/false"], deadline: .after(5)) == nil)
  }
}
