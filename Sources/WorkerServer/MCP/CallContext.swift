import Foundation
import JSONRPC

/// What a tool may know of the call besides its arguments.
struct CallContext: Sendable {
  var client = ClientInfo()
  /// Codex's conversation.
  var threadID: String?
  /// The folder that Codex works in.
  var workspace: String?
  /// Codex's sandbox for this conversation allows no writing.
  var sandboxIsReadOnly = false
  var progress: ProgressReporter?

  init() {}

  init(client: ClientInfo, meta: JSONValue?, progress: ProgressReporter?) {
    self.client = client
    self.progress = progress
    threadID = meta?["threadId"]?.string
    let sandbox = meta?[MetaKey.sandboxState]
    workspace = sandbox?["sandboxCwd"]?.string.flatMap(CallContext.path(fromURLOrPath:))
    sandboxIsReadOnly = SandboxProfile.isReadOnly(sandbox?["permissionProfile"])
  }

  /// Codex writes a `file://` URL or a plain path.
  static func path(fromURLOrPath text: String) -> String? {
    if text.hasPrefix("/") { return text }
    guard let url = URL(string: text), url.isFileURL, url.path.hasPrefix("/") else { return nil }
    return url.path
  }
}

/// Codex's `permissionProfile`, as version 0.163 sends it.
enum SandboxProfile {
  /// Whether nothing may be written. A profile that isn't understood doesn't count as read-only.
  static func isReadOnly(_ profile: JSONValue?) -> Bool {
    guard let profile, profile["type"]?.string == "managed", let files = profile["file_system"], files["type"]?.string == "restricted",
      let entries = files["entries"]?.array
    else { return false }
    return !entries.contains { $0["access"]?.string == "write" }
  }
}
