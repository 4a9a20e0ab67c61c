import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import CodexSetup
@testable import MCP
@testable import WorkerServer

/// Collects what a command says.
private final class Output: @unchecked Sendable {
  private let lock = NSLock()
  private var lines: [String] = []
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var text: String { lock.withLock { lines.joined(separator: "\n") } }
}

private let plugin = CodexProgram.Server(enabled: true, command: "./bin/opencode-worker", folder: "/cache", waitSeconds: 3540, toolTimeout: 3600)
private let entry = CodexProgram.Server(enabled: true, command: "/opt/opencode-worker", folder: nil, waitSeconds: 3540, toolTimeout: 3600)

private func codex(_ change: (inout CodexChecks.Facts) -> Void) -> [Check] {
  var facts = CodexChecks.Facts(program: "/bin/codex", version: "0.163.0")
  change(&facts)
  return CodexChecks.checks(facts)
}

@Suite(.blocking) struct DoctorVerdictTests {
  @Test func aPluginAndAnEntryAreBothFine() {
    let asPlugin = codex {
      ($0.server, $0.installedFrom, $0.folderVersion, $0.copyVersion) = (plugin, ["personal"], ServerInfo.version, ServerInfo.version)
    }
    #expect(asPlugin.worst == .ok)
    #expect(asPlugin.map(\.name) == ["codex", "set-up", "timeout"])
    #expect(codex { ($0.server, $0.entry) = (entry, .ours) }.worst == .ok)
  }

  @Test func whatIsMissingComesWithItsCommand() {
    let nothing = codex { _ in }
    #expect(nothing.last == .problem("set-up", "Codex doesn't know this server", mend: "opencode-worker install --enable"))
    let notAdded = codex { ($0.folderVersion, $0.marketplace) = ("1.0.0", "mine") }
    #expect(notAdded.last?.mend == "codex plugin add opencode-worker@mine")
    let gone = codex { ($0.server, $0.entry, $0.commandExists) = (entry, .ours, false) }
    #expect(gone.contains { $0.verdict == .problem && $0.mend == "opencode-worker install --direct" })
    let old = codex { ($0.server, $0.installedFrom, $0.copyVersion) = (plugin, ["personal"], "0.0.1") }
    #expect(old.contains { $0.verdict == .warning && $0.text.contains("0.0.1") })
    let off = codex { $0.server = CodexProgram.Server(enabled: false, command: "x", folder: nil, waitSeconds: nil, toolTimeout: nil) }
    #expect(off.contains { $0.text.contains("switched off") })
    let both = codex { ($0.server, $0.entry, $0.installedFrom) = (entry, .ours, ["personal"]) }
    #expect(both.contains { $0.mend == "codex plugin remove opencode-worker@personal" })
    #expect(codex { $0.complaint = "invalid transport" }.map(\.verdict) == [.problem])
    #expect(codex { ($0.program, $0.entry) = (nil, nil) }.map(\.verdict) == [.warning, .problem])
    #expect(codex { ($0.program, $0.entry) = (nil, .ours) }.worst == .warning)
  }

  @Test func aVersionThatWasNotTriedIsNamed() throws {
    func said(_ version: String) -> Check? { codex { ($0.server, $0.entry, $0.version) = (entry, .ours, version) }.first { $0.verdict == .warning } }
    #expect(said(CodexVersion.newestTried) == nil && said(CodexVersion.tried[0]) == nil)
    #expect(said("1.0.0")?.text == "1.0.0 is newer than \(CodexVersion.newestTried), the newest version that was tried")
    #expect(said("0.100.0")?.text.contains("older than \(CodexVersion.tried[0])") == true)
    let readme = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains("(tried: \(CodexVersion.tried.joined(separator: ", ")))"), "README has the same list")
  }

  @Test func aVariableThatOnlyTheShellHasIsNamed() {
    let shell = codex { ($0.server, $0.entry, $0.openCode) = (entry, .ours, "/opt/opencode") }
    #expect(shell.contains { $0.name == "OPENCODE_BIN" && $0.verdict == .warning && $0.mend == "opencode-worker install --direct writes it down" })
    var written = entry
    written.openCode = "/opt/opencode"
    #expect(codex { ($0.server, $0.entry, $0.openCode) = (written, .ours, "/opt/opencode") }.worst == .ok)
  }

  @Test func aDaemonWithAnotherEnvironmentIsFound() throws {
    let home = try PrivateHome()
    let codexHome = home.path + "/.codex"
    try PrivateFiles.createFolder(codexHome)
    let shell = home.environment.merging(["ANTHROPIC_API_KEY": "new", "OPENCODE_CONFIG": "/same"]) { $1 }
    var old = shell
    (old["ANTHROPIC_API_KEY"], old["PATH"], old["CODEX_HOME"], old["OTHER"]) = (nil, "/usr/bin:/bin", codexHome, "x")
    // What Codex calls its daemon; the shell takes the words as its own arguments.
    let daemon = try ChildProcess(
      "/bin/sh", ["-c", "read x", "app-server", "--managed-daemon"], environment: old, folder: "/", input: try Descriptor.pipe().read)
    defer {
      kill(daemon.pid, SIGKILL)
      _ = daemon.wait(deadline: .after(10))
    }
    // It has its words and its environment a moment after it was started.
    #expect(eventually { CodexChecks.facts(environment: shell).daemon != nil })
    let found = try #require(CodexChecks.facts(environment: shell).daemon)
    #expect(found == CodexChecks.Daemon(pid: daemon.pid, differing: ["PATH", "ANTHROPIC_API_KEY"]))
    let said = codex { ($0.server, $0.entry, $0.daemon) = (entry, .ours, found) }.last
    #expect(said?.verdict == .warning && said?.text.hasSuffix("different or missing there: PATH, ANTHROPIC_API_KEY") == true)
    #expect(said?.mend == "codex app-server daemon restart")
    #expect(CodexChecks.facts(environment: old).daemon?.differing == [])
    #expect(CodexChecks.facts(environment: shell.merging(["CODEX_HOME": home.path + "/bin"]) { $1 }).daemon == nil, "another Codex's")
  }

  @Test(arguments: [
    (nil, nil, "0.163.0", Check.Verdict.ok), (nil, nil, "0.133.0", .ok), (3540, nil, "0.163.0", .problem), (3540, 3600, "0.163.0", .ok),
    (nil, 60, "0.163.0", .problem), (60, 60, "0.163.0", .problem), (45, 60, "0.163.0", .ok), (nil, nil, "unknown", .ok), (nil, nil, "1.0.0", .ok),
  ])
  func aWaitMustEndBeforeCodexGivesUp(wait: Int?, timeout: Int?, version: String, verdict: Check.Verdict) {
    let server = CodexProgram.Server(enabled: true, command: "/x", folder: nil, waitSeconds: wait, toolTimeout: timeout)
    let checks = codex { ($0.server, $0.entry, $0.version) = (server, .foreign, version) }
    #expect(checks.last?.name == "timeout")
    #expect(checks.last?.verdict == verdict)
  }

  @Test func aStateFolderOpenToOthersIsTold() throws {
    let home = try PrivateHome()
    let path = home.path + "/it's here"
    #expect(SystemChecks.checks(SystemChecks.stateFacts(path: path)).worst == .ok)
    #expect(!PrivateFiles.exists(path))
    try PrivateFiles.createFolder(path)
    #expect(SystemChecks.checks(SystemChecks.stateFacts(path: path)).worst == .ok)
    chmod(path, 0o755)
    let open = SystemChecks.checks(SystemChecks.stateFacts(path: path))[0]
    #expect(open.verdict == .warning)
    #expect(open.mend == "chmod 700 '\(home.path)/it'\\''s here'")
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    try home.write("a file", to: "file")
    for place in ["/file", "/file/below"] { #expect(SystemChecks.checks(SystemChecks.stateFacts(path: home.path + place)).worst == .problem) }
  }

  @Test func littleSpaceIsAWarningAndNoneAProblem() {
    func verdict(_ free: Int64) -> Check.Verdict {
      SystemChecks.checks(SystemChecks.StateFacts(path: "/s", exists: true, mode: 0o700, isOurs: true, freeBytes: free)).worst
    }
    #expect(verdict(0) == .problem)
    #expect(verdict(500 << 20) == .warning)
    #expect(verdict(5 << 30) == .ok)
    let foreign = SystemChecks.StateFacts(path: "/s", exists: true, mode: 0o700, isOurs: false, freeBytes: nil)
    #expect(SystemChecks.checks(foreign).worst == .problem)
  }

  @Test func programsThatOnlyOurPathHasAreNamedUnlessTheLoginShellKnowsThem() throws {
    let home = try PrivateHome()
    try home.write("#!/bin/sh\n", to: "tools/opencode", mode: 0o755)
    let path = "relative:\(home.path)/tools:\(home.path)/bin"
    let lost = SystemChecks.programs(path: path, loginPath: nil)
    #expect(lost.missingInGUI == ["opencode"])
    #expect(lost.git == nil)
    #expect(SystemChecks.checks(lost).map(\.verdict) == [.warning, .warning, .warning])
    #expect(SystemChecks.programs(path: path, loginPath: "\(home.path)/tools").missingInGUI == [])
    #expect(SystemChecks.programs(path: SystemChecks.barePath, loginPath: nil).pathIsBare)
  }

  @Test func aGitThatOnlyAsksToBeInstalledIsNoGit() throws {
    let home = try PrivateHome()
    try home.write("#!/bin/sh\necho 'xcode-select: error: No developer tools were found' >&2\nexit 1\n", to: "tools/git", mode: 0o755)
    let check = SystemChecks.checks(SystemChecks.programs(path: home.path + "/tools", loginPath: nil))[0]
    #expect(check.name == "git" && check.verdict == .warning, "\(check.line(verbose: true))")
    #expect(check.line(verbose: true).contains("No developer tools were found"))
    try home.write("#!/bin/sh\necho git version 2.39.5 '(Apple Git-154)'\n", to: "tools/git", mode: 0o755)
    #expect(SystemChecks.checks(SystemChecks.programs(path: home.path + "/tools", loginPath: nil))[0].verdict == .ok)
  }

  @Test(
    arguments: [
      ("/Users/me/Documents/project", "Documents"), ("/users/ME/desktop", "Desktop"), ("/Users/me/Downloads/a/b", "Downloads"),
      ("/Users/me/project", nil), ("/Users/me", nil), ("/Users/me2/Documents/x", nil), ("/work/Documents", nil), ("/Users/me/src/Documents", nil),
    ] as [(String, String?)])
  func aWorkspaceThatMacOSGuardsIsNamedThere(workspace: String, folder: String?) {
    #expect(SystemChecks.guardedFolder(of: workspace, home: "/Users/me") == folder)
    #expect(SystemChecks.workspaceChecks(workspace, home: "/Users/me", isMac: true).map(\.verdict) == (folder == nil ? [] : [.warning]))
    #expect(SystemChecks.workspaceChecks(workspace, home: "/Users/me", isMac: false).isEmpty)
  }
}

@Suite(.blocking) struct DoctorCommandTests {
  private func doctor(_ home: PrivateHome, _ arguments: [String] = [], last: [DoctorCommand.Part] = [], deadline: Deadline = .after(600)) async -> (
    Int32, String
  ) {
    let lines = Output()
    let status = try? await DoctorCommand.run(
      arguments: arguments, environment: home.environment, stateFolder: home.path + "/state", executable: home.worker,
      first: [DoctorCommand.Part("opencode") { [.ok("opencode", "1.18.34", detail: "/bin/opencode")] }], last: last, deadline: deadline,
      output: { lines.add($0) })
    return (status ?? 2, lines.text)
  }

  @Test func itSeesWhatInstallDid() async throws {
    let home = try PrivateHome()
    let (status, text) = await doctor(home)
    #expect(status == 1)
    #expect(text.hasPrefix("ok       opencode: 1.18.34\nwarning  codex: not on PATH"))
    #expect(await doctor(home, ["--verbose"]).1.hasPrefix("ok       opencode: 1.18.34\n         /bin/opencode\nwarning  codex: not on PATH"))
    #expect(text.contains("opencode-worker install --enable"))
    #expect(InstallCommand.run(arguments: ["--direct"], environment: home.environment, executable: home.worker) { _ in } == 0)
    try home.codex(
      """
      case "$*" in
        --version) echo 'codex-cli 0.163.0';;
        'mcp list'*) echo '[]';;
        'mcp get'*) echo '{"enabled":true,"tool_timeout_sec":3600.0,"transport":{"command":"\(home.worker)","env":{"OPENCODE_WORKER_WAIT_SECONDS":"3540"}}}';;
        'plugin list'*) echo '{"installed":[]}';;
      esac
      """)
    let (later, report) = await doctor(home, ["--json"])
    #expect(later == 0)
    let json = try JSONValue(parsing: Array(report.utf8))
    let checks = try #require(json["checks"]?.array)
    #expect(checks.allSatisfy { $0["verdict"]?.string != "problem" && $0["text"]?.string?.isEmpty == false })
    #expect(checks.contains { $0["name"] == "codex" && $0["text"] == "0.163.0" && $0["detail"]?.string == home.path + "/bin/codex" })
    #expect(checks.contains { $0["text"] == "as an entry in config.toml" && $0["detail"]?.string == home.worker })
    #expect(checks.contains { $0["name"] == "timeout" && $0["verdict"] == "ok" })
    #expect(!PrivateFiles.exists(home.path + "/state"))
    // Another program of the same version.
    let facts = CodexChecks.facts(environment: home.environment, executable: home.path + "/bin/codex")
    #expect(facts.isSameBinary == false)
    #expect(CodexChecks.checks(facts).contains { $0.verdict == .warning && $0.text == "Codex runs another build than this one: \(home.worker)" })
  }

  @Test func aCodexWithABrokenConfigurationIsQuoted() async throws {
    let home = try PrivateHome()
    try home.codex("[ \"$1\" = --version ] && echo codex-cli 0.163.0 && exit; echo 'Error: failed to load' >&2; echo '  invalid transport' >&2; exit 1")
    let (status, text) = await doctor(home)
    #expect(status == 1)
    #expect(text.contains("can't read its configuration: Error: failed to load invalid transport"))
  }

  @Test(.waiting) func aPartThatHangsCostsOnlyItsOwnAnswer() async throws {
    let home = try PrivateHome()
    let end = DispatchSemaphore(value: 0)
    defer { end.signal() }
    let stuck = DoctorCommand.Part("runs") {
      end.wait()
      return []
    }
    let checks = await DoctorCommand.examine([stuck, DoctorCommand.Part("quick") { [.ok("quick", "yes")] }], deadline: .after(20))
    #expect(checks.map(\.name) == ["runs", "quick"])
    #expect(checks.map(\.verdict) == [.problem, .ok])
    #expect(await doctor(home, ["--jsno"]).0 == 2)
    #expect(await doctor(home, ["--help"]).1.contains("usage:"))
  }
}
