import Foundation
import TestSupport
import Testing

@testable import PosixSupport

@Suite(.blocking) struct SpawnedProcessTests {
  private func run(_ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"], deadline: Deadline = .after(60)) throws -> Command.Result {
    try Command("/bin/sh", ["-c", script], environment: environment, folder: "/", deadline: deadline, ownSession: true).run()
  }

  @Test func itLeadsASessionAndInheritsNothingElse() throws {
    let kept = try Descriptor.open("/dev/null", O_RDONLY)
    defer { kept.close() }
    // Foundation's descriptors aren't close-on-exec.
    _ = fcntl(kept.raw, F_SETFD, 0)
    let result = try run("ps -o sid= -p $$; echo $$; ls /dev/fd; pwd; env | grep ^A=", environment: ["PATH": "/usr/bin:/bin", "A": "b c"])
    let lines = result.outputText.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(result.status == .exited(0), "\(result.errorText)")
    // macOS' ps has no number of a session, but 0.
    #expect(lines.first == lines.dropFirst().first || lines.first == "0", "\(lines)")
    #expect(!lines.dropFirst(2).contains("\(kept.raw)"), "\(lines)")
    #expect(lines.suffix(2) == ["/", "A=b c"])
  }

  @Test func argumentsArePassedByteForByte() throws {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    let result = try Command(
      "/bin/sh", ["-c", "printf %s \"$1|$2\"", "sh", composed, decomposed], environment: [:], folder: "/", deadline: .after(60), ownSession: true
    ).run()
    #expect(result.output == Array("\(composed)|\(decomposed)".utf8))
  }

  @Test func everyEndIsToldAndTheDeadlineEndsTheWholeGroup() throws {
    #expect(try run("exit 7").status == .exited(7))
    #expect(try run("kill -9 $$").status == .signaled(SIGKILL))
    let scratch = try Scratch()
    let hanging = try Command(
      "/bin/sh", ["-c", "sleep 900 & echo $! > '\(scratch.path)/pid'; sleep 900"], folder: "/", deadline: .after(1), ownSession: true
    ).run()
    #expect(hanging.status == nil)
    let pid = try #require(scratch.lines("pid").first.flatMap { Int32($0) })
    #expect(eventually(within: 60) { ProcessIdentity.of(pid)?.isAlive != true })
  }

  @Test func whatCannotBeStartedSaysWhichPartIsMissing() throws {
    func problem(_ executable: String, _ folder: String) -> String {
      do {
        _ = try Command(executable, [], folder: folder, deadline: .after(5), ownSession: true).run()
        return ""
      } catch { return "\(error)" }
    }
    #expect(problem("/no/such/program", "/").contains("/no/such/program: No such file"))
    #expect(problem("/bin/sh", "/no/such/folder").contains("chdir /no/such/folder"))
    #expect(problem("/etc/passwd", "/").contains("Permission denied"))
  }
}

/// What differs between kernels, in pure functions.
@Suite(.blocking) struct SystemDifferencesTests {
  @Test func onlyAnEndEndsAChild() {
    #expect(ExitStatus(code: Int(CLD_EXITED), value: 3) == .exited(3))
    #expect(ExitStatus(code: Int(CLD_KILLED), value: SIGKILL) == .signaled(SIGKILL))
    #expect(ExitStatus(code: Int(CLD_DUMPED), value: SIGSEGV) == .signaled(SIGSEGV))
    for code in [CLD_STOPPED, CLD_CONTINUED, CLD_TRAPPED] { #expect(ExitStatus(code: Int(code), value: SIGSTOP) == nil) }
    #expect(ExitStatus(code: 0, value: 0) == nil)
  }

  @Test func theSystemsWordIsFoundInEveryFormOfFoundations() {
    let system = NSError(domain: NSPOSIXErrorDomain, code: Int(E2BIG))
    #expect(ChildProcess.systemCode(of: system) == E2BIG)
    let wrapped = NSError(domain: NSCocoaErrorDomain, code: 256, userInfo: [NSUnderlyingErrorKey: system])
    #expect(ChildProcess.systemCode(of: wrapped) == E2BIG)
    #expect(ChildProcess.systemCode(of: NSError(domain: NSCocoaErrorDomain, code: 4)) == nil)
  }

  private func bytes(_ count: Int32, _ texts: [String]) -> ArraySlice<UInt8> {
    (withUnsafeBytes(of: count) { Array($0) } + texts.flatMap { Array($0.utf8) + [0] })[...]
  }

  @Test func argumentsAndEnvironmentAreToldApart() throws {
    func split(_ bytes: ArraySlice<UInt8>) -> (arguments: [String], environment: [String])? {
      ProcessArguments.split(bytes).map { ($0.map { String(decoding: $0, as: UTF8.self) }, $1.map { String(decoding: $0, as: UTF8.self) }) }
    }
    let whole = try #require(split(bytes(3, ["/bin/x", "", "", "", "x", "", "c", "A=1", "B=", "", "ptr_munge="])))
    #expect(whole.arguments == ["x", "", "c"])
    #expect(whole.environment == ["A=1", "B="])
    // What macOS shows of its own programs.
    let hidden = try #require(split(bytes(2, ["/bin/sleep", "", "sleep", "600"])))
    #expect(hidden.arguments == ["sleep", "600"])
    #expect(hidden.environment.isEmpty)
    #expect(split([1, 0, 0]) == nil)
    #expect(split(bytes(-1, ["/bin/x", "x"])) == nil)
    #expect(split(bytes(9, ["/bin/x", "x"]))?.arguments == ["x"])
  }

  @Test func aProcessThatHidesItsEnvironmentIsFollowedByParentAndGroup() {
    func process(_ pid: Int32, _ parent: Int32, _ group: Int32, _ environment: String?) -> ProcessTable.Candidate {
      ProcessTable.Candidate(pid: pid, parent: parent, group: group, environment: environment.map { [Array($0.utf8)[...]] })
    }
    let table = [
      process(10, 1, 10, "RUN=1"), process(11, 10, 10, nil), process(12, 11, 12, nil), process(13, 1, 12, nil), process(14, 13, 14, "OTHER=1"),
      process(20, 1, 20, nil), process(21, 1, 30, nil), process(22, 1, 30, "OTHER=1"),
    ]
    func belonging(group: Int32?) -> Set<Int32> { ProcessTable.Candidate.belonging(table, group: group) { $0.contains { $0.elementsEqual("RUN=1".utf8) } } }
    #expect(belonging(group: nil) == [10, 11, 12, 13])
    #expect(belonging(group: 30) == [10, 11, 12, 13, 21])
  }

  @Test func pathsAreSettledWithoutLosingTheirBeginning() {
    #expect(PrivateFiles.lexical("/private/var/./a/../b//c") == "/private/var/b/c")
    #expect(PrivateFiles.lexical("/../..") == "/")
  }
}
