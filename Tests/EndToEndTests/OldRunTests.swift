import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// A run that version 1.0.0 recorded (`Tests/Fixtures/runs/README.md`): whoever upgrades still has it.
@Suite(.blocking) struct OldRunTests {
  @Test func anOldRunsFolderIsRead() throws {
    let (world, client) = try World.connected()
    let id = "20261129-102100-dr75"
    let folder = world.path("state/runs/\(id)")
    try FileManager.default.createDirectory(atPath: world.path("state/runs"), withIntermediateDirectories: true)
    // Foundation's copy wants to keep the owner, which an ordinary user can't.
    #expect(try Command("/bin/cp", ["-R", "\(Fixture.folder)/runs/1.0.0/\(id)", folder], deadline: .after(60)).run().succeeded)
    // git doesn't keep an empty folder, and needs this one.
    try FileManager.default.createDirectory(atPath: folder + "/git/0/refs", withIntermediateDirectories: true)
    let run: JSONObject = ["run": .string(id)]

    let status = try client.call("opencode_status", run)
    #expect(status["state"]?.string == "completed" && status["running"]?.bool == false, "\(status.text)")
    #expect(status["steps"]?.int == 3 && status["toolCalls"]?.int == 5 && status["exitCode"]?.int == 0, "\(status.text)")
    #expect(status["startedAt"]?.string == "2026-11-29T10:21:00Z" && status["attention"] == nil, "\(status.text)")

    let review = try client.call("opencode_wait", run)
    #expect(review["answer"]?.string == "Added new.txt." && review["usage"]?["cost"]?.double == 0.0063, "\(review.text)")
    #expect(review["acceptanceCriteria"]?.array == ["new.txt is there"] && review["todo"]?["done"]?.int == 1, "\(review.text)")
    let declared = review["verification"]?["declared"]?.array ?? []
    #expect(declared.compactMap { $0["result"]?.string } == ["passed", "not run"], "\(review.text)")

    let summary = try client.call("opencode_run_summary", run)
    #expect(summary["items"]?.array?.compactMap { $0["tool"]?.string } == ["todowrite", "write", "edit", "bash", "bash"], "\(summary.text)")
    #expect(summary["items"]?.array?.first?["text"]?.string == "I begin.", "\(summary.text)")

    let changes = try client.call("opencode_changed_files", run)
    #expect(changes["exact"]?.bool == true && changes["root"]?.string == "/work-root/project", "\(changes.text)")
    let rows = changes["files"]?.array ?? []
    #expect(rows.compactMap { $0["path"]?.string } == ["README.md", "new.txt", "notes.txt"], "\(changes.text)")
    #expect(rows.last?["dirtyBefore"]?.bool == true && rows.first?["byTool"]?.bool == true, "\(changes.text)")
    // The run's own trees hold what was uncommitted; what was committed is in the repository, which is gone.
    let patch = try client.call("opencode_changed_files", run.merging(["patch": true, "paths": ["notes.txt"]]))
    #expect(patch["patch"]?.string?.contains("+more") == true && patch["patch"]?.string?.contains(" uncommitted") == true, "\(patch.text)")

    #expect(try client.call("opencode_logs", run)["lines"]?.array?.isEmpty == false)
    #expect(try client.call("opencode_runs")["runs"]?.array?.first?["run"]?.string == id)
    #expect(try world.worker("report", id).outputText.contains("Added new.txt."))
  }
}

extension JSONObject {
  fileprivate func merging(_ more: JSONObject) -> JSONObject {
    var all = self
    all.merge(more)
    return all
  }
}
