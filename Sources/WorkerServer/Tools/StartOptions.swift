import Foundation
import JSONRPC
import OpenCode
import PosixSupport

/// The arguments of a start, checked as far as they can be by themselves.
struct StartOptions: Sendable {
  let message: String
  let cwd: String?
  let model: String?
  let variant: String?
  let agent: String?
  let title: String
  let session: String?
  let continueLast: Bool
  let fork: Bool
  let files: [String]
  let skipPermissions: Bool
  let permissions: PermissionPreset?
  let sandboxIsReadOnly: Bool
  let acceptanceCriteria: [String]
  let verificationCommands: [String]

  /// - Parameter sandboxIsReadOnly: Codex itself may not write: then OpenCode may not either
  /// - Throws: `ToolError` (`bad_argument`)
  init(_ arguments: Arguments, sandboxIsReadOnly: Bool) throws {
    let message = arguments.string("message") ?? ""
    guard message.contains(where: { !$0.isWhitespace }) else {
      throw ToolError.badArgument("\"message\" is empty.", hint: "Write the whole task into it: OpenCode sees nothing else of this conversation.")
    }
    self.message = message
    cwd = arguments.string("cwd")
    for name in ["cwd", "model", "variant", "agent", "title", "session"] { try StartOptions.check(name, arguments.string(name)) }
    model = arguments.string("model")
    if let model {
      let parts = model.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[1].hasPrefix("#") else {
        throw ToolError.badArgument("\"model\" is \"\(model)\".", hint: "It must be provider/model; opencode_models lists them.")
      }
    }
    variant = arguments.string("variant")
    agent = arguments.string("agent")
    title = arguments.string("title").map { TextCut.firstLine($0, bytes: 200) } ?? StartOptions.title(of: message)
    session = arguments.string("session")
    if let session, !session.hasPrefix("ses_") {
      throw ToolError.badArgument(
        "\"session\" is \"\(session)\".", hint: "It must be an OpenCode session id (ses_...), as the reply of an earlier run shows it.")
    }
    continueLast = arguments.bool("continueLast") ?? false
    fork = arguments.bool("fork") ?? false
    if session != nil, continueLast {
      throw ToolError.badArgument("\"session\" and \"continueLast\" are both given.", hint: "Name the session, or continue the last one.")
    }
    if fork, session == nil, !continueLast {
      throw ToolError.badArgument("\"fork\" has nothing to fork.", hint: "It needs \"session\" or \"continueLast\".")
    }
    files = arguments.strings("files") ?? []
    acceptanceCriteria = (arguments.strings("acceptanceCriteria") ?? []).filter { $0.contains { !$0.isWhitespace } }
    verificationCommands = (arguments.strings("verificationCommands") ?? []).filter { $0.contains { !$0.isWhitespace } }
    skipPermissions = arguments.bool("dangerouslySkipPermissions") ?? false
    let asked = arguments.string("permissions").flatMap(PermissionPreset.init)
    if skipPermissions, asked != nil {
      throw ToolError.badArgument(
        "\"permissions\" and \"dangerouslySkipPermissions\" are both given.", hint: "A preset asks nothing anyway: leave the other out.")
    }
    if sandboxIsReadOnly, skipPermissions || (asked ?? .readOnly) != .readOnly {
      throw ToolError.badArgument(
        "This conversation's sandbox is read-only, so OpenCode may not write either.",
        hint: "Leave permissions out (read-only is used), or let the user change Codex's sandbox.")
    }
    self.sandboxIsReadOnly = sandboxIsReadOnly
    permissions = sandboxIsReadOnly ? .readOnly : asked
  }

  /// The message's first line, shortened; it becomes an argument, which can't hold everything that a message may.
  private static func title(of message: String) -> String {
    let printable = message.unicodeScalars.map { $0.value < 0x20 && $0 != "\n" && $0 != "\r" ? " " : $0 }
    let title = TextCut.firstLine(String(String.UnicodeScalarView(printable)), bytes: 60)
    return title.isEmpty ? "Untitled" : title
  }

  private static func check(_ name: String, _ value: String?) throws {
    guard let value else { return }
    if value.isEmpty || value.unicodeScalars.contains(where: { $0.value < 0x20 && !(name == "title" && $0 != "\0") }) {
      throw ToolError.badArgument(
        "\"\(name)\" is \(JSONValue.string(value).text.prefix(100)).", hint: "It must not be empty or hold control characters; leave it out for the default.")
    }
  }
}
