import Foundation
import OpenCode
import PosixSupport
import Text

/// Folds a run's `events.jsonl` and `stderr.log` into its digest, from where the digest stands. Only whole lines count for the digest and
/// its offsets; of a line that is still being written, what was read stays here, so that it isn't read again.
package struct DigestFold {
  package static let bufferSize = 256 << 10

  package private(set) var digest: RunDigest
  private var events: EventSkimmer
  private var stdoutText = LogReader()
  private var errors: LineReader
  private var log = LogReader()
  private var buffer: [UInt8] = []
  /// Bytes of both files that were there and not read for want of time.
  package private(set) var unread: Int64 = 0

  package init(digest: RunDigest) {
    self.digest = digest
    events = EventSkimmer(at: digest.eventsOffset)
    errors = LineReader(at: digest.stderrOffset)
  }

  /// Reads what both files have gained; a missing one is empty.
  /// - Parameters:
  ///   - final: nothing more will be written: a last line without a newline counts, too
  ///   - deadline: what isn't read by then is left, and `unread` says how much it is
  /// - Returns: whether the digest has changed
  /// - Throws: `PosixError`; what was read before it stands
  package mutating func advance(eventsPath: String, stderrPath: String, final: Bool = false, deadline: Deadline? = nil) throws -> Bool {
    let before = (digest.eventsOffset, digest.stderrOffset)
    let (eventsFile, stderrFile) = (try DigestFold.open(eventsPath), try DigestFold.open(stderrPath))
    defer {
      eventsFile?.close()
      stderrFile?.close()
    }
    let sizes = (try eventsFile?.size() ?? 0, try stderrFile?.size() ?? 0)
    var restarted = false
    if sizes.0 < events.position || sizes.1 < errors.position {
      // Not the files that were read before.
      self = DigestFold(digest: RunDigest(generation: digest.generation, declaredCommands: digest.declaredCommands, workspace: digest.verification.workspace))
      restarted = before != (0, 0)
    }
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: DigestFold.bufferSize) }
    // Causes first: an event never has to wait for the line that explains it.
    try foldErrors(stderrFile, upTo: sizes.1, final: final, deadline: deadline)
    try foldEvents(eventsFile, upTo: sizes.0, final: final, deadline: deadline)
    unread = max(0, sizes.0 - events.position) + max(0, sizes.1 - errors.position)
    return restarted || before != (digest.eventsOffset, digest.stderrOffset)
  }

  /// Changes the digest beside the fold: what is added must not depend on the offsets.
  package mutating func addToDigest(_ change: (inout RunDigest) -> Void) { change(&digest) }

  private static func open(_ path: String) throws -> Descriptor? {
    do {
      return try Descriptor.openPlainFile(path)
    } catch let error as PosixError where error.code == ENOENT {
      return nil
    }
  }

  private mutating func foldEvents(_ file: Descriptor?, upTo size: Int64, final: Bool, deadline: Deadline?) throws {
    let decoder = digest.generation.decoder
    var folding = (digest: digest, text: stdoutText)
    defer { (digest, stdoutText) = (folding.digest, folding.text) }
    func take(_ line: SkimmedLine) {
      folding.digest.eventsOffset = line.range.upperBound
      switch line.content {
      case .event(let record): folding.digest.fold(decoder.event(from: record))
      case .text(let text):
        folding.digest.foldUndecodable(broken: false)
        for fact in folding.text.facts(in: BoundedText(text)) { folding.digest.fold(fact) }
      case .damaged: folding.digest.foldUndecodable(broken: true)
      case .blank: break
      }
    }
    while let file, events.position < size {
      if let deadline, deadline.hasPassed { return }
      let count = try read(file, at: events.position, upTo: size)
      if count == 0 { break }
      buffer.withUnsafeBytes { events.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]), take) }
    }
    if final { events.finish(take) }
  }

  private mutating func foldErrors(_ file: Descriptor?, upTo size: Int64, final: Bool, deadline: Deadline?) throws {
    while let file, errors.position < size {
      if let deadline, deadline.hasPassed { break }
      let count = try read(file, at: errors.position, upTo: size)
      if count == 0 { break }
      buffer.withUnsafeBytes { bytes in
        errors.feed(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { line in
          for fact in log.facts(in: line) { digest.fold(fact) }
        }
      }
    }
    if final, errors.position >= size {
      errors.finish { line in
        for fact in log.facts(in: line) { digest.fold(fact) }
      }
    }
    digest.stderrOffset = errors.lineStart
  }

  private mutating func read(_ file: Descriptor, at offset: Int64, upTo size: Int64) throws -> Int {
    let wanted = Int(min(Int64(buffer.count), size - offset))
    return try buffer.withUnsafeMutableBytes { try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]), at: offset) }
  }
}

/// How fast a log is folded: for the benchmark.
package struct FoldMeasure {
  package let bytes: Int64
  package let seconds: Double
  package var megabytesPerSecond: Double { seconds > 0 ? Double(bytes) / 1e6 / seconds : 0 }

  /// Folds a whole log from its beginning.
  /// - Throws: `PosixError`
  package static func fold(_ eventsPath: String, generation: Generation, declaredCommands: [String] = []) throws -> FoldMeasure {
    var fold = DigestFold(digest: RunDigest(generation: generation, declaredCommands: declaredCommands))
    let start = Monotonic.now
    _ = try fold.advance(eventsPath: eventsPath, stderrPath: eventsPath + ".none", final: true)
    return FoldMeasure(bytes: fold.digest.eventsOffset, seconds: Monotonic.now - start)
  }
}
