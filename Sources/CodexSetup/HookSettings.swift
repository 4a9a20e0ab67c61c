import Foundation
import JSON

/// The hooks that `install --hooks` gives Codex: `hooks/hooks.json` in the plugin, or tables of `config.toml`.
package enum HookSettings {
  /// Seconds that Codex gives a hook that waits for the end of a run.
  package static let waitTimeout = 86_400
  /// Seconds for one that answers at once.
  package static let answerTimeout = 10

  /// Seconds for the one after which Codex is in a hurry.
  package static let interruptTimeout = 3

  struct Hook {
    let event: String
    let matcher: String?
    let isAsync: Bool
    let timeout: Int
  }

  static let hooks = [
    Hook(event: "SessionStart", matcher: nil, isAsync: false, timeout: answerTimeout),
    Hook(event: "PostToolUse", matcher: "mcp__opencode_worker__opencode_start", isAsync: true, timeout: waitTimeout),
    Hook(event: "Stop", matcher: nil, isAsync: false, timeout: waitTimeout),
    Hook(event: "Interrupt", matcher: nil, isAsync: false, timeout: interruptTimeout),
  ]

  /// Codex runs a hook by a shell; `PLUGIN_ROOT` is in a plugin's environment.
  static let pluginCommand = "\"${PLUGIN_ROOT}/\(CodexSettings.binaryInPlugin)\" hook"

  static func command(_ executable: String) -> String { "'" + executable.replacingOccurrences(of: "'", with: "'\\''") + "' hook" }

  /// `hooks/hooks.json`.
  package static let pluginFile: JSONValue = {
    var events = JSONObject()
    for hook in hooks {
      var handler: JSONObject = ["type": "command", "command": .string(pluginCommand)]
      if hook.isAsync { handler["async"] = true }
      handler["timeout"] = JSONValue(hook.timeout)
      var group = JSONObject()
      group["matcher"] = hook.matcher.map { .string($0) }
      group["hooks"] = [.object(handler)]
      events[hook.event] = [.object(group)]
    }
    return ["hooks": .object(events)]
  }()

  // MARK: - config.toml

  private static let begin = "# >>> opencode-worker hooks >>>"
  private static let beginWithNewline = "# >>> opencode-worker hooks (the newline above is their own) >>>"
  private static let end = "# <<< opencode-worker hooks <<<"

  static func lines(executable: String) -> [String] {
    hooks.flatMap { hook -> [String] in
      var lines = ["[[hooks.\(hook.event)]]"]
      if let matcher = hook.matcher { lines.append("matcher = \(tomlString(matcher))") }
      lines += ["[[hooks.\(hook.event).hooks]]", "type = \"command\"", "command = \(tomlString(command(executable)))"]
      if hook.isAsync { lines.append("async = true") }
      return lines + ["timeout = \(hook.timeout)"]
    }
  }

  package static func isPresent(in bytes: [UInt8]) throws -> Bool { try !sections(of: TOMLOutline(parsing: bytes), bytes).isEmpty }

  /// - Throws: `SetupRefusal` when hooks are written in a form to which no table can be added
  package static func adding(executable: String, to bytes: [UInt8]) throws -> [UInt8] {
    let bytes = try removing(from: bytes) ?? bytes
    let outline = try TOMLOutline(parsing: bytes)
    var current: [String] = []
    for statement in outline.statements {
      switch statement.kind {
      case .blank, .comment: break
      case .header(let path, let isArray, _):
        current = path
        if path.first == "hooks", path.count == 2, !isArray, hooks.contains(where: { $0.event == path[1] }) {
          throw SetupRefusal("[\(path.joined(separator: "."))] is a table, not a list of tables: add the hooks by hand (config.example.toml)")
        }
      case .value(let key, _):
        let path = current + key
        if path == ["hooks"] || (path.count == 2 && path[0] == "hooks" && hooks.contains { $0.event == path[1] }) {
          throw SetupRefusal("\(path.joined(separator: ".")) is written inline: add the hooks by hand (config.example.toml)")
        }
      }
    }
    let lineEnd = CodexConfig.lineEnd(bytes)
    var out = bytes
    let first = CodexConfig.addBlankLine(to: &out) ? beginWithNewline : begin
    out += ([first] + lines(executable: executable) + [end]).joined(separator: lineEnd).utf8
    out += lineEnd.utf8
    return out
  }

  /// The content without our hooks; what Codex or somebody else has put between them stays.
  /// - Returns: nil: none of ours is there
  /// - Throws: `SetupRefusal` when the text can't be read
  package static func removing(from bytes: [UInt8]) throws -> [UInt8]? {
    let outline = try TOMLOutline(parsing: bytes)
    var ranges = sections(of: outline, bytes)
    var newline: Range<Int>?
    for (index, statement) in outline.statements.enumerated() {
      guard case .comment(let text) = statement.kind else { continue }
      let line = text.trimmingCharacters(in: .whitespaces)
      guard [begin, beginWithNewline, end].contains(line) else { continue }
      ranges.append(statement.range)
      guard line != end, index > 0, case .blank = outline.statements[index - 1].kind else { continue }
      ranges.append(outline.statements[index - 1].range)
      if line == beginWithNewline { newline = CodexConfig.lineEndBefore(outline.statements[index - 1].range.lowerBound, in: bytes) }
    }
    return ranges.isEmpty ? nil : CodexConfig.remove(ranges, newline: newline, from: bytes)
  }

  /// Our handlers, and each group that holds nothing else.
  private static func sections(of outline: TOMLOutline, _ bytes: [UInt8]) -> [Range<Int>] {
    var headers: [(index: Int, path: [String])] = []
    for (index, statement) in outline.statements.enumerated() {
      if case .header(let path, _, _) = statement.kind { headers.append((index, path)) }
    }
    // Codex may have dropped the markers, and the binary may have another name: either of the two tells.
    let marks = outline.statements.indices.filter { index in
      guard case .comment(let text) = outline.statements[index].kind else { return false }
      return [begin, beginWithNewline, end].contains(text.trimmingCharacters(in: .whitespaces))
    }
    func isOurs(_ header: (index: Int, path: [String])) -> Bool {
      guard header.path.count == 3, header.path[0] == "hooks", header.path[2] == "hooks" else { return false }
      let isMarked = marks.contains { $0 < header.index } && marks.contains { $0 > header.index }
      return outline.values(ofHeader: header.index).contains { key, value in
        let text = String(decoding: bytes[value], as: UTF8.self)
        return key == ["command"] && (text.contains(/\/opencode-worker['"\\]* hook"?$/) || isMarked && text.contains(/\/[^\/]*' hook["']*$/))
      }
    }
    var ranges: [Range<Int>] = []
    for (place, header) in headers.enumerated() where header.path.count == 2 && header.path[0] == "hooks" {
      let handlers = headers[(place + 1)...].prefix { $0.path.starts(with: header.path) && $0.path.count > 2 }
      let ours = handlers.filter(isOurs)
      ranges += ours.map { outline.section(ofHeader: $0.index) }
      if !ours.isEmpty, ours.count == handlers.count { ranges.append(outline.section(ofHeader: header.index)) }
    }
    return ranges
  }
}
