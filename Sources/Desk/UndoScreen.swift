import Runs
import Text
import Workspace

/// What `undo` is about to do, or has done, for a person.
package struct UndoScreen: Sendable {
  private static let rows = 40
  private let style: Style

  package init(style: Style) { self.style = style }

  /// A line each: what will become of the files.
  package func steps(_ plan: RunUndo.Plan) -> [String] {
    let isBack = plan.side == .before
    var lines = plan.steps.prefix(UndoScreen.rows).map { step in
      let word =
        switch step.act {
        case .change: style.yellow(isBack ? "put back" : "change again")
        case .create: style.green(isBack ? "bring back" : "add again")
        case .delete: style.red(isBack ? "delete" : "delete again")
        }
      let padding = String(repeating: " ", count: max(1, 14 - TerminalText.plain(word).count))
      return "  \(word)\(padding)\(Words.line(step.path, 300))"
    }
    if plan.steps.count > UndoScreen.rows { lines.append(style.dim("  and \(Words.grouped(plan.steps.count - UndoScreen.rows)) more")) }
    if !plan.there.isEmpty {
      let what = Words.counted(plan.there.count, "file")
      lines.append(style.dim("  \(what) \(plan.there.count == 1 ? "is" : "are") \(isBack ? "as before the run" : "as the run left it") already"))
    }
    return lines
  }

  /// A line each: what can't be brought there, and why.
  package func obstacles(_ plan: RunUndo.Plan) -> [String] {
    var lines = plan.obstacles.prefix(UndoScreen.rows).map { "  \(Words.line($0.path, 300)): \(Words.line($0.why, 300))" }
    if plan.obstacles.count > UndoScreen.rows { lines.append("  and \(Words.grouped(plan.obstacles.count - UndoScreen.rows)) more") }
    return lines
  }
}
