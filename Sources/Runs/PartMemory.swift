import OpenCode

/// The newest part ids, with the usage that each added: a part that is reported again replaces what it said before.
package struct PartMemory: Codable, Sendable, Equatable {
  private struct Part: Codable, Sendable, Equatable {
    let id: String
    var usage: StepUsage?
  }

  package static let limit = 1_024

  private var parts: [Part] = []
  /// Where the next part goes once all places are taken.
  private var next = 0
  private var places: [String: Int] = [:]

  private enum CodingKeys: CodingKey { case parts, next }

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    parts = Array(try container.decode([Part].self, forKey: .parts).prefix(PartMemory.limit))
    next = try container.decode(Int.self, forKey: .next)
    if !(0..<PartMemory.limit).contains(next) { next = 0 }
    places = Dictionary(parts.enumerated().map { ($0.element.id, $0.offset) }) { $1 }
  }

  /// Notes a part.
  /// - Returns: whether it has been seen before, and the usage that it added then
  package mutating func note(_ id: String, usage: StepUsage? = nil) -> (isKnown: Bool, before: StepUsage?) {
    if let place = places[id] {
      let before = parts[place].usage
      parts[place].usage = usage
      return (true, before)
    }
    let part = Part(id: id, usage: usage)
    if parts.count < PartMemory.limit {
      places[id] = parts.count
      parts.append(part)
    } else {
      places[parts[next].id] = nil
      places[id] = next
      parts[next] = part
      next = (next + 1) % PartMemory.limit
    }
    return (false, nil)
  }
}
