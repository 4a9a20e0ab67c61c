import Foundation
import JSON
import TestSupport
import Testing

/// The stand-in against what real OpenCode binaries printed: the same events in the same order with the same members, the same exit,
/// the same kind of standard error.
@Suite(.blocking) struct RecordingTests {
  static let old = "1.18.34"
  static let new = "2.0-preview-20260807"

  struct Scene: Sendable, CustomTestStringConvertible {
    let version: String
    let name: String
    let turns: JSONValue
    var testDescription: String { "\(version)/\(name)" }
  }

  private static func tool(_ name: String, _ arguments: JSONValue, _ after: JSONValue = ["text": "ok"]) -> JSONValue {
    [["tools": [["name": .string(name), "arguments": arguments]]], after]
  }

  private static func scenes(_ version: String) -> [Scene] {
    let todos: JSONValue = ["todos": [["content": "A", "status": "in_progress", "priority": "high", "id": "1"]]]
    let echo: JSONValue = ["name": "bash", "arguments": ["command": "echo hi", "description": "Echo"]]
    let delegate: JSONValue = [
      "name": "task", "arguments": ["description": "Check it", "prompt": "the check", "subagent_type": "general"],
      "turns": [["tools": [echo]], ["text": "Sub done."]],
    ]
    var all: [(String, JSONValue)] = [
      ("text-stdin", [["text": "Hello from the model."]]),
      ("bash-exit-3", tool("bash", ["command": "echo failing; exit 3", "description": "Fails with 3"])),
      (
        "bash-ok",
        [["text": "Running.", "tools": [["name": "bash", "arguments": ["command": "echo hi", "description": "Echo"]]]], ["text": "ok"]]
      ),
      ("subagent", tool("task", ["description": "Sub job", "prompt": "Do the sub job", "subagent_type": "general"])),
      ("error-401", [["status": 401, "body": ["error": ["message": "Invalid API key"]]]]), ("error-429-then-ok", [["status": 429], ["text": "ok"]]),
      ("model-unknown", []), ("provider-unknown", []), ("model-malformed", []), ("agent-unknown", [["text": "ok"]]), ("file-missing", []),
      ("empty-message", []), ("model-second", [["text": "ok"]]), ("title", [["text": "ok"]]), ("unknown-tool", tool("no_such_tool", ["x": 1])),
      ("question-denied", tool("question", ["questions": [["question": "Which?", "header": "h", "options": [["label": "a", "description": "a"]]]]])),
      ("reasoning", [["reasoning": "Let me think.", "text": "Answer."]]),
      ("reasoning-thinking", [["reasoning": "Let me think.", "text": "Answer."]]),
      (
        "write-edit-read",
        [
          ["tools": [["name": "read", "arguments": ["filePath": "hello.txt"]]]],
          ["tools": [["name": "write", "arguments": ["filePath": "new.txt", "content": "fresh\n"]]]],
          ["tools": [["name": "edit", "arguments": ["filePath": "hello.txt", "oldString": "world", "newString": "planet"]]]], ["text": "Edited."],
        ]
      ),
    ]
    if version == old {
      all += [
        ("todo", tool("todowrite", todos)), ("external-dir-rejected", tool("read", ["filePath": "/etc/hosts"])),
        ("logs-429-then-ok", [["status": 429], ["text": "ok"]]), ("logs-model-unknown", []), ("session-bogus", []), ("dir-missing", []),
        ("bash-denied", tool("bash", ["command": "echo hi", "description": "Echo"])),
        ("bash-ask-rejected", tool("bash", ["command": "echo hi", "description": "Echo"])),
        ("external-dir-auto", tool("read", ["filePath": "/etc/hosts"])), ("agent-plan-write", tool("write", ["filePath": "x.txt", "content": "x"])),
        ("agent-subagent", [["text": "ok"]]), ("length", [["text": "Only half", "finish": "length"]]), ("no-usage", [["text": "ok", "usage": [:]]]),
        ("bash-timeout", tool("bash", ["command": "sleep 20", "description": "Sleeps", "timeout": 10])),
        ("bash-workdir", tool("bash", ["command": "ls", "description": "Lists", "workdir": "."])),
        ("compaction", [["text": "First.", "tools": [echo]], ["compaction": "Summary of what was done."], ["text": "Second."]]),
        (
          "context-overflow",
          [["status": 400, "body": ["error": ["message": "too long", "code": "context_length_exceeded"]]], ["compaction": "Summary."], ["text": "Done."]]
        ),
        ("read-env", tool("read", ["filePath": ".env"])), ("steps-limit", [["tools": [echo]], ["text": "ok"]]),
        ("stream-broken-off", [["text": "Half of the answer", "cut": true], ["text": "The whole answer."]]),
        ("subagent-ask-rejected", [["tools": [delegate]], ["text": "Sub done."]]),
        ("subagent-checks", [["text": "I delegate.", "tools": [delegate]], ["text": "Main done."]]),
        ("tools-parallel", [["tools": [echo, echo], "order": [1, 0]], ["text": "Done."]]), ("preset-read-only", [["tools": [echo]], ["text": "Done."]]),
      ]
    } else {
      all += [
        ("external-read-rejected", tool("read", ["filePath": "/etc/hosts"])),
        ("edit-fails", tool("edit", ["filePath": "hello.txt", "oldString": "nothere", "newString": "a"])),
        ("shell-background", tool("shell", ["command": "sleep 1; echo bg", "background": true])), ("session-missing-valid-id", []),
        ("read-env", tool("read", ["filePath": ".env"])), ("agent-plan-write", tool("write", ["path": "x.txt", "content": "x"])),
        ("external-write-rejected", tool("write", ["path": "/work-root/tmp/ext.txt", "content": "x"])),
        ("question-auto", tool("question", ["questions": [["question": "Which?", "header": "h", "options": [["label": "a", "description": "a"]]]]])),
        ("perm-cfg-v1-edit-deny", tool("write", ["path": "new.txt", "content": "x"])), ("perm-cfg-v2-shell-deny", tool("shell", ["command": "echo hi"])),
      ]
      all += ["dangerously", "yolo", "perm-cfg-v1-extdir-allow", "perm-cfg-v1-extdir-deny"].map { ($0, tool("read", ["path": "/etc/hosts"])) }
      all += ["ask", "ask-auto", "deny", "deny-auto"].map { ("perm-cfg-v1-bash-" + $0, tool("shell", ["command": "echo hi"])) }
    }
    return all.map { Scene(version: version, name: $0.0, turns: $0.1) }
  }

  @Test(arguments: scenes(old) + scenes(new))
  func printsWhatTheRealOnePrinted(_ scene: Scene) throws {
    let recorded = try Recording("\(scene.version)/\(scene.name)").json
    let real = Stage.events(recorded["stdout"]?.string ?? "")
    let (started, last) = (real.filter { $0["type"] == "step_start" }.last?["part"]?["messageID"], real.last?["part"]?["messageID"])
    let stage = try Stage([
      "version": .string(scene.version == RecordingTests.old ? scene.version : "0.0.0-v2-20260807"), "turns": scene.turns, "retrySeconds": 0.01,
      // The recording build now and then printed the last step's end, and mostly its beginning.
      "lastStepFinish": .bool(real.last?["part"]?["reason"] == "stop"), "lastStepStart": .bool(last == nil || started == last),
    ])
    let arguments = (recorded["argv"]?.array ?? []).compactMap(\.string).map {
      $0.hasPrefix("/work-root/ws/") ? stage.workspace : $0.replacing("mock/", with: "stand-in/")
    }
    let environment = (recorded["env"]?.object?.members ?? []).reduce(into: [String: String]()) { $0[$1.key] = $1.value.string }
    let played = try stage.run(arguments, input: recorded["stdin"]?.string ?? "", environment: environment)

    #expect(played.types == real.compactMap { $0["type"]?.string })
    for (own, wanted) in zip(played.events, real) { #expect(paths(own) == paths(wanted)) }
    #expect(played.exit == recorded["exit"]?.int.map { Int32($0) })
    #expect(kind(played.errors) == kind(recorded["stderr"]?.string ?? ""))
  }

  /// Of a log line its level, its message and the names of its fields; of any other line its text.
  private func kind(_ errors: String) -> [String] {
    errors.split(separator: "\n").filter { !$0.contains("share subscriber") }.map { line in
      guard line.hasPrefix("timestamp=") else { return String(line) }
      return line.matches(of: /(?:^| )([a-zA-Z.]+)=/).map { String($0.1) }.joined(separator: " ") + (line.contains("level=ERROR") ? " ERROR" : "")
    }
  }
}
