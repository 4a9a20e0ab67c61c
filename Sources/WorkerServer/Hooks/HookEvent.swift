import JSON
import Runs

/// What Codex (0.124 and later) writes to a hook's stdin: one JSON object; measured on 0.163 and 0.169.
struct HookEvent: Sendable, Equatable {
  enum Kind: String, Sendable {
    case sessionStart = "SessionStart"
    case postToolUse = "PostToolUse"
    case stop = "Stop"
    case interrupt = "Interrupt"
  }

  let kind: Kind
  /// The conversation: what our tools get as `_meta.threadId`.
  let conversation: Conversation
  let folder: String?
  /// The turn goes on only because a Stop hook has asked for it.
  let stopHookIsActive: Bool
  /// The run that `opencode_start` has started.
  let startedRun: String?

  /// nil: no event, or one that is none of ours.
  init?(_ json: JSONValue) {
    guard let kind = json["hook_event_name"]?.string.flatMap(Kind.init), let session = json["session_id"]?.string, !session.isEmpty else { return nil }
    self.kind = kind
    conversation = Conversation([session])
    folder = json["cwd"]?.string
    stopHookIsActive = json["stop_hook_active"]?.bool ?? false
    let isStart = json["tool_name"]?.string?.hasSuffix("opencode_start") ?? false
    startedRun = isStart ? json["tool_response"].flatMap { HookEvent.run(in: $0, depth: 0) } : nil
  }

  /// The response is the tool's whole result, as an object or as its text.
  private static func run(in value: JSONValue, depth: Int) -> String? {
    guard depth < 6 else { return nil }
    if let object = value.object {
      // A refused start tells of another's run.
      if object["error"] != nil { return nil }
      if let run = object["run"]?.string, RunID.isValid(run) { return run }
      return object.members.lazy.compactMap { run(in: $0.value, depth: depth + 1) }.first
    }
    if let elements = value.array { return elements.lazy.compactMap { run(in: $0, depth: depth + 1) }.first }
    guard let text = value.string, let start = text.firstIndex(of: "{"), let json = try? JSONValue(parsing: Array(text[start...].utf8)) else { return nil }
    return run(in: json, depth: depth + 1)
  }
}
