import Foundation
import JSON
import TestSupport
import Testing

/// The stand-in against what real OpenCode binaries printed: the same events in the same order with the same members, the same exit,
/// the same kind of standard error.
@Suite struct RecordingTests {
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
        ("external-dir-auto", tool("read", ["filePath": "/etc/hosts"])),
      ]
    } else {
      all += [
        ("external-read-rejected", tool("read", ["filePath": "/etc/hosts"])),
        ("edit-fails", tool("edit", ["filePath": "hello.txt", "oldString": "nothere", "newString": "a"])),
        ("shell-background", tool("shell", ["command": "sleep 1; echo bg", "background": true])), ("session-missing-valid-id", []),
        ("read-env", tool("read", ["filePath": ".env"])),
      ]
    }
    return all.map { Scene(version: version, name: $0.0, turns: $0.1) }
  }

  @Test(arguments: scenes(old) + scenes(new))
  func printsWhatTheRealOnePrinted(_ scene: Scene) throws {
    let recorded = try Recording("\(scene.version)/\(scene.name)").json
    let stage = try Stage([
      "version": .string(scene.version == RecordingTests.old ? scene.version : "0.0.0-v2-20260807"), "turns": scene.turns, "retrySeconds": 0.01,
      // The recording build now and then printed the last step's end.
      "lastStepFinish": .bool(Stage.events(recorded["stdout"]?.string ?? "").last?["part"]?["reason"]?.string == "stop"),
    ])
    let arguments = (recorded["argv"]?.array ?? []).compactMap(\.string).map {
      $0.hasPrefix("/work-root/ws/") ? stage.workspace : $0.replacing("mock/", with: "stand-in/")
    }
    let environment = (recorded["env"]?.object?.members ?? []).reduce(into: [String: String]()) { $0[$1.key] = $1.value.string }
    let played = try stage.run(arguments, input: recorded["stdin"]?.string ?? "", environment: environment)

    let real = Stage.events(recorded["stdout"]?.string ?? "")
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
