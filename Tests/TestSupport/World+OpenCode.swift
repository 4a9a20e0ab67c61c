import Foundation
import JSON
import PosixSupport

extension World {
  /// The process of a run's OpenCode, which leads a group; nil until it is there.
  package func openCode(of run: String) -> Int32? {
    guard let bytes = try? PrivateFiles.read(file("process.json", of: run)), let value = try? JSONValue(parsing: bytes) else { return nil }
    return value["identity"]?["pid"]?.int.map { Int32($0) }
  }
}
