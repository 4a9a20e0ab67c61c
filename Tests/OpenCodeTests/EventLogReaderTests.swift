import Testing

@testable import OpenCode
@testable import Text

@Suite struct EventLogReaderTests {
  func facts(_ text: String) -> [LogFact] {
    var (lines, reader, facts) = (LineReader(), LogReader(), [LogFact]())
    Array(text.utf8).withUnsafeBytes { lines.feed($0) { facts += reader.facts(in: $0) } }
    lines.finish { facts += reader.facts(in: $0) }
    return facts
  }

  @Test func noticesForPeopleAreRead() {
    #expect(
      facts("\u{1B}[93m\u{1B}[1m! \u{1B}[0mpermission requested: external_directory (/etc/*); auto-rejecting\n")
        == [.permissionRejected(permission: "external_directory", pattern: "/etc/*")])
    #expect(facts("! permission requested: shell (echo (a); b); auto-rejecting") == [.permissionRejected(permission: "shell", pattern: "echo (a); b")])
    #expect(facts("! permission requested: doom_loop; auto-rejecting") == [.permissionRejected(permission: "doom_loop", pattern: nil)])
    #expect(facts("\u{1B}[93m! \u{1B}[0m agent \"no pe\" not found. Falling back to default agent") == [.agentNotFound(name: "no pe")])
    #expect(facts("\u{1B}[91m\u{1B}[1mError: \u{1B}[0mSession not found") == [.failure("Session not found")])
    #expect(facts("Performing one time database migration...\n\n").isEmpty)
  }

  @Test func streamErrorsAreCountedUnlessTheyAreOfATitle() {
    let line = { (small: String) in
      "timestamp=2026-11-22T16:18:51.730Z level=ERROR run=5 message=\"stream error\" small=\(small) agent=build error.error=\"AI_APICallError: Rate \\\"limit\\\"\"\n"
    }
    #expect(facts(line("false") + line("true")) == [.providerError(message: "Rate \"limit\"", at: 1_795_364_331.73)])
    let escaped = facts("level=ERROR message=\"stream error\" error.error=\"AI_APICallError: a\\tb \\u001b[31mc \\ud83d\\ude00 \\u00e9\\/ \\ud83dx\"")
    #expect(escaped == [.providerError(message: "a b [31mc 😀 é/ \u{FFFD}x", at: nil)])
    #expect(facts("timestamp=x level=WARN message=\"stream error\" error.error=\"AI_APICallError: x\"").isEmpty)
    #expect(facts("level=ERROR message=\"share subscriber failed\" cause=\"x\"").isEmpty)
  }

  @Test func aReferenceIsExplained() {
    #expect(
      facts(
        "timestamp=2026-11-22T16:18:23.015Z level=ERROR message=failed ref=err_4e error=\"ProviderModelNotFoundError: Model not found: mock/nope.\" cause=\"x\""
      )
        == [.cause(ref: "err_4e", message: "Model not found: mock/nope.")])
    let dump = """
      [16:16:51.058] ERROR (#10950): failed {
        ref: "err_93",
        error: {
          providerID: "mock",
          modelID: "nope",
          _tag: "ProviderModelNotFoundError",
        },
        cause: "x"
      }
      Error: after the dump
      """
    #expect(facts(dump) == [.cause(ref: "err_93", message: "Model not found: mock/nope."), .failure("after the dump")])
    #expect(facts("[1] ERROR (#1): failed {\n  ref: \"e\",\nError: the dump never ended") == [.failure("the dump never ended")])
  }

  @Test func theOldLinesWithWholeRequestsAreReadWithoutKeepingThem() {
    let request = String(repeating: #"{"role":"user","content":"secret-prompt","data":{"message":"no"}}"#, count: 4_000)
    let line =
      "ERROR 2026-11-22T16:21:03 +718ms service=llm providerID=mock small=false agent=build error={\"error\":{\"requestBodyValues\":\"\(request)\","
      + #""responseHeaders":{"x-key":"secret-header"},"data":{"error":{"message":"Rate limit"}}}} stream error"#
    #expect(facts(line) == [.providerError(message: "Rate limit", at: 1_795_364_463)])
    #expect(facts(line.replacingOccurrences(of: "small=false", with: "small=true")).isEmpty)
    #expect(
      facts("ERROR 2026-11-22T16:21:03 +2ms service=session.processor error=Rate limit stack=\"AI_APICallError: Rate limit\\n\" process")
        == [.providerErrorMessage("Rate limit")])
  }

  @Test func helpTextTellsItsOptions() {
    let old = "opencode run [message..]\n\nOptions:\n  -h, --help        show help\n      --dir         directory, see --port\n"
    #expect(facts(old) == [.help(option: nil), .help(option: "--help"), .help(option: "--dir")])
    #expect(facts("FLAGS\n  --model, -m string      Model\n") == [.help(option: nil), .help(option: "--model")])
    #expect(facts("Unknown argument: auto") == [.refusedArgument("auto")])
  }

  @Test func aLineOfManyMegabytesIsCutInTheMiddle() {
    var (lines, kept) = (LineReader(), [BoundedText]())
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    Array("head".utf8).withUnsafeBytes { lines.feed($0) { kept.append($0) } }
    for _ in 0..<20 { piece.withUnsafeBytes { lines.feed($0) { kept.append($0) } } }
    Array("tail\nnext".utf8).withUnsafeBytes { lines.feed($0) { kept.append($0) } }
    #expect(kept.count == 1 && kept[0].head.hasPrefix("headx") && kept[0].tail.hasSuffix("xtail"))
    #expect(kept[0].head.utf8.count + kept[0].tail.utf8.count <= LineReader.limit)
    #expect(lines.lineStart == (20 << 20) + 9)
  }
}
