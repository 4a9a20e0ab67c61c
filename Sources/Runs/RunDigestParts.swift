import OpenCode

/// The newest `limit` elements; encoded as a plain list.
package struct Newest<Element: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
  private var storage: [Element] = []
  package let limit: Int

  package init(limit: Int) { self.limit = limit }

  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    limit = try container.decode(Int.self)
    storage = try container.decode([Element].self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(limit)
    try container.encode(elements)
  }

  package static func == (left: Newest, right: Newest) -> Bool { left.elements == right.elements }

  /// The oldest first.
  package var elements: [Element] { storage.count > limit ? Array(storage.suffix(limit)) : storage }
  package var last: Element? { storage.last }
  package var count: Int { min(storage.count, limit) }
  package var isEmpty: Bool { storage.isEmpty }

  package mutating func append(_ element: Element) {
    // Twice the room, so that the oldest needn't be moved out one at a time.
    if storage.count >= 2 * limit { storage.removeFirst(storage.count - limit + 1) }
    storage.append(element)
  }

  /// Changes the newest element that fits.
  /// - Returns: false if none does
  package mutating func replaceLast(where fits: (Element) -> Bool, with element: Element) -> Bool {
    guard let index = storage.lastIndex(where: fits) else { return false }
    storage[index] = element
    return true
  }
}

/// What one step used.
package struct StepUsage: Codable, Sendable, Equatable {
  package var tokens: TokenCounts
  /// USD.
  package var cost: Double

  package init(tokens: TokenCounts, cost: Double) {
    self.tokens = tokens
    self.cost = cost
  }

  /// It used tokens and cost nothing: its model has no price.
  package var isUnpriced: Bool { cost == 0 && tokens.total > 0 }
}

/// The usage of all steps seen.
package struct UsageSum: Codable, Sendable, Equatable {
  package var tokens = TokenCounts()
  /// USD, of the steps whose model has a price.
  package var cost = 0.0
  /// Steps whose end told their usage.
  package var steps = 0
  /// Steps that used tokens and cost nothing: their model has no price.
  package var unpricedSteps = 0

  package var costIsKnown: Bool { unpricedSteps == 0 }

  package mutating func add(_ step: StepUsage) {
    tokens = tokens + step.tokens
    cost += step.cost
    steps += 1
    if step.isUnpriced { unpricedSteps += 1 }
  }

  package mutating func remove(_ step: StepUsage) {
    tokens = tokens - step.tokens
    cost = max(0, cost - step.cost)
    steps = max(0, steps - 1)
    if step.isUnpriced { unpricedSteps = max(0, unpricedSteps - 1) }
  }
}

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

/// Paths that OpenCode's own tools named, as they named them; at most 4,096 of them and 256 KiB in all.
package struct NamedFiles: Codable, Sendable, Equatable {
  package static let limit = 4_096
  package static let byteLimit = 256 << 10

  private var paths: Set<String> = []
  private var bytes = 0
  /// More were named than are kept.
  package private(set) var isCut = false

  private enum CodingKeys: CodingKey { case paths, isCut }

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    paths = Set(try container.decode([String].self, forKey: .paths))
    isCut = try container.decode(Bool.self, forKey: .isCut)
    bytes = paths.reduce(0) { $0 + $1.utf8.count }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sorted, forKey: .paths)
    try container.encode(isCut, forKey: .isCut)
  }

  package var sorted: [String] { paths.sorted() }
  package var count: Int { paths.count }
  package func contains(_ path: String) -> Bool { paths.contains(path) }

  package mutating func insert(_ path: String) {
    guard !paths.contains(path) else { return }
    guard paths.count < NamedFiles.limit, bytes + path.utf8.count <= NamedFiles.byteLimit else {
      isCut = true
      return
    }
    paths.insert(path)
    bytes += path.utf8.count
  }
}
