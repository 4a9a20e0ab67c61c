import JSON

/// A session's messages as each generation stores them.
struct Messages {
  let build: Build

  /// An assistant's message as far as it has come.
  struct Assistant {
    let id: String
    let created: Int
    var completed: Int?
    /// Events' parts, and tools that still run.
    var parts: [JSONObject] = []
    var finish: String?
    var usage: Usage?
    /// OpenCode 2, in a repository: the trees before and after.
    var snapshot: JSONValue?
    /// In the generation's own shape.
    var error: JSONValue?
    /// OpenCode 2: when the request is made again, and why.
    var retry: JSONValue?
  }

  func user(_ text: String, session: SessionStore.Session, _ id: String, part: JSONObject) -> JSONValue {
    let now = JSONValue(Player.now())
    if build.isTwo {
      var message: JSONObject = ["id": .string(id), "time": ["created": now], "text": .string(text)]
      if session.parent == nil { message["files"] = [] }
      message["type"] = "user"
      return .object(message)
    }
    var own: JSONObject = part
    own["sessionID"] = .string(session.id)
    own["messageID"] = .string(id)
    return [
      "info": [
        "role": "user", "time": ["created": now], "agent": .string(session.agent),
        "model": ["providerID": .string(Model.provider), "modelID": .string(session.model)], "summary": ["diffs": []], "id": .string(id),
        "sessionID": .string(session.id),
      ],
      "parts": [.object(own)],
    ]
  }

  /// OpenCode 2's word of its own to the model.
  func synthetic(_ text: String, description: String, _ id: String) -> JSONValue {
    ["id": .string(id), "time": ["created": JSONValue(Player.now())], "text": .string(text), "description": .string(description), "type": "synthetic"]
  }

  /// OpenCode 2's summary of what was said; nil: it is being made.
  func compaction(_ summary: String?, usage: Usage, session: SessionStore.Session, _ id: String) -> JSONValue {
    var message: JSONObject = [
      "type": "compaction", "id": .string(id), "time": ["created": JSONValue(Player.now())], "status": summary == nil ? "running" : "completed",
      "reason": "auto", "summary": .string(summary ?? ""), "recent": "",
    ]
    if summary != nil {
      message["model"] = model(session)
      message["cost"] = .number(usage.cost)
      message["tokens"] = usage.tokens(withTotal: false)
    }
    return .object(message)
  }

  func idle(_ outcome: String, _ id: String) -> JSONValue {
    ["type": "idle", "id": .string(id), "time": ["created": JSONValue(Player.now())], "outcome": .string(outcome)]
  }

  private func model(_ session: SessionStore.Session) -> JSONValue { ["id": .string(session.model), "providerID": .string(Model.provider)] }

  /// - Parameter isSummary: 1.x's summary of what was said is an answer too
  func assistant(_ message: Assistant, session: SessionStore.Session, isSummary: Bool = false) -> JSONValue {
    var time: JSONObject = ["created": JSONValue(message.created)]
    time["completed"] = message.completed.map { JSONValue($0) }
    if build.isTwo {
      var own: JSONObject = [
        "id": .string(message.id), "time": .object(time), "type": "assistant", "agent": .string(session.agent), "model": model(session),
        "content": .array(message.parts.compactMap(content)),
      ]
      own["snapshot"] = message.snapshot
      own["finish"] = message.finish.map { .string($0) }
      own["cost"] = message.usage.map { .number($0.cost) }
      own["tokens"] = message.usage.map { $0.tokens(withTotal: false) }
      own["error"] = message.error
      own["retry"] = message.retry
      return .object(own)
    }
    let parent = session.messages.last { $0["info"]?["role"]?.string == "user" }?["info"]?["id"] ?? .string("")
    let agent = isSummary ? "compaction" : session.agent
    var info: JSONObject = ["parentID": parent, "role": "assistant", "mode": .string(agent), "agent": .string(agent)]
    if isSummary { info["summary"] = true }
    let usage = message.usage ?? Usage()
    info.merge([
      "path": ["cwd": .string(session.directory), "root": .string(session.directory)], "cost": .number(usage.cost),
      "tokens": usage.tokens(withTotal: message.usage != nil), "modelID": .string(session.model), "providerID": .string(Model.provider),
      "time": .object(time),
    ])
    info["finish"] = message.finish.map { .string($0) }
    info["error"] = message.error
    info["id"] = .string(message.id)
    info["sessionID"] = .string(session.id)
    return ["info": .object(info), "parts": .array(message.parts.map { .object($0) })]
  }

  /// An event's part as OpenCode 2 stores it in a message.
  private func content(_ part: JSONObject) -> JSONValue? {
    switch part["type"]?.string {
    case "text", "reasoning": return ["type": part["type"] ?? "text", "text": part["text"] ?? ""]
    case "tool":
      let state = part["state"]
      var own: JSONObject = ["status": state?["status"] ?? "", "input": state?["input"] ?? [:]]
      own["content"] = state?["metadata"]?["content"]
      own["metadata"] = state?["metadata"]?["metadata"]
      own["error"] = state?["error"].map { ["type": "unknown", "message": $0] }
      let start = state?["time"]?["start"] ?? 0
      var time: JSONObject = ["created": start, "ran": start]
      time["completed"] = state?["time"]?["end"]
      return [
        "type": "tool", "id": part["id"] ?? "", "name": part["tool"] ?? "", "executed": false, "state": .object(own), "time": .object(time),
      ]
    default: return nil
    }
  }
}
