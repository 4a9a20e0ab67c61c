import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What a run's shell did to the user's own work and to the repository, in the reply that a reviewer reads: real git.
@Suite(.blocking) struct RepositoryReviewTests {
  let world: World
  let client: MCPClient

  init() throws { (world, client) = try World.connected() }

  private static let git = "git -c user.name=T -c user.email=t@localhost"

  private func review(_ command: String) throws -> JSONValue {
    try world.standIn([
      "turns": [["tools": [["name": "bash", "arguments": ["command": .string(command), "description": "x"]]]], ["text": "Done."]]
    ])
    let reply = try client.call("opencode_run_and_wait", world.task(), within: 120)
    #expect(reply["state"]?.string == "completed", "\(reply.text)")
    return reply
  }

  private func commit(_ name: String, _ subject: String) throws {
    try world.write("repository/\(name)", "\(subject)\n")
    try world.git("add", ".")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", subject)
  }

  private func firstAttention(_ reply: JSONValue) -> String { reply["attention"]?.array?.first?.string ?? "" }

  @Test(arguments: [
    ("git checkout -q -- .", ["README.md"]), ("git reset -q --hard", ["README.md"]), ("git clean -fdq", ["notes.txt"]),
    ("\(git) stash -q -u", ["README.md", "notes.txt"]), ("git restore . && rm notes.txt", ["README.md", "notes.txt"]),
  ])
  func uncommittedWorkThatIsGone(command: String, lost: [String]) throws {
    try world.write("repository/README.md", "# Repository\nhours of work\n")
    try world.write("repository/notes.txt", "more hours\n")
    let reply = try review(command)
    #expect(firstAttention(reply).hasPrefix("uncommitted work from before the run is gone: "), "\(reply.text)")
    #expect(reply["next"]?.string?.hasPrefix("tell the user that uncommitted work is gone") == true, "\(reply.text)")
    let rows = reply["changedFiles"]?["files"]?.array ?? []
    #expect(Set(rows.filter { $0["lostWork"]?.bool == true }.compactMap { $0["path"]?.string }) == Set(lost), "\(reply.text)")
    for name in lost { #expect(firstAttention(reply).contains(name)) }
    let patch = try client.call("opencode_changed_files", ["patch": true])["patch"]?.string ?? ""
    #expect(patch.contains("-hours of work") == lost.contains("README.md") && patch.contains("-more hours") == lost.contains("notes.txt"), "\(patch)")
    #expect(try world.worker("report").status == .exited(1))
  }

  @Test(arguments: [
    "\(git) commit -q --amend -m 'Other words'", "\(git) rebase -q --root --exec '\(git) commit -q --amend -m x'", "git reset -q --hard HEAD~1",
  ])
  func historyThatIsRewritten(command: String) throws {
    try commit("a.txt", "Second")
    let reply = try review(command)
    #expect(firstAttention(reply).hasPrefix("history was rewritten: commits of main"), "\(reply.text)")
    #expect(reply["git"]?["rewritten"]?.bool == true, "\(reply.text)")
    #expect(reply["next"]?.string?.contains("tell the user what became of the repository (git)") == true, "\(reply.text)")
    #expect(try world.worker("report").status == .exited(1))
  }

  @Test func branchesAndStashesThatAreLost() throws {
    try world.git("checkout", "-q", "-b", "side")
    try commit("a.txt", "On the side")
    try world.git("checkout", "-q", "main")
    try world.write("repository/README.md", "# Repository\nstashed\n")
    try world.git("-c", "user.name=T", "-c", "user.email=t@localhost", "stash", "push", "-q", "-m", "mine")
    let reply = try review("git branch -q -D side && git stash drop -q")
    #expect(firstAttention(reply).hasPrefix("refs were lost: "), "\(reply.text)")
    #expect(firstAttention(reply).contains("refs/heads/side (deleted)") && firstAttention(reply).contains("On main: mine"), "\(reply.text)")
    let refs = reply["git"]?["refs"]?.array ?? []
    #expect(refs.contains { $0["name"]?.string == "refs/heads/side" && $0["change"]?.string == "deleted" }, "\(reply.text)")
    #expect(reply["git"]?["rewritten"] == nil, "\(reply.text)")
    #expect(reply["next"]?.string?.contains("tell the user what became of the repository (git)") == true, "\(reply.text)")
  }

  @Test func whatIsPushed() throws {
    let remote = world.path("remote.git")
    try world.git("init", "-q", "--bare", remote)
    try world.git("remote", "add", "origin", remote)
    try world.git("push", "-q", "-u", "origin", "main")
    let reply = try review("echo x > a.txt && git add a.txt && \(Self.git) commit -q -m Pushed && git push -q origin main")
    #expect(firstAttention(reply) == "it pushed: refs/remotes/origin/main", "\(reply.text)")
    #expect(reply["git"]?["refs"]?.array?.first?["by"]?.string == "push" && reply["git"]?["commitCount"]?.int == 1, "\(reply.text)")
    #expect(reply["next"]?.string?.contains("tell the user what became of the repository (git)") == true, "\(reply.text)")
  }

  /// A commit more, another branch, a clean tree: nothing is made of it.
  @Test func whatIsOrdinaryIsNoAlarm() throws {
    let reply = try review("echo x > a.txt && git add a.txt && \(Self.git) commit -q -m Work && git checkout -q -b other && git stash list")
    #expect(reply["git"]?["commitCount"]?.int == 1 && reply["git"]?["rewritten"] == nil && reply["git"]?["refs"] == nil, "\(reply.text)")
    #expect(reply["git"]?["branch"]?["after"]?.string == "other", "\(reply.text)")
    #expect(!attention(reply).contains("history") && !attention(reply).contains("refs"), "\(reply.text)")
    #expect(try world.worker("report").status == .exited(0))
  }

  /// What OpenCode itself says of the files that it edited.
  @Test func errorsThatALanguageServerFound() throws {
    func edit(_ old: String, _ new: String, _ found: [String]) -> JSONValue {
      [
        "name": "edit", "arguments": ["filePath": "README.md", "oldString": .string(old), "newString": .string(new)],
        "diagnostics": JSONValue(strings: found),
      ]
    }
    try world.standIn(["turns": [["tools": [edit("Repository", "wrong", ["cannot find 'wrong' in scope"])]], ["text": "Done."]]])
    let left = try client.call("opencode_run_and_wait", world.task())
    #expect(attention(left).contains("a language server found errors that no later edit of the file took away: \(world.repository)/README.md"), "\(left.text)")
    #expect(try world.worker("report").status == .exited(1))
    try world.standIn(["turns": [["tools": [edit("wrong", "worse", ["no"]), edit("worse", "right", [])]], ["text": "Done."]]])
    #expect(!attention(try client.call("opencode_run_and_wait", world.task())).contains("language server"))
  }

  // MARK: - Two conversations

  @Test func anotherConversationsLiveRunIsNotYours() throws {
    let (mine, theirs): (JSONObject, JSONObject) = (["threadId": "b"], ["threadId": "a"])
    try world.standIn(["turns": [["text": "Mine."]]])
    let own = try #require(try client.call("opencode_run_and_wait", world.task(), meta: mine)["run"])
    try world.standIn(["turns": [["text": "Theirs.", "tools": [["name": "bash", "arguments": ["command": "until test -s ../go; do sleep 0.1; done"]]]]]])
    let live = try #require(try client.call("opencode_start", world.task(), meta: theirs)["run"])
    let seen = try client.call("opencode_status", meta: mine)
    #expect(seen["run"] == live && firstAttention(seen).hasPrefix("not yours: another conversation started this run "), "\(seen.text)")
    #expect(firstAttention(seen).hasSuffix(" s ago in \(world.repository)") && seen["next"]?.string?.hasPrefix("not yours: ") == true, "\(seen.text)")
    let busy = try client.call("opencode_start", world.task(), meta: mine)
    #expect(busy["error"]?["code"]?.string == "busy", "\(busy.text)")
    let message = busy["error"]?["message"]?.string ?? ""
    #expect(message.contains(" in \(world.repository), since ") && message.contains(live.string ?? "?"), "\(message)")
    #expect(firstAttention(busy).hasPrefix("not yours: "), "\(busy.text)")
    let waited = try client.call("opencode_wait", meta: mine)
    #expect(waited["run"] == own && waited["answer"]?.string == "Mine.", "\(waited.text)")
    #expect(try client.call("opencode_status", meta: theirs)["run"] == live)
    try world.write("go", "go\n")
    #expect(try client.call("opencode_wait", ["run": live], meta: theirs)["state"]?.string == "completed")
  }
}
