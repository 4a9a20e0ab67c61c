import Foundation
import JSON
import PosixSupport

/// What a real OpenCode printed, from `Tests/Fixtures/recordings`.
package struct Recording: Sendable, CustomStringConvertible {
  /// `1.18.34/export`
  package let name: String
  package let json: JSONValue
  package let output: String
  package let errors: String
  /// Negative: the signal.
  package let exit: Int
  /// After the executable's name.
  package let arguments: [String]

  package init(_ name: String) throws {
    self.name = name
    json = try JSONValue(parsing: try Fixture.bytes("recordings/\(name).json"))
    output = json["stdout"]?.string ?? ""
    errors = json["stderr"]?.string ?? ""
    exit = json["exit"]?.int ?? -1
    arguments = json["argv"]?.array?.compactMap(\.string) ?? []
  }

  package var bytes: [UInt8] { Array(output.utf8) }
  /// `1.18.34`
  package var version: String { String(name.prefix { $0 != "/" }) }
  package var isOpenCode2: Bool { name.hasPrefix("2.") }
  package var description: String { name }

  /// Every recording, whatever was asked: `1.18.34/export`.
  package static func names() throws -> [String] {
    let files = FileManager.default.enumerator(atPath: Fixture.folder + "/recordings")
    return (files?.compactMap { $0 as? String } ?? []).filter { $0.first?.isNumber == true && $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }
}

/// The runs among the recordings, with the state in which each must end and words that must be said.
package struct ExpectedOutcome: Sendable, CustomStringConvertible {
  package let recording: Recording
  package let state: String
  package let says: [String]

  package var description: String { recording.name }

  package static func all() throws -> [ExpectedOutcome] {
    try JSONValue(parsing: try Fixture.bytes("recordings/expected.json")).object?.members.map { name, value in
      ExpectedOutcome(recording: try Recording(name), state: value["state"]?.string ?? "", says: value["says"]?.array?.compactMap(\.string) ?? [])
    } ?? []
  }
}

/// The files under `Tests/Fixtures`.
package enum Fixture {
  package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  package static func bytes(_ path: String) throws -> [UInt8] { try PrivateFiles.read("\(folder)/\(path)") }
  package static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }
}
