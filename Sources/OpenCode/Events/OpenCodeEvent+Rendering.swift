import Text

extension OpenCodeEvent {
  /// The event on one short line, for a person who reads the log: time of day (UTC), what, and the little that matters.
  package var line: String {
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
  package var subject: String? {
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
  package var sentence: String {
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
