import Foundation
import OpenCode
import PosixSupport
import Runs
import Text

/// Reads a run's two logs as they grow: every event and every error of the provider, each once, in the order in which they are found.
package struct LogFollower: Sendable {
  package enum Item: Sendable {
    case event(OpenCodeEvent)
    /// An error of the provider's, from stderr; `at` in seconds since 1970.
    case providerError(String, at: Double?)
    /// A permission that nobody could give.
    case rejected(String)
    /// A line of stdout that is no event.
    case text(String)

    /// nil: a blank line.
    package init?(_ line: SkimmedLine, by decoder: any EventDecoding) {
      switch line.content {
      case .event(let record): self = .event(decoder.event(from: record))
      case .text(let text): self = .text(text)
      case .damaged: self = .text("(a broken line of \(line.range.count) bytes)")
      case .blank: return nil
      }
    }
  }

  private let folder: RunFolder
  private let decoder: any EventDecoding
  private var events: EventSkimmer
  private var errors: LineReader
  private var log = LogReader()
  private static let block = 256 << 10

  /// - Parameter fromNow: begins at the ends of both logs instead of their beginnings
  package init(_ folder: RunFolder, generation: Generation, fromNow: Bool = false) {
    self.folder = folder
    decoder = generation.decoder
    events = EventSkimmer(at: fromNow ? LogFollower.end(of: folder.events) : 0)
    errors = LineReader(at: fromNow ? LogFollower.end(of: folder.stderr) : 0)
  }

  /// The first place after the last whole line.
  private static func end(of path: String) -> Int64 {
    guard let file = try? Descriptor.open(path, O_RDONLY) else { return 0 }
    defer { file.close() }
    guard let size = try? file.size(), size > 0 else { return 0 }
    var lines = BackwardLines(file, end: size)
    guard let last = try? lines.next() else { return 0 }
    return last.upperBound < size ? size : last.lowerBound
  }

  /// What has come since, as far as the logs' sizes at this moment.
  /// - Parameters:
  ///   - final: nothing more will be written: a last line without a newline counts
  ///   - limit: bytes of each log in one call; then it returns, and the next call goes on
  /// - Returns: whether there was anything to read
  package mutating func advance(final: Bool = false, limit: Int64 = 8 << 20, _ body: (Item) -> Void) -> Bool {
    let grew = readErrors(limit, final, body)
    return readEvents(limit, final, body) || grew
  }

  private mutating func readEvents(_ limit: Int64, _ final: Bool, _ body: (Item) -> Void) -> Bool {
    let (decoder, from) = (decoder, events.position)
    func take(_ line: SkimmedLine) { if let item = Item(line, by: decoder) { body(item) } }
    LogFollower.read(folder.events, from: from, limit: limit) { events.feed($0, take) }
    if final, events.position == from { events.finish(take) }
    return events.position > from
  }

  private mutating func readErrors(_ limit: Int64, _ final: Bool, _ body: (Item) -> Void) -> Bool {
    let from = errors.position
    var log = log
    func take(_ line: BoundedText) {
      for fact in log.facts(in: line) {
        switch fact {
        case .providerError(let message, let at): body(.providerError(message ?? "the provider refused", at: at))
        case .permissionRejected(let permission, let pattern): body(.rejected(permission + (pattern.map { " (\($0))" } ?? "")))
        case .failure(let message): body(.text("Error: \(message)"))
        default: break
        }
      }
    }
    LogFollower.read(folder.stderr, from: from, limit: limit) { errors.feed($0, take) }
    if final, errors.position == from { errors.finish(take) }
    self.log = log
    return errors.position > from
  }

  private static func read(_ path: String, from start: Int64, limit: Int64, _ body: (UnsafeRawBufferPointer) -> Void) {
    guard let file = try? Descriptor.open(path, O_RDONLY) else { return }
    defer { file.close() }
    var offset = start
    while offset < start + limit, let bytes = try? file.bytes(at: offset, limit: block), !bytes.isEmpty {
      bytes.withUnsafeBytes(body)
      offset += Int64(bytes.count)
    }
  }
}
