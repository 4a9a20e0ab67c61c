/// Lines as OpenCode 1.x writes them.
package enum EventLines {
  package static func start(_ message: String, at: Int = 1_000) -> String {
    #"{"type":"step_start","timestamp":\#(at),"sessionID":"ses_1","part":{"id":"start-\#(message)-\#(at)","messageID":"\#(message)"}}"#
  }

  package static func text(_ message: String, _ text: String, part: String? = nil, at: Int = 2_000) -> String {
    #"{"type":"text","timestamp":\#(at),"sessionID":"ses_1","part":{"id":"\#(part ?? "text-\(message)")","messageID":"\#(message)","text":"\#(text)"}}"#
  }

  package static func finish(_ message: String, _ reason: String, tokens: Int = 100, cost: Double = 0.5, part: String? = nil) -> String {
    #"{"type":"step_finish","timestamp":3000,"part":{"id":"\#(part ?? "end-\(message)")","messageID":"\#(message)","#
      + #""reason":"\#(reason)","cost":\#(cost),"tokens":{"input":\#(tokens)}}}"#
  }

  package static func bash(_ message: String, _ command: String, exit: Int?, part: String, at: Int = 2_500) -> String {
    #"{"type":"tool_use","timestamp":\#(at),"part":{"id":"\#(part)","messageID":"\#(message)","tool":"bash","#
      + #""state":{"status":"completed","input":{"command":"\#(command)"},"#
      + #""metadata":{"exit":\#(exit.map(String.init) ?? "null")},"time":{"start":2000,"end":\#(at)}}}}"#
  }

  package static func tool(_ message: String, _ tool: String, error: String, part: String = "p") -> String {
    #"{"type":"tool_use","timestamp":2500,"part":{"id":"\#(part)","messageID":"\#(message)","tool":"\#(tool)","#
      + #""state":{"status":"error","input":{"filePath":"f"},"error":"\#(error)"}}}"#
  }

  package static func edit(_ message: String, _ path: String, part: String, at: Int = 2_600) -> String {
    #"{"type":"tool_use","timestamp":\#(at),"part":{"id":"\#(part)","messageID":"\#(message)","tool":"write","#
      + #""state":{"status":"completed","input":{"filePath":"\#(path)"},"time":{"start":2000,"end":\#(at)}}}}"#
  }

  package static func error(_ message: String, name: String = "APIError", status: Int? = nil) -> String {
    #"{"type":"error","timestamp":4000,"sessionID":"ses_1","error":{"name":"\#(name)","#
      + #""data":{"message":"\#(message)","statusCode":\#(status.map(String.init) ?? "null")}}}"#
  }
}
