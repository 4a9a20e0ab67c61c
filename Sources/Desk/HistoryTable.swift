import Runs
import Text

/// The history, a line a run.
package enum HistoryTable {
  /// - Parameter width: columns of the terminal; nil: lines are as long as they are
  package static func lines(_ runs: [RunSnapshot], style: Style, time: LocalTime, width: Int? = nil) -> [String] {
    let rows = runs.map { run -> [String] in
      return [
        run.folder.id, run.state, time.minute(run.record.startedAt), Words.duration(run.seconds), run.review.map { Words.grouped($0.changes.count) } ?? "-",
        run.review.flatMap(\.usage.cost).map(Words.money) ?? "-", Words.line(run.record.request.title, 60),
      ]
    }
    let head = ["RUN", "STATE", "STARTED", "TOOK", "FILES", "COST", "TITLE"]
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String], _ paint: (Int, String) -> String) -> String {
      cells.indices.map { column in
        let padding = column == cells.count - 1 ? "" : String(repeating: " ", count: widths[column] - cells[column].count)
        return paint(column, cells[column]) + padding
      }.joined(separator: "  ")
    }
    let lines = [line(head) { style.dim($1) }] + rows.map { line($0) { $0 == 1 ? style.state($1) : $0 == 0 ? style.bold($1) : $1 } }
    return width.map { width in lines.map { Columns.fit($0, width) } } ?? lines
  }
}
