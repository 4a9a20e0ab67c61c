import JSON
import OpenCode
import PosixSupport
import Text

/// The arguments of a start, under their names in the contract: one value from the tool's call to the run's record.
package struct StartArguments: Codable, Sendable, Equatable {
  package var message: String
  package var cwd: String?
  /// `provider/model` or `provider/model#variant`.
  package var model: String?
  package var variant: String?
  package var agent: String?
  package var title: String?
  /// The session that is continued.
  package var session: String?
  package var continueLast = false
  package var fork = false
  /// Relative to `cwd`.
  package var files: [String] = []
  package var dangerouslySkipPermissions = false
  /// The name of a `PermissionPreset`.
  package var permissions: String?
  package var acceptanceCriteria: [String] = []
  package var verificationCommands: [String] = []
  /// The worker runs those that aren't proven to have passed, after OpenCode's end.
  package var verify = false
  /// Seconds for all of them; nil: `DeclaredChecks.deadline`.
  package var verifySeconds: Int?

  package init(message: String) { self.message = message }

  /// What is left out has its default.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    message = try values.decodeIfPresent(String.self, forKey: .message) ?? ""
    cwd = try values.decodeIfPresent(String.self, forKey: .cwd)
    model = try values.decodeIfPresent(String.self, forKey: .model)
    variant = try values.decodeIfPresent(String.self, forKey: .variant)
    agent = try values.decodeIfPresent(String.self, forKey: .agent)
    title = try values.decodeIfPresent(String.self, forKey: .title)
    session = try values.decodeIfPresent(String.self, forKey: .session)
    continueLast = try values.decodeIfPresent(Bool.self, forKey: .continueLast) ?? false
    fork = try values.decodeIfPresent(Bool.self, forKey: .fork) ?? false
    files = try values.decodeIfPresent([String].self, forKey: .files) ?? []
    dangerouslySkipPermissions = try values.decodeIfPresent(Bool.self, forKey: .dangerouslySkipPermissions) ?? false
    permissions = try values.decodeIfPresent(String.self, forKey: .permissions)
    acceptanceCriteria = try values.decodeIfPresent([String].self, forKey: .acceptanceCriteria) ?? []
    verificationCommands = try values.decodeIfPresent([String].self, forKey: .verificationCommands) ?? []
    verify = try values.decodeIfPresent(Bool.self, forKey: .verify) ?? false
    verifySeconds = try values.decodeIfPresent(Int.self, forKey: .verifySeconds)
  }

  package var preset: PermissionPreset? { permissions.flatMap(PermissionPreset.init) }
}

// MARK: - What can be checked without the system

extension StartArguments {
  /// Checks the values by themselves and settles title and preset.
  /// - Parameter sandboxIsReadOnly: Codex itself may not write: then OpenCode may not either
  /// - Throws: `RunRefusal` (`bad_argument`)
  package func checked(sandboxIsReadOnly: Bool) throws -> StartArguments {
    var checked = self
    guard message.contains(where: { !$0.isWhitespace }) else {
      throw RunRefusal.badArgument("\"message\" is empty.", hint: "Write the whole task into it: OpenCode sees nothing else of this conversation.")
    }
    let texts = [("cwd", cwd), ("model", model), ("variant", variant), ("agent", agent), ("title", title), ("session", session)]
    for (name, value) in texts { try StartArguments.check(name, value) }
    if let model {
      let parts = model.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[1].hasPrefix("#") else {
        throw RunRefusal.badArgument("\"model\" is \"\(model)\".", hint: "It must be provider/model; opencode_models lists them.")
      }
    }
    checked.title = title.map { TextCut.firstLine($0, bytes: 200) } ?? StartArguments.title(of: message)
    if let session, !session.hasPrefix("ses_") {
      throw RunRefusal.badArgument(
        "\"session\" is \"\(session)\".", hint: "It must be an OpenCode session id (ses_...), as the reply of an earlier run shows it.")
    }
    if session != nil, continueLast {
      throw RunRefusal.badArgument("\"session\" and \"continueLast\" are both given.", hint: "Name the session, or continue the last one.")
    }
    if fork, session == nil, !continueLast {
      throw RunRefusal.badArgument("\"fork\" has nothing to fork.", hint: "It needs \"session\" or \"continueLast\".")
    }
    checked.acceptanceCriteria = acceptanceCriteria.filter { $0.contains { !$0.isWhitespace } }
    checked.verificationCommands = verificationCommands.filter { $0.contains { !$0.isWhitespace } }
    if dangerouslySkipPermissions, preset != nil {
      throw RunRefusal.badArgument(
        "\"permissions\" and \"dangerouslySkipPermissions\" are both given.", hint: "A preset asks nothing anyway: leave the other out.")
    }
    if sandboxIsReadOnly {
      if dangerouslySkipPermissions || (preset ?? .readOnly) != .readOnly {
        throw RunRefusal.badArgument(
          "This conversation's sandbox is read-only, so OpenCode may not write either.",
          hint: "Leave permissions out (read-only is used), or let the user change Codex's sandbox.")
      }
      checked.permissions = PermissionPreset.readOnly.rawValue
    }
    if verify { try checked.checkVerify() }
    return checked
  }

  private func checkVerify() throws {
    guard !verificationCommands.isEmpty else {
      throw RunRefusal.badArgument("\"verify\" has nothing to run.", hint: "It needs \"verificationCommands\".")
    }
    guard preset != .readOnly else {
      throw RunRefusal.badArgument(
        "\"verify\" runs commands, and this run is read-only.", hint: "Leave \"verify\" out, or run the commands yourself after the review.")
    }
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
      throw RunRefusal.badArgument(
        "\"\(name)\" is \(JSONValue.string(value).text.prefix(100)).", hint: "It must not be empty or hold control characters; leave it out for the default.")
    }
  }
}
