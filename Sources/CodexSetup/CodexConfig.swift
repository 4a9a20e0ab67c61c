import Foundation
import JSON

/// Edits of Codex's `config.toml`, as pure functions from bytes to bytes: our own table between marker comments, every other byte kept.
///
/// Codex rewrites `mcp_servers` when it adds a server of its own: it drops the marker before our table and puts new tables before the one
/// behind it. So the markers say that the table is ours, but what is removed is only ever that table, never all that stands between them.
package enum CodexConfig {
  private static let table = ["mcp_servers", CodexSettings.name]
  private static let endMarker = "# <<< opencode-worker <<<"
  /// What the first marker remembers, so that removing gives back exactly what was there.
  private enum Origin: String, CaseIterable {
    case plain = "# >>> opencode-worker >>>"
    case newFile = "# >>> opencode-worker (this file was made for it) >>>"
    case newlineAdded = "# >>> opencode-worker (the newline above is its own) >>>"
  }

  package enum Presence: Equatable {
    case none
    case ours
    /// An entry of this name that no marker shows to be ours.
    case foreign
  }

  /// The lines of the entry, without markers.
  package static func entryLines(command: String, wake: Bool, openCode: String? = nil) -> [String] {
    ["[mcp_servers.\(CodexSettings.name)]"]
      + CodexSettings.server(command: command, wake: wake, openCode: openCode).members.map { "\($0.key) = \(toml($0.value))" }
  }

  // MARK: - Reading

  /// - Throws: `SetupRefusal` when the text can't be read
  package static func presence(in bytes: [UInt8]) throws -> Presence { try Reading(bytes).presence }

  private struct Reading {
    let bytes: [UInt8]
    let outline: TOMLOutline
    /// Our table and its sub-tables.
    var headers: [Int] = []
    var markers: [Int] = []
    /// An entry of our name that isn't written as a table.
    var otherForm = false
    /// Why no table can be added.
    var obstacle: String?

    init(_ bytes: [UInt8]) throws {
      self.bytes = bytes
      outline = try TOMLOutline(parsing: bytes)
      var current: [String] = []
      for (index, statement) in outline.statements.enumerated() {
        switch statement.kind {
        case .blank: break
        case .comment(let text):
          let line = text.trimmingCharacters(in: .whitespaces)
          if line == endMarker || Origin(rawValue: line) != nil { markers.append(index) }
        case .header(let path, let isArray, let isPlain):
          current = path
          guard path.first == "mcp_servers" else { break }
          if isArray || !isPlain { obstacle = "mcp_servers is written as something else than plain [mcp_servers.NAME] tables" }
          if path.starts(with: table) { headers.append(index) }
        case .value(let key, _):
          let full = current + key
          guard full.first == "mcp_servers" else { break }
          if current.isEmpty { obstacle = "mcp_servers is written inline or with dotted keys, not as [mcp_servers.NAME] tables" }
          if full.starts(with: table), !current.starts(with: table) { otherForm = true }
        }
      }
    }

    var presence: Presence {
      if otherForm { return .foreign }
      if headers.isEmpty { return .none }
      return markers.isEmpty ? .foreign : .ours
    }

    var mainHeader: Int? {
      headers.first {
        if case .header(let path, _, _) = outline.statements[$0].kind { path == table } else { false }
      }
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
  }

  // MARK: - Adding and upgrading

  /// - Parameters:
  ///   - wake: switches the wake-up on; an upgrade without it leaves that as it is
  ///   - openCode: the value of OPENCODE_BIN for the server; an upgrade without it leaves that as it is
  ///   - bytes: the file's content; nil when there is no file
  /// - Throws: `SetupRefusal`: another's entry, or a file that can't be edited safely
  package static func adding(command: String, wake: Bool = false, openCode: String? = nil, to bytes: [UInt8]?) throws -> [UInt8] {
    let reading = try Reading(bytes ?? [])
    if let obstacle = reading.obstacle {
      throw SetupRefusal(
        "\(obstacle), which is not edited here. Use the plugin (opencode-worker install --enable), or let Codex write it: "
          + "codex mcp add \(CodexSettings.name) -- \(command)")
    }
    switch reading.presence {
    case .foreign:
      throw SetupRefusal("it has an entry for \(CodexSettings.name) already that install has not written: see `codex mcp get \(CodexSettings.name)`")
    case .ours: return try upgraded(reading, command: command, wake: wake, openCode: openCode)
    case .none: break
    }
    var out = remove(reading.markers.map { reading.outline.statements[$0].range }, from: reading.bytes)
    let end = lineEnd(out)
    var origin: Origin = bytes == nil ? .newFile : .plain
    if addBlankLine(to: &out) { origin = .newlineAdded }
    let lines = [origin.rawValue] + entryLines(command: command, wake: wake, openCode: openCode) + [endMarker]
    out += lines.joined(separator: end).utf8
    out += end.utf8
    return out
  }

  /// The command always; what is missing; the two times when they don't fit together. The rest may be the user's own choice.
  private static func upgraded(_ reading: Reading, command: String, wake: Bool, openCode: String?) throws -> [UInt8] {
    guard let main = reading.mainHeader else { throw SetupRefusal("its entry for \(CodexSettings.name) has no table of its own") }
    var edits: [(range: Range<Int>, text: String)] = []
    let values = reading.outline.values(ofHeader: main)
    func value(_ key: String) -> Range<Int>? { values.first { $0.key == [key] }?.bytes }
    guard let old = value("command") else { throw SetupRefusal("its entry for \(CodexSettings.name) has no command") }
    edits.append((old, tomlString(command)))

    let wait = environmentValue(CodexSettings.waitVariable, reading)
    let timeout = value("tool_timeout_sec")
    let pair = (
      wait.flatMap { Int(reading.text($0).trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))) },
      timeout.flatMap { Double(reading.text($0)) }.flatMap { Int(exactly: $0.rounded()) }
    )
    let fits = if let seconds = pair.0, let limit = pair.1 { CodexSettings.belongTogether(wait: seconds, timeout: limit) } else { false }
    if !fits {
      if let timeout { edits.append((timeout, String(CodexSettings.toolTimeout))) }
      if let wait { edits.append((wait, tomlString(String(CodexSettings.waitSeconds)))) }
    }
    let end = lineEnd(reading.bytes)
    let environment = environmentPlace(reading, main: main)
    var assignments: [String] = []
    if wait == nil { assignments.append("\(CodexSettings.waitVariable) = \(tomlString(String(CodexSettings.waitSeconds)))") }
    if wake {
      if let value = environmentValue(CodexSettings.wakeVariable, reading) {
        edits.append((value, "\"1\""))
      } else {
        assignments.append("\(CodexSettings.wakeVariable) = \"1\"")
      }
      if let list = value("env_vars"), reading.text(list).hasPrefix("["), !reading.text(list).contains(CodexSettings.homeVariable) {
        let isEmpty = reading.text(list).dropFirst().dropLast().allSatisfy(\.isWhitespace)
        let place = list.lowerBound + 1
        edits.append((place..<place, "\(tomlString(CodexSettings.homeVariable))\(isEmpty ? "" : ", ")"))
      }
    }
    if let openCode {
      if let value = environmentValue(CodexSettings.openCodeVariable, reading) {
        edits.append((value, tomlString(openCode)))
      } else {
        assignments.append("\(CodexSettings.openCodeVariable) = \(tomlString(openCode))")
      }
    }
    if !assignments.isEmpty, case .existing(let place, let isInline, let isEmpty) = environment {
      let text =
        isInline ? " " + assignments.joined(separator: ", ") + (isEmpty ? " " : ",") : assignments.map { $0 + end }.joined()
      edits.append((place..<place, text))
    }
    let missing = CodexSettings.server(command: command, wake: wake, openCode: openCode).members.filter { member in
      value(member.key) == nil && !(member.key == "env" && environment != .none)
    }
    if !missing.isEmpty {
      let place = reading.outline.section(ofHeader: main).upperBound
      let needsEnd = place > 0 && reading.bytes[place - 1] != UInt8(ascii: "\n")
      edits.append((place..<place, (needsEnd ? end : "") + missing.map { "\($0.key) = \(toml($0.value))" + end }.joined()))
    }
    return apply(edits, to: reading.bytes)
  }

  private enum EnvironmentPlace: Equatable {
    case none
    /// Where another assignment can be put.
    case existing(at: Int, isInline: Bool, isEmpty: Bool)
    /// `env.NAME = ...`, or not understood: left alone.
    case other
  }

  private static func environmentPlace(_ reading: Reading, main: Int) -> EnvironmentPlace {
    for header in reading.headers {
      let statement = reading.outline.statements[header]
      if case .header(let path, _, _) = statement.kind, path == table + ["env"] {
        let hasLineEnd = reading.bytes[statement.range.upperBound - 1] == UInt8(ascii: "\n")
        return hasLineEnd ? .existing(at: statement.range.upperBound, isInline: false, isEmpty: false) : .other
      }
    }
    for (key, bytes) in reading.outline.values(ofHeader: main) where key.first == "env" {
      let text = reading.text(bytes)
      guard key.count == 1, text.hasPrefix("{"), text.hasSuffix("}") else { return .other }
      return .existing(at: bytes.lowerBound + 1, isInline: true, isEmpty: text.dropFirst().dropLast().allSatisfy(\.isWhitespace))
    }
    return .none
  }

  /// The quoted value of a variable, wherever the entry sets it.
  private static func environmentValue(_ variable: String, _ reading: Reading) -> Range<Int>? {
    for header in reading.headers {
      guard case .header(let path, _, _) = reading.outline.statements[header].kind else { continue }
      for (key, bytes) in reading.outline.values(ofHeader: header) {
        if path + key == table + ["env", variable] { return bytes }
        if path + key == table + ["env"] {
          let text = reading.text(bytes)
          guard let name = text.firstRange(of: variable), let match = text[name.upperBound...].firstMatch(of: /^"?\s*=\s*("[^"]*"|'[^']*')/) else { continue }
          let start = bytes.lowerBound + text[..<match.1.startIndex].utf8.count
          return start..<(start + match.1.utf8.count)
        }
      }
    }
    return nil
  }

  // MARK: - Removing

  package enum Removal: Equatable {
    case nothingOfOurs
    case content([UInt8])
    /// The file was made for our table and holds nothing else.
    case wholeFile
  }

  /// The content without our table.
  /// - Throws: `SetupRefusal` when the text can't be read
  package static func removing(from bytes: [UInt8]) throws -> Removal {
    let reading = try Reading(bytes)
    guard reading.presence != .foreign, !reading.markers.isEmpty else { return .nothingOfOurs }
    let statements = reading.outline.statements
    var ranges = reading.headers.map { reading.outline.section(ofHeader: $0) }
    var origin = Origin.plain
    var newline: Range<Int>?
    for index in reading.markers {
      ranges.append(statements[index].range)
      guard case .comment(let text) = statements[index].kind, let begin = Origin(rawValue: text.trimmingCharacters(in: .whitespaces)) else { continue }
      origin = begin
      guard index > 0, case .blank = statements[index - 1].kind else { continue }
      ranges.append(statements[index - 1].range)
      if begin == .newlineAdded { newline = lineEndBefore(statements[index - 1].range.lowerBound, in: bytes) }
    }
    let out = remove(ranges, newline: newline, from: bytes)
    return out.isEmpty && origin == .newFile ? .wholeFile : .content(out)
  }

  // MARK: - Bytes

  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Ends the last line and adds an empty one, for a section of ours to follow; nothing in an empty file.
  /// - Returns: whether the last line had no newline
  static func addBlankLine(to bytes: inout [UInt8]) -> Bool {
    guard !bytes.isEmpty, bytes != byteOrderMark else { return false }
    let (end, isOpen) = (lineEnd(bytes), bytes.last != UInt8(ascii: "\n"))
    bytes += (isOpen ? end + end : end).utf8
    return isOpen
  }

  static func lineEnd(_ bytes: [UInt8]) -> String {
    guard let first = bytes.firstIndex(of: UInt8(ascii: "\n")), first > 0, bytes[first - 1] == UInt8(ascii: "\r") else { return "\n" }
    return "\r\n"
  }

  static func lineEndBefore(_ position: Int, in bytes: [UInt8]) -> Range<Int> {
    guard position > 0, bytes[position - 1] == UInt8(ascii: "\n") else { return position..<position }
    let hasReturn = position > 1 && bytes[position - 2] == UInt8(ascii: "\r")
    return (position - (hasReturn ? 2 : 1))..<position
  }

  /// - Parameter newline: one that was added with a section at the end; it stays when what follows it now needs it
  static func remove(_ ranges: [Range<Int>], newline: Range<Int>? = nil, from bytes: [UInt8]) -> [UInt8] {
    if let newline {
      let behind = ranges.filter { $0.lowerBound >= newline.upperBound }.sorted { $0.lowerBound < $1.lowerBound }
      let end = behind.reduce(newline.upperBound) { $1.lowerBound <= $0 ? max($0, $1.upperBound) : $0 }
      let isNeeded = end < bytes.count && !bytes[end...].starts(with: "\n".utf8) && !bytes[end...].starts(with: "\r\n".utf8)
      if !isNeeded { return remove(ranges + [newline], from: bytes) }
    }
    var out: [UInt8] = []
    var kept = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > kept { out += bytes[kept..<range.lowerBound] }
      kept = max(kept, range.upperBound)
    }
    return out + bytes[kept...]
  }

  private static func apply(_ edits: [(range: Range<Int>, text: String)], to bytes: [UInt8]) -> [UInt8] {
    var out = bytes
    for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) { out.replaceSubrange(edit.range, with: Array(edit.text.utf8)) }
    return out
  }
}

extension CodexConfig {
  /// The JSON values that our own keys have, in TOML, on one line.
  package static func toml(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): tomlString(text)
    case .array(let values): "[" + values.map(toml).joined(separator: ", ") + "]"
    case .object(let object): object.isEmpty ? "{}" : "{ " + object.members.map { "\($0.key) = \(toml($0.value))" }.joined(separator: ", ") + " }"
    case .null, .bool, .integer, .number: value.text
    }
  }
}
