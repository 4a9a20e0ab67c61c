import Foundation
import JSON
import MCP
import PosixSupport
import Runs
import Text
import Workspace

/// `opencode_changed_files`: what changed while the run was alive.
struct ChangedFilesTool: Tool {
  let manager: RunManager

  let name = "opencode_changed_files"
  let description =
    "Files that an OpenCode run changed, dirty tree or not; patch: its own diff. With cwd: uncommitted changes against HEAD."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("run", .string, "Default: the live or latest"),
    Parameter("patch", .bool, "The diff of paths (default all)"),
    Parameter("paths", .strings, "Files or folders, relative to root"),
    Parameter("cwd", .string, "Instead of a run"),
    Parameter("cursor", .string),
  ]

  /// Seconds for git.
  private static let seconds = 10.0
  private static let patchBytes = 5 << 10

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let wants = Wants(
      paths: arguments.strings("paths") ?? [], patch: arguments.bool("patch") ?? false, offset: try ChangedFilesTool.offset(arguments.string("cursor")))
    if let cwd = arguments.string("cwd") {
      guard arguments.string("run") == nil else { throw ToolError.badArgument("\"run\" and \"cwd\" are both given.", hint: "Pass one of them.") }
      return try await uncommitted(cwd, wants, context)
    }
    guard let run = try await manager.resolve(arguments.string("run"), thread: context.threadID) else {
      guard let workspace = try await manager.workspace(of: context) else { return RunReply.none }
      return try await uncommitted(workspace, wants, context)
    }
    return try await changes(of: run, wants)
  }

  private struct Wants: Sendable {
    let paths: [String]
    let patch: Bool
    let offset: Int
  }

  private static func offset(_ cursor: String?) throws -> Int {
    guard let cursor else { return 0 }
    guard let offset = Int(cursor), (0...(1 << 40)).contains(offset) else {
      throw ToolError.badArgument(
        "The cursor \"\(cursor.prefix(60))\" is not one of this list.", hint: "Pass nextCursor as it came, with the same paths and patch.")
    }
    return offset
  }

  private func git(for folder: String) -> String? { ProgramFinder.locate("git", path: manager.environment["PATH"], workspace: folder) }

  private func changes(of run: RunSnapshot, _ wants: Wants) async throws -> ToolReply {
    var reply = RunReply.brief(run)
    guard let review = run.review else {
      // The comparison is made at the end; until then only what OpenCode's own tools named is known.
      let named = run.digest.namedFiles.sorted
      reply.structured["files"] = .array(named.prefix(40).map { ["path": .string($0), "byTool": true] })
      if named.count > 40 || run.digest.namedFiles.isCut { reply.structured["cut"] = true }
      reply.structured["exact"] = false
      reply.structured["why"] = "the run is still alive: these are the files that its edit and write tools named so far"
      return reply
    }
    let (folder, git) = (run.folder, git(for: run.record.request.cwd))
    return try await onThread { [reply] in
      var reply = reply
      guard let changes = Stored.load(ChangedFiles.self, from: folder.changes) else {
        // Worked out or damaged: the review's own rows are all there is.
        reply.structured.merge(RunReply.changes(review.changes).object ?? [:])
        return reply
      }
      if wants.patch { return try ChangedFilesTool.withPatch(reply, changes, wants, folder.path, git) }
      reply = ChangedFilesTool.withRows(reply, changes, wants)
      if let since = changes.changedSince(runFolder: folder.path, git: git, deadline: .after(5)) {
        if !since.isEmpty { reply.structured["changedSince"] = JSONValue(strings: Array(since.prefix(20))) }
        if since.count > 20 { reply.structured["changedSinceCount"] = JSONValue(since.count) }
      } else {
        let attention = (reply.structured["attention"]?.array ?? []) + ["changedSince is not known: there was not enough time to look"]
        reply.structured["attention"] = .array(attention)
      }
      return reply
    }
  }

  private func uncommitted(_ path: String, _ wants: Wants, _ context: CallContext) async throws -> ToolReply {
    let folder = try StartPlan.resolve(path, workspace: path.hasPrefix("/") ? nil : try await manager.workspace(of: context))
    let git = git(for: folder)
    return try await onThread {
      let reply = ToolReply(text: "Uncommitted changes of \(folder).", structured: ["cwd": .string(folder)])
      do {
        return try ChangedFiles.withUncommitted(cwd: folder, git: git, deadline: .after(ChangedFilesTool.seconds)) { changes, scratch in
          wants.patch ? try ChangedFilesTool.withPatch(reply, changes, wants, scratch, git) : ChangedFilesTool.withRows(reply, changes, wants)
        }
      } catch let error as WorkspaceError where "\(error)".hasPrefix("not in a git repository") {
        throw ToolError.badArgument("\(folder) is not in a git repository.", hint: "Without \"cwd\" the changes of a run are shown, in any folder.")
      } catch let error as WorkspaceError {
        throw ToolError.badArgument(
          "The changes of \(folder) can't be told: \(error).", hint: "It must be a folder in a git repository, and git must be installed.")
      }
    }
  }

  private static func withRows(_ reply: ToolReply, _ changes: ChangedFiles, _ wants: Wants) -> ToolReply {
    var reply = reply
    var structured = JSONObject()
    structured["root"] = .string(changes.root)
    structured["basis"] = changes.basis.map { .string($0) }
    structured["exact"] = .bool(changes.exact)
    structured["why"] = changes.why.map { .string(TextCut.headAndTail($0, bytes: 600)) }
    structured["counts"] = RunReply.counts(changes.counts)
    if wants.offset == 0 {
      if !changes.commits.isEmpty {
        structured["commits"] = .array(
          changes.commits.prefix(10).map { commit in
            var row: JSONObject = ["id": .string(commit.id), "subject": .string(TextCut.prefix(commit.subject, bytes: 120))]
            row["repository"] = commit.repository.map { .string($0) }
            return .object(row)
          })
        if changes.commitCount > 10 { structured["commitCount"] = JSONValue(changes.commitCount) }
      }
      if changes.basis == nil, changes.switchedBranch {
        structured["branch"] = ["before": .string(changes.branchBefore ?? "(none)"), "after": .string(changes.branchAfter ?? "(none)")]
      }
    }
    reply.structured.merge(structured)
    let wanted = wants.paths.isEmpty ? changes.files : changes.rows(at: wants.paths).rows
    let room = ReplyBound.limit - JSONValue.object(reply.structured).bytes.count - 1200
    ReplyBound.add(wanted.lazy.map { RunReply.changedFile($0) }, as: "files", from: wants.offset, bytes: room, to: &reply.structured)
    return reply
  }

  private static func withPatch(_ reply: ToolReply, _ changes: ChangedFiles, _ wants: Wants, _ folder: String, _ git: String?) throws -> ToolReply {
    var reply = reply
    do {
      // Escaping can double a page; what wouldn't fit is asked for again, shorter.
      var limit = patchBytes
      while true {
        let page = try changes.patch(paths: wants.paths, runFolder: folder, git: git, offset: wants.offset, limit: limit, deadline: .after(seconds))
        let room = ReplyBound.limit - JSONValue.object(reply.structured).bytes.count - 200
        if JSONValue.string(page.text).bytes.count > room, limit > 64 {
          limit /= 2
          continue
        }
        reply.structured["root"] = .string(changes.root)
        reply.structured["patch"] = .string(page.text)
        if let next = page.nextOffset {
          reply.structured["cut"] = true
          reply.structured["nextCursor"] = .string("\(next)")
        }
        if page.text.isEmpty, wants.offset == 0, changes.exact {
          let nothing = changes.basis == nil ? "the run changed no file" : "nothing is uncommitted"
          reply.structured["why"] = .string(changes.files.isEmpty ? nothing : "these changes have no lines to show")
        }
        if !changes.exact {
          reply.structured["exact"] = false
          reply.structured["why"] = changes.why.map { .string(TextCut.headAndTail($0, bytes: 300)) }
        }
        return reply
      }
    } catch let error as WorkspaceError {
      throw ToolError.badArgument("The diff can't be shown: \(error).", hint: "Without \"patch\" the list of files is shown; paths are as it has them.")
    }
  }
}
