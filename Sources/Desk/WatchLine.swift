import OpenCode
import Text

/// One line of `watch` for one thing that happened.
package struct WatchLine: Sendable {
  package let style: Style
  package let time: LocalTime
  /// Columns of the terminal; nil: lines are as long as they are.
  package let width: Int?

  package init(style: Style, time: LocalTime = LocalTime(), width: Int? = nil) {
    self.style = style
    self.time = time
    self.width = width
  }

  /// nil: nothing worth a line (a step's beginning).
  package func text(_ item: LogFollower.Item) -> String? {
    switch item {
    case .event(let event): text(event)
    case .providerError(let message, let at): line(at, style.red("provider"), style.red(Words.line(message, 300)))
    case .rejected(let what): line(nil, style.yellow("rejected"), style.yellow(Words.line("permission: \(what)", 300)))
    case .text(let text): line(nil, style.dim("output"), Words.line(text, 300))
    }
  }

  private func text(_ event: OpenCodeEvent) -> String? {
    let at = event.header.at
    switch event {
    case .stepStart, .unknown: return nil
    case .text(let part):
      guard !part.text.isBlank else { return nil }
      return line(at, style.cyan(part.synthetic ? "opencode" : "says"), Words.line(part.text.head, 400))
    case .reasoning(let part): return line(at, style.dim("thinks"), style.dim(Words.line(part.text.head, 300)))
    case .toolUse(let tool): return line(at, toolName(tool), describe(tool))
    case .stepFinish(let step):
      var words = ["step ended"]
      if let reason = step.reason { words[0] += " (\(Words.line(reason, 40)))" }
      if let tokens = step.tokens { words.append("\(Words.grouped(tokens.total)) tokens") }
      if let cost = step.cost, cost > 0 { words.append(Words.money(cost)) }
      return line(at, style.dim("step"), style.dim(words.joined(separator: ", ")))
    case .error(let error): return line(at, style.red("error"), style.red(Words.line(error.sentence, 400)))
    }
  }

  private func toolName(_ tool: ToolUse) -> String {
    let name = Words.line(tool.tool, 24)
    return hasFailed(tool) ? style.red(name) : style.bold(name)
  }

  private func hasFailed(_ tool: ToolUse) -> Bool { tool.refusal != nil || tool.timedOut || tool.status == .error || (tool.exitCode ?? 0) != 0 }

  private func describe(_ tool: ToolUse) -> String {
    var words: [String] = []
    if let todos = tool.todos, !todos.isEmpty {
      let current = todos.first { $0.status == "in_progress" }.map { ": \(Words.line($0.content, 200))" } ?? ""
      words.append("\(todos.filter { $0.status == "completed" }.count)/\(todos.count) done\(current)")
    } else if let what = tool.isShell ? tool.command?.head ?? tool.subject : tool.subject {
      words.append(Words.line(what, 300))
    }
    switch tool.refusal {
    case .rejected?: words.append(style.yellow("permission rejected"))
    case .ruledOut?: words.append(style.yellow("denied by a rule"))
    case .questionDismissed?: words.append(style.yellow("nobody could answer"))
    case .unavailable?: words.append(style.yellow("no such tool"))
    case nil:
      if tool.timedOut {
        words.append(style.red("timed out"))
      } else if let exit = tool.exitCode {
        words.append(exit == 0 ? style.green("exit 0") : style.red("exit \(exit)"))
      } else if tool.status == .error {
        words.append(style.red(Words.line(tool.error?.head ?? "error", 160)))
      }
    }
    for file in tool.files.prefix(3) {
      if let added = file.additions, let removed = file.deletions { words.append("\(style.green("+\(added)")) \(style.red("-\(removed)"))") }
    }
    if let seconds = tool.seconds, seconds >= 0.1 { words.append(style.dim(Words.duration(seconds))) }
    return words.joined(separator: "  ")
  }

  private func line(_ at: Double?, _ what: String, _ text: String) -> String {
    let clock = at.map(time.clock) ?? "        "
    let padding = String(repeating: " ", count: max(1, 10 - TerminalText.plain(what).count))
    let line = "\(style.dim(clock))  \(what)\(padding)\(text)"
    return width.map { Columns.fit(line, $0) } ?? line
  }
}
