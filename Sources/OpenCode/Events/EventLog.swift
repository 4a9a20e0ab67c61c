import PosixSupport
import Text

/// Reading single lines of a log whose places are known, in constant memory.
package enum EventLog {
  /// The event, text or damage in `range` of the file, which is one line.
  /// - Throws: `PosixError`
  package static func line(in file: Descriptor, range: Range<Int64>) throws -> SkimmedLine {
    var skimmer = EventSkimmer(at: range.lowerBound)
    var found: SkimmedLine?
    var offset = range.lowerBound
    while offset < range.upperBound, found == nil {
      let bytes = try file.bytes(at: offset, limit: Int(min(64 << 10, range.upperBound - offset)))
      if bytes.isEmpty { break }
      offset += Int64(bytes.count)
      bytes.withUnsafeBytes { skimmer.feed($0) { found = found ?? $0 } }
    }
    if found == nil { skimmer.finish { found = $0 } }
    return found ?? SkimmedLine(content: .blank, range: range)
  }

  /// The same as one short readable line; nil for a blank one.
  /// - Throws: `PosixError`
  package static func rendered(in file: Descriptor, range: Range<Int64>, by decoder: some EventDecoding) throws -> String? {
    switch try line(in: file, range: range).content {
    case .event(let record): decoder.event(from: record).line
    case .text(let text): text.oneLine(240)
    case .damaged: "(a broken line of \(range.count) bytes)"
    case .blank: nil
    }
  }
}
