/// The first and the last of many: the beginning of a story and its end tell more than its middle.
package struct FirstAndLast<Element: Sendable>: Sendable {
  package private(set) var first: [Element] = []
  private var ring: [Element] = []
  /// How many there were in all.
  package private(set) var count = 0
  private let limit: (first: Int, last: Int)

  package init(first: Int, last: Int) { limit = (first, last) }

  package mutating func append(_ element: Element) {
    if first.count < limit.first {
      first.append(element)
    } else if ring.count < limit.last {
      ring.append(element)
    } else if limit.last > 0 {
      ring[(count - limit.first) % limit.last] = element
    }
    count += 1
  }

  package var last: [Element] {
    guard limit.last > 0, ring.count == limit.last else { return ring }
    let start = (count - limit.first) % limit.last
    return Array(ring[start...] + ring[..<start])
  }

  /// How many are missing between the two.
  package var omitted: Int { count - first.count - ring.count }
}
