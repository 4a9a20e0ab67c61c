import Foundation
import JSON
import MCP
import OpenCode
import PosixSupport
import Runs
import Text

/// `opencode_logs`: the end of a run's log, and further back by cursor.
struct LogsTool: Tool {
  let manager: RunManager

  let name = "opencode_logs"
  let description = "Log of an OpenCode run, newest lines last; nextCursor reads further back."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("run", .string),
    Parameter("lines", .integer(1...1000), "Default 40"),
    Parameter("source", .choice(LogSource.allCases.map(\.rawValue)), "Default events"),
    Parameter("cursor", .string),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID) else { return RunReply.none }
    let source = arguments.string("source").flatMap(LogSource.init) ?? .events
    var before: Int64?
    if let cursor = arguments.string("cursor") {
      let parts = cursor.split(separator: ":")
      guard parts.count == 2, parts[0] == source.rawValue[...], let offset = Int64(parts[1]), offset >= 0 else {
        throw ToolError.badArgument("The cursor \"\(cursor.prefix(60))\" is not one of these lines.", hint: "Pass nextCursor as it came, with the same source.")
      }
      before = offset
    }
    let page = try await LogPage.last(arguments.integer("lines") ?? 40, of: source, of: run, before: before, bytes: 6 << 10)
    var reply = RunReply.withLogPath(RunReply.brief(run), of: run)
    reply.structured["source"] = .string(source.rawValue)
    reply.structured["lines"] = JSONValue(strings: page.lines)
    if page.wasCut { reply.structured["cut"] = true }
    if page.start > 0 { reply.structured["nextCursor"] = .string("\(source.rawValue):\(page.start)") }
    reply.text = "\(page.lines.count) lines of \(run.folder.id)."
    return reply
  }
}

/// The logs of a run.
enum LogSource: String, CaseIterable, Sendable {
  case events, raw, stderr

  func path(in folder: RunFolder) -> String { self == .stderr ? folder.stderr : folder.events }
}

/// Some lines of a log, read backwards from the end or from a cursor, so that the log's size doesn't matter.
struct LogPage: Sendable {
  var lines: [String] = []
  /// Where the first of them begins; 0: nothing is further back.
  var start: Int64 = 0
  /// A line was shortened.
  var wasCut = false

  /// - Parameters:
  ///   - before: the offset at which the lines end; nil: the end of the file
  ///   - bytes: the most that the lines may take together
  /// - Throws: `ToolError` (`log_unavailable`)
  static func last(_ count: Int, of source: LogSource, of run: RunSnapshot, before: Int64?, bytes: Int) async throws -> LogPage {
    let path = source.path(in: run.folder)
    return try await onThread {
      guard let file = try? Descriptor.openPlainFile(path), let size = try? file.size() else {
        // OpenCode makes it when it starts, and it may never have.
        if run.review?.exit == nil, run.digest.steps == 0 { return LogPage() }
        throw RunRefusal(code: .logUnavailable, message: "The log \(path) can't be read.", hint: "It may have been deleted; opencode_runs lists the runs.")
      }
      defer { file.close() }
      return try LogPage(file, end: min(before ?? size, size), count: count, source: source, of: run, budget: bytes)
    }
  }

  /// Bytes of an event that is still read to its end for its one line here.
  private static let longestEvent: Int64 = 64 << 20

  private init() {}

  private init(_ file: Descriptor, end: Int64, count: Int, source: LogSource, of run: RunSnapshot, budget: Int) throws {
    start = end
    var left = budget
    var reader = BackwardLines(file, end: end)
    while lines.count < count, let line = try reader.next() {
      var text: String
      switch source {
      case .events where line.upperBound - line.lowerBound > LogPage.longestEvent:
        text = "(an event of \((line.upperBound - line.lowerBound) >> 20) MiB)"
      case .events:
        guard let rendered = try EventLog.rendered(in: file, range: line, by: run.digest.generation.decoder) else {
          start = line.lowerBound
          continue
        }
        text = rendered
      case .raw, .stderr:
        let wanted = min(Int(line.upperBound - line.lowerBound), 1 << 20)
        text = String(decoding: try file.bytes(at: line.lowerBound, limit: wanted), as: UTF8.self)
        if source == .stderr { text = TerminalText.plain(text) }
      }
      let longest = source == .events ? 400 : 2000
      if text.utf8.count > longest {
        text = TextCut.headAndTail(text, bytes: longest)
        wasCut = true
      }
      // As JSON a text may take more room than its bytes.
      let size = JSONValue.string(text).bytes.count + 1
      if size > left {
        wasCut = true
        if !lines.isEmpty { break }
        text = TextCut.headAndTail(text, bytes: left / 8)
      }
      left -= size
      lines.append(text)
      start = line.lowerBound
    }
    lines.reverse()
  }
}
