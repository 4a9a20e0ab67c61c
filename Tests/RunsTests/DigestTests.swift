import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode
@testable import Runs

@Suite struct DigestTests {
  /// A tool's end can lie before the time of a text that was printed before it.
  @Test func textsAndToolsKeepTheOrderInWhichTheyWerePrinted() throws {
    let digest = try Log.digest([
      EventLines.start("m1"), EventLines.text("m1", "First.", at: 9_000), EventLines.bash("m1", "true", exit: 0, part: "b1", at: 5_000),
      EventLines.edit("m1", "a", part: "e1", at: 7_000), EventLines.text("m1", "Then.", part: "t2", at: 1_000),
      // Told again: it stays where it was.
      EventLines.bash("m1", "true", exit: 0, part: "b1", at: 9_500), EventLines.text("m1", "First, again.", at: 9_900),
    ])
    let items = RunItem.all(of: digest).map { item in
      switch item {
      case .text(let text): text.text.text
      case .tool(let call): call.tool
      }
    }
    #expect(items == ["First, again.", "bash", "write", "Then."])
  }

  /// One file is mended by its own next edit, the other stays wrong.
  @Test func errorsOfALanguageServerStayUntilTheFileIsMended() throws {
    let run = try Recording("1.18.34/lsp-errors").folded()
    #expect(run.digest.diagnosedFiles == ["/work-root/ws/lsp-errors/a.zz"])
    let lines = try Recording("1.18.34/lsp-errors").output.split(separator: "\n").map(String.init)
    let tools = lines.filter { $0.contains(#""type":"tool_use""#) }
    #expect(try Log.digest(Array(tools.prefix(2))).diagnosedFiles == ["/work-root/ws/lsp-errors/a.zz", "/work-root/ws/lsp-errors/b.zz"])
    // What `write` says of other files is read too.
    #expect(try Log.digest([tools[1]]).diagnosedFiles.sorted() == ["/work-root/ws/lsp-errors/a.zz", "/work-root/ws/lsp-errors/b.zz"])
  }

  @Test func anOrdinaryRunIsDigested() throws {
    let run = try Recording("1.18.34/write-edit-read").folded()
    let digest = run.digest
    #expect(digest.session == "ses_dfbf64140ffe1VXxAoiCBGVzW8")
    #expect(digest.steps == 4 && digest.toolCallCount == 3 && digest.finishReason == "stop")
    #expect(digest.usage.tokens == TokenCounts(input: 800, output: 256, reasoning: 64, cacheRead: 4000) && digest.usage.tokens.total == 5120)
    #expect(abs(digest.usage.cost - 0.0084) < 1e-9 && digest.usage.costIsKnown)
    #expect(digest.answer?.text == "Changed two files." && digest.texts.map(\.text.text) == ["Changed two files."])
    #expect(digest.namedFiles.sorted == ["/work-root/ws/write-edit-read/hello.txt", "/work-root/ws/write-edit-read/new.txt"])
    #expect(digest.toolCalls.elements.map(\.tool) == ["read", "write", "edit"])
    #expect(digest.lastDone == RunDigest.LastDone(tool: "edit", title: "hello.txt", at: 1_795_364_080.993))
    #expect(digest.undecodableLines == 0 && digest.unknownEvents == 0)
  }

  @Test func theSameRunOfOpenCode2IsDigestedAlikeButForItsLastStep() throws {
    let digest = try Recording("2.0-preview-20260807/write-edit-read").folded().digest
    #expect(digest.steps == 4 && digest.toolCallCount == 3 && digest.finishReason == nil && digest.stepIsOpen)
    #expect(digest.usage.steps == 3 && digest.usage.tokens.total == 3840)
    #expect(digest.namedFiles.sorted == ["hello.txt", "new.txt"])
    #expect(digest.toolCalls.elements.map(\.title) == ["hello.txt", "new.txt", "hello.txt"])
  }

  @Test func everyRecordingGivesTheSameDigestWhenItComesInPieces() throws {
    for recording in try ExpectedOutcome.all().map(\.recording) {
      let whole = try recording.folded(declared: ["go test"]).digest
      let json = recording.json
      var log = try Log(generation: recording.generation, declared: ["go test"])
      let (stdout, stderr) = (Array((json["stdout"]?.string ?? "").utf8), Array((json["stderr"]?.string ?? "").utf8))
      try log.scratch.append(stderr, to: "stderr.log")
      for start in stride(from: 0, to: stdout.count, by: 500) {
        try log.scratch.append(Array(stdout[start..<min(start + 500, stdout.count)]), to: "events.jsonl")
        _ = try log.advance()
        // Every third time as if another process took over from the checkpoint.
        if start / 500 % 3 == 2 {
          log.fold = DigestFold(digest: try JSONDecoder().decode(RunDigest.self, from: JSONEncoder().encode(log.digest)))
        }
      }
      _ = try log.advance(final: true)
      #expect(log.digest == whole, "\(recording.name)")
    }
  }

  @Test func onlyWholeLinesCountUntilTheEnd() throws {
    var log = try Log()
    #expect(try log.advance() == false, "no files yet")
    try log.print(EventLines.start("m") + "\n" + EventLines.text("m", "hello").dropLast(5))
    #expect(try log.advance())
    #expect(log.digest.answer == nil && log.digest.eventsOffset == Int64(EventLines.start("m").utf8.count + 1))
    #expect(try log.advance() == false)
    try log.print(String(EventLines.text("m", "hello").suffix(5)))
    #expect(try log.advance() == false)
    #expect(try log.advance(final: true))
    #expect(log.digest.answer?.text == "hello" && log.digest.undecodableLines == 0)
  }

  @Test func aLongUnfinishedLineIsNotReadAgain() throws {
    var log = try Log()
    try log.print(EventLines.start("m") + "\n" + #"{"type":"text","part":{"x":""#)
    let start = Int64(EventLines.start("m").utf8.count + 1)
    let megabyte = String(repeating: "x", count: 1 << 20)
    for _ in 0..<50 { try log.print(megabyte) }
    _ = try log.advance()
    #expect(log.digest.eventsOffset == start, "the checkpoint stays at the line's beginning")
    // Were it read again, it would now be found broken.
    let file = try Descriptor.open(log.scratch.path("events.jsonl"), O_WRONLY)
    defer { file.close() }
    try file.overwrite(Array("garbage".utf8), at: start)
    try log.print("\",\"text\":\"done\"}}\n")
    _ = try log.advance()
    #expect(log.digest.answer?.text == "done" && log.digest.brokenLines == 0)
  }

  @Test func aReplacedLogIsReadFromItsBeginning() throws {
    var log = try Log(declared: ["make test"])
    try log.print([EventLines.start("m"), EventLines.text("m", "the first log")].map { $0 + "\n" }.joined())
    _ = try log.advance()
    try log.scratch.file("events.jsonl", EventLines.text("n", "new") + "\n")
    #expect(try log.advance())
    #expect(log.digest.answer?.text == "new" && log.digest.texts.count == 1)
    #expect(log.digest.verification.report(known: .all).declared.map(\.command) == ["make test"])
    try log.scratch.file("events.jsonl", "")
    #expect(try log.advance())
    #expect(log.digest.answer == nil && log.digest.eventsOffset == 0)
  }

  @Test func aPartToldAgainReplacesWhatItSaidBefore() throws {
    let digest = try Log.digest([
      EventLines.start("m"), EventLines.finish("m", "tool-calls", tokens: 100, cost: 1, part: "f"),
      EventLines.finish("m", "stop", tokens: 70, cost: 0.25, part: "f"),
      EventLines.text("m", "draft", part: "t"), EventLines.text("m", "final", part: "t"),
      EventLines.bash("m", "true", exit: nil, part: "b"), EventLines.bash("m", "true", exit: 0, part: "b"),
    ])
    #expect(digest.usage.tokens.input == 70 && digest.usage.cost == 0.25 && digest.usage.steps == 1)
    #expect(digest.texts.map(\.text.text) == ["final"] && digest.answer?.text == "final")
    #expect(digest.toolCallCount == 1 && digest.toolCalls.elements.map(\.exitCode) == [0])
  }

  @Test func theAnswerIsTheTextOfTheLastMessageThatHasAny() throws {
    let digest = try Log.digest([
      EventLines.start("a"), EventLines.text("a", "Let me look."), EventLines.start("b"), EventLines.text("b", "One.", part: "b1"),
      EventLines.text("b", "Two.", part: "b2"),
      EventLines.text("b", #"  \n "#, part: "b3"),
      #"{"type":"text","part":{"id":"c1","messageID":"c","text":"Continue if you have next steps","synthetic":true}}"#,
    ])
    #expect(digest.answer?.text == "One.\n\nTwo.")
    #expect(digest.texts.map(\.text.text) == ["Let me look.", "One.", "Two."])
  }

  @Test func theFirstAndLastOfManyAreKept() throws {
    var lines: [String] = []
    for index in 0..<500 {
      lines += [
        EventLines.start("m\(index)", at: 1_000 + index), EventLines.text("m\(index)", "text \(index)"),
        EventLines.bash("m\(index)", "echo \(index)", exit: 0, part: "b\(index)"),
      ]
      lines.append(EventLines.finish("m\(index)", "tool-calls"))
    }
    let digest = try Log.digest(lines)
    #expect(digest.texts.map(\.text.text) == (Array(0..<4) + Array(436..<500)).map { "text \($0)" })
    #expect(digest.toolCalls.elements.map(\.title) == (300..<500).map { "echo \($0)" })
    #expect(digest.steps == 500 && digest.toolCallCount == 500 && digest.usage.tokens.input == 50_000)
  }

  @Test func aModelWithoutAPriceHasAnUnknownCost() throws {
    #expect(try Log.digest([EventLines.finish("m", "stop", tokens: 10, cost: 0)]).usage.costIsKnown == false)
    #expect(try Log.digest([EventLines.finish("m", "stop", tokens: 0, cost: 0)]).usage.costIsKnown)
  }

  @Test func declaredCommandsAndEditsReachTheVerification() throws {
    let digest = try Log.digest(
      [
        EventLines.bash("m", "npm test", exit: 1, part: "1", at: 3_000), EventLines.bash("m", "npm test", exit: 0, part: "2", at: 4_000),
        EventLines.edit("m", "a.js", part: "3", at: 5_000),
      ],
      declared: ["npm test", "npm run lint"])
    let report = digest.verification.report(known: .all)
    #expect(report.declared.map(\.result) == ["passed", "not run"])
    #expect(report.declared.first?.times == 2 && report.declared.first?.editedAfter == true)
  }

  @Test func todosSubagentsAndRefusalsAreKept() throws {
    #expect(try Recording("1.18.34/todo").folded().digest.todos.map(\.status) == ["in_progress", "pending"])
    for name in ["1.18.34/subagent", "2.0-preview-20260807/subagent"] {
      let child = try Recording(name).folded().digest.subagents.elements
      #expect(child.map(\.title) == ["Sub job"] && child.first?.agent == "general" && child.first?.session.hasPrefix("ses_") == true)
    }
    #expect(try Recording("1.18.34/bash-denied").folded().digest.unavailableTools.elements == ["bash"])
    #expect(
      try Recording("2.0-preview-20260807/perm-cfg-v1-extdir-deny").folded().digest.deniedTools.elements == ["read (/etc/hosts)"])
  }

  @Test func retriesOfOpenCode2AreNoSteps() throws {
    let digest = try Recording("2.0-preview-20260807/error-500-forever").folded().digest
    #expect(digest.steps == 1 && digest.retries == 3)
  }

  @Test func providerErrorsOfThreeVersionsAreCounted() throws {
    let new = try Recording("1.18.34/logs-500-forever").folded().digest.providerErrors
    #expect(new == RunDigest.ProviderErrors(count: 4, last: "scripted error", at: 1_795_364_323.283, since: 1_795_364_307.18))
    let old = try Recording("1.3.2/logs-429-then-ok").folded().digest.providerErrors
    #expect(old == RunDigest.ProviderErrors(count: 1, last: "Rate limit", at: 1_795_364_463, since: 1_795_364_463))
  }

  @Test func aHostileLogLeavesASmallDigest() throws {
    var lines: [String] = []
    let unit = #"\\\"/\u0001"#
    for index in 0..<1_500 {
      let long = String(repeating: unit, count: index % 10 == 0 ? 1_000 : 60)
      let id = "\(index)" + String(repeating: #"\""#, count: 200)
      lines.append(EventLines.text(id, long, part: id))
      lines.append(EventLines.bash(id, long, exit: 1, part: "b" + id))
      lines.append(EventLines.edit(id, #"\u0001\u0002/"# + String(index) + String(repeating: unit, count: 60), part: "w\(index)"))
      lines.append(EventLines.tool(id, "tool" + id, error: "Permission denied: \(long)", part: "t\(index)"))
      lines.append(EventLines.finish(id, "stop", part: "f" + id))
      lines.append(#"{"type":"\#(id)"}"#)
      lines.append("{broken")
      if index < 200 { lines.append(EventLines.error(long, name: String(repeating: unit, count: 8))) }
    }
    let stderr = (0..<100).map { "! permission requested: \(String(repeating: "\"\u{2}", count: 500))\($0) (x); auto-rejecting\nError: \($0)\n  --o\($0)\n" }
      .joined()
    let digest = try Log.digest(lines, stderr: stderr, declared: ["make"])
    let encoded = try JSONEncoder().encode(digest)
    #expect(encoded.count < RunDigest.encodedLimit, "\(encoded.count) bytes")
    #expect(encoded.count > 500_000, "the log is hostile")
    #expect(digest.namedFiles.isCut && digest.brokenLines == 1_500)
    #expect(try JSONDecoder().decode(RunDigest.self, from: encoded) == digest)
  }

  @Test func garbageIsCountedAndPassedOver() throws {
    var log = try Log()
    try log.scratch.append((0..<300_000).map { _ in UInt8.random(in: 0...255) } + [0x0A], to: "events.jsonl")
    try log.scratch.append((0..<300_000).map { _ in UInt8.random(in: 0...255) }, to: "stderr.log")
    try log.print(EventLines.text("m", "still read") + "\n")
    _ = try log.advance(final: true)
    #expect(log.digest.answer?.text == "still read" && log.digest.undecodableLines > 100)
  }

  @Test func aLogIsFoldedAtTheMeasuredSpeed() throws {
    let scratch = try Scratch()
    try scratch.file("events.jsonl", String(repeating: EventLines.text("m", "x") + "\n", count: 1_000))
    let measure = try FoldMeasure.fold(scratch.path("events.jsonl"), generation: .v1)
    #expect(measure.bytes == 1_000 * Int64(EventLines.text("m", "x").utf8.count + 1) && measure.megabytesPerSecond > 0)
  }
}
