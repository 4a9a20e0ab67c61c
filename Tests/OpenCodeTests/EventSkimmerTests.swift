import Foundation
import JSON
import Testing

@testable import OpenCode
@testable import Text

/// Feeds `bytes` in pieces of `size`; the lines it makes of them.
func skim(_ bytes: [UInt8], pieces size: Int = 1 << 20, finish: Bool = true) -> [SkimmedLine] {
  var skimmer = EventSkimmer()
  var lines: [SkimmedLine] = []
  var rest = bytes[...]
  while !rest.isEmpty {
    Array(rest.prefix(size)).withUnsafeBytes { skimmer.feed($0) { lines.append($0) } }
    rest = rest.dropFirst(size)
  }
  if finish { skimmer.finish { lines.append($0) } }
  return lines
}

func skim(_ text: String) -> [SkimmedLine] { skim(Array(text.utf8)) }

extension SkimmedLine {
  var record: EventRecord? { if case .event(let record) = content { record } else { nil } }
  var kind: String {
    switch content {
    case .event: "event"
    case .text: "text"
    case .damaged: "damaged"
    case .blank: "blank"
    }
  }
}

@Suite struct EventSkimmerTests {
  @Test func aLineIsReadTheSameWhereverItIsSplit() throws {
    let line =
      #"{"type":"tool_use","timestamp":1795364080500,"part":{"tool":"bash","skip":{"a":[1,{"b":"}]\""}]},"state":{"status":"completed","#
      + #""input":{"command":"echo \"\u00e9\ud83d\ude00\n\t\\"},"metadata":{"exit":-3,"files":[{"file":"a","additions":1},{"file":"b\u0041"}]}},"id":"p1"}}"#
      + "\nplain text\n\n"
    let whole = skim(line)
    #expect(whole.map(\.kind) == ["event", "text", "blank"])
    let record = try #require(whole[0].record)
    #expect(record.string(.command) == "echo \"é😀\n\t\\")
    #expect(record.integer(.exit, in: -255...255) == -3)
    #expect(record.list([.file, .fileAdditions]).map { $0[.file] } == [.string(BoundedText("a")), .string(BoundedText("bA"))])
    for size in 1...40 {
      let parts = skim(Array(line.utf8), pieces: size)
      #expect(parts.map(\.kind) == whole.map(\.kind))
      #expect(parts.map(\.range) == whole.map(\.range))
      let other = try #require(parts[0].record)
      #expect(EventField.allCases.allSatisfy { other[$0] == record[$0] }, "pieces of \(size)")
      #expect(other.list([.file, .fileAdditions]) == record.list([.file, .fileAdditions]))
    }
  }

  @Test func theOrderOfMembersDoesNotMatter() throws {
    let line = skim(#"{"part":{"text":"hi","id":"p"},"sessionID":"s","x":null,"timestamp":1000,"type":"text"}"#)
    let event = OpenCode1Events().event(from: try #require(line.first?.record))
    #expect(event == .text(TextPart(header: EventHeader(at: 1, sessionID: "s", partID: "p"), text: BoundedText("hi"))))
  }

  @Test(arguments: [
    (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
    (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\u0000""#, "\0"), (#""\/\b\f\r""#, "/\u{8}\u{c}\r"),
    (#""\uD83D\uDE00é""#, "😀é"),
  ])
  func escapesAreDecodedAndLoneSurrogatesReplaced(_ json: String, _ expected: String) throws {
    let record = try #require(skim("{\"type\":\"text\",\"part\":{\"text\":\(json)}}").first?.record)
    #expect(record.string(.text) == expected)
  }

  @Test func invalidUTF8IsRepaired() throws {
    let record = try #require(skim(Array(#"{"type":"text","part":{"text":"a"#.utf8) + [0xFF, 0xC3] + Array(#"b"}}"#.utf8)).first?.record)
    #expect(record.string(.text) == "a\u{FFFD}\u{FFFD}b")
  }

  @Test func aLongTextKeepsItsHeadAndTailAtWholeCharacters() throws {
    let text = "start" + String(repeating: "é😀", count: 50_000) + "the end"
    let record = try #require(skim("{\"type\":\"text\",\"part\":{\"text\":\"\(text)\"}}").first?.record)
    let kept = try #require(record.text(.text))
    #expect(kept.isCut)
    #expect(kept.head.hasPrefix("starté😀") && kept.tail.hasSuffix("é😀the end"))
    #expect(!kept.head.contains("\u{FFFD}") && !kept.tail.contains("\u{FFFD}"))
    #expect(kept.head.utf8.count + kept.tail.utf8.count <= 16 << 10)
    #expect(kept.head.utf8.count + kept.tail.utf8.count + kept.omitted == text.utf8.count)
    let shorter = kept.bounded(to: 100)
    #expect(shorter.head.utf8.count + shorter.tail.utf8.count <= 100)
    #expect(shorter.head.utf8.count + shorter.tail.utf8.count + shorter.omitted == text.utf8.count)
    #expect(record.string(.text) == nil, "a cut string is no id and no path")
  }

  @Test(arguments: [
    "[1,2]", "plain", "null", "\"type\"", "42", "\u{1B}[93m! notice", "}",
  ])
  func aLineThatIsNoObjectIsText(_ line: String) {
    let lines = skim(line + "\n")
    #expect(lines.map(\.kind) == ["text"])
    if case .text(let text) = lines[0].content { #expect(text == line) }
  }

  @Test(arguments: [
    "{", "{}", #"{"type":1}"#, #"{"type":null,"part":{}}"#, #"{"Type":"text"}"#, #"{"type":"text""#, #"{"type":"text"}}"#, #"{"type":"text"} x"#,
    #"{"type":"te"#, #"{"type" "text"}"#, #"{"type":"text",}"#, #"{,"type":"text"}"#, #"{"type":"text","part":}"#, #"{"type":"a\qb"}"#,
    #"{"type":"a\u12g4"}"#, #"{"type":"text","timestamp":12-3}"#, #"{"type":"text","timestamp":nope}"#, #"{"type":"text" "x":1}"#,
    #"{"type":{"type":"text"}}"#, #"{"type":"text","part":{"tokens":{]}}"#, #"{'type':'text'}"#, #"{"type":"text","x":+1}"#,
  ])
  func aBrokenObjectIsDamagedAndTheNextLineIsRead(_ line: String) {
    #expect(skim(line + "\n" + #"{"type":"text"}"#).map(\.kind) == ["damaged", "event"])
  }

  @Test func absurdNestingCostsNothing() {
    let deep = String(repeating: #"{"part":["#, count: 200_000)
    #expect(skim(#"{"type":"x","part":{"state":"# + deep + "\n").map(\.kind) == ["damaged"])
    let closed = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
    #expect(skim(#"{"type":"x","part":{"state":"# + closed + "}}\n").map(\.kind) == ["event"])
  }

  @Test func theLastOfARepeatedMemberCounts() throws {
    let record = try #require(skim(#"{"type":"a","type":"text","part":{"id":"1"},"part":{"id":"2","text":"t"}}"#).first?.record)
    #expect(record.string(.type) == "text" && record.string(.partID) == "2" && record.string(.text) == "t")
  }

  @Test func membersOfTheSameNameElsewhereAreNotTaken() throws {
    let record = try #require(
      skim(#"{"type":"text","part":{"x":{"id":"no","text":"no"},"text":"yes"},"id":"no","text":"no","tokens":{"input":1}}"#).first?.record)
    #expect(record.string(.text) == "yes" && record.string(.partID) == nil && record.number(.tokensInput) == nil)
  }

  @Test func aLineOfNothingButListElementsIsBounded() throws {
    let files = (0..<100_000).map { #"{"filePath":"\#($0)"}"# }.joined(separator: ",")
    let line = #"{"type":"tool_use","part":{"tool":"apply_patch","state":{"status":"completed","metadata":{"files":[\#(files)]}}}}"#
    let record = try #require(skim(line).first?.record)
    #expect(record.elements.count == EventRecord.maximumElements)
    guard case .toolUse(let tool) = OpenCode1Events().event(from: record) else {
      Issue.record("not a tool call")
      return
    }
    #expect(tool.files.count == EventRecord.maximumElements && tool.files[7].path == "7")
  }

  @Test func anUnfinishedLineIsNotALineYet() {
    let bytes = Array("{\"type\":\"a\"}\n{\"type\":\"b\"}".utf8)
    #expect(skim(bytes, finish: false).count == 1)
    #expect(skim(bytes).compactMap { $0.record?.string(.type) } == ["a", "b"])
  }

  @Test func whatIsSkimmedIsWhatAWholeParserReads() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/recordings")
    let paths: [(EventField, [String])] = [
      (.type, ["type"]), (.sessionID, ["sessionID"]), (.partID, ["part", "id"]), (.messageID, ["part", "messageID"]), (.tool, ["part", "tool"]),
      (.command, ["part", "state", "input", "command"]), (.title, ["part", "state", "title"]), (.toolError, ["part", "state", "error"]),
      (.errorMessage, ["error", "message"]), (.errorDataMessage, ["error", "data", "message"]), (.diffFile, ["part", "state", "metadata", "filediff", "file"]),
    ]
    var compared = 0
    let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
    for file in files where file.first?.isNumber == true && file.hasSuffix(".json") {
      let recording = try JSONValue(parsing: [UInt8](Data(contentsOf: folder.appendingPathComponent(file))))
      let stdout = Array((recording["stdout"]?.string ?? "").utf8)
      for line in skim(stdout, pieces: 777) {
        guard let record = line.record else { continue }
        let value = try JSONValue(parsing: stdout[Int(line.range.lowerBound)..<Int(line.range.upperBound)])
        for (field, path) in paths {
          #expect(record.text(field)?.text == path.reduce(value) { $0?[$1] }?.string, "\(file) \(path)")
        }
        compared += 1
      }
    }
    #expect(compared > 400)
  }
}
