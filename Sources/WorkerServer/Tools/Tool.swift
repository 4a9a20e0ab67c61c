import JSONRPC

/// One MCP tool: what the client is told of it and what it does.
protocol Tool: Sendable {
  var name: String { get }
  var description: String { get }
  var annotations: ToolAnnotations { get }
  var parameters: [Parameter] { get }
  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply
}

/// The hints by which Codex decides on approval and on running calls in parallel.
enum ToolAnnotations {
  /// Reads only what is known already.
  case reads
  /// Starts OpenCode, which changes files.
  case acts

  var json: JSONValue {
    switch self {
    case .reads: ["readOnlyHint": true, "openWorldHint": false]
    case .acts: ["readOnlyHint": false, "destructiveHint": true, "openWorldHint": true]
    }
  }
}

/// A tool's result: every fact in `structured`, a line or two for a person in `text`.
struct ToolReply: Sendable {
  var text: String
  var structured: JSONObject
  var isError = false
}

/// A refusal or failure that the caller can do something about.
struct ToolError: Error, Sendable, CustomStringConvertible {
  enum Code: String, Sendable {
    case badArgument = "bad_argument"
    case cwdNeeded = "cwd_needed"
    case busy
    case noSuchRun = "no_such_run"
    case opencodeNotFound = "opencode_not_found"
    case opencodeFailed = "opencode_failed"
    case opencodeTimeout = "opencode_timeout"
    case stateUnwritable = "state_unwritable"
    case logUnavailable = "log_unavailable"
  }

  let code: Code
  /// What is wrong, with the value.
  let message: String
  /// What to do.
  let hint: String
  /// Facts beside the error, such as the run that is alive.
  var facts = JSONObject()

  static func badArgument(_ message: String, hint: String) -> ToolError { ToolError(code: .badArgument, message: message, hint: hint) }

  var description: String { "\(code.rawValue): \(message)" }

  var reply: ToolReply {
    var structured: JSONObject = ["error": ["code": .string(code.rawValue), "message": .string(message), "hint": .string(hint)]]
    structured.merge(facts)
    return ToolReply(text: "\(message) \(hint)", structured: structured, isError: true)
  }
}

extension Tool {
  /// The tool's entry in `tools/list`.
  var json: JSONValue {
    var properties = JSONObject()
    for parameter in parameters where !parameter.isHidden { properties[parameter.name] = parameter.schema }
    var schema: JSONObject = ["type": "object"]
    if !properties.isEmpty { schema["properties"] = .object(properties) }
    let required = parameters.filter(\.isRequired).map(\.name)
    if !required.isEmpty { schema["required"] = JSONValue(strings: required) }
    schema["additionalProperties"] = false
    return [
      "name": .string(name), "description": .string(description), "inputSchema": .object(schema), "annotations": annotations.json,
    ]
  }

  /// Checks the arguments and calls the tool; whatever goes wrong becomes a reply, masked and within its bound.
  func reply(to arguments: JSONObject, in context: CallContext) async -> ToolReply {
    let reply: ToolReply
    do {
      reply = try await call(try Arguments(arguments, for: self), in: context)
    } catch let error as ToolError {
      reply = error.reply
    } catch is CancellationError {
      reply = ToolReply(text: "Cancelled.", structured: ["cancelled": true], isError: true)
    } catch {
      reply = ToolError(code: .opencodeFailed, message: "\(name) failed: \(error).", hint: "Run `opencode-worker doctor` in a terminal.").reply
    }
    return ReplyBound.fit(reply)
  }
}

/// The tools in the order in which they are listed; fixed, so that a client's cache stays valid.
struct ToolList: Sendable {
  private let tools: [any Tool]

  init(_ tools: [any Tool]) { self.tools = tools }

  subscript(name: String) -> (any Tool)? { tools.first { $0.name == name } }

  var names: [String] { tools.map(\.name) }

  /// `tools/list`: one page holds them all, so no cursor was ever given out.
  func page(cursor: JSONValue?) throws -> JSONObject {
    if let cursor { throw RPCError.invalidParams("unknown cursor \(cursor.text.prefix(50))") }
    return ["tools": .array(tools.map(\.json))]
  }
}
