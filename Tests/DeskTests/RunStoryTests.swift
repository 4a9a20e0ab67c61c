import PosixSupport
import TestSupport
import Testing

@testable import Desk
@testable import Runs

@Suite struct RunStoryTests {
  @Test func theFirstAndTheLastAreKept() {
    var all = FirstAndLast<Int>(first: 3, last: 4)
    for number in 0..<3 { all.append(number) }
    #expect(all.first == [0, 1, 2] && all.last.isEmpty && all.omitted == 0)
    for number in 3..<7 { all.append(number) }
    #expect(all.last == [3, 4, 5, 6] && all.omitted == 0)
    for number in 7..<23 { all.append(number) }
    #expect(all.first == [0, 1, 2] && all.last == [19, 20, 21, 22] && all.count == 23 && all.omitted == 16)
  }

  /// Where tool calls are too many to be drawn one by one, a failure in the middle and one at the end are seen all the same.
  @Test func noFailureIsLostOnALongTimeline() throws {
    let scratch = try Scratch()
    var lines = ""
    for number in 0..<5_000 {
      let line = EventLines.bash("m", "c\(number)", exit: number == 2_500 || number == 4_999 ? 1 : 0, part: "p\(number)", at: 2_000 + number)
      lines += line.replacing("\"start\":2000", with: "\"start\":\(2_000 + number)") + "\n"
    }
    try scratch.file("events.jsonl", lines)
    try scratch.file(
      "stderr.log", "timestamp=1970-01-01T00:00:06Z level=ERROR message=\"stream error\" small=false error.error=\"AI_APICallError: Rate limit\"\n")
    let story = RunStory(RunFolder(id: "20261122-162803-k3f9", path: scratch.path), generation: .v1, from: 2, to: 7)
    #expect(story.spanCount == 5_000 && story.spans.count == RunStory.spanLimit && story.items.count == 5_001)
    let svg = Timeline.svg(story, from: 2, to: 7, isShort: false)
    #expect(svg.contains("5,000 tool calls and 1 provider error, drawn together: each of 500 parts"))
    #expect(story.slots.filter(\.failed).count == 2 && story.slots.filter(\.providerFailed).count == 1)
    #expect(svg.utf8.count < 200_000 && svg.matches(of: /fill="var\(--bad\)"/).count == 3)
  }
}
