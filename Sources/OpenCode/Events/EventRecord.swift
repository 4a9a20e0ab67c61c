import Text

/// A value in OpenCode's event lines that is read; everything else is skipped.
/// Both generations' places for one fact have one field, unless their order of preference matters.
package enum EventField: UInt8, Sendable, CaseIterable {
  case type, timestamp, sessionID
  case partID, partToolID, messageID, callID, tool, text, synthetic, reason, cost
  case tokensTotal, tokensInput, tokensOutput, tokensReasoning, cacheRead, cacheWrite
  case status, title, toolError, output, start, end
  case command, inputFilePath, inputPath, inputDescription, inputFolder, inputTool, inputError, agent, pattern, url
  case exit, timedOut, writtenPath, childSession
  case diffFile, diffAdditions, diffDeletions
  /// Of each element of a list: the record's `elements`.
  case file, filePath, fileMovedTo, fileChange, fileStatus, fileAdditions, fileDeletions
  case todoContent, todoStatus, inputTodoContent, inputTodoStatus
  case errorName, errorType, errorMessage, errorStatus, errorDataMessage, errorStatusCode, errorRef
}

/// A captured value.
package enum FieldValue: Sendable, Equatable {
  case string(BoundedText)
  case number(Double)
  case bool(Bool)
  case null
}

/// What was read of one line: an object with a string `type`.
package struct EventRecord: Sendable {
  struct Element: Sendable {
    let field: EventField
    let index: Int
    let value: FieldValue
  }

  /// Bounds what a line of nothing but list elements may take.
  static let maximumElements = 2_048
  static let maximumElementBytes = 256 << 10

  private(set) var values: [(field: EventField, value: FieldValue)] = []
  private(set) var elements: [Element] = []
  private var elementBytes = 0

  package subscript(field: EventField) -> FieldValue? { values.first { $0.field == field }?.value }

  package func text(_ field: EventField) -> BoundedText? { if case .string(let text) = self[field] { text } else { nil } }

  /// A string that was not cut: ids, names, paths.
  package func string(_ field: EventField) -> String? {
    guard case .string(let text) = self[field], !text.isCut else { return nil }
    return text.head
  }

  package func number(_ field: EventField) -> Double? { if case .number(let number) = self[field] { number } else { nil } }

  package func bool(_ field: EventField) -> Bool? { if case .bool(let bool) = self[field] { bool } else { nil } }

  /// A number within `range`, rounded down; nil for anything else.
  package func integer(_ field: EventField, in range: ClosedRange<Int>) -> Int? { EventRecord.integer(number(field), in: range) }

  static func integer(_ number: Double?, in range: ClosedRange<Int>) -> Int? {
    guard let number, number >= Double(range.lowerBound), number <= Double(range.upperBound) else { return nil }
    return Int(exactly: number.rounded(.down))
  }

  /// A time that OpenCode gave in milliseconds, in seconds since 1970.
  package func seconds(_ field: EventField) -> Double? {
    guard let number = number(field), number > 0, number < 1e14 else { return nil }
    return number / 1000
  }

  /// The elements of the list whose members are `fields`, in order; elements with none of them are left out.
  func list(_ fields: [EventField]) -> [[EventField: FieldValue]] {
    var rows: [[EventField: FieldValue]] = []
    var last = 0
    for element in elements where fields.contains(element.field) {
      if element.index != last { rows.append([:]) }
      last = element.index
      rows[rows.count - 1][element.field] = element.value
    }
    return rows
  }

  mutating func clear() {
    values.removeAll(keepingCapacity: true)
    elements.removeAll(keepingCapacity: true)
    elementBytes = 0
  }

  /// The last value of a repeated member counts; of two exit codes neither. `element` 0: not in a list.
  mutating func set(_ field: EventField, _ value: FieldValue, element: Int) {
    if element > 0 {
      if case .string(let text) = value { elementBytes += text.head.utf8.count + text.tail.utf8.count }
      guard elements.count < EventRecord.maximumElements, elementBytes <= EventRecord.maximumElementBytes else { return }
      elements.append(Element(field: field, index: element, value: value))
    } else if let index = values.firstIndex(where: { $0.field == field }) {
      values[index].value = field == .exit && values[index].value != value ? .null : value
    } else {
      values.append((field, value))
    }
  }
}

/// Where the fields stand in a line, as a tree that the skimmer walks down.
struct EventShape: Sendable {
  /// A member's name in sixteen bytes; a longer one is never wanted.
  struct Name: Sendable, Equatable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var count = 0

    mutating func append(_ byte: UInt8) {
      if count < 8 { low |= UInt64(byte) << (8 * UInt64(count)) } else if count < 16 { high |= UInt64(byte) << (8 * UInt64(count - 8)) }
      count += 1
    }
  }

  struct Node: Sendable {
    var edges: [(name: Name, node: Int)] = []
    /// The node of a list's elements.
    var element: Int?
    var field: EventField?
    /// Bytes kept of a string.
    var limit = 0
  }

  private(set) var nodes = [Node()]

  private typealias Place = (path: String, field: EventField, limit: Int)

  static let events = EventShape(envelope + metadata("part.state.metadata") + metadata("part.state.metadata.metadata"))

  private static let envelope: [Place] = [
    ("type", .type, 64), ("timestamp", .timestamp, 0), ("sessionID", .sessionID, 128),
    ("part.id", .partID, 256), ("part.partID", .partToolID, 256), ("part.messageID", .messageID, 256), ("part.callID", .callID, 256),
    ("part.tool", .tool, 128), ("part.text", .text, 16 << 10), ("part.synthetic", .synthetic, 0),
    ("part.reason", .reason, 64), ("part.cost", .cost, 0),
    ("part.tokens.total", .tokensTotal, 0), ("part.tokens.input", .tokensInput, 0), ("part.tokens.output", .tokensOutput, 0),
    ("part.tokens.reasoning", .tokensReasoning, 0), ("part.tokens.cache.read", .cacheRead, 0), ("part.tokens.cache.write", .cacheWrite, 0),
    ("part.state.status", .status, 32), ("part.state.title", .title, 1024), ("part.state.error", .toolError, 2048),
    ("part.state.output", .output, 2048), ("part.state.time.start", .start, 0), ("part.state.time.end", .end, 0),
    ("part.state.input.command", .command, 128 << 10), ("part.state.input.filePath", .inputFilePath, 4096),
    ("part.state.input.workdir", .inputFolder, 4096), ("part.state.input.path", .inputPath, 4096), ("part.state.input.description", .inputDescription, 512),
    ("part.state.input.tool", .inputTool, 128), ("part.state.input.error", .inputError, 1024),
    ("part.state.input.subagent_type", .agent, 128), ("part.state.input.agent", .agent, 128),
    ("part.state.input.pattern", .pattern, 512), ("part.state.input.url", .url, 512),
    ("part.state.input.todos[].content", .inputTodoContent, 512), ("part.state.input.todos[].status", .inputTodoStatus, 32),
    ("error.name", .errorName, 128), ("error.type", .errorType, 128), ("error.message", .errorMessage, 4096),
    ("error.status", .errorStatus, 0), ("error.data.message", .errorDataMessage, 4096), ("error.data.statusCode", .errorStatusCode, 0),
    ("error.data.ref", .errorRef, 128), ("error.ref", .errorRef, 128),
  ]

  /// 1.x writes a tool's own facts into `metadata`, 2.x one level deeper.
  private static func metadata(_ base: String) -> [Place] {
    let places: [Place] = [
      ("exit", .exit, 0), ("timeout", .timedOut, 0), ("filepath", .writtenPath, 4096),
      ("sessionId", .childSession, 128), ("sessionID", .childSession, 128),
      ("filediff.file", .diffFile, 4096), ("filediff.additions", .diffAdditions, 0), ("filediff.deletions", .diffDeletions, 0),
      ("files[].file", .file, 4096), ("files[].filePath", .filePath, 4096), ("files[].movePath", .fileMovedTo, 4096),
      ("files[].type", .fileChange, 32), ("files[].status", .fileStatus, 32),
      ("files[].additions", .fileAdditions, 0), ("files[].deletions", .fileDeletions, 0),
      ("todos[].content", .todoContent, 512), ("todos[].status", .todoStatus, 32),
    ]
    return places.map { ("\(base).\($0.path)", $0.field, $0.limit) }
  }

  private init(_ paths: [Place]) {
    for (path, field, limit) in paths {
      var node = 0
      for step in path.split(separator: ".") {
        let isList = step.hasSuffix("[]")
        node = child(of: node, named: isList ? step.dropLast(2) : step)
        if isList { node = elementNode(of: node) }
      }
      nodes[node].field = field
      nodes[node].limit = limit
    }
  }

  private mutating func child(of node: Int, named text: Substring) -> Int {
    var name = Name()
    for byte in text.utf8 { name.append(byte) }
    if let known = nodes[node].edges.first(where: { $0.name == name }) { return known.node }
    nodes.append(Node())
    nodes[node].edges.append((name, nodes.count - 1))
    return nodes.count - 1
  }

  private mutating func elementNode(of node: Int) -> Int {
    if let known = nodes[node].element { return known }
    nodes.append(Node())
    nodes[node].element = nodes.count - 1
    return nodes.count - 1
  }
}
