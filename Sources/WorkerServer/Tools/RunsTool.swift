import Foundation
import JSON
import MCP
import PosixSupport
import Runs

/// `opencode_runs`: the history.
struct RunsTool: Tool {
  let manager: RunManager

  let name = "opencode_runs"
  let description = "History of OpenCode runs, newest first."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("limit", .integer(1...100), "Default 10"),
    Parameter("cwd", .string, "Only runs in this folder"),
    Parameter("cursor", .string),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let (state, limit) = (manager.state, arguments.integer("limit") ?? 10)
    var cwd = arguments.string("cwd")
    if let given = cwd { cwd = try RunsTool.absolute(given, given.hasPrefix("/") ? nil : try await manager.workspace(of: context)) }
    let cursor = arguments.string("cursor")
    if let cursor, !RunID.isValid(cursor) {
      throw ToolError.badArgument("The cursor \"\(cursor.prefix(60))\" is not one of this list.", hint: "Pass nextCursor as it came.")
    }
    let ids: [String] = await onThread { [cwd] in
      state.runFolders().filter { folder in
        if let cursor, folder.id >= cursor { return false }
        return cwd == nil || folder.loadRecord()?.request.cwd == cwd
      }.prefix(limit + 1).map(\.id)
    }
    var rows: [JSONValue] = []
    var left = ReplyBound.limit - 512
    var next: String?
    for id in ids {
      guard rows.count < limit else {
        next = rows.last?["run"]?.string
        break
      }
      let row: JSONValue
      do {
        row = RunReply.historyRow(try await manager.snapshot(id))
      } catch let refusal as RunRefusal where refusal.code == .runDamaged {
        row = ["run": .string(id), "state": "damaged", "reason": .string(refusal.message)]
      } catch {
        continue
      }
      left -= row.bytes.count + 1
      if left < 0, !rows.isEmpty {
        next = rows.last?["run"]?.string
        break
      }
      rows.append(row)
    }
    var structured: JSONObject = ["runs": .array(rows), "count": JSONValue(rows.count)]
    if let next {
      structured["nextCursor"] = .string(next)
      if left < 0 { structured["cut"] = true }
    }
    return ToolReply(text: rows.isEmpty ? "No runs are kept." : "\(rows.count) runs.", structured: structured)
  }

  /// As runs have it; the folder may be gone by now.
  private static func absolute(_ path: String, _ workspace: String?) throws -> String {
    if path.hasPrefix("/") { return PrivateFiles.resolved(path) ?? path }
    return try StartPlan.resolve(path, workspace: workspace)
  }
}
