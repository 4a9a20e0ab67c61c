import Foundation
import JSON
import PosixSupport

/// What became of a tool call, before it is put in either line's shape.
struct ToolResult {
  enum Ending {
    case completed(output: String, title: String, metadata: JSONObject)
    case failed(String)
    /// It isn't offered to the model.
    case unavailable
    /// Its permission was asked for and nobody was there.
    case rejected
    case dismissed
  }
  var name: String
  var input: JSONObject
  var ending: Ending
  /// What OpenCode 2 appends to a shell command's output.
  var note: String?
  var startedAt = 0
  var endedAt = 0
}

/// Carries tool calls out, for real.
struct Tools {
  let line: Line
  /// The session's folder.
  let directory: String
  let scratch: String
  let environment: [String: String]
  let permissions: Permissions
  /// Answers every question of permission with yes.
  let approvesAll: Bool
  let report: (String) -> Void

  static let offered = ["bash", "edit", "glob", "grep", "read", "skill", "task", "todowrite", "webfetch", "write"]

  /// The permission that a tool needs; nil: there is no such tool.
  static func permission(of tool: String) -> String? {
    switch tool {
    case "write", "edit": "edit"
    case "read", "bash", "task", "todowrite", "question": tool
    default: nil
    }
  }

  /// One name for a tool and its arguments, so that a script suits both lines.
  static func canonical(_ call: ToolCall) -> ToolCall {
    var call = call
    call.name = ["shell": "bash", "subagent": "task"][call.name] ?? call.name
    func rename(_ old: String, _ new: String) {
      call.input = JSONObject(call.input.members.map { (key: $0.key == old ? new : $0.key, value: $0.value) })
    }
    switch call.name {
    case "read", "write", "edit": rename("path", "filePath")
    case "task": rename("agent", "subagent_type")
    default: break
    }
    return call
  }

  /// The names that the line itself uses.
  func own(_ call: ToolCall) -> (name: String, input: JSONObject) {
    guard line.isTwo else { return (call.name, call.input) }
    let names = ["filePath": "path", "subagent_type": "agent"]
    return (
      ["bash": "shell", "task": "subagent"][call.name] ?? call.name, JSONObject(call.input.members.map { (key: names[$0.key] ?? $0.key, value: $0.value) })
    )
  }

  /// Everything but subagents.
  func run(_ call: ToolCall) -> ToolResult {
    let (name, input) = own(call)
    func result(_ ending: ToolResult.Ending, note: String? = nil) -> ToolResult { ToolResult(name: name, input: input, ending: ending, note: note) }
    if let refusal = refusal(of: call) { return result(refusal) }
    switch call.name {
    case "bash": return shell(call, result)
    case "write": return result(write(call.input))
    case "edit": return result(edit(call.input))
    case "read": return result(read(call.input))
    case "todowrite": return result(todo(call.input))
    default: return result(.dismissed)
    }
  }

  // MARK: Permissions

  /// nil: the call may go on.
  func refusal(of call: ToolCall) -> ToolResult.Ending? {
    guard let permission = Tools.permission(of: call.name), permissions.offers(permission) else {
      if line.isTwo || permissions.offers("invalid") { return .unavailable }
      let offered = Tools.offered.filter { permissions.offers(Tools.permission(of: $0) ?? $0) }
      return .failed("Model tried to call unavailable tool 'invalid'. Available tools: \(offered.joined(separator: ", ")).")
    }
    var asked: [(String, String)] = []
    switch call.name {
    case "bash": asked = [("bash", call.input["command"]?.string ?? "")]
    case "task": asked = [("task", call.input["subagent_type"]?.string ?? "")]
    case "read", "write", "edit":
      let path = absolute(call.input["filePath"]?.string ?? "")
      if !isInside(path) { asked.append(("external_directory", (path as NSString).deletingLastPathComponent + "/*")) }
      asked.append((permission, relative(path)))
    default: break
    }
    for (permission, value) in asked {
      let shown = line.isTwo && permission == "bash" ? "shell" : permission
      switch permissions.action(permission, value) {
      case .allow: continue
      case .deny where line.isTwo: return .failed("Permission denied: \(shown)")
      case .deny:
        let rules = JSONValue.array(
          permissions.rules.filter { Permissions.matches(permission, $0.permission) }.map {
            ["permission": .string($0.permission), "pattern": .string($0.pattern), "action": .string($0.action.rawValue)]
          })
        return .failed("The user has specified a rule which prevents you from using this specific tool call. Here are some of the relevant rules \(rules.text)")
      case .ask:
        if approvesAll { continue }
        report("\u{1B}[93m\u{1B}[1m! \u{1B}[0mpermission requested: \(shown) (\(value)); auto-rejecting\n")
        return .rejected
      }
    }
    return nil
  }

  private func absolute(_ path: String) -> String {
    let full = path.hasPrefix("/") ? path : directory + "/" + path
    return (full as NSString).standardizingPath
  }

  private func isInside(_ path: String) -> Bool { path == directory || path.hasPrefix(directory + "/") }
  private func relative(_ path: String) -> String { isInside(path) ? String(path.dropFirst(directory.count + 1)) : path }

  // MARK: The shell

  private func shell(_ call: ToolCall, _ result: (ToolResult.Ending, String?) -> ToolResult) -> ToolResult {
    let command = call.input["command"]?.string ?? ""
    let folder = call.input["workdir"]?.string.map(absolute) ?? directory
    let shell = PrivateFiles.isExecutable("/bin/bash") ? "/bin/bash" : "/bin/sh"
    var environment = environment
    environment["PWD"] = folder
    let file = "\(scratch)/shell-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    do {
      let output = try Descriptor.open(file, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
      defer { output.close() }
      unlink(file)
      let child = try ChildProcess(shell, ["-c", command], environment: environment, folder: folder, output: output, errors: output)
      if line.isTwo, call.input["background"]?.bool ?? false {
        let id = "sh_" + String(UInt64.random(in: 0 ... .max), radix: 16)
        let output = "The command was moved to the background."
        return result(
          .completed(output: output, title: "shell", metadata: ["truncated": false, "shellID": .string(id)]),
          "You will be notified automatically when the command finishes. DO NOT sleep, poll, or proactively check on its progress.")
      }
      Interruption.child(child.pid)
      let status = child.wait(deadline: call.input["timeout"]?.double.map { $0 / 1000 })
      Interruption.child(0)
      if status == nil { child.killGroup() }
      let limit: Int64 = 50 << 10
      let size = try output.size()
      let text = String(decoding: try output.bytes(at: max(0, size - limit), limit: Int(min(size, limit))), as: UTF8.self)
      var code: JSONValue = .null
      if case .exited(let number)? = status { code = .integer(Int64(number)) }
      let isCut: JSONValue = .bool(size > limit)
      if line.isTwo {
        var metadata: JSONObject = ["truncated": isCut]
        if code != .null { metadata["exit"] = code }
        if status == nil { metadata["timeout"] = true }
        let note = code == .null ? "Command was ended before it finished." : "Command exited with code \(code.text)."
        return result(.completed(output: text, title: "shell", metadata: metadata), note)
      }
      let shown = text.isEmpty ? "(no output)" : text
      return result(.completed(output: shown, title: command, metadata: ["output": .string(shown), "exit": code, "truncated": isCut]), nil)
    } catch {
      return result(.failed("\(error)"), nil)
    }
  }

  // MARK: Files

  private func write(_ input: JSONObject) -> ToolResult.Ending {
    let path = absolute(input["filePath"]?.string ?? "")
    let existed = PrivateFiles.exists(path)
    do { try save(input["content"]?.string ?? "", to: path) } catch { return .failed("\(error)") }
    if line.isTwo {
      let output = (existed ? "Wrote file successfully: " : "Created file successfully: ") + relative(path)
      return .completed(output: output, title: "write", metadata: ["truncated": false])
    }
    return .completed(
      output: "Wrote file successfully.", title: relative(path),
      metadata: ["diagnostics": [:], "filepath": .string(path), "exists": .bool(existed), "truncated": false])
  }

  private func save(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    defer { file.close() }
    try file.writeAll(Array(text.utf8))
  }

  private func edit(_ input: JSONObject) -> ToolResult.Ending {
    let path = absolute(input["filePath"]?.string ?? "")
    let (old, new) = (input["oldString"]?.string ?? "", input["newString"]?.string ?? "")
    guard let bytes = try? PrivateFiles.read(path) else { return .failed("File \(path) not found") }
    let before = String(decoding: bytes, as: UTF8.self)
    guard !old.isEmpty, let range = before.range(of: old) else {
      let place = line.isTwo ? relative(path) : "the file"
      return .failed("Could not find oldString in \(place). It must match exactly, including whitespace and indentation.")
    }
    let after = before.replacingCharacters(in: range, with: new)
    do { try save(after, to: path) } catch { return .failed("\(error)") }
    let name = line.isTwo ? relative(path) : path
    let change = Patch(name: name, before: before, after: after)
    let counts: JSONObject = ["additions": JSONValue(change.added), "deletions": JSONValue(change.removed)]
    var file: JSONObject = ["file": .string(name), "patch": .string(change.text)]
    if line.isTwo { file["status"] = "modified" }
    file.merge(counts)
    if line.isTwo {
      return .completed(
        output: "Edited \(name) (1 replacement)", title: "edit", metadata: ["files": .array([.object(file)]), "truncated": false])
    }
    return .completed(
      output: "Edit applied successfully.", title: relative(path),
      metadata: ["diagnostics": [:], "diff": .string(change.text), "filediff": .object(file), "truncated": false])
  }

  private func read(_ input: JSONObject) -> ToolResult.Ending {
    let path = absolute(input["filePath"]?.string ?? "")
    guard let bytes = try? PrivateFiles.read(path, limit: 1 << 20) else { return .failed("File not found: \(path)") }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    let numbered = lines.enumerated().map { "\($0.offset + 1): \($0.element)" }.joined(separator: "\n")
    let count = JSONValue(lines.count)
    if line.isTwo {
      return .completed(output: "Read file \(relative(path)), lines 1-\(lines.count)\n\(numbered)", title: "read", metadata: ["truncated": false])
    }
    let text = JSONValue.string(lines.joined(separator: "\n"))
    return .completed(
      output: "<path>\(path)</path>\n<type>file</type>\n<content>\n\(numbered)\n\n(End of file - total \(lines.count) lines)\n</content>",
      title: relative(path),
      metadata: [
        "preview": .string(lines.prefix(20).joined(separator: "\n")), "truncated": false, "loaded": [],
        "display": [
          "type": "file", "path": .string(path), "text": text, "lineStart": 1, "lineEnd": count, "totalLines": count, "truncated": false,
        ],
      ])
  }

  private func todo(_ input: JSONObject) -> ToolResult.Ending {
    let todos = (input["todos"]?.array ?? []).map { todo -> JSONValue in
      .object(JSONObject((todo.object?.members ?? []).filter { ["content", "status", "priority"].contains($0.key) }))
    }
    let open = todos.filter { $0["status"]?.string != "completed" }.count
    return .completed(
      output: JSONValue.array(todos).prettyText, title: line.isTwo ? "todowrite" : "\(open) todos", metadata: ["todos": .array(todos), "truncated": false])
  }
}

/// The difference of two texts as one hunk with four lines of context.
struct Patch {
  let text: String
  let added: Int
  let removed: Int

  init(name: String, before: String, after: String) {
    func lines(_ text: String) -> [Substring] {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      if lines.last?.isEmpty ?? false { lines.removeLast() }
      return lines
    }
    let (old, new) = (lines(before), lines(after))
    var head = 0
    while head < min(old.count, new.count), old[head] == new[head] { head += 1 }
    var tail = 0
    while tail < min(old.count, new.count) - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] { tail += 1 }
    let (start, after) = (max(0, head - 4), min(4, tail))
    removed = old.count - head - tail
    added = new.count - head - tail
    var rows = old[start..<head].map { " \($0)" }
    rows += old[head..<(old.count - tail)].map { "-\($0)" }
    rows += new[head..<(new.count - tail)].map { "+\($0)" }
    rows += old[(old.count - tail)..<(old.count - tail + after)].map { " \($0)" }
    let (oldCount, newCount) = (head - start + removed + after, head - start + added + after)
    let rule = String(repeating: "=", count: 67)
    text =
      "Index: \(name)\n\(rule)\n--- \(name)\n+++ \(name)\n@@ -\(start + 1),\(oldCount) +\(start + 1),\(newCount) @@\n" + rows.joined(separator: "\n") + "\n"
  }
}
