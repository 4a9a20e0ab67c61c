import Foundation
import JSON
import PosixSupport

/// What the stand-in was told to play: `stand-in.json`, or the built-in demonstration. README.md describes the file.
struct Script {
  /// What becomes of standard input.
  enum StandardInput {
    case read
    /// Never read: a writer sees a pipe that fills up.
    case ignored
    /// The process ends after so many bytes, with this code or by this signal.
    case ends(after: Int, exit: Int32, signal: Int32?)
  }

  var build = Build("1.18.34")!
  /// The turns of each run, in order; the last one is played again by later runs.
  var runs: [[Turn]] = []
  /// Seconds before each event.
  var pause = 0.0
  /// Seconds before the first retry of a failed request; doubled each time.
  var retrySeconds = 2.0
  /// Whether OpenCode 2 prints the last step's end and its beginning; the end is usually left out.
  var lastStepFinish = false
  var lastStepStart = true
  /// Whether OpenCode 2 prints the last error, which is sometimes left out.
  var lastError = true
  /// The Bun that 2.x was built with: before 1.4 a regular file as standard input is lost.
  var bun = "1.3.14"
  var input = StandardInput.read
  /// The user's own configuration file, as it were.
  var config = JSONValue.object([:])
  /// What a run exits with that came to its own good end: OpenCode 2 may still say 1 of an error long mended.
  var exit: Int32 = 0
  /// Seconds for which a run stays although its last word is out.
  var linger = 0.0
  /// Providers that somebody is signed in to.
  var credentials: [String] = []
  /// Subcommands that misbehave: what to print and how to end instead.
  var overrides: [Override] = []

  /// A regular file as standard input arrives.
  var readsFileInput: Bool {
    let number = bun.split(separator: ".").map { Int($0) ?? 0 }
    return !build.isTwo || !number.lexicographicallyPrecedes([1, 4])
  }

  /// - Throws: `ScriptError` when the file isn't what it should be
  init(path: String) throws {
    guard PrivateFiles.exists(path) else {
      self = Script.demonstration
      return
    }
    do { try self.init(JSONValue(parsing: try PrivateFiles.read(path))) } catch { throw ScriptError(reason: "\(path): \(error)") }
  }

  private init(_ value: JSONValue) throws {
    guard let object = value.object else { throw ScriptError(reason: "an object is expected") }
    for (key, value) in object.members {
      switch key {
      case "version":
        guard let build = Build(value.string ?? "") else { throw ScriptError(reason: "version \(value.text) is none that can be played") }
        self.build = build
      case "turns": if object["runs"] == nil { runs = [try Turn.list(value)] }
      case "runs": runs = try (value.array ?? []).map { try Turn.list($0) }
      case "pause": pause = value.double ?? pause
      case "retrySeconds": retrySeconds = value.double ?? retrySeconds
      case "lastStepFinish": lastStepFinish = value.bool ?? lastStepFinish
      case "lastStepStart": lastStepStart = value.bool ?? lastStepStart
      case "lastError": lastError = value.bool ?? lastError
      case "bun": bun = value.string ?? bun
      case "stdin": input = try Script.input(value)
      case "config": config = value
      case "exit": exit = value.int.map { Int32(clamping: $0) } ?? exit
      case "linger": linger = value.double ?? linger
      case "credentials": credentials = value.array?.compactMap(\.string) ?? []
      case "commands": overrides = (value.object?.members ?? []).map { Override(name: $0.key, what: $0.value) }
      default: throw ScriptError(reason: "unknown key \"\(key)\"")
      }
    }
    if runs.isEmpty { runs = Script.demonstration.runs }
  }

  private init() {}

  private static func input(_ value: JSONValue) throws -> StandardInput {
    switch value {
    case "read": return .read
    case "ignored": return .ignored
    default:
      guard let bytes = value["after"]?.int else { throw ScriptError(reason: "stdin is \"read\", \"ignored\" or {\"after\": BYTES}") }
      return .ends(after: bytes, exit: Int32(clamping: value["exit"]?.int ?? 1), signal: try value["signal"].map { try Turn.signal($0) })
    }
  }

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
