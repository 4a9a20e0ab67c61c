import Foundation
import PosixSupport

/// Where runs are kept. One place for everybody, or two runs could be alive at once; only `OPENCODE_WORKER_STATE_DIR` moves it.
package struct StateFolder: Sendable {
  package let root: String

  package init(root: String) {
    self.root = root
  }

  package static func standard(_ environment: [String: String]) -> StateFolder {
    if let moved = environment["OPENCODE_WORKER_STATE_DIR"], moved.hasPrefix("/") { return StateFolder(root: moved) }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
    return StateFolder(root: home + "/.local/state/codex-opencode-worker")
  }

  /// Holds the id of the live run; locked by its supervisor.
  package var liveLock: String { root + "/live.lock" }
  package var runs: String { root + "/runs" }
  package var staging: String { root + "/staging" }
  /// What is worth keeping between runs, such as OpenCode's version.
  package var cache: String { root + "/cache" }

  /// Runs that are being deleted.
  package var deleted: String { root + "/deleted" }

  package func run(_ id: String) -> RunFolder { RunFolder(id: id, path: runs + "/" + id) }

  /// - Throws: `PosixError`, also when one of the folders is another user's: he could read and change every run
  package func create() throws {
    for folder in [root, runs, staging, cache] {
      try PrivateFiles.createFolder(folder)
      if let owner = PrivateFiles.foreignOwner(folder) {
        throw PosixError("use", path: folder, code: EPERM, reason: "it belongs to another user (uid \(owner))")
      }
    }
  }

  /// The runs, newest first.
  package func runFolders() -> [RunFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
    return names.filter(RunID.isValid).sorted(by: >).map(run)
  }

  /// The run that the lock file names. It may have ended since.
  package func lockedRun() -> RunFolder? {
    guard let bytes = try? PrivateFiles.read(liveLock, limit: 100) else { return nil }
    let id = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return RunID.isValid(id) ? run(id) : nil
  }

  /// The run whose supervisor is alive.
  /// - Throws: `PosixError` when it can't be told
  package func heldRun() throws -> RunFolder? {
    if let locked = lockedRun(), try Fifo.isHeld(locked.fifo) { return locked }
    return try unfinishedRuns().first { try Fifo.isHeld($0.fifo) }
  }

  /// Runs without a review: alive, or left by a supervisor that died.
  package func unfinishedRuns() -> [RunFolder] { runFolders().filter { !PrivateFiles.exists($0.review) } }
}

/// The files of one run. Deleting the folder forgets the run.
package struct RunFolder: Sendable, Equatable {
  package let id: String
  package let path: String

  /// What was asked (`RunRequest`).
  package var request: String { path + "/request.json" }
  /// What OpenCode reads on its stdin, through a pipe.
  package var prompt: String { path + "/prompt.md" }
  /// There as long as a part of the prompt is still to be written.
  package var promptUnsent: String { path + "/prompt.unsent" }
  /// `RunRecord`, written at acceptance.
  package var record: String { path + "/record.json" }
  /// `ProcessRecord`, written once: by `launch` just before it becomes OpenCode, or by whoever found that nothing was spawned.
  package var processPath: String { path + "/process.json" }
  /// The workspace before the run.
  package var workspace: String { path + "/workspace.json" }
  /// The exit status, in a file whose blocks exist from the start.
  package var exit: String { path + "/exit" }
  /// Held open by the supervisor.
  package var fifo: String { path + "/fifo" }
  /// The checkpoint of the fold over both logs.
  package var digest: String { path + "/digest.json" }
  /// `RunReview`: written last. A run with a review has ended.
  package var review: String { path + "/review.json" }
  /// Every changed file.
  package var changes: String { path + "/changes.json" }
  /// OpenCode's stdout.
  package var events: String { path + "/events.jsonl" }
  /// OpenCode's stderr.
  package var stderr: String { path + "/stderr.log" }
  /// What the supervisor itself could not do.
  package var supervisorLog: String { path + "/supervisor.log" }
}

/// A run's id: `20261122-162803-k3f9`, UTC, the last part being the fraction of the second. Ids sort by time.
package enum RunID {
  /// In the order of their codes; each stands for five bits.
  private static let letters = Array("23456789abcdefghijkmnpqrstuvwxyz")

  /// An id that sorts after `newest`, also when the clock has gone back since: the newest run must stay the first.
  package static func make(at date: Date, after newest: String?) -> String {
    let id = make(at: date)
    guard let newest, id <= newest, let last = time(of: newest) else { return id }
    let next = make(at: Date(timeIntervalSince1970: last + 1 / Double(1 << 20)))
    return isValid(next) ? next : id
  }

  /// Seconds since 1970; nil for an id that `make` never made.
  package static func time(of id: String) -> Double? {
    guard isValid(id) else { return nil }
    let digits = id.utf8.prefix(15).compactMap { $0 == UInt8(ascii: "-") ? nil : Int32($0) - 48 }
    func number(_ range: Range<Int>) -> Int32 { digits[range].reduce(0) { $0 * 10 + $1 } }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (number(0..<4) - 1900, number(4..<6) - 1, number(6..<8))
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (number(8..<10), number(10..<12), number(12..<14))
    var fraction = 0
    for letter in id.suffix(4) {
      guard let value = letters.firstIndex(of: letter) else { return nil }
      fraction = fraction << 5 | value
    }
    return Double(timegm(&parts)) + Double(fraction) / Double(1 << 20)
  }

  package static func make(at date: Date) -> String {
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
    let time = "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
    let fraction = Int((date.timeIntervalSince1970 - Double(seconds)) * Double(1 << 20))
    return "\(day)-\(time)-" + String([15, 10, 5, 0].map { letters[(fraction >> $0) & 31] })
  }

  package static func isValid(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.map(\.count) == [8, 6, 4] else { return false }
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return parts[0].allSatisfy(digits.contains) && parts[1].allSatisfy(digits.contains)
      && parts[2].allSatisfy { digits.contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
  }
}

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
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try PrivateFiles.replace(path, with: try encoder.encode(value), durable: durable)
  }
}
