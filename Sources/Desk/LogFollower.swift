import Foundation
import OpenCode
import PosixSupport
import Runs
import Text

/// Reads a run's two logs as they grow: every event and every error of the provider, each once. What both logs hold already comes in the order of
/// its times; what comes to them later, as it is found. Within a log the order is always the log's own.
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

  /// What was read of one log and isn't told yet.
  private struct Waiting: Sendable {
    var items: [(item: Item, at: Double)] = []
    /// How many of them have been told.
    var told = 0
    /// Nothing more was in the log when it was read last.
    var isAtEnd = false
    private var last = -Double.infinity

    var isEmpty: Bool { told == items.count }
    var nextAt: Double? { isEmpty ? nil : items[told].at }

    mutating func add(_ item: Item, at: Double) {
      if at.isFinite { last = max(last, at) }
      // Those before it that had no time.
      for index in items.indices.reversed() {
        guard items[index].at == .infinity else { break }
        items[index].at = last
      }
      items.append((item, last))
    }

    /// Right behind the one before.
    mutating func addBehind(_ item: Item) { items.append((item, last)) }

    /// Right before the next one that has a time, else at the end: what stderr says without a time is mostly why something ended.
    mutating func addAhead(_ item: Item) { items.append((item, .infinity)) }

    mutating func tell(_ body: (Item) -> Void) {
      body(items[told].item)
      told += 1
      if isEmpty { (items, told) = ([], 0) }
    }
  }

  private let folder: RunFolder
  private let decoder: any EventDecoding
  private var events: EventSkimmer
  private var errors: LineReader
  private var log = LogReader()
  private var waitingEvents = Waiting()
  private var waitingErrors = Waiting()
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
  /// - Returns: whether there was anything to read or to tell
  package mutating func advance(final: Bool = false, limit: Int64 = 2 << 20, _ body: (Item) -> Void) -> Bool {
    // A log of which something waits is read on when that is told: what is held is bounded.
    var grew = false
    if waitingErrors.isEmpty { grew = readErrors(limit, final) }
    if waitingEvents.isEmpty { grew = readEvents(limit, final) || grew }
    while true {
      switch (waitingErrors.nextAt, waitingEvents.nextAt) {
      case (let error?, let event?): error <= event ? waitingErrors.tell(body) : waitingEvents.tell(body)
      // The other log may still hold something earlier.
      case (.some, nil) where waitingEvents.isAtEnd: waitingErrors.tell(body)
      case (nil, .some) where waitingErrors.isAtEnd: waitingEvents.tell(body)
      default: return grew
      }
      grew = true
    }
  }

  private mutating func readEvents(_ limit: Int64, _ final: Bool) -> Bool {
    let (decoder, from) = (decoder, events.position)
    var waiting = waitingEvents
    func take(_ line: SkimmedLine) {
      guard let item = Item(line, by: decoder) else { return }
      if case .event(let event) = item, let at = event.header.at { waiting.add(item, at: at) } else { waiting.addBehind(item) }
    }
    waiting.isAtEnd = LogFollower.read(folder.events, from: from, limit: limit) { events.feed($0, take) }
    if final, events.position == from { events.finish(take) }
    waitingEvents = waiting
    return events.position > from
  }

  private mutating func readErrors(_ limit: Int64, _ final: Bool) -> Bool {
    let from = errors.position
    var (log, waiting) = (log, waitingErrors)
    func take(_ line: BoundedText) {
      for fact in log.facts(in: line) {
        switch fact {
        case .providerError(let message, let at):
          let item = Item.providerError(message ?? "the provider refused", at: at)
          if let at { waiting.add(item, at: at) } else { waiting.addAhead(item) }
        case .permissionRejected(let permission, let pattern): waiting.addAhead(.rejected(permission + (pattern.map { " (\($0))" } ?? "")))
        case .failure(let message): waiting.addAhead(.text("Error: \(message)"))
        default: break
        }
      }
    }
    waiting.isAtEnd = LogFollower.read(folder.stderr, from: from, limit: limit) { errors.feed($0, take) }
    if final, errors.position == from { errors.finish(take) }
    (self.log, waitingErrors) = (log, waiting)
    return errors.position > from
  }

  /// - Returns: whether that was all of it
  private static func read(_ path: String, from start: Int64, limit: Int64, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
    guard let file = try? Descriptor.open(path, O_RDONLY) else { return true }
    defer { file.close() }
    var offset = start
    while offset < start + limit {
      guard let bytes = try? file.bytes(at: offset, limit: block), !bytes.isEmpty else { return true }
      bytes.withUnsafeBytes(body)
      offset += Int64(bytes.count)
    }
    return false
  }
}
