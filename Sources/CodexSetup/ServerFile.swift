import JSON

/// The plugin's `.mcp.json`: what an upgrade makes of one that the user has changed, as a pure function.
package enum ServerFile {
  package struct Upgrade: Equatable {
    package let text: String
    /// The user's own values that had to give way, by their keys: the file is worth a backup then.
    package let replaced: [String]
  }

  /// What the user changed stays, what is new comes in. Only the command is always ours, and the two times where they don't fit together.
  /// - Parameters:
  ///   - theirs: the file as it is
  ///   - written: as `install` wrote it last; nil: not known
  ///   - now: as this version writes it
  /// - Returns: nil: `theirs` isn't understood
  package static func upgraded(_ theirs: String, written: String?, now: JSONValue) -> Upgrade? {
    if theirs == written { return Upgrade(text: now.prettyText + "\n", replaced: []) }
    func server(_ file: JSONValue?) -> JSONObject? { file?["mcpServers"]?[CodexSettings.name]?.object }
    guard let file = try? JSONValue(parsing: Array(theirs.utf8)), var whole = file.object, var servers = whole["mcpServers"]?.object,
      var merged = server(file), let new = server(now)
    else { return nil }
    let old = server(written.flatMap { try? JSONValue(parsing: Array($0.utf8)) })
    var replaced: [String] = []
    for (key, value) in new.members {
      let their = merged[key]
      switch key {
      case "command", "cwd":
        if let their, their != value, their != old?[key] { replaced.append(key) }
        merged[key] = value
      case "env":
        guard let value = value.object, their == nil || their?.object != nil else { continue }
        merged[key] = .object(environment(their?.object ?? JSONObject(), old: old?[key]?.object, new: value))
      case "env_vars":
        guard let value = value.array, their == nil || their?.array != nil else { continue }
        merged[key] = .array(names(their?.array, old: old?[key]?.array, new: value))
      default: if their == nil || their == old?[key] { merged[key] = value }
      }
    }
    let environment = merged["env"]?.object
    let (wait, timeout) = (environment?[CodexSettings.waitVariable]?.string.flatMap { Int($0) }, merged["tool_timeout_sec"]?.int)
    if !(wait.flatMap { wait in timeout.map { CodexSettings.belongTogether(wait: wait, timeout: $0) } } ?? false) {
      if var environment {
        environment[CodexSettings.waitVariable] = .string(String(CodexSettings.waitSeconds))
        merged["env"] = .object(environment)
      }
      merged["tool_timeout_sec"] = JSONValue(CodexSettings.toolTimeout)
      replaced += [CodexSettings.waitVariable, "tool_timeout_sec"]
    }
    servers[CodexSettings.name] = .object(merged)
    whole["mcpServers"] = .object(servers)
    let result = JSONValue.object(whole)
    return Upgrade(text: result == file ? theirs : result.prettyText + "\n", replaced: replaced)
  }

  private static func environment(_ theirs: JSONObject, old: JSONObject?, new: JSONObject) -> JSONObject {
    var merged = theirs
    for (name, value) in new.members {
      // The wake-up stands in `new` only where it is wanted.
      if theirs[name] == nil || theirs[name] == old?[name] || name == CodexSettings.wakeVariable { merged[name] = value }
    }
    return merged
  }

  /// A name that the user has taken out stays out.
  private static func names(_ theirs: [JSONValue]?, old: [JSONValue]?, new: [JSONValue]) -> [JSONValue] {
    guard let theirs else { return new }
    return theirs + new.filter { !theirs.contains($0) && !(old ?? []).contains($0) }
  }
}
