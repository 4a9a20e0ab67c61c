import Foundation

/// Edits of `features.code_mode.direct_only_tool_namespaces` in Codex's `config.toml`, as pure functions: our namespace in that list, every other
/// byte kept. With it Codex offers our tools to the model outside code mode too, so that a call that waits for an hour is one request (measured;
/// only this spelling works, whatever the server's name is).
///
/// A comment right above what was added says how to take it back; without the comment the namespace is the user's own.
package enum DirectNamespace {
  package static let namespace = "mcp__opencode_worker"
  package static let table = ["features", "code_mode"]
  package static let key = "direct_only_tool_namespaces"
  /// What a person writes by hand.
  package static let byHand = "[features.code_mode]\n\(key) = [\"\(namespace)\"]"
  /// The first Codex known to take the table; 0.136.0 refuses the whole file with it.
  package static let firstCodex = [0, 144, 4]

  private enum Added: String, CaseIterable {
    case table = "# opencode-worker added this table"
    case tableAndNewline = "# opencode-worker added this table, and the newline above"
    case line = "# opencode-worker added the next line"
    case name = "# opencode-worker added the first name in the next line"
  }

  package enum Presence: Equatable {
    case absent
    /// Added by `install`.
    case ours
    /// Written by somebody else.
    case theirs
  }

  package static func presence(in bytes: [UInt8]) throws -> Presence {
    let reading = try Reading(bytes)
    guard let list = reading.list, reading.nameRange(in: list.value) != nil else { return .absent }
    return reading.marker(above: list.statement) == nil && reading.marker(above: reading.header) == nil ? .theirs : .ours
  }

  /// - Returns: nil: it is there already
  /// - Throws: `SetupRefusal` with what to write by hand
  package static func adding(to bytes: [UInt8]) throws -> [UInt8]? {
    let reading = try Reading(bytes)
    if let obstacle = reading.obstacle {
      throw SetupRefusal("\(obstacle), which is not edited here. By hand: add \"\(namespace)\" to features.code_mode.\(key)")
    }
    let end = CodexConfig.lineEnd(bytes)
    if let list = reading.list {
      if reading.nameRange(in: list.value) != nil { return nil }
      let text = reading.text(list.value)
      guard text.hasPrefix("["), text.hasSuffix("]") else { throw SetupRefusal("\(key) is not a list. By hand: \(key) = [\"\(namespace)\"]") }
      let isEmpty = text.dropFirst().dropLast().allSatisfy(\.isWhitespace)
      var out = bytes
      out.insert(contentsOf: Array("\"\(namespace)\"\(isEmpty ? "" : ", ")".utf8), at: list.value.lowerBound + 1)
      out.insert(contentsOf: Array((Added.name.rawValue + end).utf8), at: reading.outline.statements[list.statement].range.lowerBound)
      return out
    }
    let line = "\(key) = [\"\(namespace)\"]\(end)"
    if let header = reading.header {
      let place = reading.outline.statements[header].range.upperBound
      guard bytes[place - 1] == UInt8(ascii: "\n") else {
        // The header is the file's last line and has no end: the table is the whole of what follows.
        throw SetupRefusal("[features.code_mode] is the file's last line and has no end. By hand: \(key) = [\"\(namespace)\"]")
      }
      var out = bytes
      out.insert(contentsOf: Array((Added.line.rawValue + end + line).utf8), at: place)
      return out
    }
    var out = bytes
    let added = CodexConfig.addBlankLine(to: &out) ? Added.tableAndNewline : .table
    out += "\(added.rawValue)\(end)[features.code_mode]\(end)\(line)".utf8
    return out
  }

  /// - Returns: nil: nothing of ours is there
  /// - Throws: `SetupRefusal` when the text can't be read
  package static func removing(from bytes: [UInt8]) throws -> [UInt8]? {
    let reading = try Reading(bytes)
    guard let list = reading.list else { return nil }
    let statements = reading.outline.statements
    var ranges: [Range<Int>] = []
    var newline: Range<Int>?
    if let header = reading.header, let (marker, added) = reading.marker(above: header), added == .table || added == .tableAndNewline {
      ranges.append(statements[marker].range)
      // Only where the table is still as it was made.
      if reading.outline.values(ofHeader: header).count == 1, reading.isOursAlone(list.value) {
        ranges.append(reading.outline.section(ofHeader: header))
        if marker > 0, case .blank = statements[marker - 1].kind {
          ranges.append(statements[marker - 1].range)
          if added == .tableAndNewline { newline = CodexConfig.lineEndBefore(statements[marker - 1].range.lowerBound, in: bytes) }
        }
      } else if reading.isOursAlone(list.value) {
        ranges.append(statements[list.statement].range)
      } else if let name = reading.nameRange(in: list.value) {
        ranges.append(name)
      }
    } else if let (marker, added) = reading.marker(above: list.statement) {
      ranges.append(statements[marker].range)
      if added == .line, reading.isOursAlone(list.value) {
        ranges.append(statements[list.statement].range)
      } else if let name = reading.nameRange(in: list.value) {
        ranges.append(name)
      }
    }
    return ranges.isEmpty ? nil : CodexConfig.remove(ranges, newline: newline, from: bytes)
  }

  private struct Reading {
    let bytes: [UInt8]
    let outline: TOMLOutline
    /// `[features.code_mode]`
    var header: Int?
    /// The statement that sets the list, and the list's bytes.
    var list: (statement: Int, value: Range<Int>)?
    var obstacle: String?

    init(_ bytes: [UInt8]) throws {
      self.bytes = bytes
      outline = try TOMLOutline(parsing: bytes)
      var current: [String] = []
      let full = table + [key]
      for (index, statement) in outline.statements.enumerated() {
        switch statement.kind {
        case .blank, .comment: break
        case .header(let path, let isArray, _):
          current = path
          if path == table { header = index }
          if isArray, table.starts(with: path) { obstacle = "\(path.joined(separator: ".")) is an array of tables" }
        case .value(let name, let value):
          let path = current + name
          if path == full {
            list = (index, value)
          } else if path == table || path == ["features"] {
            obstacle = "\(path.joined(separator: ".")) is written as a single value (\(text(value).prefix(60)))"
          } else if path.starts(with: table), current != table {
            // Dotted keys make the table: a header of the same name would be refused.
            obstacle = obstacle ?? "features.code_mode is written with dotted keys"
          }
        }
      }
      if list != nil { obstacle = nil }
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The comment of ours that stands right above a statement.
    func marker(above index: Int?) -> (index: Int, added: Added)? {
      guard let index, index > 0, case .comment(let text) = outline.statements[index - 1].kind,
        let added = Added(rawValue: text.trimmingCharacters(in: .whitespaces))
      else { return nil }
      return (index - 1, added)
    }

    /// Our name in the list, with the comma behind it.
    func nameRange(in value: Range<Int>) -> Range<Int>? {
      let text = text(value)
      guard let match = text.firstMatch(of: /("mcp__opencode_worker"|'mcp__opencode_worker')(\s*,[ ]?)?/) else { return nil }
      let start = value.lowerBound + text[..<match.range.lowerBound].utf8.count
      return start..<(start + text[match.range].utf8.count)
    }

    func isOursAlone(_ value: Range<Int>) -> Bool {
      guard let name = nameRange(in: value) else { return false }
      let rest = text(value.lowerBound..<name.lowerBound) + text(name.upperBound..<value.upperBound)
      return rest.filter { !$0.isWhitespace } == "[]"
    }
  }
}
