import Foundation
import JSON
import PosixSupport

/// Carries tool calls out, for real.
struct Tools {
  let build: Build
  /// The session's folder.
  let directory: String
  /// OpenCode's folder for data: outputs that were cut are kept there.
  let data: String
  let environment: [String: String]
  let rules: Rules
  /// Answers every question of permission with yes.
  let approvesAll: Bool
  let report: (String) -> Void

  static let offered = ["bash", "edit", "glob", "grep", "read", "skill", "task", "todowrite", "webfetch", "write"]

  /// What the rules call a tool; nil: there is no such tool.
  private func action(of call: ToolCall) -> String? {
    switch call.name {
    case "write", "edit": "edit"
    case "bash": build.isTwo ? "shell" : "bash"
    case "task": build.isTwo ? "subagent" : "task"
    case "todowrite": build.isTwo ? nil : call.name
    case "read", "question": call.name
    default: call.result == nil ? nil : call.name
    }
  }

  /// One name for a tool and its arguments, so that a script suits both generations.
  static func canonical(_ call: ToolCall) -> ToolCall {
    var call = call
    call.name = ["shell": "bash", "subagent": "task"][call.name] ?? call.name
    func rename(_ old: String, _ new: String) {
      call.input = JSONObject(call.input.members.map { (key: $0.key == old ? new : $0.key, value: $0.value) })
    }
    switch call.name {
    case "read", "write", "edit": rename("path", "filePath")
    case "task":
      rename("agent", "subagent_type")
      rename("sessionID", "task_id")
    default: break
    }
    return call
  }

  /// The names that the generation itself uses.
  func own(_ call: ToolCall) -> (name: String, input: JSONObject) {
    guard build.isTwo else { return (call.name, call.input) }
    let names = ["filePath": "path", "subagent_type": "agent", "task_id": "sessionID"]
    return (
      ["bash": "shell", "task": "subagent"][call.name] ?? call.name, JSONObject(call.input.members.map { (key: names[$0.key] ?? $0.key, value: $0.value) })
    )
  }

  /// Everything but shells and subagents.
  func run(_ call: ToolCall) -> ToolResult.Ending {
    switch call.name {
    case "write": write(call)
    case "edit": edit(call)
    case "read": read(call.input)
    case "todowrite": todo(call.input)
    case "question": .dismissed
    default: ofServer(call)
    }
  }

  // MARK: Permissions

  /// nil: the call may go on.
  func refusal(of call: ToolCall) -> ToolResult.Ending? {
    guard let own = action(of: call), rules.offers(own) else {
      if build.isTwo || rules.offers("invalid") { return .unavailable }
      let offered = Tools.offered.filter { rules.offers(action(of: ToolCall(name: $0, input: [:])) ?? $0) }
      return .failed("Model tried to call unavailable tool 'invalid'. Available tools: \(offered.joined(separator: ", ")).")
    }
    var asked: [(action: String, resource: String, path: String?)] = []
    func external(_ path: String, _ pattern: String) {
      if !isInside(path) { asked.append(("external_directory", pattern, nil)) }
    }
    switch call.name {
    case "bash":
      if let folder = call.input["workdir"]?.string.map(absolute) { external(folder, folder + "/*") }
      asked.append((own, call.input["command"]?.string ?? "", nil))
    case "task": asked = [(own, call.input["subagent_type"]?.string ?? "", nil)]
    case "read", "write", "edit":
      let path = absolute(call.input["filePath"]?.string ?? "")
      external(path, (path as NSString).deletingLastPathComponent + "/*")
      asked.append((own, relative(path), path))
    default: asked = [(own, "*", nil)]
    }
    for (action, resource, path) in asked {
      switch rules.effect(action, resource, absolute: build.isTwo ? path : nil) {
      case .allow: continue
      case .deny where build.isTwo: return .failed(call.name == "task" ? "Subagent denied: \(resource)" : "Permission denied: \(action)")
      case .deny:
        let concerning = Rules.legacyJSON(rules.concerning(action)).text
        return .failed(
          "The user has specified a rule which prevents you from using this specific tool call. Here are some of the relevant rules \(concerning)")
      case .ask:
        if approvesAll { continue }
        report("\u{1B}[93m\u{1B}[1m! \u{1B}[0mpermission requested: \(action) (\(resource)); auto-rejecting\n")
        return .rejected
      }
    }
    return nil
  }

  func absolute(_ path: String) -> String {
    let full = path.hasPrefix("/") ? path : directory + "/" + path
    return PrivateFiles.lexical(full)
  }

  private func isInside(_ path: String) -> Bool { path == directory || path.hasPrefix(directory + "/") }
  private func relative(_ path: String) -> String { isInside(path) ? String(path.dropFirst(directory.count + 1)) : path }

  /// A tool of an MCP server: works without OpenCode's knowledge.
  private func ofServer(_ call: ToolCall) -> ToolResult.Ending {
    for (path, text) in call.files.members {
      do { try save(text.string ?? "", to: absolute(path)) } catch { return .failed("\(error)") }
    }
    return .completed(output: call.result ?? "", title: build.isTwo ? call.name : "", metadata: ["truncated": false])
  }

  // MARK: Files

  private func write(_ call: ToolCall) -> ToolResult.Ending {
    let input = call.input
    let path = absolute(input["filePath"]?.string ?? "")
    let existed = PrivateFiles.exists(path)
    do { try save(input["content"]?.string ?? "", to: path) } catch { return .failed("\(error)") }
    if build.isTwo {
      let output = (existed ? "Wrote file successfully: " : "Created file successfully: ") + relative(path)
      return .completed(output: output, title: "write", metadata: ["truncated": false])
    }
    let (found, told) = diagnostics(call, path)
    return .completed(
      output: "Wrote file successfully." + told, title: relative(path),
      metadata: ["diagnostics": found, "filepath": .string(path), "exists": .bool(existed), "truncated": false])
  }

  /// What 1.x's language server says of a changed file: as metadata, and as the model reads it.
  private func diagnostics(_ call: ToolCall, _ path: String) -> (JSONValue, String) {
    if call.diagnostics.isEmpty { return ([:], "") }
    let start: JSONValue = ["line": 0, "character": 0]
    let found = call.diagnostics.map { message -> JSONValue in
      ["range": ["start": start, "end": start], "severity": 1, "source": "stand-in", "message": .string(message)]
    }
    let rows = call.diagnostics.map { "ERROR [1:1] \($0)" }.joined(separator: "\n")
    return (
      .object(JSONObject([(key: path, value: .array(found))])),
      "\n\nLSP errors detected in this file, please fix:\n<diagnostics file=\"\(path)\">\n\(rows)\n</diagnostics>"
    )
  }

  private func save(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    defer { file.close() }
    try file.writeAll(Array(text.utf8))
  }

  private func edit(_ call: ToolCall) -> ToolResult.Ending {
    let input = call.input
    let path = absolute(input["filePath"]?.string ?? "")
    let (old, new) = (input["oldString"]?.string ?? "", input["newString"]?.string ?? "")
    guard let bytes = try? PrivateFiles.read(path) else { return .failed("File \(path) not found") }
    let before = String(decoding: bytes, as: UTF8.self)
    guard !old.isEmpty, let range = before.range(of: old) else {
      let place = build.isTwo ? relative(path) : "the file"
      return .failed("Could not find oldString in \(place). It must match exactly, including whitespace and indentation.")
    }
    let after = before.replacingCharacters(in: range, with: new)
    do { try save(after, to: path) } catch { return .failed("\(error)") }
    let name = build.isTwo ? relative(path) : path
    let change = Patch(name: name, before: before, after: after)
    let counts: JSONObject = ["additions": JSONValue(change.added), "deletions": JSONValue(change.removed)]
    var file: JSONObject = ["file": .string(name), "patch": .string(change.text)]
    if build.isTwo { file["status"] = "modified" }
    file.merge(counts)
    if build.isTwo {
      return .completed(
        output: "Edited \(name) (1 replacement)", title: "edit", metadata: ["files": .array([.object(file)]), "truncated": false])
    }
    let (found, told) = diagnostics(call, path)
    return .completed(
      output: "Edit applied successfully." + told, title: relative(path),
      metadata: ["diagnostics": found, "diff": .string(change.text), "filediff": .object(file), "truncated": false])
  }

  private func read(_ input: JSONObject) -> ToolResult.Ending {
    let path = absolute(input["filePath"]?.string ?? "")
    guard let bytes = try? PrivateFiles.read(path, limit: 1 << 20) else { return .failed("File not found: \(path)") }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    let numbered = lines.enumerated().map { "\($0.offset + 1): \($0.element)" }.joined(separator: "\n")
    let count = JSONValue(lines.count)
    if build.isTwo {
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
      output: JSONValue.array(todos).prettyText, title: build.isTwo ? "todowrite" : "\(open) todos", metadata: ["todos": .array(todos), "truncated": false])
  }
}
