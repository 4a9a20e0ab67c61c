import JSON

/// Edits of `~/.agents/plugins/marketplace.json`, as pure functions: our entry in the list of plugins, every other byte kept.
package enum MarketplaceFile {
  package struct Addition: Equatable {
    /// The marketplace's name, the part behind `@` in Codex's commands.
    package let name: String
    /// nil: our entry is there already.
    package let bytes: [UInt8]?
  }

  /// - Parameter bytes: the file's content; nil when there is no file
  /// - Throws: `SetupRefusal`
  package static func adding(to bytes: [UInt8]?) throws -> Addition {
    guard let bytes else { return Addition(name: CodexSettings.marketplaceName, bytes: Array((CodexSettings.newMarketplace.prettyText + "\n").utf8)) }
    let reading = try Reading(bytes)
    if try reading.ownIndex() != nil { return Addition(name: reading.name, bytes: nil) }
    let lineEnd = bytes.contains(UInt8(ascii: "\r")) ? "\r\n" : "\n"
    let indent = reading.elements.first.map { reading.indent(of: $0) } ?? "    "
    let entry = CodexSettings.marketplaceEntry.prettyText.split(separator: "\n").joined(separator: lineEnd + indent)
    let place = reading.elements.last?.upperBound ?? reading.list.lowerBound + 1
    let text = (reading.elements.isEmpty ? "" : ",") + lineEnd + indent + entry
    var out = bytes
    out.insert(contentsOf: Array(text.utf8), at: place)
    return Addition(name: reading.name, bytes: out)
  }

  package struct Removal: Equatable {
    package let name: String
    package let bytes: [UInt8]
    /// Nothing but what install writes into a new file is left.
    package let isAsMade: Bool
  }

  /// - Returns: nil when our entry isn't there
  /// - Throws: `SetupRefusal`
  package static func removing(from bytes: [UInt8]) throws -> Removal? {
    let reading = try Reading(bytes)
    guard let index = try reading.ownIndex() else { return nil }
    let own = reading.elements[index]
    let range: Range<Int> =
      if index > 0 {
        reading.elements[index - 1].upperBound..<own.upperBound
      } else if reading.elements.count > 1 {
        own.lowerBound..<reading.elements[1].lowerBound
      } else {
        reading.list.lowerBound + 1..<own.upperBound
      }
    var out = bytes
    out.removeSubrange(range)
    let isAsMade = bytes == Array((CodexSettings.newMarketplace.prettyText + "\n").utf8)
    return Removal(name: reading.name, bytes: out, isAsMade: isAsMade)
  }

  private struct Reading {
    let spans: JSONSpans
    let name: String
    let list: Range<Int>
    let elements: [Range<Int>]

    init(_ bytes: [UInt8]) throws {
      do {
        spans = try JSONSpans(bytes)
      } catch {
        throw SetupRefusal("it is not JSON: \(error)")
      }
      let lists = spans.members(named: "plugins", of: spans.root)
      guard lists.count == 1, spans.value(lists[0])?.array != nil else { throw SetupRefusal("it has no list \"plugins\"") }
      let names = spans.members(named: "name", of: spans.root)
      guard names.count == 1, let name = spans.value(names[0])?.string, !name.isEmpty else { throw SetupRefusal("it has no \"name\"") }
      self.name = name
      list = lists[0]
      elements = spans.elements(of: lists[0])
    }

    /// - Throws: `SetupRefusal` when the name is taken by something else
    func ownIndex() throws -> Int? {
      guard let index = elements.firstIndex(where: { spans.value($0)?["name"]?.string == CodexSettings.name }) else { return nil }
      let source = spans.value(elements[index])?["source"]
      guard source == CodexSettings.marketplaceEntry["source"] || source == CodexSettings.marketplaceEntry["source"]?["path"] else {
        throw SetupRefusal("it lists another plugin named \(CodexSettings.name), from \(source?.text ?? "nowhere")")
      }
      return index
    }

    /// What stands between the line's start and an element, when that is only spaces.
    func indent(of element: Range<Int>) -> String {
      var start = element.lowerBound
      while start > 0, spans.bytes[start - 1] == 0x20 || spans.bytes[start - 1] == 0x09 { start -= 1 }
      guard start > 0, spans.bytes[start - 1] == UInt8(ascii: "\n") else { return "    " }
      return String(decoding: spans.bytes[start..<element.lowerBound], as: UTF8.self)
    }
  }
}
