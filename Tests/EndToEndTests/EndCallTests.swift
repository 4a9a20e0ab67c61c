import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// `OPENCODE_WORKER_ON_END`: the user's own program at the end of a run.
@Suite(.blocking) struct EndCallTests {
  let world: World

  init() throws {
    world = try World()
    try world.standIn(["turns": [["text": "Done."]]])
  }

  /// A program that does `script`, and is named by the variable.
  private func program(_ script: String) throws {
    try Program.write("#!/bin/sh\n\(script)\n", to: world.path("told"))
    world.environment["OPENCODE_WORKER_ON_END"] = world.path("told")
  }

  private func delegate(_ more: JSONObject = [:]) throws -> String {
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", JSONValue.object(world.task(more)).text, deadline: .after(120)).output)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private func log(_ run: String) -> String {
    (try? PrivateFiles.read(world.file("supervisor.log", of: run))).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Nothing of the worker's own is told to it, and nothing that an argument or the project says changes what is called.
  @Test func itIsCalledOnceWithTheReview() throws {
    try program(
      "cat > \(world.path("review.json")).part; env > \(world.path("env")); echo $# >> \(world.path("calls")); mv \(world.path("review.json")).part \(world.path("review.json"))"
    )
    try world.write("repository/.env", "OPENCODE_WORKER_ON_END=/bin/false\n")
    let run = try delegate()
    #expect(eventually { world.exists("review.json") })
    let review = try JSONValue(parsing: Array((world.read("review.json") ?? "").utf8))
    #expect(review["run"]?.string == run && review["state"] == "completed" && review["answer"] == "Done.", "\(review.text)")
    #expect(review["changedFiles"]?["counts"] != nil)
    #expect(world.read("env")?.contains("OPENCODE_WORKER_") == false)
    // Later looks, by other servers, change nothing.
    #expect(eventually { world.supervisors().isEmpty })
    for _ in 0..<3 { _ = try world.worker("report", run) }
    #expect(world.read("calls") == "0\n" && log(run) == "", "\(log(run))")
  }

  @Test(.waiting) func aSlowOneIsEndedWithAllItStarted() throws {
    try program("sleep 300 & echo $! > \(world.path("child")); sleep 300")
    let run = try delegate()
    // The review is there at once; nobody waits for the program.
    #expect(eventually(within: 60) { log(run).contains("OPENCODE_WORKER_ON_END: \(world.path("told")): not done in 10 s: ended") }, "\(log(run))")
    let child = try #require(world.read("child").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
    #expect(eventually { kill(child, 0) != 0 || ProcessIdentity.of(child)?.isAlive != true })
    let doctor = try world.worker("doctor", deadline: .after(120))
    #expect(doctor.outputText.contains("OPENCODE_WORKER_ON_END: at the end of \(run): "), "\(doctor.outputText)")
  }

  @Test(arguments: [
    ("relative/told", "isn't an absolute path"), ("/nowhere/told", "there is no /nowhere/told"), ("/", "is a folder"), ("/etc/passwd", "can't be executed"),
  ])
  func aWrongValueIsSaid(value: String, says: String) throws {
    world.environment["OPENCODE_WORKER_ON_END"] = value
    let run = try delegate()
    #expect(eventually { log(run).contains(says) }, "\(log(run))")
    let doctor = try world.worker("doctor", deadline: .after(120))
    #expect(doctor.status == .exited(1) && doctor.outputText.contains(says), "\(doctor.outputText)")
  }

  @Test func aFailureIsALineInTheLogAndInDoctor() throws {
    try program("cat > /dev/null; echo 'no bus' >&2; exit 3")
    let run = try delegate()
    #expect(eventually { log(run).contains("no bus") }, "\(log(run))")
    #expect(try world.worker("report", run).status == .exited(0))
    #expect(try world.worker("doctor", deadline: .after(120)).outputText.contains("no bus"))
  }

  /// A run whose supervisor was killed is told by the one that took it over.
  @Test func anAdoptedRunIsToldToo() throws {
    try program("cat > \(world.path("review.json"))")
    try world.standIn([
      "turns": [["text": "Working.", "tools": [["name": "bash", "arguments": ["command": "sleep 4", "description": "x"]]]], ["text": "Done."]]
    ])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(world.task()).text).output)
    let run = try #require(started["run"]?.string, "\(started.text)")
    #expect(eventually { world.openCode(of: run) != nil })
    try world.killSupervisors()
    #expect(try eventually(within: 60) { try world.worker("status", run).outputText.contains("completed") })
    #expect(eventually { world.read("review.json")?.contains(run) == true })
  }

  /// The programs in README, each with a stand-in for what it calls.
  @Test func theExamplesInREADMERunAsTheyStand() throws {
    let readme = URL(fileURLWithPath: Fixture.folder).deletingLastPathComponent().deletingLastPathComponent().path + "/README.md"
    let text = String(decoding: try PrivateFiles.read(readme), as: UTF8.self)
    let scripts = text.matches(of: /```sh\n(#!\/bin\/sh\n[\s\S]*?)```/).map { String($0.1) }
    #expect(scripts.count == 3)
    for name in ["notify-send", "osascript"] {
      try Program.write("#!/bin/sh\nfor word in \"$@\"; do echo \"$word\"; done > '\(world.path("said-\(name)"))'\n", to: world.path("bin/\(name)"))
    }
    let run: JSONValue = ["state": "completed", "title": "Add \"it\" & $(go)"]
    let environment = world.environment.merging(["PATH": "\(world.path("bin")):/usr/bin:/bin"]) { $1 }
    for (number, script) in scripts.enumerated() {
      let path = world.path("script-\(number)")
      // Nobody's network is asked: what would be fetched is printed.
      let offline = script.replacing("urllib.request.urlopen(", with: "print(")
      let isOffline = offline != script
      let fixed = isOffline ? offline.replacing(", timeout=8)", with: ")") : offline
      try Program.write(fixed, to: path)
      let result = try Command(path, [], environment: environment, folder: "/", deadline: .after(60)).run(input: Array(run.text.utf8))
      #expect(result.succeeded, "\(result.errorText)")
      if isOffline { #expect(result.outputText.contains("completed: Add")) }
    }
    #expect(world.read("said-notify-send") == "OpenCode: completed\nAdd \"it\" & $(go)\n")
    #expect(world.read("said-osascript")?.hasSuffix("OpenCode: completed\nAdd \"it\" & $(go)\n") == true)
  }
}
