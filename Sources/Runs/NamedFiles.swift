/// Paths that OpenCode's own tools named, as they named them; at most 4,096 of them and 256 KiB in all.
package struct NamedFiles: Codable, Sendable, Equatable {
  package static let limit = 4_096
  package static let byteLimit = 256 << 10

  /// Bytes: names that differ in their normal form only are different files.
  private var paths: Set<[UInt8]> = []
  private var bytes = 0
  /// More were named than are kept.
  package private(set) var isCut = false

  private enum CodingKeys: CodingKey { case paths, isCut }

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    paths = Set(try container.decode([String].self, forKey: .paths).map { Array($0.utf8) })
    isCut = try container.decode(Bool.self, forKey: .isCut)
    bytes = paths.reduce(0) { $0 + $1.count }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sorted, forKey: .paths)
    try container.encode(isCut, forKey: .isCut)
  }

  package var sorted: [String] { paths.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) } }
  package var count: Int { paths.count }
  package func contains(_ path: String) -> Bool { paths.contains(Array(path.utf8)) }

  package mutating func insert(_ path: String) {
    guard !contains(path) else { return }
    guard paths.count < NamedFiles.limit, bytes + path.utf8.count <= NamedFiles.byteLimit else {
      isCut = true
      return
    }
    paths.insert(Array(path.utf8))
    bytes += path.utf8.count
  }
}
