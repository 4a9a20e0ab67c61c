import Desk
import Foundation
import OpenCode
import PosixSupport
import Runs
import Text

/// `logs [RUN]`: what OpenCode printed.
enum LogsCommand {
  static func run(_ arguments: [String], environment: [String: String]) throws -> Int32 {
    let words = try CommandWords(arguments, flags: ["-f", "--raw", "--stderr"], values: ["-n"], most: 1)
    let lines = try words.values["-n"].map { try RunsCommand.count($0) } ?? 40
    if words.flags.isSuperset(of: ["--raw", "--stderr"]) { throw CommandWords.Wrong("--raw and --stderr exclude each other") }
    let follows = words.flags.contains("-f")
    let isTerminal = Terminal.isTerminal
    let rendering = WatchLine(style: Terminal.style(environment))
    return DeskCommand.withRun(words.rest.first, environment) { run, manager in
      let path = words.flags.contains("--stderr") ? run.folder.stderr : run.folder.events
      let decoder = run.record.request.installation.version.generation.decoder
      let readable = !words.flags.contains("--raw") && !words.flags.contains("--stderr")
      guard let file = try? Descriptor.open(path, O_RDONLY) else {
        Terminal.error("opencode-worker: the log \(path) can't be read; it may have been deleted.")
        return ExitCode.failure
      }
      defer { file.close() }
      var offset = try start(file, lines: lines)
      if follows { TerminalDevice.onInterrupt(say: "\n") }
      while true {
        let isOver = follows ? try await manager.snapshot(run.folder.id).isOver : true
        offset = try show(file, from: offset, final: isOver) { bytes in
          if readable {
            var skimmer = EventSkimmer()
            let take: (SkimmedLine) -> Void = { line in
              if let text = LogFollower.Item(line, by: decoder).flatMap(rendering.text) { Terminal.line(text) }
            }
            bytes.withUnsafeBytes { skimmer.feed($0, take) }
            skimmer.finish(take)
          } else {
            let text = String(decoding: bytes, as: UTF8.self)
            Terminal.write(isTerminal ? TerminalText.printable(text) : text)
          }
        }
        if isOver { return ExitCode.success }
        try await Task.sleep(nanoseconds: 250_000_000)
      }
    }
  }

  /// Where the last `lines` lines begin.
  private static func start(_ file: Descriptor, lines: Int) throws -> Int64 {
    let size = try file.size()
    var backward = BackwardLines(file, end: size)
    var offset = size
    for _ in 0..<lines {
      guard let line = try backward.next() else { break }
      offset = line.lowerBound
    }
    return offset
  }

  /// Shows the whole lines from `offset` on, a few MiB at a time; with `final` also a last one without its end.
  /// - Returns: where the next call begins
  private static func show(_ file: Descriptor, from offset: Int64, final: Bool, _ body: ([UInt8]) -> Void) throws -> Int64 {
    var (offset, limit) = (offset, 1 << 20)
    while true {
      let bytes = try file.bytes(at: offset, limit: limit)
      if bytes.isEmpty { return offset }
      guard let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
        // A line longer than the block: once more with a larger one, or its beginning where it is endless.
        if bytes.count == limit, limit < 64 << 20 {
          limit *= 4
          continue
        }
        if bytes.count < limit, !final { return offset }
        body(bytes)
        offset += Int64(bytes.count)
        continue
      }
      body(Array(bytes[...newline]))
      offset += Int64(newline) + 1
      limit = 1 << 20
    }
  }
}
