import JSON

/// A session's messages as each line's `export` shows them.
struct Messages {
  let line: Line

  func user(_ text: String, session: SessionStore.Session, _ id: String, _ part: String) -> JSONValue {
    let now = JSONValue(Player.now())
    if line.isTwo {
      return ["id": .string(id), "time": ["created": now], "text": .string(text), "files": [], "type": "user"]
    }
    return [
      "info": [
        "role": "user", "time": ["created": now], "agent": .string(session.agent),
        "model": ["providerID": .string(Model.provider), "modelID": .string(session.model)], "summary": ["diffs": []], "id": .string(id),
        "sessionID": .string(session.id),
      ],
      "parts": [["type": "text", "text": .string(text), "id": .string(part), "sessionID": .string(session.id), "messageID": .string(id)]],
    ]
  }

  func assistant(
    _ parts: [JSONObject], usage: Usage, finish: String, session: SessionStore.Session, _ id: String, from start: Int, to end: Int
  ) -> JSONValue {
    let time: JSONValue = ["created": JSONValue(start), "completed": JSONValue(end)]
    if line.isTwo {
      return [
        "id": .string(id), "time": time, "type": "assistant", "agent": .string(session.agent),
        "model": ["id": .string(session.model), "providerID": .string(Model.provider)], "content": .array(parts.compactMap(content)),
        "finish": .string(finish), "cost": .number(usage.cost), "tokens": usage.tokens(withTotal: false),
      ]
    }
    let parent = session.messages.last { $0["info"]?["role"]?.string == "user" }?["info"]?["id"] ?? .string("")
    return [
      "info": [
        "parentID": parent, "role": "assistant", "mode": .string(session.agent), "agent": .string(session.agent),
        "path": ["cwd": .string(session.directory), "root": .string(session.directory)], "cost": .number(usage.cost), "tokens": usage.tokens(withTotal: true),
        "modelID": .string(session.model), "providerID": .string(Model.provider), "time": time, "finish": .string(finish), "id": .string(id),
        "sessionID": .string(session.id),
      ],
      "parts": .array(parts.map { .object($0) }),
    ]
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
      return [
        "type": "tool", "id": part["id"] ?? "", "name": part["tool"] ?? "", "executed": false, "state": .object(own),
        "time": ["created": start, "ran": start, "completed": state?["time"]?["end"] ?? 0],
      ]
    default: return nil
    }
  }
}
