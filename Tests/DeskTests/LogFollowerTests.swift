import PosixSupport
import TestSupport
import Testing

@testable import Desk
@testable import Runs

@Suite struct LogFollowerTests {
  private let scratch: Scratch
  private let folder: RunFolder

  init() throws {
    scratch = try Scratch()
    folder = RunFolder(id: "20261122-162803-k3f9", path: scratch.path)
  }

  private func text(_ text: String, at: Int) -> String { EventLines.text("m\(at)", text, at: at) + "\n" }

  private func refused(_ message: String, at: String) -> String {
    "timestamp=1970-01-01T00:00:\(at)Z level=ERROR message=\"stream error\" small=false error.error=\"AI_APICallError: \(message)\"\n"
  }

  private func words(_ item: LogFollower.Item) -> String {
    switch item {
    case .event(.text(let part)): part.text.head
    case .event: "event"
    case .providerError(let message, _): "! \(message)"
    case .rejected(let what): "rejected \(what)"
    case .text(let text): text
    }
  }

  private func all(_ follower: inout LogFollower, final: Bool = false, limit: Int64 = 2 << 20) -> [String] {
    var seen: [String] = []
    while follower.advance(final: final, limit: limit, { seen.append(words($0)) }) {}
    return seen
  }

  /// However much of each log is read at a time.
  @Test(arguments: [1, 300, 2 << 20] as [Int64])
  func whatBothLogsHoldComesInTheOrderOfItsTimes(limit: Int64) throws {
    try scratch.append(Array((text("one", at: 1_000) + text("three", at: 3_000) + "plain\n" + text("six", at: 6_000)).utf8), to: "events.jsonl")
    let rejected = "! permission requested: bash (x); auto-rejecting\n"
    try scratch.append(Array((refused("two", at: "02") + rejected + refused("five", at: "05") + "Error: over\n").utf8), to: "stderr.log")
    var follower = LogFollower(folder, generation: .v1)
    #expect(
      all(&follower, final: true, limit: limit) == ["one", "! two", "three", "plain", "rejected bash (x)", "! five", "six", "Error: over"])
  }

  /// Nothing is lost or told twice, whatever the sizes of both logs and of the pieces in which they are read.
  @Test func manyLinesAreEachToldOnceAndInOrder() throws {
    var (events, errors) = ("", "")
    for number in 0..<3_000 { events += text("e\(number)", at: 1_000 + number * 10) }
    for number in 0..<30 { errors += refused("p\(number)", at: "\(number < 9 ? "0" : "")\(number + 1).500") }
    try scratch.append(Array(events.utf8), to: "events.jsonl")
    try scratch.append(Array(errors.utf8), to: "stderr.log")
    for limit in [1_000, 1 << 18] as [Int64] {
      var follower = LogFollower(folder, generation: .v1)
      let seen = all(&follower, final: true, limit: limit)
      #expect(seen.filter { $0.hasPrefix("e") } == (0..<3_000).map { "e\($0)" })
      #expect(seen.filter { $0.hasPrefix("!") } == (0..<30).map { "! p\($0)" })
      // p0 at 1.5 s stands before the event of that time, e50.
      #expect(seen.firstIndex(of: "! p0") == 50 && seen.firstIndex(of: "! p29") == 50 + 29 * 101)
    }
  }

  /// A live run: what is there is told at once, and an error that is found later has its place where it was found.
  @Test func whatComesLaterIsToldAsItIsFound() throws {
    var follower = LogFollower(folder, generation: .v1)
    #expect(all(&follower).isEmpty)
    try scratch.append(Array(text("one", at: 5_000).utf8), to: "events.jsonl")
    #expect(all(&follower) == ["one"])
    try scratch.append(Array(refused("late", at: "03").utf8), to: "stderr.log")
    #expect(all(&follower) == ["! late"])
    try scratch.append(Array("Error: without a newline".utf8), to: "stderr.log")
    #expect(all(&follower).isEmpty)
    #expect(all(&follower, final: true) == ["Error: without a newline"])
  }

  @Test func fromNowLeavesOutWhatWas() throws {
    try scratch.append(Array(text("old", at: 1_000).utf8), to: "events.jsonl")
    var follower = LogFollower(folder, generation: .v1, fromNow: true)
    try scratch.append(Array(text("new", at: 2_000).utf8), to: "events.jsonl")
    #expect(all(&follower) == ["new"])
  }
}
