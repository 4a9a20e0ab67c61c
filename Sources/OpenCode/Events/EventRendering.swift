import PosixSupport

extension OpenCodeEvent {
  /// The event on one short line, for a person who reads the log: time of day (UTC), what, and the little that matters.
  public var line: String {
    let time = header.at.map { "\(Timestamp.timeOfDay($0)) " } ?? ""
    return time + body.oneLine(240)
  }

  private var body: String {
    switch self {
    case .stepStart: "step started"
    case .text(let part): (part.synthetic ? "text (by OpenCode): " : "text: ") + part.text.head
    case .reasoning(let part): "reasoning: " + part.text.head
    case .toolUse(let tool): tool.line
    case .stepFinish(let step): step.line
    case .error(let error): "ERROR: " + error.sentence
    case .unknown(_, let type): type.isEmpty ? "event without a type" : type
    }
  }
}

extension ToolUse {
  /// What the call was about: its title, else its command, path or description.
  public var subject: String? {
    if case .unavailable(let name, _) = refusal, tool == "invalid" { return name }
    let candidates = [title, command?.head, path, description]
    return candidates.lazy.compactMap { $0 }.first { !$0.isEmpty && $0 != tool }?.oneLine(200)
  }

  fileprivate var line: String {
    var words = [tool]
    switch refusal {
    case .rejected: words.append("REJECTED (permission)")
    case .ruledOut: words.append("DENIED (rule)")
    case .questionDismissed: words.append("DISMISSED")
    case .unavailable: words.append("UNAVAILABLE")
    case nil:
      if let exitCode { words.append("exit \(exitCode)") } else if timedOut { words.append("TIMED OUT") } else if status != .completed { words.append("ERROR") }
    }
    if let subject { words.append(subject) }
    for file in files.prefix(3) {
      if let additions = file.additions, let deletions = file.deletions { words.append("+\(additions) -\(deletions)") }
    }
    if let seconds, seconds >= 1 { words.append("(\(seconds.tenths) s)") }
    if status == .error, refusal == nil, let error { words.append("- \(error.head)") }
    return words.joined(separator: " ")
  }
}

extension StepFinish {
  fileprivate var line: String {
    var words = ["step ended"]
    if let reason { words.append("(\(reason))") }
    if let tokens { words.append("\(tokens.total) tokens") }
    if let cost, cost > 0 { words.append("$\(cost)") }
    return words.joined(separator: " ")
  }
}

extension ErrorEvent {
  /// OpenCode's own words, with the HTTP status unless they name it: "Invalid API key (401)".
  public var sentence: String {
    let words = message.oneLine(500)
    guard let status, !words.contains(String(status)) else { return words }
    return "\(words) (\(status))"
  }
}

extension Double {
  /// "2.1": one decimal, never in exponents.
  fileprivate var tenths: String {
    guard self >= 0, self < 1e12 else { return "?" }
    let tenths = Int((self * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// Times in UTC, without a calendar's locale.
enum Timestamp {
  /// "16:21:03" of seconds since 1970.
  static func timeOfDay(_ seconds: Double) -> String {
    guard seconds >= 0, seconds < 1e12 else { return "--:--:--" }
    let day = Int(seconds) % 86_400
    return [day / 3600, day / 60 % 60, day % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  /// Reads "2026-11-22T16:18:51.730Z", also without fraction and zone; seconds since 1970.
  static func seconds(_ text: Substring) -> Double? {
    let bytes = Array(text.utf8.prefix(32))
    guard bytes.count >= 19 else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in bytes[range] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
      let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), year >= 1970
    else { return nil }
    // Days since 1970 by the civil calendar: years begin in March, so that the leap day comes last.
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468
    var fraction = 0.0
    if bytes.count > 20, bytes[19] == UInt8(ascii: ".") {
      var scale = 0.1
      for byte in bytes[20...] {
        guard byte >= 0x30, byte <= 0x39 else { break }
        fraction += Double(byte - 0x30) * scale
        scale /= 10
      }
    }
    return Double(days * 86_400 + hour * 3600 + minute * 60 + second) + fraction
  }
}

/// Reading single lines of a log whose places are known, in constant memory.
public enum EventLog {
  /// The event, text or damage in `range` of the file, which is one line.
  /// - Throws: `PosixError`
  public static func line(in file: Descriptor, range: Range<Int64>) throws -> SkimmedLine {
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
  public static func rendered(in file: Descriptor, range: Range<Int64>, by decoder: some EventDecoding) throws -> String? {
    switch try line(in: file, range: range).content {
    case .event(let record): decoder.event(from: record).line
    case .text(let text): text.oneLine(240)
    case .damaged: "(a broken line of \(range.count) bytes)"
    case .blank: nil
    }
  }
}
