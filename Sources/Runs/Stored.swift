import Foundation
import PosixSupport

/// Values kept as JSON files.
package enum Stored {
  /// nil when the file is missing, damaged or of another shape.
  /// - Throws: `PosixError` when there was nothing left to read it with: that mustn't pass for "missing"
  package static func find<Value: Decodable>(_ type: Value.Type, at path: String) throws -> Value? {
    let bytes: [UInt8]
    do {
      bytes = try PrivateFiles.read(path)
    } catch let error as PosixError where error.isShortage {
      throw error
    } catch {
      return nil
    }
    return try? JSONDecoder().decode(type, from: Data(bytes))
  }

  /// nil also when it can't be told.
  package static func load<Value: Decodable>(_ type: Value.Type, from path: String) -> Value? {
    (try? find(type, at: path)) ?? nil
  }

  /// - Throws: `PosixError`
  package static func save(_ value: some Encodable, to path: String, durable: Bool = false) throws {
    try PrivateFiles.replace(path, with: try encoded(value), durable: durable)
  }

  static func encoded(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }
}
