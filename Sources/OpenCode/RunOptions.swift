/// What `opencode run` is asked to do. The prompt is not part of it: it goes through stdin.
/// Why stdin: a message with a space reaches the model in quotes as an argument (`docs/facts/opencode-cli.md`, "Starting a run").
package struct RunOptions: Sendable, Equatable {
  /// An absolute folder.
  package var cwd: String
  /// `provider/model` or `provider/model#variant`.
  package var model: String?
  package var variant: String?
  package var agent: String?
  package var title: String?
  package var session: String?
  package var continueLast = false
  package var fork = false
  /// Files to attach: absolute, or relative to `cwd`.
  package var files: [String] = []
  /// OpenCode's auto-approval of what it would ask about.
  package var skipPermissions = false
  package var permissions: PermissionPreset?

  package init(cwd: String) { self.cwd = cwd }
}

/// Something asked for that this version of OpenCode has no way to express.
package struct UnsupportedOption: Error, CustomStringConvertible, Sendable, Equatable {
  /// The field of `RunOptions`.
  package let option: String
  package let reason: String

  package var description: String { "\(option): \(reason)" }
}

extension RunOptions {
  /// What no version can do.
  func checkConsistency() throws {
    guard cwd.hasPrefix("/") else { throw UnsupportedOption(option: "cwd", reason: "\"\(cwd)\" is not an absolute path") }
    if fork, session == nil, !continueLast { throw UnsupportedOption(option: "fork", reason: "needs a session or continueLast") }
    if session != nil, continueLast { throw UnsupportedOption(option: "continueLast", reason: "a session is named as well") }
    if skipPermissions, permissions != nil { throw UnsupportedOption(option: "permissions", reason: "not together with skipPermissions") }
    let values =
      [("cwd", cwd)]
      + [("model", model), ("variant", variant), ("agent", agent), ("title", title), ("session", session)].compactMap { name, value in value.map { (name, $0) }
      }
      + files.map { ("files", $0) }
    for (name, value) in values where value.isEmpty || value.contains("\0") {
      throw UnsupportedOption(option: name, reason: value.isEmpty ? "is empty" : "holds a zero byte, which no argument can")
    }
  }

  /// Model and variant apart, whichever way they were given.
  func modelAndVariant() throws -> (model: String?, variant: String?) {
    guard let model, let hash = model.lastIndex(of: "#") else { return (model, variant) }
    let (name, inModel) = (String(model[..<hash]), String(model[model.index(after: hash)...]))
    guard !name.isEmpty, !inModel.isEmpty else { throw UnsupportedOption(option: "model", reason: "\"\(model)\" is not provider/model#variant") }
    if let variant, variant != inModel { throw UnsupportedOption(option: "variant", reason: "\"\(variant)\" contradicts \"\(model)\"") }
    return (name, inModel)
  }

  /// The options that both generations spell alike.
  var sharedArguments: [String] {
    [agent.map { "--agent=\($0)" }, title.map { "--title=\($0)" }, session.map { "--session=\($0)" }].compactMap { $0 }
      + (continueLast ? ["--continue"] : []) + (fork ? ["--fork"] : []) + files.map { "--file=\($0)" }
  }
}
