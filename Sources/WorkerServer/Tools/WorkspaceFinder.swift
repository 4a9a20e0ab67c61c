import Foundation
import MCP
import PosixSupport
import Runs

/// The folder that a call is about when it doesn't name one: what the client says, then what the server's environment says, then the
/// server's own folder where that is somebody's work.
struct WorkspaceFinder: Sendable {
  let environment: [String: String]
  var ownFolder = FileManager.default.currentDirectoryPath

  enum Found: Sendable, Equatable {
    /// - Parameter remark: what the caller should know of the choice
    case folder(String, remark: String? = nil)
    /// Nobody said, or what was said is no folder here.
    case unknown(why: String? = nil)

    var folder: String? { if case .folder(let path, _) = self { path } else { nil } }
  }

  /// May ask the client.
  /// - Throws: what the client's channel throws
  func find(for context: CallContext) async throws -> Found {
    if let told = context.workspace { return .folder(told) }
    if let roots = try await context.channel?.roots() { return WorkspaceFinder.choose(roots) }
    for name in ["OPENCODE_WORKER_CWD", "CLAUDE_PROJECT_DIR"] {
      guard let value = environment[name], !value.isEmpty else { continue }
      guard value.hasPrefix("/"), PrivateFiles.isFolder(value) else {
        return .unknown(why: "\(name) is \"\(value.prefix(300))\", which is not the absolute path of a folder.")
      }
      return .folder(value)
    }
    // Codex tells its workspace; the folder of its server may be a plugin's.
    if context.client.kind != .codex, isWork(ownFolder) { return .folder(ownFolder) }
    return .unknown()
  }

  private static func choose(_ roots: [ClientRoot]) -> Found {
    var folders: [String] = []
    var others: [String] = []
    for root in roots {
      if let path = root.path.flatMap(PrivateFiles.resolved), PrivateFiles.isFolder(path) {
        if !folders.contains(path) { folders.append(path) }
      } else {
        others.append(String(root.uri.prefix(300)))
      }
    }
    let notFolders = others.isEmpty ? nil : "The client's root \(others.prefix(3).joined(separator: ", ")) is not a folder on this machine."
    switch folders.count {
    case 1: return .folder(folders[0], remark: notFolders)
    case 0: return .unknown(why: notFolders)
    default:
      let list = folders.prefix(5).joined(separator: ", ") + (folders.count > 5 ? ", ..." : "")
      return .unknown(why: "The client works in \(folders.count) folders: \(list).")
    }
  }

  /// Whether a folder lies in a git repository other than a whole home: else it is where the client happened to be started.
  private func isWork(_ folder: String) -> Bool {
    guard var path = PrivateFiles.resolved(folder) else { return false }
    let home = environment["HOME"].flatMap(PrivateFiles.resolved)
    while path != "/" {
      // A worktree's is a file; an empty folder may be what a sandbox has put there (`docs/facts/codex-client.md`).
      let git = path + "/.git"
      if PrivateFiles.exists(git), !PrivateFiles.isFolder(git) || PrivateFiles.exists(git + "/HEAD") { return path != home }
      path = (path as NSString).deletingLastPathComponent
    }
    return false
  }
}

extension RunManager {
  /// Where the caller works; nil when that isn't known.
  nonisolated func workspace(of context: CallContext) async throws -> String? {
    try await WorkspaceFinder(environment: environment).find(for: context).folder
  }
}
