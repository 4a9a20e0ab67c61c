import Foundation

/// Edits of Codex's `config.toml` that approve our two tools that act, as pure functions: `codex exec` can't ask, and refuses them. Every other
/// byte is kept. A comment right above what was added says how to take it back.
package enum Approvals {
  /// The tools that Codex asks about.
  package static let tools = ["opencode_run_and_wait", "opencode_start"]
  private static let marker = "# opencode-worker added this table"
  private static let markerAndNewline = "# opencode-worker added this table, and the newline above"

  /// The table that holds the server's tools.
  package enum Place: Equatable {
    case entry
    /// What stands behind `@` in the plugin's name.
    case plugin(marketplace: String)

    var path: [String] {
      switch self {
      case .entry: ["mcp_servers", CodexSettings.name, "tools"]
      case .plugin(let marketplace): ["plugins", "\(CodexSettings.name)@\(marketplace)", "mcp_servers", CodexSettings.name, "tools"]
      }
    }
  }

  /// What a person writes by hand.
  package static func byHand(_ place: Place) -> String { tools.map { lines(place, $0).joined(separator: "\n") }.joined(separator: "\n") }

  private static func lines(_ place: Place, _ tool: String) -> [String] {
    let name = (place.path + [tool]).map { $0.wholeMatch(of: /[A-Za-z0-9_-]+/) == nil ? tomlString($0) : $0 }.joined(separator: ".")
    return ["[\(name)]", "approval_mode = \"approve\""]
  }

  /// - Returns: nil: both tools have a setting of their own already
  /// - Throws: `SetupRefusal` with what to write by hand
  package static func adding(_ place: Place, to bytes: [UInt8]) throws -> [UInt8]? {
    let outline = try TOMLOutline(parsing: bytes)
    var wanted = tools
    var current: [String] = []
    for statement in outline.statements {
      switch statement.kind {
      case .blank, .comment: break
      case .header(let path, _, _):
        current = path
        if path.count == place.path.count + 1, path.starts(with: place.path) { wanted.removeAll { $0 == path.last } }
      case .value(let key, _):
        let path = current + key
        // A value where a table would have to be, or dotted keys that make it.
        if place.path.starts(with: path) || (path.starts(with: place.path) && !(current.count > place.path.count)) {
          throw SetupRefusal("\(path.joined(separator: ".")) is written inline or with dotted keys, which is not edited here. By hand:\n\(byHand(place))")
        }
      }
    }
    if wanted.isEmpty { return nil }
    let end = CodexConfig.lineEnd(bytes)
    var out = bytes
    for tool in wanted {
      let comment = CodexConfig.addBlankLine(to: &out) ? markerAndNewline : marker
      out += (([comment] + lines(place, tool)).joined(separator: end) + end).utf8
    }
    return out
  }

  /// - Returns: nil: nothing of ours is there
  /// - Throws: `SetupRefusal` when the text can't be read
  package static func removing(from bytes: [UInt8]) throws -> [UInt8]? {
    let outline = try TOMLOutline(parsing: bytes)
    var ranges: [Range<Int>] = []
    var newline: Range<Int>?
    for (index, statement) in outline.statements.enumerated() {
      guard index > 0, case .header(let path, _, _) = statement.kind, isOurs(path), case .comment(let text) = outline.statements[index - 1].kind else {
        continue
      }
      let comment = text.trimmingCharacters(in: .whitespaces)
      guard comment == marker || comment == markerAndNewline else { continue }
      ranges.append(outline.statements[index - 1].range)
      // Whatever else the user has put into the table is the user's.
      let values = outline.values(ofHeader: index)
      guard values.allSatisfy({ $0.key == ["approval_mode"] }) else { continue }
      ranges.append(outline.section(ofHeader: index))
      guard index > 1, case .blank = outline.statements[index - 2].kind else { continue }
      ranges.append(outline.statements[index - 2].range)
      if comment == markerAndNewline { newline = CodexConfig.lineEndBefore(outline.statements[index - 2].range.lowerBound, in: bytes) }
    }
    return ranges.isEmpty ? nil : CodexConfig.remove(ranges, newline: newline, from: bytes)
  }

  private static func isOurs(_ path: [String]) -> Bool {
    guard let tool = path.last, tools.contains(tool) else { return false }
    if path.dropLast().elementsEqual(Place.entry.path) { return true }
    return path.count == 6 && path[0] == "plugins" && path[1].hasPrefix(CodexSettings.name + "@") && path[2...4].elementsEqual(Place.entry.path)
  }
}
