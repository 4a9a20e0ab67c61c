import Foundation

/// What reads bytes that others wrote. `FUZZ_TARGET` names which of them a run tries; a crash or a broken promise is a finding.
enum FuzzTarget: String, CaseIterable {
  case json, framing, events, stderr, shell, index, toml, marketplace

  static let chosen: FuzzTarget = ProcessInfo.processInfo.environment["FUZZ_TARGET"].flatMap(FuzzTarget.init) ?? .json

  func run(_ bytes: [UInt8]) {
    switch self {
    case .json: FuzzTarget.json(bytes)
    case .framing: FuzzTarget.framing(bytes)
    case .events: FuzzTarget.events(bytes)
    case .stderr: FuzzTarget.stderr(bytes)
    case .shell: FuzzTarget.shell(bytes)
    case .index: FuzzTarget.index(bytes)
    case .toml: FuzzTarget.toml(bytes)
    case .marketplace: FuzzTarget.marketplace(bytes)
    }
  }

  /// What is read can be written, and reads the same.
  private static func json(_ bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    precondition((try? JSONValue(parsing: value.bytes)) == value, "JSON doesn't survive being written")
  }

  /// Wherever the bytes are cut, the same lines come out.
  private static func framing(_ bytes: [UInt8]) {
    func count(_ parts: [ArraySlice<UInt8>]) -> Int {
      var framing = LineFraming(limit: 64)
      return parts.reduce(0) { count, part in count + part.withUnsafeBytes { framing.feed($0).count } } + (framing.finish() == nil ? 0 : 1)
    }
    let middle = bytes.count / 2
    precondition(count([bytes[...]]) == count([bytes[..<middle], bytes[middle...]]), "lines depend on where reads end")
    _ = RequestID(inPrefix: bytes)
  }

  private static func events(_ bytes: [UInt8]) {
    for generation in [Generation.v1, .v2] {
      func decoded(_ parts: [ArraySlice<UInt8>]) -> [String] {
        var (skimmer, found): (EventSkimmer, [String]) = (EventSkimmer(), [])
        func take(_ line: SkimmedLine) {
          if case .event(let record) = line.content {
            found.append("\(line.range) \(generation.decoder.event(from: record))")
          } else {
            found.append("\(line.range)")
          }
        }
        for part in parts { part.withUnsafeBytes { skimmer.feed($0, take) } }
        skimmer.finish(take)
        return found
      }
      let middle = bytes.count / 2
      precondition(decoded([bytes[...]]) == decoded([bytes[..<middle], bytes[middle...]]), "events depend on where reads end")
    }
  }

  private static func stderr(_ bytes: [UInt8]) {
    var (lines, reader) = (LineReader(), LogReader())
    bytes.withUnsafeBytes { lines.feed($0) { _ = reader.facts(in: $0) } }
    lines.finish { _ = reader.facts(in: $0) }
  }

  private static func shell(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let parts = text.split(separator: "\0", maxSplits: 1).map(String.init)
    guard let first = parts.first else { return }
    let declared = DeclaredCommand(parts.count > 1 ? first : "make test")
    _ = declared.finding(in: ShellCommand(parts.last ?? first), exitCode: 0)
    _ = CheckCommands.result(of: ShellCommand(parts.last ?? first), exitCode: 0)
  }

  /// What is read can be written, and reads the same.
  private static func index(_ bytes: [UInt8]) {
    guard let index = try? GitIndex(bytes, idLength: 20) else { return }
    let content = index.differences(to: index)
    precondition(content.old.isEmpty && content.new.isEmpty, "an index differs from itself")
    guard let written = try? GitIndex(index.encoded(index.entries, idLength: 20), idLength: 20) else { fatalError("an index that was written can't be read") }
    precondition(written.entries.map(written.path) == index.entries.map(index.path), "names don't survive being written")
  }

  /// An edit that is made leaves a file that is still understood, and taking it back leaves none of ours.
  private static func toml(_ bytes: [UInt8]) {
    _ = try? TOMLOutline(parsing: bytes)
    guard let added = try? CodexConfig.adding(command: "/usr/bin/opencode-worker", to: bytes) else { return }
    guard (try? CodexConfig.presence(in: added)) != nil else { fatalError("what was added isn't understood") }
    _ = try? CodexConfig.removing(from: added)
  }

  private static func marketplace(_ bytes: [UInt8]) {
    _ = try? MarketplaceFile.adding(to: bytes)
    _ = try? MarketplaceFile.removing(from: bytes)
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzTarget.chosen.run(data.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? [])
  return 0
}
