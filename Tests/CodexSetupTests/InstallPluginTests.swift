import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import CodexSetup

@Suite(.blocking) struct InstallPluginTests {
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
    // An older version's file, as its record tells.
    var record = try #require(InstallRecord(inFolder: home.plugin))
    record.files["skills/old/SKILL.md"] = "stale"
    try home.write(record.text, to: home.plugin + "/" + InstallRecord.file)
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
    #expect(home.install().text.contains("kept in \(home.plugin): notes.txt"), "its own folder is known again")
    unlink(home.plugin + "/notes.txt")
    #expect(home.uninstall().status == 0)
    #expect(home.everything == [])
  }

  @Test func whatTheUserPutThereOrChangedSurvivesAnUpgrade() throws {
    let home = try PrivateHome()
    #expect(home.install("--hooks").status == 0)
    let server = home.plugin + "/.mcp.json"
    let skill = home.plugin + "/skills/opencode-worker/SKILL.md"
    var file = try #require(home.text(server))
    file = file.replacing("\"tool_timeout_sec\": 3600", with: "\"tool_timeout_sec\": 7200,\n      \"enabled_tools\": [\"opencode_wait\"]")
    file = file.replacing("\"3540\"", with: "\"7000\"").replacing("        \"GITHUB_TOKEN\",\n", with: "        \"MY_KEY\",\n")
    file = file.replacing("\"mcpServers\": {", with: "\"mcpServers\": {\n    \"mine\": {\"command\": \"/bin/true\"},")
    try home.write(file, to: server)
    try home.write("my own words", to: skill)
    try home.write("mine", to: home.plugin + "/skills/mine/SKILL.md")
    symlink("nowhere", home.plugin + "/link")
    for round in 1...2 {
      let (status, text) = home.install("--wake")
      #expect(status == 0)
      #expect(text.contains("kept in \(home.plugin): ") && text.contains("skills/mine"), "\(text)")
      if round == 1 { #expect(text.contains("what you changed in \(skill) is kept as SKILL.md.before-opencode-worker"), "\(text)") }
      let now = try JSONValue(parsing: PrivateFiles.read(server))
      let entry = try #require(now["mcpServers"]?["opencode-worker"])
      #expect(now["mcpServers"]?["mine"]?["command"] == "/bin/true")
      #expect(entry["tool_timeout_sec"]?.int == 7200 && entry["enabled_tools"] == ["opencode_wait"])
      #expect(entry["env"] == ["OPENCODE_WORKER_WAIT_SECONDS": "7000", "OPENCODE_WORKER_WAKE": "1"])
      let names = entry["env_vars"]?.array ?? []
      #expect(names.contains("MY_KEY") && !names.contains("GITHUB_TOKEN") && names.contains("SSH_AUTH_SOCK"))
      #expect(home.text(skill) == SkillText.file)
      #expect(home.text(skill + ".before-opencode-worker") == "my own words")
      #expect(home.text(home.plugin + "/skills/mine/SKILL.md") == "mine")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: home.plugin + "/link") == "nowhere")
      #expect(PrivateFiles.exists(home.plugin + "/hooks/hooks.json"))
    }
    let (status, text) = home.uninstall()
    #expect(status == 0)
    #expect(text.contains("stays: \(home.plugin), with files that install has not written: .mcp.json.before-opencode-worker, link, skills"), "\(text)")
    #expect(!PrivateFiles.exists(server) && !PrivateFiles.exists(home.plugin + "/bin"))
  }

  /// A second CODEX_HOME has a copy of its own, which goes on when the marketplace is gone; Codex then lists no such plugin.
  @Test func eachCodexThatGotThePluginIsAskedToRemoveIt() throws {
    let home = try PrivateHome()
    let script = """
      cache="${CODEX_HOME:-$HOME/.codex}/plugins/cache/personal/opencode-worker"
      case "$*" in
        'plugin add'*) mkdir -p "$cache/1.0.0";;
        'plugin remove opencode-worker@personal'*) rm -rf "$cache";;
        'plugin list'*) echo '{"installed":[]}';;
        'mcp get'*) [ -d "$cache" ] && echo '{"enabled":true,"transport":{"command":"./bin/opencode-worker","cwd":"'"$cache/1.0.0"'"}}' || exit 1;;
      esac
      """
    try home.codex(script)
    #expect(home.install("--enable").status == 0)
    let second = home.path + "/second"
    try PrivateFiles.createFolder(second)
    var lines: [String] = []
    let environment = home.environment.merging(["CODEX_HOME": second]) { $1 }
    #expect(InstallCommand.run(arguments: ["--enable"], environment: environment, executable: home.worker) { lines.append($0) } == 0)
    let (status, text) = home.uninstall()
    #expect(status == 0)
    #expect(text.contains("CODEX_HOME='\(second)' codex plugin remove opencode-worker@personal"), "\(text)")
    for codexHome in [second, home.path + "/.codex"] { #expect(!PrivateFiles.exists(codexHome + "/plugins/cache/personal/opencode-worker")) }

    // Nothing but its own copy tells of it any more.
    try PrivateFiles.createFolder(second + "/plugins/cache/personal/opencode-worker/1.0.0")
    try PrivateFiles.createFolder(second + "/plugins/cache/acme/opencode-worker/1.0.0")
    lines = []
    #expect(UninstallCommand.run(arguments: [], environment: environment) { lines.append($0) } == 0)
    #expect(!PrivateFiles.exists(second + "/plugins/cache/personal/opencode-worker"), "\(lines)")
    #expect(lines.contains { $0.hasPrefix("note: Codex has a plugin of this name from the marketplace acme, which install has not added") }, "\(lines)")
    #expect(PrivateFiles.exists(second + "/plugins/cache/acme/opencode-worker"))

    // A Codex that keeps it all the same is told of.
    try PrivateFiles.createFolder(second + "/plugins/cache/personal/opencode-worker/1.0.0")
    try home.codex(script.replacing("rm -rf", with: "true"))
    lines = []
    #expect(UninstallCommand.run(arguments: [], environment: environment) { lines.append($0) } == 1)
    #expect(lines.contains { $0.hasPrefix("Codex still starts the server from its own copy; remove it with: codex plugin remove opencode-worker@personal") })
  }

  @Test func uninstallSaysWhatStays() throws {
    let home = try PrivateHome()
    try home.write("a = 1\n", to: home.config)
    #expect(home.install("--direct").status == 0)
    try PrivateFiles.createFolder(home.path + "/state")
    try PrivateFiles.createFolder(home.path + "/other")
    var lines: [String] = []
    let environment = home.environment.merging(["CODEX_HOME": home.path + "/other"]) { $1 }
    #expect(UninstallCommand.run(arguments: [], environment: environment, stateFolder: home.path + "/state") { lines.append($0) } == 0)
    #expect(lines.contains("stays: \(home.path)/state, the runs and their logs; delete it to forget them"), "\(lines)")
    #expect(lines.contains { $0.contains("CODEX_HOME='\(home.path)/.codex' opencode-worker uninstall") }, "\(lines)")
  }

  @Test func approvalsAreWrittenAndTakenBack() throws {
    let home = try PrivateHome()
    #expect(home.install("--approve").status == 2)
    try home.codex(
      "case \"$*\" in --version) echo 'codex 0.163.0';; 'mcp get'*) echo '{\"enabled\":true,\"transport\":{\"command\":\"\(home.worker)\"}}';; esac")
    try home.write("a = 1\n", to: home.config)
    #expect(home.install("--enable", "--approve").status == 0)
    let plugin = try #require(home.text(home.config))
    for tool in Approvals.tools {
      #expect(plugin.contains("\n[plugins.\"opencode-worker@personal\".mcp_servers.opencode-worker.tools.\(tool)]\napproval_mode = \"approve\"\n"))
    }
    #expect(home.uninstall().text.contains("the approvals"))
    #expect(home.text(home.config) == "a = 1\n")
    #expect(home.install("--direct", "--approve", "--hooks", "--wake").status == 0)
    #expect(home.text(home.config)?.contains("\n[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = \"approve\"\n") == true)
    #expect(home.install("--direct", "--approve").text.contains("up to date"))
    #expect(home.uninstall().status == 0)
    #expect(home.text(home.config) == "a = 1\n")
  }

  @Test func installSaysWhatReachesTheServer() throws {
    let home = try PrivateHome()
    try home.write("#!/bin/sh\n", to: "tools/opencode", mode: 0o755)
    let environment = home.environment.merging([
      "OPENCODE_BIN": home.path + "/tools/opencode", "ANTHROPIC_API_KEY": "secret", "ACME_API_KEY": "secret", "OPENCODE_EXPERIMENTAL": "1", "OTHER": "1",
    ]) { $1 }
    for arguments in [[], ["--direct"]] {
      var lines: [String] = []
      #expect(InstallCommand.run(arguments: arguments, environment: environment, executable: home.worker) { lines.append($0) } == 0)
      let text = lines.joined(separator: "\n")
      #expect(text.contains("of those set here: ANTHROPIC_API_KEY (env_vars has them all)"), "\(text)")
      #expect(text.contains("set here, and not passed on: ACME_API_KEY, OPENCODE_EXPERIMENTAL."), "\(text)")
      #expect(!text.contains("secret") && !text.contains("OTHER"))
    }
    let server = try JSONValue(parsing: PrivateFiles.read(home.plugin + "/.mcp.json"))["mcpServers"]?["opencode-worker"]
    #expect(server?["env"]?["OPENCODE_BIN"]?.string == home.path + "/tools/opencode")
    #expect(home.text(home.config)?.contains("OPENCODE_BIN = \"\(home.path)/tools/opencode\"") == true)
    #expect(home.install("--direct").text.contains("up to date"), "an upgrade without it leaves it")
    #expect(home.install().status == 0)
    #expect(home.text(home.plugin + "/.mcp.json")?.contains("/tools/opencode") == true)
  }

  @Test func enableAsksCodexAndReportsItsRefusal() throws {
    let home = try PrivateHome()
    #expect(home.install("--enable").text.contains("codex is not on PATH"))
    #expect(home.everything == [])
    try home.codex("case \"$*\" in mcp*) echo '{\"enabled\":true,\"transport\":{\"command\":\"./bin/opencode-worker\"}}';; esac")
    #expect(home.install("--enable").status == 0)
    #expect(home.codexCalls.filter { $0 != "--version" } == ["plugin add opencode-worker@personal --json", "mcp get opencode-worker --json"])
    #expect(InstallRecord(inFolder: home.plugin)?.codexHomes == [home.path + "/.codex"])
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
    #expect(home.codexCalls.contains("plugin remove opencode-worker@personal --json"))
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
    #expect(home.install("--derect").text.contains("did you mean --direct?"))
    #expect(home.install("--direct", "--enable").status == 2)
    #expect(home.uninstall("now").status == 2)
    #expect(home.install("--help").text.contains("usage:"))
    #expect(home.everything == [])
  }
}

@Suite(.blocking) struct InstallDirectTests {
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
