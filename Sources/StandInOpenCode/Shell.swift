import Foundation
import JSON
import PosixSupport

/// A shell command of the model's, really run.
struct Shell: Sendable {
  let build: Build
  let command: String
  let id: String
  let child: ChildProcess
  private let timeout: Double
  private let output: Descriptor
  /// OpenCode's folder for data.
  private let data: String

  /// How much of an output is shown.
  private static let shown = (bytes: 50 << 10, lines: 2000)

  /// - Throws: when it can't be started
  init(_ call: ToolCall, tools: Tools, scratch: String, id: String) throws {
    build = tools.build
    command = call.input["command"]?.string ?? ""
    timeout = call.input["timeout"]?.double ?? 120_000
    data = tools.data
    self.id = id
    let folder = call.input["workdir"]?.string.map(tools.absolute) ?? tools.directory
    let file = "\(scratch)/shell-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    output = try Descriptor.open(file, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
    unlink(file)
    let shell = PrivateFiles.isExecutable("/bin/bash") ? "/bin/bash" : "/bin/sh"
    child = try ChildProcess(
      shell, ["-c", command], environment: tools.environment.merging(["PWD": folder]) { $1 }, folder: folder, output: output, errors: output)
  }

  /// Waits for its end.
  /// - Returns: the tool's result, and what OpenCode 2 appends to it
  func finish() throws -> (ToolResult.Ending, note: String?) {
    defer { output.close() }
    let status = child.wait(deadline: timeout > 0 ? .after(timeout / 1000) : nil)
    if status == nil { child.killGroup() }
    let size = Int(try output.size())
    let all = String(decoding: try output.bytes(at: Int64(max(0, size - Shell.shown.bytes)), limit: min(size, Shell.shown.bytes)), as: UTF8.self)
    let lines = all.split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.suffix(Shell.shown.lines).joined(separator: "\n")
    var kept: String?
    if size > Shell.shown.bytes || lines.count > Shell.shown.lines { kept = try keep(size) }
    var code: JSONValue = .null
    if case .exited(let number)? = status { code = .integer(Int64(number)) }
    return build.isTwo ? two(text, code, kept, isLate: status == nil) : (one(text, code, kept, isLate: status == nil), nil)
  }

  /// Keeps the whole output in a file of OpenCode's, as it does with one that is cut.
  private func keep(_ size: Int) throws -> String {
    let folder = data + (build.isTwo ? "/shell/\(Places.digest(command))" : "/tool-output")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = build.isTwo ? "\(folder)/\(id).out" : "\(folder)/tool_\(id.dropFirst(3))"
    try PrivateFiles.replace(path, with: try output.bytes(limit: size))
    return path
  }

  private func one(_ text: String, _ code: JSONValue, _ kept: String?, isLate: Bool) -> ToolResult.Ending {
    var (shown, output) = (text.isEmpty ? "(no output)" : text, text.isEmpty ? "(no output)" : text)
    var metadata: JSONObject = ["output": "", "exit": code, "truncated": .bool(kept != nil)]
    if let kept {
      output = "...output truncated...\n\nFull output saved to: \(kept)\n\n" + text
      shown = "...\n\n" + text
      metadata["outputPath"] = .string(kept)
    }
    if isLate {
      output +=
        "\n\n<shell_metadata>\nshell tool terminated command after exceeding timeout \(Int(timeout)) ms. If this command is expected to take longer and"
        + " is not waiting for interactive input, retry with a larger timeout value in milliseconds.\n</shell_metadata>"
      if text.isEmpty { shown = output }
    }
    metadata["output"] = .string(shown)
    return .completed(output: output, title: command, metadata: metadata)
  }

  private func two(_ text: String, _ code: JSONValue, _ kept: String?, isLate: Bool) -> (ToolResult.Ending, String?) {
    var metadata: JSONObject = ["truncated": .bool(kept != nil)]
    if code != .null { metadata["exit"] = code }
    if isLate { metadata["timeout"] = true }
    let cut = kept.map { "\n\n[output truncated; full output saved to: \($0)]" } ?? ""
    let note = code == .null ? "Command was ended before it finished." : "Command exited with code \(code.text)."
    return (.completed(output: (text.isEmpty ? "(no output)" : text) + cut, title: "shell", metadata: metadata), note)
  }

  /// What the model is told of a command that goes on behind its back.
  var background: (ToolResult.Ending, note: String?) {
    var metadata: JSONObject = build.isReleased ? ["status": "running"] : [:]
    metadata.merge(["truncated": false, "shellID": .string(id)])
    return (
      .completed(output: "The command was moved to the background.", title: "shell", metadata: metadata),
      "You will be notified automatically when the command finishes. DO NOT sleep, poll, or proactively check on its progress."
    )
  }
}
