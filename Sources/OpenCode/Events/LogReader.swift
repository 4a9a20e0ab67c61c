import Foundation
import Text

/// Something that OpenCode said outside its events: on stderr, or as plain text on stdout.
/// Recordings: `1.18.34/agent-unknown`, `1.18.34/external-dir-rejected`, `1.18.34/logs-500-forever`, `1.18.34/logs-model-unknown`.
package enum LogFact: Sendable, Equatable {
  /// Nobody was there to allow it.
  case permissionRejected(permission: String, pattern: String?)
  /// The default agent ran instead.
  case agentNotFound(name: String)
  /// It can't lead a run: the default agent ran instead.
  case agentIsSubagent(name: String)
  /// `Error: ...`: why it didn't start.
  case failure(String)
  /// A request to the provider failed; OpenCode tries again.
  case providerError(message: String?, at: Double?)
  /// The message of a provider error that has been reported already (1.3.2 writes two lines for one).
  case providerErrorMessage(String)
  /// 2.0.17 and newer: why work in a session ended; the session may be a subagent's.
  case sessionFailed(session: String?, message: String)
  /// What is behind an error event's reference.
  case cause(ref: String, message: String)
  /// An option that the help text lists, or only that there is help text.
  case help(option: String?)
  /// What the command line's parser refused.
  case refusedArgument(String)
}

/// Makes lines of bytes as they come; of a long line the beginning and the end are kept.
package struct LineReader: Sendable {
  package private(set) var lineStart: Int64
  package private(set) var position: Int64
  private var collector = TextCollector(limit: LineReader.limit)
  /// 1.3.2 puts whole requests, 45 KB and more, before the part of the line that matters.
  static let limit = 8 << 10

  package init(at offset: Int64 = 0) {
    lineStart = offset
    position = offset
  }

  package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (BoundedText) -> Void) {
    let buffer = bytes.bindMemory(to: UInt8.self)
    guard let base = buffer.baseAddress else { return }
    let start = position
    var index = 0
    while index < buffer.count {
      let stop = Byte.newlineIndex(base, index, buffer.count)
      collector.append(UnsafeBufferPointer(start: base + index, count: stop - index))
      index = stop
      if index < buffer.count {
        index += 1
        position = start + Int64(index)
        endLine(body)
      }
    }
    position = start + Int64(buffer.count)
  }

  package mutating func finish(_ body: (BoundedText) -> Void) {
    if position > lineStart { endLine(body) }
  }

  private mutating func endLine(_ body: (BoundedText) -> Void) {
    body(collector.text)
    lineStart = position
    collector.reset(limit: LineReader.limit)
  }
}

/// Reads OpenCode's stderr, and the plain text that some versions print on stdout, for the facts that no event carries.
/// Rests on `docs/facts/opencode-cli.md`, "What the silence hides" and "stderr"; the old form: recording `1.3.2/logs-429-then-ok`.
package struct LogReader: Sendable {
  /// 1.17.9's dump of an error spreads over lines: what was seen of it so far.
  private struct Dump {
    var ref: String?
    var provider: String?
    var model: String?
    var tag: String?
  }

  private var dump: Dump?

  package init() {}

  /// The facts in one line.
  package mutating func facts(in line: BoundedText) -> [LogFact] {
    let head = TerminalText.plain(line.head)
    guard dump != nil || LogReader.mayTell(head) else { return [] }
    let text = head.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else { return [] }
    if let fact = dumped(head) { return [fact] }
    if dump != nil { return [] }
    if let fact = LogReader.notice(text) ?? LogReader.help(head, trimmed: text) { return [fact] }
    if text.contains("level=ERROR") { return LogReader.logLine(text) }
    if text.hasPrefix("ERROR ") { return LogReader.oldLogLine(text, tail: line.tail) }
    return []
  }

  /// One of them is in every line that tells something, or it is a line of the help.
  private static let signs = ["ERROR", "Error: ", "permission requested: ", "agent \"", "Unknown ", "Unrecognized flag: "].map { Array($0.utf8) }

  /// By its bytes: of a server's or a plugin's own log there may be gigabytes.
  private static func mayTell(_ line: String) -> Bool {
    var line = line
    return line.withUTF8 { bytes in
      guard let start = bytes.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else { return false }
      if bytes[start] == UInt8(ascii: "-") || bytes.count - start < 32 { return true }
      return bytes.indices[start...].contains { at in
        switch bytes[at] {
        case UInt8(ascii: "E"), UInt8(ascii: "U"), UInt8(ascii: "a"), UInt8(ascii: "p"): signs.contains { bytes[at...].starts(with: $0) }
        default: false
        }
      }
    }
  }

  // MARK: - Notices for people

  private static func notice(_ text: String) -> LogFact? {
    if let found = text.range(of: "permission requested: "), text.contains("auto-rejecting") {
      let rest = text[found.upperBound...]
      let asked = rest.range(of: "; auto-rejecting", options: .backwards).map { rest[..<$0.lowerBound] } ?? rest
      guard let open = asked.range(of: " ("), asked.hasSuffix(")") else { return .permissionRejected(permission: String(asked).oneLine(100), pattern: nil) }
      let pattern = asked[open.upperBound...].dropLast()
      return .permissionRejected(permission: String(asked[..<open.lowerBound]).oneLine(100), pattern: String(pattern).oneLine(300))
    }
    if let found = text.range(of: "agent \""), let end = text.range(of: "\" not found. Falling back", range: found.upperBound..<text.endIndex) {
      return .agentNotFound(name: String(text[found.upperBound..<end.lowerBound]).oneLine(100))
    }
    if let found = text.range(of: "agent \""), let end = text.range(of: "\" is a subagent, not a primary agent", range: found.upperBound..<text.endIndex) {
      return .agentIsSubagent(name: String(text[found.upperBound..<end.lowerBound]).oneLine(100))
    }
    if text.hasPrefix("Error: ") { return .failure(String(text.dropFirst(7)).oneLine(500)) }
    // 2.x, recording `2.0-preview-20260807/export-missing`. A regular expression is made anew each time: no line without need.
    if text.hasPrefix("["), let found = text.firstMatch(of: /^\[[0-9:.]+\] ERROR \(#[0-9]+\): (?:Error: )?(.+)$/) {
      return .failure(String(found.1).oneLine(500))
    }
    for words in ["Unknown argument: ", "Unknown arguments: ", "Unrecognized flag: ", "Unknown option: ", "Unknown flag: "] {
      if let found = text.range(of: words) { return .refusedArgument(String(text[found.upperBound...]).oneLine(200)) }
    }
    return nil
  }

  private static let helpHeadings: Set<String> = ["Positionals:", "Options:", "USAGE", "FLAGS", "GLOBAL FLAGS"]

  /// `  -m, --model    model to use` (1.x), `  --model, -m string    Model to use` (2.x).
  private static func help(_ line: String, trimmed text: String) -> LogFact? {
    if helpHeadings.contains(text) { return .help(option: nil) }
    guard line.hasPrefix("  "), text.hasPrefix("-") else { return nil }
    let words = text.split(separator: " ", maxSplits: 3).prefix(2)
    guard let option = words.first(where: { $0.hasPrefix("--") }) else { return nil }
    let name = option.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return name.count > 2 ? .help(option: String(name.prefix(60))) : nil
  }

  // MARK: - Log lines

  /// 1.17 and later: `timestamp=... level=ERROR message="stream error" ... error.error="AI_APICallError: Rate limit"`.
  private static func logLine(_ text: String) -> [LogFact] {
    let fields = keysAndValues(text)
    if let ref = fields["ref"], let error = fields["error"] ?? fields["cause"] {
      return [.cause(ref: ref.oneLine(100), message: withoutClass(error))]
    }
    if let cause = fields["cause"] ?? fields["error"], fields["message"]?.hasPrefix("Failed to drain") == true {
      return [.sessionFailed(session: (fields["sessionID"] ?? fields["session.id"])?.oneLine(128), message: OpenCode2Events.withoutBody(withoutClass(cause)))]
    }
    guard fields["message"] == "stream error", fields["small"] != "true" else { return [] }
    // An error object inside a stream that began well is told member by member: `error.error.message=Overloaded`.
    let message = (fields["error.error"] ?? fields["error"]).map(withoutClass) ?? fields["error.error.message"]?.oneLine(300) ?? fields["error.error.type"]
    return [.providerError(message: message, at: fields["timestamp"].flatMap { Timestamp.seconds(Substring($0)) })]
  }

  /// `key=value` and `key="quoted value"`; the first of a key counts.
  static func keysAndValues(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = Substring(text)
    while let equals = rest.firstIndex(of: "="), fields.count < 64 {
      let key = rest[..<equals].split(separator: " ").last.map(String.init) ?? ""
      rest = rest[rest.index(after: equals)...]
      var value = ""
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
          if character == "\\", let next = rest.popFirst() { value += unescaped(next, &rest) } else { value.append(character) }
        }
      } else {
        value = String(rest.prefix { $0 != " " })
        rest = rest.dropFirst(value.count)
      }
      if fields[key] == nil { fields[key] = value }
    }
    return fields
  }

  /// What follows a backslash: values are quoted as JSON quotes them (1.18.34).
  private static func unescaped(_ character: Character, _ rest: inout Substring) -> String {
    switch character {
    case "n": return "\n"
    case "t": return "\t"
    case "r": return "\r"
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "u":
      func unit() -> UInt16? {
        let digits = rest.prefix(4)
        guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else { return nil }
        rest = rest.dropFirst(4)
        return unit
      }
      guard let first = unit() else { return "u" }
      var units = [first]
      if UTF16.isLeadSurrogate(first), rest.hasPrefix("\\u") {
        let before = rest
        rest = rest.dropFirst(2)
        if let second = unit(), UTF16.isTrailSurrogate(second) { units.append(second) } else { rest = before }
      }
      return String(decoding: units, as: UTF16.self)
    default: return String(character)
    }
  }

  /// 1.3.2: `ERROR 2026-11-22T16:21:03 +718ms service=llm ... error={the whole request and response}`.
  private static func oldLogLine(_ text: String, tail: String) -> [LogFact] {
    let words = text.split(separator: " ", maxSplits: 12, omittingEmptySubsequences: true).prefix(12)
    if words.contains("service=llm") {
      guard !words.contains("small=true") else { return [] }
      let at = words.count > 1 ? Timestamp.seconds(words[1]) : nil
      return [.providerError(message: providerMessage(tail.isEmpty ? text : tail), at: at)]
    }
    if words.contains("service=session.processor"), let start = text.range(of: " error=") {
      let rest = text[start.upperBound...]
      let message = rest.range(of: " stack=").map { rest[..<$0.lowerBound] } ?? rest
      return [.providerErrorMessage(withoutClass(String(message)))]
    }
    return []
  }

  /// The provider's own sentence at the end of the line, and nothing else of it: request and headers may hold secrets.
  private static func providerMessage(_ text: String) -> String? {
    guard let data = text.range(of: "\"data\":{", options: .backwards), let key = text.range(of: "\"message\":\"", range: data.upperBound..<text.endIndex)
    else { return nil }
    var message = ""
    var rest = text[key.upperBound...]
    while let character = rest.popFirst(), character != "\"" {
      if character == "\\", let next = rest.popFirst() { message += unescaped(next, &rest) } else { message.append(character) }
    }
    return message.isEmpty ? nil : message.oneLine(300)
  }

  /// "ProviderModelNotFoundError: Model not found: a/b." without the name of the class.
  static func withoutClass(_ error: String) -> String {
    let line = error.prefix { $0 != "\n" }
    let parts = line.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[0].hasSuffix("Error"), !parts[0].contains(" ") else { return String(line).oneLine(300) }
    let rest = String(parts[1]).oneLine(300)
    return rest.isEmpty ? String(parts[0]) : rest
  }

  // MARK: - 1.17.9's dump on stdout

  /// `[16:16:51.058] ERROR (#10950): failed {`, then members a line, then `}`.
  private mutating func dumped(_ line: String) -> LogFact? {
    if line.hasPrefix("["), line.contains("] ERROR ("), line.hasSuffix("{") {
      dump = Dump()
      return nil
    }
    guard dump != nil else { return nil }
    guard line.hasPrefix(" ") || line.hasPrefix("}") else {
      dump = nil
      return nil
    }
    if line.hasPrefix("}") {
      defer { dump = nil }
      guard let ref = dump?.ref else { return nil }
      if dump?.tag == "ProviderModelNotFoundError", let provider = dump?.provider, let model = dump?.model {
        return .cause(ref: ref, message: "Model not found: \(provider)/\(model).")
      }
      return dump?.tag.map { .cause(ref: ref, message: $0) }
    }
    let text = line.trimmingCharacters(in: .whitespaces)
    for (key, path) in [("ref", \Dump.ref), ("providerID", \Dump.provider), ("modelID", \Dump.model), ("_tag", \Dump.tag)] {
      guard text.hasPrefix("\(key): \""), dump?[keyPath: path] == nil else { continue }
      dump?[keyPath: path] = String(text.dropFirst(key.count + 3).prefix { $0 != "\"" }).oneLine(200)
    }
    return nil
  }

  // MARK: -
}
