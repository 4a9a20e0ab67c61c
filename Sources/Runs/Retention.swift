import Foundation
import PosixSupport

/// How much of the past is kept. Applied by supervisors only, never to the live run.
package struct Retention: Sendable {
  package let state: StateFolder
  package let keeping: RunFolder
  package let runs: Int
  package let days: Int
  package let bytes: Int64

  /// Limits from `OPENCODE_WORKER_KEEP_RUNS`, `_KEEP_DAYS` and `_KEEP_BYTES`; what isn't a positive number counts as not set.
  package init(state: StateFolder, environment: [String: String], keeping: RunFolder) {
    func limit(_ name: String, _ standard: Int64) -> Int64 { environment[name].flatMap(Int64.init).flatMap { $0 > 0 ? $0 : nil } ?? standard }
    self.state = state
    self.keeping = keeping
    runs = Int(clamping: limit("OPENCODE_WORKER_KEEP_RUNS", 50))
    days = Int(clamping: limit("OPENCODE_WORKER_KEEP_DAYS", 30))
    bytes = limit("OPENCODE_WORKER_KEEP_BYTES", 1 << 30)
  }

  package func apply() {
    let oldest = RunID.make(at: Date(timeIntervalSinceNow: -Double(min(days, 36_500)) * 86_400))
    var total: Int64 = 0
    for (index, run) in state.runFolders().enumerated() {
      total += Retention.size(of: run.path)
      guard run != keeping, PrivateFiles.exists(run.review) || run.id < oldest else { continue }
      if index >= runs || run.id < oldest || total > bytes { try? FileManager.default.removeItem(atPath: run.path) }
    }
    // Left by servers that died between writing a request and handing it over.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: state.staging)) ?? [] {
      let path = state.staging + "/" + name
      let changed = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
      if let changed, changed.timeIntervalSinceNow < -3600 { try? FileManager.default.removeItem(atPath: path) }
    }
  }

  /// Bytes on disk of a folder's files.
  package static func size(of folder: String) -> Int64 {
    guard let files = FileManager.default.enumerator(atPath: folder) else { return 0 }
    var total: Int64 = 0
    while files.nextObject() != nil {
      total += (files.fileAttributes?[.size] as? NSNumber)?.int64Value ?? 0
    }
    return total
  }
}
