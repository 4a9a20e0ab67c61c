import Foundation
import TestSupport

@testable import OpenCode
@testable import Runs

/// A run's two log files and the folder that reads them.
struct Log {
  let scratch: Scratch
  var fold: DigestFold

  init(generation: Generation = .v1, declared: [String] = []) throws {
    scratch = try Scratch()
    fold = DigestFold(digest: RunDigest(generation: generation, declaredCommands: declared))
  }

  var digest: RunDigest { fold.digest }

  mutating func advance(final: Bool = false) throws -> Bool {
    try fold.advance(eventsPath: scratch.path("events.jsonl"), stderrPath: scratch.path("stderr.log"), final: final)
  }

  func print(_ text: String) throws { try scratch.append(Array(text.utf8), to: "events.jsonl") }

  static func digest(_ lines: [String], stderr: String = "", generation: Generation = .v1, declared: [String] = []) throws -> RunDigest {
    var log = try Log(generation: generation, declared: declared)
    try log.print(lines.map { $0 + "\n" }.joined())
    try log.scratch.append(Array(stderr.utf8), to: "stderr.log")
    _ = try log.advance(final: true)
    return log.digest
  }
}

extension Recording {
  var generation: Generation { isOpenCode2 ? .v2 : .v1 }

  /// Its two outputs as the files of a run, folded as a supervisor folds them.
  func folded(declared: [String] = []) throws -> (digest: RunDigest, end: RunEnd, launch: RunLaunch) {
    var log = try Log(generation: generation, declared: declared)
    try log.print(output)
    try log.scratch.append(Array(errors.utf8), to: "stderr.log")
    _ = try log.advance(final: true)
    let code = Int32(exit)
    return (log.digest, code < 0 ? .signaled(-code) : .exited(code), RunLaunch(arguments: arguments, version: version))
  }
}
