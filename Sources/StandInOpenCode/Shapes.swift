import JSON

/// Parts and events in each generation's own shape, members in the order in which the real one prints them.
struct Shapes {
  let build: Build
  let session: String
  let message: String

  func event(_ type: String, at time: Int, _ part: JSONObject) -> JSONValue {
    ["type": .string(type), "timestamp": JSONValue(time), "sessionID": .string(session), "part": .object(part)]
  }

  static func error(_ error: JSONValue, session: String, at time: Int) -> JSONValue {
    ["type": "error", "timestamp": JSONValue(time), "sessionID": .string(session), "error": error]
  }

  private func part(_ id: String, _ rest: JSONObject) -> JSONObject {
    var part: JSONObject = ["id": .string(id)]
    if build.isTwo {
      part["sessionID"] = .string(session)
      part["messageID"] = .string(message)
    } else {
      part["messageID"] = .string(message)
      part["sessionID"] = .string(session)
    }
    part.merge(rest)
    return part
  }

  func stepStart(_ id: String, snapshot: String?) -> JSONObject {
    var rest: JSONObject = ["type": "step-start"]
    rest["snapshot"] = snapshot.map { .string($0) }
    return part(id, rest)
  }

  func text(_ id: String, _ text: String, type: String, from start: Int, to end: Int) -> JSONObject {
    var rest: JSONObject = ["type": .string(type), "text": .string(text)]
    if build.isTwo, type == "reasoning" { rest["metadata"] = ["reasoningField": "reasoning_content"] }
    rest["time"] = ["start": JSONValue(start), "end": JSONValue(end)]
    return part(id, rest)
  }

  func stepFinish(_ id: String, reason: String, usage: Usage, snapshot: String?) -> JSONObject {
    var rest: JSONObject = ["type": "step-finish", "reason": .string(reason)]
    rest["snapshot"] = snapshot.map { .string($0) }
    rest["cost"] = .number(usage.cost)
    rest["tokens"] = usage.tokens(withTotal: !build.isTwo)
    return part(id, rest)
  }

  func tool(_ id: String, call: String, _ result: ToolResult) -> JSONObject {
    build.isTwo ? toolOfTwo(id, call, result) : toolOfOne(id, call, result)
  }

  private func time(_ result: ToolResult) -> JSONValue { ["start": JSONValue(result.startedAt), "end": JSONValue(result.endedAt)] }

  private func toolOfOne(_ id: String, _ call: String, _ result: ToolResult) -> JSONObject {
    var (name, state) = (result.name, JSONObject())
    switch result.ending {
    case .completed(let output, let title, let metadata):
      state = [
        "status": "completed", "input": .object(result.input), "output": .string(output), "metadata": .object(metadata), "title": .string(title),
        "time": time(result),
      ]
    case .unavailable:
      let why = "Model tried to call unavailable tool '\(name)'. Available tools: \(Tools.offered.joined(separator: ", "))."
      state = [
        "status": "completed", "input": ["tool": .string(name), "error": .string(why)],
        "output": .string("The arguments provided to the tool are invalid: \(why)"), "metadata": ["truncated": false], "title": "Invalid Tool",
        "time": time(result),
      ]
      name = "invalid"
    case .failed(let why): state = failure(why, result)
    case .rejected, .dismissed: state = failure("The user rejected permission to use this specific tool call.", result)
    }
    return [
      "type": "tool", "tool": .string(name), "callID": .string(call), "state": .object(state), "id": .string(id), "sessionID": .string(session),
      "messageID": .string(message),
    ]
  }

  /// A tool that is at work: only in stored messages, never in the stream.
  func running(_ id: String, call: String, name: String, input: JSONObject, metadata: JSONObject) -> JSONObject {
    var state: JSONObject = ["status": "running", "input": .object(input)]
    if build.isTwo { state["metadata"] = ["metadata": .object(metadata)] } else if !metadata.isEmpty { state["metadata"] = .object(metadata) }
    state["time"] = ["start": JSONValue(Player.now())]
    return part(id, ["type": "tool", "tool": .string(name), build.isTwo ? "id" : "callID": .string(call), "state": .object(state)])
  }

  private func failure(_ why: String, _ result: ToolResult) -> JSONObject {
    var state: JSONObject = ["status": "error", "input": .object(result.input), "error": .string(why)]
    if !result.metadata.isEmpty { state["metadata"] = .object(result.metadata) }
    state["time"] = time(result)
    return state
  }

  private func toolOfTwo(_ id: String, _ call: String, _ result: ToolResult) -> JSONObject {
    let provider: JSONObject = [
      "providerCall": ["executed": false], "providerResult": ["executed": false], "rawInput": .string(JSONValue.object(result.input).text),
    ]
    func state(error: String, _ metadata: JSONObject) -> JSONObject {
      ["status": "error", "input": .object(result.input), "error": .string(error), "metadata": .object(metadata), "time": time(result)]
    }
    var (partID, own) = (id, JSONObject())
    switch result.ending {
    case .completed(let output, let title, let inner):
      var content: [JSONValue] = [["type": "text", "text": .string(output)]]
      if let note = result.note { content.append(["type": "text", "text": .string(note)]) }
      var metadata: JSONObject = ["metadata": .object(inner), "content": .array(content)]
      metadata.merge(provider)
      own = [
        "status": "completed", "input": .object(result.input), "output": .string(output), "title": .string(title), "metadata": .object(metadata),
        "time": time(result),
      ]
    case .failed(let why): own = state(error: why, provider)
    case .unavailable: own = state(error: "Unknown tool: \(result.name)", provider)
    case .dismissed where build.isPreview: own = state(error: "The user dismissed this question", provider)
    case .dismissed:
      let why = "This non-interactive run cannot ask the user questions, so the question was cancelled."
      own = state(error: why + " Continue without an answer; make reasonable assumptions and state them.", provider)
    case .rejected where build.isPreview:
      partID = "\(message)_tool-\(call)"
      own = state(error: "The user declined this tool call", [:])
    case .rejected:
      own = state(
        error: "This non-interactive run cannot ask the user for permission, so the request was rejected. Continue without this action.", provider)
    }
    return [
      "partID": .string(partID), "sessionID": .string(session), "messageID": .string(message), "type": "tool", "id": .string(call),
      "tool": .string(result.name),
      "state": .object(own),
    ]
  }
}
