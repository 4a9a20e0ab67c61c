import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// What a person at a terminal is shown, by the built binary.
@Suite(.blocking) struct DeskTests {
  let world: World

  init() throws { world = try World() }

  private func delegate(_ turns: JSONValue, checks: [String] = []) throws -> String {
    try world.standIn(["turns": turns])
    let arguments: JSONValue = ["message": "Do <b>it</b> \u{202E}now.", "verificationCommands": JSONValue(strings: checks)]
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", arguments.text, deadline: .after(120)).output)
    return try #require(reply["run"]?.string, "\(reply.text)")
  }

  private static let edit: JSONValue = ["name": "write", "arguments": ["filePath": "new.txt", "content": "one\n"]]

  private func shell(_ command: String) -> JSONValue { ["name": "bash", "arguments": ["command": .string(command), "description": "x"]] }

  @Test func aRunIsNamedByAnyBeginningOrEndOrLatest() throws {
    let run = try delegate([["text": "Done."]])
    for word in [run, String(run.prefix(17)), String(run.suffix(4)), "latest"] {
      #expect(try world.worker("status", word).outputText.contains(run), "\(word)")
    }
    let unknown = try world.worker("status", "nope")
    #expect(unknown.status == .exited(1) && unknown.errorText.contains("There is no run \"nope\"") && unknown.errorText.contains(run))
    _ = try delegate([["text": "Done."]])
    let both = try world.worker("report", String(run.prefix(4)))
    #expect(both.status == .exited(1) && both.errorText.contains("fits 2 runs"))
    #expect(try world.worker("runs", "--ids").outputText.split(separator: "\n").count == 2)
    #expect(try world.worker("runs").outputText.contains("completed"))
  }

  /// A check that failed is no success, whatever the run's state.
  @Test func exitCodesTellWhatIsProven() throws {
    let good = try delegate([["tools": [shell("true")]], ["text": "Done."]], checks: ["true"])
    for command in ["status", "report", "watch"] { #expect(try world.worker(command, good).status == .exited(0), "\(command)") }
    let bad = try delegate([["tools": [shell("false")]], ["text": "Done."]], checks: ["false"])
    for command in ["status", "report", "watch"] { #expect(try world.worker(command, bad).status == .exited(1), "\(command)") }
    #expect(try world.worker("report", bad).outputText.contains("completed, but 1 check failed"))
    let unrun = try delegate([["text": "Done."]], checks: ["make test"])
    #expect(try world.worker("report", unrun).status == .exited(1))
  }

  /// In a pipe the diff is one that git takes back; what was uncommitted before stays.
  @Test func theDiffOfARunCanBeTakenBack() throws {
    try world.write("repository/mine.txt", "uncommitted\n")
    let run = try delegate([["tools": [Self.edit, shell("echo more >> README.md")]], ["text": "Done."]])
    let diff = try world.worker("diff", run)
    #expect(diff.status == .exited(0) && !diff.outputText.contains("\u{1B}") && !diff.outputText.contains("mine.txt"))
    try world.write("patch", diff.outputText)
    try world.git("apply", "-R", world.path("patch"))
    #expect(
      !world.exists("repository/new.txt") && world.read("repository/README.md") == "# Repository\n" && world.read("repository/mine.txt") == "uncommitted\n")
    let one = try world.worker("diff", run, "README.md")
    #expect(one.outputText.contains("+more") && !one.outputText.contains("new.txt"))
    #expect(try world.worker("diff", "README.md").outputText == one.outputText)
    #expect(try world.worker("diff", run, "other.txt").status == .exited(1))
  }

  /// Every event once, in order, also when there are many.
  @Test func watchAndLogsShowEveryEventOnce() throws {
    let calls: JSONValue = .array((0..<60).map { shell("echo \($0)") })
    let run = try delegate([["tools": calls], ["text": "Done."]])
    for words in [["watch", run], ["logs", run, "-n", "1000"]] {
      let shown = try Command(World.binary, words, environment: world.environment, folder: world.repository, deadline: .after(60)).run().outputText
      let numbers = shown.split(separator: "\n").compactMap { $0.firstMatch(of: /bash +echo (\d+) +exit 0/).flatMap { Int($0.1) } }
      #expect(numbers == Array(0..<60), "\(words[0])")
    }
    #expect(try world.worker("logs", run, "-n", "1").outputText.split(separator: "\n").count == 1)
    #expect(try world.worker("logs", run, "--raw", "-n", "3").outputText.split(separator: "\n").allSatisfy { $0.hasPrefix("{") })
  }

  @Test func thePageHoldsNothingThatRunsAndNothingFromTheNetwork() throws {
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    let turns: JSONValue = [
      ["text": "<script>alert(1)</script>", "tools": [Self.edit, shell("echo '<img src=x onerror=alert(1)>'; false")]],
      ["text": .string("Done with \(secret).")],
    ]
    let run = try delegate(turns, checks: ["false"])
    let report = try world.worker("report", run, "-o", "page.html")
    #expect(report.outputText.contains("page.html"))
    let page = try #require(world.read("repository/page.html"))
    #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("http://") && !page.contains("https://"))
    #expect(!page.contains(secret) && !page.contains("\u{202E}") && page.contains("Do &lt;b&gt;it&lt;/b&gt;"))
    for words in ["a claim, not evidence", "Look at this first", "<svg", "new.txt", "default-src 'none'"] { #expect(page.contains(words), "\(words)") }
    #expect(try world.worker("report", run, "-o", "-").outputText == page)
  }

  /// However much a run printed and changed.
  @Test func thePageOfAHugeRunStaysSmall() throws {
    let calls: JSONValue = .array((0..<40).map { shell("seq \($0 * 20_000) \($0 * 20_000 + 19_999) > big\($0).txt") })
    let run = try delegate([["tools": calls], ["text": .string(String(repeating: "<&>", count: 100_000))]])
    _ = try world.worker("report", run, "-o", "page.html", deadline: .after(300))
    let page = try #require(world.read("repository/page.html"))
    #expect(page.utf8.count < 5_000_000 && page.hasSuffix("</html>\n"))
  }

  /// Leaving never touches the run.
  @Test func ctrlCLeavesAndTheRunGoesOn() throws {
    try world.standIn(["turns": [["text": "Working.", "tools": [shell("sleep 1")]], ["text": "Done.", "delay": 8]]])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(world.task()).text).output)
    let run = try #require(started["run"]?.string)
    let (output, errors) = (try Descriptor.open(world.path("out"), O_WRONLY | O_CREAT), try Descriptor.open(world.path("err"), O_WRONLY | O_CREAT))
    let watch = try ChildProcess(
      World.binary, ["watch", run], environment: world.environment, folder: world.repository, output: output, errors: errors)
    #expect(eventually { world.read("out")?.contains("says      Working.") == true })
    kill(watch.pid, SIGINT)
    #expect(watch.wait(deadline: .after(30)) == .exited(130))
    let said = world.read("err") ?? ""
    #expect(said.contains("The run goes on.") && said.contains("kill "), "\(said)")
    #expect(try world.worker("status", run).outputText.contains("running"))
    let client = try MCPClient(world)
    try client.initialize()
    #expect(try client.call("opencode_wait", ["run": .string(run)])["state"]?.string == "completed")
  }

  /// What each option does is on the command's own page.
  @Test func installExplainsItsOptions() throws {
    let page = try world.worker("install", "--help").outputText
    for option in ["--enable", "--direct", "--hooks", "--wake", "--dry-run"] { #expect(page.contains("  \(option)"), "\(option)") }
  }
}
