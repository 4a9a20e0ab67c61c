import Foundation
import Runs
import ShellReading
import Text

/// What stays at the bottom of `watch`: the todo list, the checks, the files, and a last line that says what goes on.
package struct WatchFooter: Sendable {
  package let style: Style

  package init(style: Style) { self.style = style }

  /// - Parameters:
  ///   - now: seconds since 1970
  ///   - width: columns
  ///   - height: rows of the terminal; the events need some of them
  /// - Returns: at least the last line, each at most `width` columns wide
  package func lines(_ run: RunSnapshot, now: Double, width: Int, height: Int) -> [String] {
    let room = max(0, height / 2 - 2)
    var parts: [[String]] = [checks(run), files(run)].filter { !$0.isEmpty }
    let left = room - parts.reduce(0) { $0 + $1.count }
    let todo = todo(run, rows: left)
    if !todo.isEmpty { parts.insert(todo, at: 0) }
    var rows = Array(parts.joined().prefix(room))
    if !rows.isEmpty { rows.insert(style.dim(String(repeating: "─", count: width)), at: 0) }
    return (rows + [status(run, now: now, width: width)]).map { Columns.fit($0, width) }
  }

  /// The whole list if it has room, else the entry at work and those around it.
  private func todo(_ run: RunSnapshot, rows: Int) -> [String] {
    let todos = run.digest.todos
    guard !todos.isEmpty, rows > 0 else { return [] }
    let current = todos.firstIndex { $0.status == "in_progress" } ?? todos.firstIndex { $0.status == "pending" } ?? todos.count - 1
    let start = max(0, min(current - rows / 2, todos.count - rows))
    let shown = todos[start..<min(todos.count, start + rows)]
    let done = todos.filter { $0.status == "completed" }.count
    return shown.enumerated().map { number, todo in
      let text = Words.line(todo.content, 300)
      let entry =
        switch todo.status {
        case "completed": style.dim("[x] \(text)")
        case "in_progress": style.bold("[>] \(text)")
        case "cancelled": style.dim("[-] \(text)")
        default: "[ ] \(text)"
        }
      return label(number == 0 ? "todo \(done)/\(todos.count)" : "") + entry
    }
  }

  private func checks(_ run: RunSnapshot) -> [String] {
    let declared = run.record.judged(run.digest.verification.report(known: .soFar)).declared
    guard !declared.isEmpty else { return [] }
    let words = declared.map { check in
      let command = Words.line(check.command, 60)
      if check.times == 0 { return style.dim("not yet \(command)") }
      if check.result == "failed" { return style.red("failed \(command)") }
      return check.isProven ? style.green("passed \(command)") : style.yellow("\(check.result == "passed" ? "passed before changes" : check.result) \(command)")
    }
    return [label("checks") + words.joined(separator: style.dim(" · "))]
  }

  private func files(_ run: RunSnapshot) -> [String] {
    let named = run.digest.namedFiles
    guard named.count > 0 else { return [] }
    let top = run.record.request.cwd + "/"
    let shown = named.sorted.prefix(20).map { Words.line($0.hasPrefix(top) ? String($0.dropFirst(top.count)) : $0, 80) }
    return [label("files \(named.count)") + shown.joined(separator: style.dim(" · "))]
  }

  private func label(_ text: String) -> String { style.dim(text + String(repeating: " ", count: max(1, 10 - text.count))) }

  private func status(_ run: RunSnapshot, now: Double, width: Int) -> String {
    var figures: [String] = []
    let usage = run.digest.usage
    if usage.tokens.total > 0 { figures.append("\(Words.grouped(usage.tokens.total)) tokens") }
    if usage.cost > 0 { figures.append(Words.money(usage.cost)) }
    figures.append(Words.whole(run.seconds))
    // A long sentence doesn't push the figures out of a small terminal; from the left they go when there is no room for them.
    func tail() -> String { figures.map { " · " + $0 }.joined() }
    let activity = RunCard.now(run, at: now)
    while figures.count > 1, width - Columns.width(tail()) < activity.least { figures.removeFirst() }
    let text = activity.fitted(max(10, width - Columns.width(tail()))) + tail()
    let (at, last) = (run.digest.providerErrors.at, run.digest.lastEventAt)
    return at.map { at in last.map { at > $0 } ?? true } ?? false ? style.red(text) : text
  }
}
