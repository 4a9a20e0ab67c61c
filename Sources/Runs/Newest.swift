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
