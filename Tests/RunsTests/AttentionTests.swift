import Foundation
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs
@testable import ShellReading
@testable import Workspace

@Suite struct AttentionTests {
  @Test func theUsersWorkComesBeforeWhatOnlyCosts() {
    let list: [Attention] = [
      .costUnknown("the model"), .todosOpen(1, of: 2, first: "write it"), .checkFailed(command: "make", exitCode: 2, by: nil),
      .lostWork(["a.txt"], count: 1), .notYours("not yours"), .costUnknown("the model"),
    ]
    #expect(
      list.ranked.sentences == [
        "not yours", "uncommitted work from before the run is gone: a.txt; still in opencode_changed_files with patch",
        "a declared check failed: make (exit 2)",
        "1 of 2 todos are unfinished: write it", "cost unknown: the model has no price",
      ])
  }

  @Test func whatIsKeptComesBackRankedAndOldReviewsAreRead() throws {
    let outcome = Outcome(state: .completed, reason: nil, attention: [.checkNotRun(command: "make"), .pushed(["refs/remotes/origin/main"])])
    let bytes = try JSONEncoder().encode(outcome)
    #expect(try JSONDecoder().decode(Outcome.self, from: bytes) == outcome)
    // What version 1.0.0 reads is still there.
    let old = try JSONDecoder().decode([String: [String]].self, from: JSONEncoder().encode(["attention": outcome.attention.sentences]))
    #expect(old["attention"]?.first == "it pushed: refs/remotes/origin/main")
    let before = try JSONDecoder().decode(Outcome.self, from: Data(#"{"state":"completed","attention":["second words","first words"]}"#.utf8))
    #expect(before.attention.sentences == ["second words", "first words"])
  }

  /// Of a run that has ended nothing happens any more.
  @Test func theWordsFitARunThatHasEnded() throws {
    let alive = Attention.providerErrors(count: 2, last: "Rate limit", secondsAgo: 9, nextTry: 4)
    #expect(alive.sentence == "provider errors: 2 x Rate limit, last 9 s ago, next try in 4 s")
    #expect(alive.ofEnded.sentence == "provider errors: 2 x Rate limit, last 9 s before its end" && alive.ofEnded.ofEnded == alive.ofEnded)
    #expect(Attention.providerErrors(count: 1, last: nil, secondsAgo: 0).ofEnded.sentence == "provider errors: 1 x error, last at its end")
    #expect(Attention.providerErrors(count: 1, last: "x", secondsAgo: nil).ofEnded.sentence == "provider errors: 1 x x")
    // As a version without the new member wrote it.
    let old = Data(#"[{"providerErrors":{"count":2,"last":"Rate limit","secondsAgo":9}}]"#.utf8)
    #expect(try JSONDecoder().decode([Attention].self, from: old) == [.providerErrors(count: 2, last: "Rate limit", secondsAgo: 9)])
    #expect(try JSONDecoder().decode([Attention].self, from: JSONEncoder().encode([alive.ofEnded])) == [alive.ofEnded])
  }

  @Test func whatHappenedToTheRepositoryIsSaid() {
    var changes = ChangedFiles(root: "/w")
    changes.settle([
      ChangedFile(path: "notes.txt", change: .deleted, dirtyBefore: true, lostWork: true),
      ChangedFile(path: "/home/u/.bashrc", change: .written, outside: true),
    ])
    (changes.rewritten, changes.branchBefore) = (true, "main")
    changes.refs = [
      RefChange(name: "refs/heads/main", kind: .rewritten), RefChange(name: "refs/heads/work", kind: .deleted),
      RefChange(name: "refs/remotes/origin/main", kind: .remote, after: "1", by: "push"),
      RefChange(name: "refs/remotes/origin/x", kind: .remote, after: "2", by: "fetch"), RefChange(name: "refs/remotes/origin/y", kind: .remote, before: "3"),
    ]
    #expect(
      RunReview.attention(of: changes, in: "/w").ranked.sentences == [
        "uncommitted work from before the run is gone: notes.txt; still in opencode_changed_files with patch",
        "history was rewritten: commits of main are no longer part of it",
        "refs were lost: refs/heads/work (deleted), refs/remotes/origin/y (deleted, or gone at the remote)",
        "it pushed: refs/remotes/origin/main", "tools wrote outside the workspace: /home/u/.bashrc",
      ])
    #expect(changes.counts == ChangedFiles.Counts(deleted: 1), "what is outside isn't counted")
  }

  @Test func aSignalBehindAScriptIsNamedAndAStandingAnswerIsTold() throws {
    let digest = try Log.digest([EventLines.start("m"), EventLines.bash("m", "true", exit: 0, part: "b"), EventLines.finish("m", "tool-calls")])
    let killed = Outcome.of(end: .exited(137), digest: digest, launch: RunLaunch(arguments: []), now: 10)
    #expect(killed.state == .failed && killed.reason == "exit 137, as a shell or script says of SIGKILL")
    let good = try Log.digest([EventLines.start("m"), EventLines.text("m", "Done."), EventLines.finish("m", "stop")])
    #expect(Outcome.liveAttention(digest: good, now: 100, quietSince: 60).sentences == ["a final answer stands since 40 s, but OpenCode hasn't exited"])
    #expect(Outcome.liveAttention(digest: good, now: 80, quietSince: 60).isEmpty)
  }

  @Test func anAgentForSubagentsIsTold() throws {
    let stderr = "\u{1B}[93m\u{1B}[1m! \u{1B}[0m agent \"general\" is a subagent, not a primary agent. Falling back to default agent\n"
    #expect(try Log.digest([], stderr: stderr).subagentAsAgent == "general")
    let stream =
      "timestamp=2026-11-24T18:25:55.620Z level=ERROR run=6a message=\"stream error\" providerID=mock error.error.message=Overloaded error.error.type=overloaded_error\n"
    #expect(try Log.digest([], stderr: stream).providerErrors.last == "Overloaded")
  }
}
