import Foundation
import JSON
import PosixSupport

/// Which OpenCode is played.
enum Line {
  case one
  /// The build of August 2026 that was recorded; it differs from the releases in a few places.
  case twoPreview
  case two

  var isTwo: Bool { self != .one }
}

/// What the stand-in was told to play: `stand-in.json`, or the built-in demonstration.
struct Script {
  var version = "1.18.34"
  var line = Line.one
  /// The turns of each run, in order; the last one is played again by later runs.
  var runs: [[Turn]] = []
  /// Seconds before each event.
  var pause = 0.0
  /// Seconds before the first retry of a failed request; doubled each time.
  var retrySeconds = 2.0
  /// Whether OpenCode 2 prints the last step's end, which it usually leaves out.
  var lastStepFinish = false
  /// The user's own configuration file, as it were.
  var config = JSONValue.object([:])
  /// What a run exits with that came to its own good end: OpenCode 2 may still say 1 of an error long mended.
  var exit: Int32 = 0
  /// Providers that somebody is signed in to.
  var credentials: [String] = []
  /// Subcommands that misbehave: what to print and how to end instead.
  var overrides: [String: JSONValue] = [:]

  /// - Throws: `ScriptError` when the file isn't what it should be
  init(path: String) throws {
    guard PrivateFiles.exists(path) else {
      self = Script.demonstration
      return
    }
    let value: JSONValue
    do { value = try JSONValue(parsing: try PrivateFiles.read(path)) } catch { throw ScriptError(reason: "\(path): \(error)") }
    guard let object = value.object else { throw ScriptError(reason: "\(path): an object is expected") }
    for key in object.keys where !Script.keys.contains(key) { throw ScriptError(reason: "\(path): unknown key \"\(key)\"") }
    version = value["version"]?.string ?? version
    if version.contains("v2-") {
      line = .twoPreview
    } else if version.hasPrefix("2.") {
      line = .two
    } else if !version.hasPrefix("1.") {
      throw ScriptError(reason: "\(path): version \"\(version)\" is none that can be played")
    }
    if let all = value["runs"]?.array {
      runs = try all.map { try Turn.list($0, path) }
    } else {
      runs = [try value["turns"].map { try Turn.list($0, path) } ?? Script.demonstration.runs[0]]
    }
    pause = value["pause"]?.double ?? pause
    retrySeconds = value["retrySeconds"]?.double ?? retrySeconds
    lastStepFinish = value["lastStepFinish"]?.bool ?? lastStepFinish
    config = value["config"] ?? config
    exit = value["exit"]?.int.map { Int32(clamping: $0) } ?? exit
    credentials = value["credentials"]?.array?.compactMap(\.string) ?? []
    for (name, override) in value["commands"]?.object?.members ?? [] { overrides[name] = override }
  }

  private init() {}

  private static let keys: Set<String> = [
    "version", "turns", "runs", "pause", "retrySeconds", "lastStepFinish", "config", "exit", "credentials", "commands",
  ]

  /// Adds a file, checks it, says so; slowly enough to be watched.
  private static var demonstration: Script {
    var script = Script()
    script.pause = 0.3
    var write = Turn(text: "I will add the file.")
    write.tools = [ToolCall(name: "write", input: ["filePath": "greeting.txt", "content": "hello\n"])]
    var check = Turn()
    check.tools = [ToolCall(name: "bash", input: ["command": "test -s greeting.txt", "description": "Checks the file"])]
    script.runs = [[write, check, Turn(text: "Added greeting.txt; the check passed.")]]
    return script
  }
}

struct ScriptError: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

struct ToolCall {
  var name: String
  var input: JSONObject
  /// Of a subagent.
  var turns: [Turn] = []
}

/// One answer of the model, or what happens instead.
struct Turn {
  var text: String?
  var reasoning: String?
  var tools: [ToolCall] = []
  /// An HTTP error.
  var status: Int?
  var body = JSONValue.object(["error": ["message": "scripted error", "type": "scripted"]])
  /// The error never ends.
  var forever = false
  /// Seconds of silence first.
  var delay = 0.0
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
  var isAnswer: Bool { text != nil || reasoning != nil || !tools.isEmpty || finish != nil || cut }

  init(text: String? = nil) { self.text = text }

  static func list(_ value: JSONValue, _ path: String) throws -> [Turn] {
    guard let all = value.array else { throw ScriptError(reason: "\(path): turns are a list") }
    return try all.map { try Turn($0, path) }
  }

  private init(_ value: JSONValue, _ path: String) throws {
    guard let object = value.object else { throw ScriptError(reason: "\(path): a turn is an object") }
    for (key, value) in object.members {
      switch key {
      case "text": text = value.string
      case "textBytes": text = String(repeating: "text ", count: max(0, min(value.int ?? 0, 1 << 30)) / 5)
      case "reasoning": reasoning = value.string
      case "tools":
        tools = try (value.array ?? []).map {
          guard let name = $0["name"]?.string else { throw ScriptError(reason: "\(path): a tool without a name") }
          return ToolCall(name: name, input: $0["arguments"]?.object ?? [:], turns: try $0["turns"].map { try Turn.list($0, path) } ?? [])
        }
      case "status": status = value.int
      case "body": body = value
      case "forever": forever = value.bool ?? false
      case "delay": delay = value.double ?? 0
      case "finish": finish = value.string
      case "cut": cut = value.bool ?? false
      case "usage": usage = value
      case "raw": raw = value.string
      case "stderr": stderr = value.string
      case "exit": exit = value.int.map { Int32(clamping: $0) }
      case "signal":
        signal = (1..<32).first { ExitStatus.signalName($0) == value.string }
        if signal == nil { throw ScriptError(reason: "\(path): signal \(value.text) is unknown") }
      case "hang": hang = value.bool ?? false
      case "headers": break
      default: throw ScriptError(reason: "\(path): a turn has no \"\(key)\"")
      }
    }
  }
}
