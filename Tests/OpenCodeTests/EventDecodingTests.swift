import Foundation
import JSON
import PosixSupport
import Testing

@testable import OpenCode

@Suite struct EventDecodingTests {
  func event(_ json: String, _ decoder: any EventDecoding = OpenCode1Events()) throws -> OpenCodeEvent {
    decoder.event(from: try #require(skim(json).first?.record))
  }

  func tool(_ json: String, _ decoder: any EventDecoding = OpenCode1Events()) throws -> ToolUse {
    guard case .toolUse(let tool) = try event(json, decoder) else { throw PosixError("not a tool call", code: 0) }
    return tool
  }

  @Test func bothLinesTellAShellCommandAlike() throws {
    let one = try tool(
      #"{"type":"tool_use","timestamp":2000,"sessionID":"s","part":{"id":"prt_1","messageID":"m","tool":"bash","#
        + #""callID":"c","state":{"status":"completed","input":{"command":"exit 3"},"title":"exit 3","#
        + #""metadata":{"exit":3},"time":{"start":1000,"end":2000}}}}"#)
    let two = try tool(
      #"{"type":"tool_use","timestamp":2000,"sessionID":"s","part":{"partID":"prt_1","id":"c","messageID":"m","#
        + #""tool":"shell","state":{"status":"completed","input":{"command":"exit 3"},"title":"shell","#
        + #""metadata":{"metadata":{"exit":3}},"time":{"start":1000,"end":2000}}}}"#,
      OpenCode2Events())
    for tool in [one, two] {
      #expect(tool.isShell && tool.exitCode == 3 && tool.command?.text == "exit 3" && tool.callID == "c" && tool.subject == "exit 3")
      #expect(tool.header == EventHeader(at: 2, sessionID: "s", messageID: "m", partID: "prt_1") && tool.seconds == 1)
    }
  }

  /// Only a whole number, said once, of a call that came to its end, is an exit code.
  @Test func whatIsNoExitCodeProvesNothing() throws {
    func code(_ metadata: String, _ status: String = "completed") throws -> Int? {
      try tool(
        #"{"type":"tool_use","part":{"id":"p","tool":"bash","state":{"metadata":{"# + metadata + #"},"status":""# + status
          + #"","input":{"command":"x"}}}}"#
      ).exitCode
    }
    #expect(try code(#""exit":0"#) == 0 && code(#""exit":-9"#) == -9 && code(#""exit":0,"exit":0"#) == 0)
    for none in ["0.5", "1e-400", "0e9", "0.0", "-0.1", "null", "true", "\"0\"", "[0]", "99999"] { #expect(try code("\"exit\":\(none)") == nil, "\(none)") }
    #expect(try code(#""exit":1,"exit":0"#) == nil && code(#""exit":0,"exit":1,"exit":0"#) == nil && code(#""exit":1,"metadata":{"exit":0}"#) == nil)
    for status in ["error", "running", "pending", ""] { #expect(try code(#""exit":0"#, status) == nil, "\(status)") }
  }

  @Test func eachLineUnderstandsTheOthersShapes() throws {
    let two =
      #"{"type":"tool_use","part":{"partID":"p","tool":"edit","state":{"status":"completed","input":{"path":"a"},"#
      + #""metadata":{"metadata":{"files":[{"file":"a","status":"modified","additions":2,"deletions":1}]}}}}}"#
    let one =
      #"{"type":"tool_use","part":{"id":"p","tool":"edit","state":{"status":"completed","input":{"filePath":"a"},"#
      + #""metadata":{"filediff":{"file":"a","additions":2,"deletions":1}}}}}"#
    for decoder in [OpenCode1Events() as any EventDecoding, OpenCode2Events()] {
      for json in [one, two] {
        let edit = try tool(json, decoder)
        #expect(edit.header.partID == "p" && edit.path == "a")
        #expect(edit.files.map(\.path) == ["a"] && edit.files.first?.additions == 2 && edit.files.first?.deletions == 1)
      }
    }
  }

  @Test func aPatchNamesEveryFileAndAFailedEditNone() throws {
    let patch = try tool(
      #"{"type":"tool_use","part":{"tool":"apply_patch","state":{"status":"completed","#
        + #""metadata":{"files":[{"filePath":"a","type":"add"},{"filePath":"b","type":"move","movePath":"c"}]}}}}"#)
    #expect(patch.files.map(\.path) == ["a", "b"] && patch.files.last?.movedTo == "c")
    #expect(try tool(#"{"type":"tool_use","part":{"tool":"edit","state":{"status":"error","error":"no","input":{"filePath":"a"}}}}"#).files.isEmpty)
  }

  @Test(arguments: [
    ("The user rejected permission to use this specific tool call.", ToolUse.Refusal.rejected), ("The user declined this tool call", .rejected),
    ("This non-interactive run cannot ask the user for permission, so the request was rejected. Continue without this action.", .rejected),
    ("The user has specified a rule which prevents you from using this specific tool call.", .ruledOut), ("Permission denied: external_directory", .ruledOut),
    ("Subagent denied: team", .ruledOut),
    ("This non-interactive run cannot ask the user questions, so the question was cancelled. Continue.", .questionDismissed),
    ("The user dismissed this question", .questionDismissed), ("Unknown tool: read", .unavailable(tool: "read", why: "Unknown tool: read")),
  ])
  func whyACallWasRefusedIsReadFromOpenCodesSentence(_ sentence: String, _ refusal: ToolUse.Refusal) throws {
    let json = #"{"type":"tool_use","part":{"tool":"read","state":{"status":"error","error":"\#(sentence)"}}}"#
    #expect(try tool(json, OpenCode1Events()).refusal == refusal)
    #expect(try tool(json, OpenCode2Events()).refusal == refusal)
    #expect(try tool(json.replacingOccurrences(of: "\"status\":\"error\"", with: "\"status\":\"completed\"")).refusal == nil)
  }

  @Test func anInvalidToolNamesTheOneThatWasCalled() throws {
    let missing = try tool(
      #"{"type":"tool_use","part":{"tool":"invalid","state":{"status":"completed","title":"Invalid Tool","#
        + #""input":{"tool":"bash","error":"Model tried to call unavailable tool 'bash'. Available tools: read."}}}}"#)
    #expect(missing.refusal == .unavailable(tool: "bash", why: "Model tried to call unavailable tool 'bash'. Available tools: read."))
    #expect(missing.subject == "bash")
  }

  /// Rules that deny `*` deny the tool `invalid`, too.
  @Test func aDeniedInvalidToolStillTellsWhatWasMissing() throws {
    let denied = { (tool: String) in
      #"{"type":"tool_use","part":{"tool":"\#(tool)","state":{"status":"error","input":{"command":"touch a"},"#
        + #""error":"Model tried to call unavailable tool 'invalid'. Available tools: glob, read."}}}"#
    }
    let missing = try tool(denied("bash"))
    #expect(missing.refusal == .unavailable(tool: "bash", why: "Model tried to call unavailable tool 'invalid'. Available tools: glob, read."))
    // A tool that is there was called with wrong arguments.
    #expect(try tool(denied("read")).refusal == nil)
  }

  @Test func usageIsCountedOnce() throws {
    let finish = { (tokens: String) in
      #"{"type":"step_finish","part":{"reason":"stop","cost":0.5,"tokens":{\#(tokens),"reasoning":16,"input":200,"#
        + #""cache":{"read":1000,"write":5}}}}"#
    }
    let expected = TokenCounts(input: 200, output: 64, reasoning: 16, cacheRead: 1000, cacheWrite: 5)
    for tokens in [#""total":1285,"output":64"#, #""output":64"#, #""total":1285,"output":80"#] {
      guard case .stepFinish(let step) = try event(finish(tokens)) else {
        Issue.record("not a step's end")
        continue
      }
      #expect(step.tokens == expected && step.cost == 0.5 && step.reason == "stop", "\(tokens)")
    }
  }

  @Test func absurdNumbersAreNotTaken() throws {
    guard
      case .stepFinish(let step) = try event(
        #"{"type":"step_finish","timestamp":1e300,"part":{"cost":-1,"tokens":{"input":1e300,"output":-5,"reasoning":1.5,"cache":{"read":9e15}}}}"#)
    else {
      Issue.record("not a step's end")
      return
    }
    #expect(step.tokens == TokenCounts(reasoning: 1) && step.cost == nil && step.header.at == nil)
    let huge = TokenCounts(input: Int.max, output: Int.max)
    #expect(huge.total == Int.max && (huge + huge).input == Int.max && (TokenCounts() - huge).input == 0)
  }

  @Test func anErrorSaysItsSentenceAndNothingOfTheResponse() throws {
    let one =
      #"{"type":"error","sessionID":"","error":{"name":"APIError","data":{"message":"Invalid API key","#
      + #""statusCode":401,"responseBody":"secret-1","responseHeaders":{"x":"secret-2"}}}}"#
    guard case .error(let error) = try event(one) else {
      Issue.record("not an error")
      return
    }
    #expect(error.sentence == "Invalid API key (401)" && error.kind == "APIError" && error.header.sessionID == nil)
    #expect(!"\(error)".contains("secret"))

    let two =
      #"{"type":"error","error":{"type":"provider.auth","#
      + #""message":"Provider request failed with HTTP 401: {\"error\":{\"message\":\"Invalid API key\","#
      + #"\"hint\":\"secret-3\"}}","status":401}}"#
    guard case .error(let error) = try event(two, OpenCode2Events()) else {
      Issue.record("not an error")
      return
    }
    #expect(error.sentence == "Provider request failed with HTTP 401: Invalid API key" && error.kind == "provider.auth")
    #expect(OpenCode2Events.withoutBody("HTTP 502: <html>secret</html>") == "HTTP 502")
    #expect(OpenCode2Events.withoutBody(#"HTTP 500: {"trace":"secret"#) == "HTTP 500")
    #expect(OpenCode2Events.withoutBody("Model unavailable: a/{b}") == "Model unavailable: a/{b}")
  }

  @Test func whatIsNotUnderstoodIsUnknown() throws {
    for json in [#"{"type":"shell_output","part":3}"#, #"{"type":"text"}"#, #"{"type":"text","part":{"text":[]}}"#, #"{"type":"tool_use","part":{"tool":7}}"#] {
      guard case .unknown = try event(json) else {
        Issue.record("\(json)")
        continue
      }
    }
  }

  @Test func aSubagentAndATodoListAreRead() throws {
    let one = try tool(
      #"{"type":"tool_use","part":{"tool":"task","state":{"status":"completed","input":{"description":"Sub job","#
        + #""prompt":"p","subagent_type":"general"},"metadata":{"sessionId":"ses_c"}}}}"#)
    let two = try tool(
      #"{"type":"tool_use","part":{"tool":"subagent","state":{"status":"completed","input":{"agent":"general","#
        + #""description":"Sub job"},"metadata":{"metadata":{"sessionID":"ses_c"}}}}}"#,
      OpenCode2Events())
    #expect(one.subagent == Subagent(session: "ses_c", title: "Sub job", agent: "general") && two.subagent == one.subagent)
    let todo = try tool(
      #"{"type":"tool_use","part":{"tool":"todowrite","state":{"status":"completed","#
        + #""input":{"todos":[{"content":"old","status":"pending"}]},"metadata":{"todos":[{"status":"completed","#
        + #""content":"A"},{"content":"B","status":"in_progress"}]}}}}"#)
    #expect(todo.todos == [Todo(content: "A", status: "completed"), Todo(content: "B", status: "in_progress")])
  }

  @Test func anEventIsRenderedOnOneShortLine() throws {
    let shell = try event(
      #"{"type":"tool_use","timestamp":1795364331000,"part":{"tool":"bash","state":{"status":"completed","#
        + #""input":{"command":"swift test\nline two"},"metadata":{"exit":1},"time":{"start":1000,"end":3100}}}}"#)
    #expect(shell.line == "16:18:51 bash exit 1 swift test line two (2.1 s)")
    let rejected = try event(
      #"{"type":"tool_use","part":{"tool":"read","state":{"status":"error","input":{"filePath":"/etc/hosts"},"error":"The user declined this tool call"}}}"#)
    #expect(rejected.line == "read REJECTED (permission) /etc/hosts")
    let long = try event(#"{"type":"text","part":{"text":"\u001b[1m\#(String(repeating: "é", count: 5_000))"}}"#)
    #expect(long.line.utf8.count <= 240 && long.line.hasPrefix("text: [1mé") && long.line.hasSuffix("..."))
    #expect(try event(#"{"type":"step_finish","part":{"reason":"stop","cost":0.0021,"tokens":{"input":5}}}"#).line == "step ended (stop) 5 tokens $0.0021")
    #expect(try event(#"{"type":"odd"}"#).line == "odd")
  }

  @Test func oneLineOfAFileIsRenderedByItsRange() throws {
    let path = NSTemporaryDirectory() + "/event-range-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let big = #"{"type":"text","part":{"skipped":"\#(String(repeating: "x", count: 300_000))","text":"found"}}"#
    try Data("first\n\(big)\n{\"type\":\n".utf8).write(to: URL(fileURLWithPath: path))
    let file = try Descriptor.open(path, O_RDONLY)
    defer { file.close() }
    let end = Int64(6 + big.utf8.count + 1)
    #expect(try EventLog.rendered(in: file, range: 0..<6, by: .v1) == "first")
    #expect(try EventLog.rendered(in: file, range: 6..<end, by: .v1) == "text: found")
    #expect(try EventLog.rendered(in: file, range: end..<(end + 9), by: .v1) == "(a broken line of 9 bytes)")
    #expect(try EventLog.rendered(in: file, range: end..<(end + 1_000_000), by: .v1) != nil)
    #expect(try EventLog.rendered(in: file, range: 9_000_000..<9_000_009, by: .v1) == nil)
  }
}
