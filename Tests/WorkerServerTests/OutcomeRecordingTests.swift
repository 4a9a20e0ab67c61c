import Foundation
import JSON
import PosixSupport
import Testing

@testable import OpenCode
@testable import Runs

/// What the real OpenCode printed, with the state that the contract asks for.
struct Recording: CustomTestStringConvertible, Sendable {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/recordings")

  let name: String
  let state: String
  let says: [String]

  var testDescription: String { name }
  var version: String { String(name.prefix { $0 != "/" }) }
  var generation: Generation { name.hasPrefix("2.") ? .v2 : .v1 }

  static func json(_ file: String) throws -> JSONValue {
    try JSONValue(parsing: [UInt8](Data(contentsOf: folder.appendingPathComponent(file))))
  }

  /// Every recording, whatever was asked: `1.18.34/export`.
  static func names() throws -> [String] {
    let files = try #require(FileManager.default.enumerator(atPath: folder.path))
    return files.compactMap { $0 as? String }.filter { $0.first?.isNumber == true && $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
  }

  /// The runs with the state that each must end in.
  static func all() throws -> [Recording] {
    try json("expected.json").object?.members.map { name, value in
      Recording(name: name, state: value["state"]?.string ?? "", says: value["says"]?.array?.compactMap(\.string) ?? [])
    } ?? []
  }

  /// The recording's two outputs as the files of a run, folded by the real folder.
  func folded(declared: [String] = []) throws -> (digest: RunDigest, end: RunEnd, launch: RunLaunch) {
    let json = try Recording.json("\(name).json")
    let folder = try Scratch()
    try folder.write(json["stdout"]?.string ?? "", to: "events.jsonl")
    try folder.write(json["stderr"]?.string ?? "", to: "stderr.log")
    var folding = DigestFold(digest: RunDigest(generation: generation, declaredCommands: declared))
    _ = try folding.advance(eventsPath: folder.path("events.jsonl"), stderrPath: folder.path("stderr.log"), final: true)
    let code = Int32(try #require(json["exit"]?.int))
    let arguments = json["argv"]?.array?.compactMap(\.string) ?? []
    return (folding.digest, code < 0 ? .signaled(-code) : .exited(code), RunLaunch(arguments: arguments, version: version))
  }
}

/// A folder of a test's own, gone with the last reference.
final class Scratch: Sendable {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/events-test-\(UUID().uuidString)"
    try PrivateFiles.createFolder(folder)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { "\(folder)/\(name)" }
  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }
  func append(_ bytes: [UInt8], to name: String) throws {
    let file = try Descriptor.open(path(name), O_WRONLY | O_CREAT | O_APPEND)
    defer { file.close() }
    try file.writeAll(bytes)
  }
}

@Suite struct OutcomeRecordingTests {
  @Test(arguments: try Recording.all())
  func aRecordedRunEndsAsTheContractSays(_ recording: Recording) throws {
    let run = try recording.folded()
    let outcome = Outcome.of(end: run.end, digest: run.digest, launch: run.launch, now: 1_795_400_000)
    let said = ([outcome.reason ?? ""] + outcome.attention).joined(separator: "\n")
    #expect(outcome.state.rawValue == recording.state, "\(said)")
    for words in recording.says { #expect(said.contains(words), "\(said)") }
    #expect((outcome.reason == nil) == (outcome.state == .completed))
  }

  /// Runs that events, standard error and exit can't judge: the recorded answers of a companion are needed.
  private static let needsCompanions: Set = ["2.0-preview-20260807/sessions/length"]

  @Test func noRecordedRunIsLeftOut() throws {
    let recorded = try Recording.names().filter { name in
      let arguments = try Recording.json("\(name).json")["argv"]?.array?.compactMap(\.string) ?? []
      return arguments.first == "run" && !arguments.contains("--help")
    }
    #expect(Set(recorded).subtracting(Self.needsCompanions) == Set(try Recording.all().map(\.name)))
    #expect(recorded.count > 150)
  }
}
