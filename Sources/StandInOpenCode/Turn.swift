import JSON
import PosixSupport

struct ScriptError: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// A tool that the model calls.
struct ToolCall: Sendable {
  var name: String
  var input: JSONObject
  /// Of a subagent.
  var turns: [Turn] = []
  /// The session of this subagent call is the one of the call before.
  var continues = false
  /// What the language server found in the file that was changed: messages.
  var diagnostics: [String] = []
  /// A tool of an MCP server: its answer, and the files that it writes.
  var result: String?
  var files: JSONObject = [:]

  init(name: String, input: JSONObject) {
    self.name = name
    self.input = input
  }

  fileprivate init(_ value: JSONValue) throws {
    guard let object = value.object, let name = object["name"]?.string else { throw ScriptError(reason: "a tool without a name") }
    self.init(name: name, input: object["arguments"]?.object ?? [:])
    for (key, value) in object.members {
      switch key {
      case "name", "arguments": break
      case "turns": turns = try Turn.list(value)
      case "continue": continues = value.bool ?? false
      case "diagnostics": diagnostics = value.array?.compactMap(\.string) ?? []
      case "result": result = value.string
      case "files": files = value.object ?? [:]
      default: throw ScriptError(reason: "a tool has no \"\(key)\"")
      }
    }
  }
}

/// One answer of the model, or what happens instead.
struct Turn: Sendable {
  var text: String?
  var reasoning: String?
  var tools: [ToolCall] = []
  /// In which order the tools, which begin together, come to their end; nil: as they stand.
  var order: [Int]?
  /// An HTTP error.
  var status: Int?
  var body = JSONValue.object(["error": ["message": "scripted error", "type": "scripted"]])
  /// The error never ends.
  var forever = false
  /// What the provider asks to wait, in seconds.
  var retryAfter = 0.0
  /// An error inside a stream that began with 200, after `text`; in 2.x the step's error.
  var error: JSONValue?
  /// OpenCode shortens the conversation first; this is the summary.
  var compaction: String?
  /// Seconds of silence first.
  var delay = 0.0
  /// Then silence until this file is there.
  var until: String?
  var finish: String?
  /// The provider's stream breaks off.
  var cut = false
  var usage: JSONValue?
  /// Printed as they are, on standard output and standard error.
  var raw: String?
  var stderr: String?
  /// After what was printed: ends with this code, dies of this signal, or never goes on.
  var exit: Int32?
  var signal: Int32?
  var hang = false

  /// Whether the turn is an answer of the model at all.
  var isAnswer: Bool { text != nil || reasoning != nil || !tools.isEmpty || finish != nil || cut || error != nil }

  init(text: String? = nil) { self.text = text }

  static func list(_ value: JSONValue) throws -> [Turn] {
    guard let all = value.array else { throw ScriptError(reason: "turns are a list") }
    return try all.map { try Turn($0) }
  }

  private init(_ value: JSONValue) throws {
    guard let object = value.object else { throw ScriptError(reason: "a turn is an object") }
    for (key, value) in object.members {
      switch key {
      case "text": text = value.string
      case "textBytes": text = String(repeating: "text ", count: max(0, min(value.int ?? 0, 1 << 30)) / 5)
      case "reasoning": reasoning = value.string
      case "tools": tools = try (value.array ?? []).map { try ToolCall($0) }
      case "order": order = value.array?.compactMap(\.int)
      case "status": status = value.int
      case "body": body = value
      case "forever": forever = value.bool ?? false
      case "retryAfter": retryAfter = value.double ?? 0
      case "error": error = value
      case "compaction": compaction = value.string
      case "delay": delay = value.double ?? 0
      case "until": until = value.string
      case "finish": finish = value.string
      case "cut": cut = value.bool ?? false
      case "usage": usage = value
      case "raw": raw = value.string
      case "stderr": stderr = value.string
      case "exit": exit = value.int.map { Int32(clamping: $0) }
      case "signal": signal = try Turn.signal(value)
      case "hang": hang = value.bool ?? false
      case "headers": break
      default: throw ScriptError(reason: "a turn has no \"\(key)\"")
      }
    }
  }

  /// The tools in the order in which they end.
  var ended: [ToolCall] { (order ?? Array(tools.indices)).filter(tools.indices.contains).map { tools[$0] } }

  /// A signal's number by its name, `SIGKILL`.
  static func signal(_ name: JSONValue) throws -> Int32 {
    guard let number = (1..<32).first(where: { ExitStatus.signalName($0) == name.string }) else {
      throw ScriptError(reason: "signal \(name.text) is unknown")
    }
    return number
  }
}
