import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import CodexSetup

@Suite struct InstallPluginTests {
  @Test func thePluginIsWholeAndHoldsRealFiles() throws {
    let home = try PrivateHome()
    let (status, text) = home.install()
    #expect(status == 0)
    #expect(text.contains("codex plugin add opencode-worker@personal"))
    #expect(home.text(home.plugin + "/bin/opencode-worker") == home.text(home.worker))
    #expect(home.mode(home.plugin + "/bin/opencode-worker") == 0o755)
    for (name, content) in PluginFolder.texts() { #expect(home.text(home.plugin + "/" + name) == content) }
    let files = try FileManager.default.subpathsOfDirectory(atPath: home.plugin)
    for file in files {
      var info = stat()
      #expect(lstat(home.plugin + "/" + file, &info) == 0 && info.st_mode & S_IFMT != S_IFLNK)
    }
  }

  @Test func uninstallLeavesTheHomeAsItWas() throws {
    let home = try PrivateHome()
    #expect(home.install().status == 0)
    let (status, text) = home.uninstall()
    #expect(status == 0)
    #expect(text.contains("remove \(home.plugin)"))
    #expect(home.everything == [])
    #expect(home.uninstall().text.contains("nothing to take back"))
  }

  @Test func installingAgainUpgradesAlsoFromTheInstalledBinary() throws {
    let home = try PrivateHome()
    #expect(home.install().status == 0)
    let listed = home.text(home.marketplace)
    try home.write("#!/bin/sh\necho newer\n", to: "new/opencode-worker", mode: 0o755)
    try home.write("stale", to: home.plugin + "/skills/old/SKILL.md")
    #expect(home.install().text.contains("replace the plugin"))
    #expect(home.text(home.plugin + "/bin/opencode-worker")?.contains("newer") == true)
    #expect(home.text(home.plugin + "/skills/old/SKILL.md") == nil)
    #expect(home.text(home.marketplace) == listed)
    var lines: [String] = []
    #expect(
      InstallCommand.run(arguments: [], environment: home.environment, executable: home.plugin + "/bin/opencode-worker") { lines.append($0) } == 0)
    #expect(home.text(home.plugin + "/bin/opencode-worker")?.contains("newer") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/.agents/plugins").sorted() == ["marketplace.json", "opencode-worker"])
  }

  @Test func othersPluginsStayAndTheirFileKeepsModeAndLink() throws {
    let home = try PrivateHome()
    let theirs = "{\"zeta\": 1, \"name\": \"mine\", \"plugins\": [{\"name\": \"other\", \"source\": \"./other\"}]}"
    try home.write(theirs, to: "dotfiles/market.json", mode: 0o640)
    try PrivateFiles.createFolder(home.path + "/.agents/plugins")
    symlink(home.path + "/dotfiles/market.json", home.marketplace)
    let before = home.everything
    #expect(home.install().text.contains("opencode-worker@mine"))
    #expect(home.text(home.path + "/dotfiles/market.json")?.contains("\"other\"") == true)
    #expect(home.mode(home.path + "/dotfiles/market.json") == 0o640)
    #expect(home.text(home.marketplace + ".before-opencode-worker") == theirs)
    #expect(home.uninstall().status == 0)
    #expect(home.text(home.path + "/dotfiles/market.json") == theirs)
    #expect(home.everything == before)
  }

  @Test func dryRunsChangeNothing() throws {
    let home = try PrivateHome()
    try home.codex("exit 1")
    #expect(home.install("--dry-run", "--enable").text.contains("would run codex plugin add opencode-worker@personal"))
    #expect(home.install("--dry-run", "--direct").text.contains("would make \(home.config)"))
    #expect(home.everything == [])
    #expect(home.codexCalls.allSatisfy { $0 == "--version" })
    #expect(home.install().status == 0)
    let installed = home.everything
    #expect(home.uninstall("--dry-run").text.contains("would remove \(home.plugin)"))
    #expect(home.everything == installed)
  }

  @Test func aBrokenMarketplaceOrAStrangersFolderStopsItBeforeAnythingIsWritten() throws {
    let home = try PrivateHome()
    try home.write("{ not json", to: home.marketplace)
    #expect(home.install().status == 1)
    #expect(home.install().text.contains("\(home.marketplace): it is not JSON"))
    #expect(!PrivateFiles.exists(home.plugin))
    unlink(home.marketplace)
    try home.write("mine", to: home.plugin + "/README")
    #expect(home.install().text.contains("is not this plugin"))
    #expect(!PrivateFiles.exists(home.marketplace))
  }

  @Test func whatSomebodyPutIntoThePluginFolderStays() throws {
    let home = try PrivateHome()
    #expect(home.install().status == 0)
    try home.write("mine", to: home.plugin + "/notes.txt")
    #expect(home.uninstall().text.contains("stays"))
    #expect(home.text(home.plugin + "/notes.txt") == "mine")
    #expect(!PrivateFiles.exists(home.plugin + "/bin"))
  }

  @Test func enableAsksCodexAndReportsItsRefusal() throws {
    let home = try PrivateHome()
    #expect(home.install("--enable").text.contains("codex is not on PATH"))
    #expect(home.everything == [])
    try home.codex("case \"$*\" in mcp*) echo '{\"enabled\":true,\"transport\":{\"command\":\"./bin/opencode-worker\"}}';; esac")
    #expect(home.install("--enable").status == 0)
    #expect(home.codexCalls.filter { $0 != "--version" } == ["plugin add opencode-worker@personal --json", "mcp get opencode-worker --json"])
    try home.codex("echo 'Error: no such marketplace' >&2; exit 1")
    let (status, text) = home.install("--enable")
    #expect(status == 1)
    #expect(text.contains("Codex did not add it: Error: no such marketplace"))
  }

  @Test func uninstallRemovesThePluginFromCodexToo() throws {
    let home = try PrivateHome()
    #expect(home.install().status == 0)
    try home.codex("case \"$*\" in 'plugin list'*) echo '{\"installed\":[{\"name\":\"opencode-worker\",\"marketplaceName\":\"personal\"}]}';; esac")
    #expect(home.uninstall().status == 0)
    #expect(home.codexCalls.last == "plugin remove opencode-worker@personal --json")
    #expect(home.everything == [])
  }

  @Test func aCodexThatFailsKeepsOnlyItsOwnCopy() throws {
    let home = try PrivateHome()
    #expect(home.install().status == 0)
    try home.codex("echo 'Error: broken' >&2; exit 1")
    let (status, text) = home.uninstall()
    #expect(status == 1)
    #expect(text.contains("Codex did not remove its copy: Error: broken"))
    #expect(home.everything == [])
  }

  @Test func unknownWordsAreRefused() throws {
    let home = try PrivateHome()
    #expect(home.install("--derect").status == 2)
    #expect(home.install("--direct", "--enable").status == 2)
    #expect(home.uninstall("now").status == 2)
    #expect(home.install("--help").text.contains("usage:"))
    #expect(home.everything == [])
  }
}

@Suite struct InstallDirectTests {
  @Test func theEntryIsAddedWithABackupAndTakenBack() throws {
    let home = try PrivateHome()
    let theirs = "# mine\nmodel = \"m\"\r\n[a]\nb = 1"
    try home.write(theirs, to: "dotfiles/config.toml", mode: 0o640)
    try PrivateFiles.createFolder(home.path + "/.codex")
    symlink("../dotfiles/config.toml", home.config)
    let before = home.everything
    let (status, text) = home.install("--direct")
    #expect(status == 0)
    #expect(text.contains("codex is not on PATH"))
    let real = home.path + "/dotfiles/config.toml"
    #expect(home.text(real)?.hasPrefix(theirs) == true)
    #expect(home.text(real)?.contains("command = \"\(home.worker)\"") == true)
    #expect(home.mode(real) == 0o640)
    #expect(home.text(home.config + ".before-opencode-worker") == theirs)
    #expect(home.install("--direct").text.contains("up to date"))
    #expect(home.uninstall().status == 0)
    #expect(home.text(real) == theirs)
    #expect(home.mode(real) == 0o640)
    #expect(home.everything == before)
  }

  @Test func aNewFileIsPrivateAndGoesAgain() throws {
    let home = try PrivateHome()
    #expect(home.install("--direct").status == 0)
    #expect(home.mode(home.config) == 0o600)
    #expect(home.uninstall().status == 0)
    #expect(home.everything == [".codex"])
  }

  @Test func theLastingNameOnPathIsPreferredToThePlaceBehindIt() throws {
    let home = try PrivateHome()
    symlink(home.worker, home.path + "/bin/opencode-worker")
    #expect(home.install("--direct").status == 0)
    #expect(home.text(home.config)?.contains("command = \"\(home.path)/bin/opencode-worker\"") == true)
  }

  @Test func whatCodexRefusesIsRestored() throws {
    let home = try PrivateHome()
    try home.codex("echo 'Error: failed to load' >&2; exit 1")
    #expect(home.install("--direct").status == 1)
    #expect(!PrivateFiles.exists(home.config))
    try home.write("broken = yes, very\n", to: home.config)
    let before = home.text(home.config)
    #expect(home.install("--direct").status == 1)
    #expect(home.text(home.config) == before)
    try home.write("fine = 1\n", to: home.config, mode: 0o604)
    let (status, text) = home.install("--direct")
    #expect(status == 1)
    #expect(text.contains("Codex says: Error: failed to load"))
    #expect(home.text(home.config) == "fine = 1\n")
    #expect(home.mode(home.config) == 0o604)
  }

  @Test func aCodexThatShowsAnotherCommandIsNotTrusted() throws {
    let home = try PrivateHome()
    try home.codex("echo '{\"transport\":{\"command\":\"/elsewhere\"}}'")
    #expect(home.install("--direct").status == 1)
    #expect(!PrivateFiles.exists(home.config))
    try home.codex("echo '{\"transport\":{\"command\":\"\(home.worker)\"}}'")
    #expect(home.install("--direct").status == 0)
  }

  @Test func aFileThatChangedMeanwhileIsNotOverwritten() throws {
    let home = try PrivateHome()
    try home.write("a = 1\n", to: home.config)
    let read = try GuardedFile(reading: home.config, modeWhenNew: 0o600)
    try home.write("a = 2\n", to: home.config)
    #expect(throws: SetupRefusal.self) { try read.replace(with: Array("a = 3\n".utf8)) }
    #expect(throws: SetupRefusal.self) { try read.remove() }
    #expect(home.text(home.config) == "a = 2\n")
    let missing = try GuardedFile(reading: home.path + "/none.toml", modeWhenNew: 0o600)
    try home.write("theirs", to: "none.toml")
    #expect(throws: SetupRefusal.self) { try missing.replace(with: []) }
    #expect(home.text(home.path + "/none.toml") == "theirs")
  }

  @Test func oddFilesAreRefused() throws {
    let home = try PrivateHome()
    try PrivateFiles.createFolder(home.config)
    #expect(home.install("--direct").text.contains("is not a regular file"))
    rmdir(home.config)
    symlink("/nowhere/at/all", home.config)
    #expect(home.install("--direct").text.contains("leads nowhere"))
    #expect(InstallCommand.run(arguments: [], environment: ["PATH": "/bin"], executable: home.worker) { _ in } == 1)
  }

  @Test func aUsersOwnEntryStaysAndIsNamed() throws {
    let home = try PrivateHome()
    try home.write("[mcp_servers.opencode-worker]\ncommand = \"mine\"\n", to: home.config)
    #expect(home.install("--direct").text.contains("that install has not written"))
    #expect(home.install().text.contains("prefers"))
    #expect(home.uninstall().text.contains("codex mcp remove opencode-worker"))
    #expect(home.text(home.config) == "[mcp_servers.opencode-worker]\ncommand = \"mine\"\n")
  }

  @Test func aBackupFromBeforeOutlivesLaterEdits() throws {
    let home = try PrivateHome()
    try home.write("a = 1\n", to: home.config)
    #expect(home.install("--direct").status == 0)
    try home.write("b = 2\n" + home.text(home.config)!, to: home.config)
    #expect(home.uninstall().text.contains("backup: "))
    #expect(home.text(home.config) == "b = 2\na = 1\n")
    #expect(home.text(home.config + ".before-opencode-worker")?.contains("[mcp_servers.opencode-worker]") == true)
  }
}
