import Foundation
import JSON

/// What a tool may know of the call besides its arguments.
package struct CallContext: Sendable {
  package var client = ClientInfo()
  /// Codex's conversation.
  package var threadID: String?
  /// What the conversation shares with its sub-agents' ones.
  package var sessionID: String?
  /// Codex's own binary.
  package var codexExecutable: String?
  /// The folder that Codex works in.
  package var workspace: String?
  /// Codex's sandbox for this conversation allows no writing.
  package var sandboxIsReadOnly = false
  package var progress: ProgressReporter?

  package init() {}

  package init(client: ClientInfo, meta: JSONValue?, progress: ProgressReporter?) {
    self.client = client
    self.progress = progress
    threadID = meta?["threadId"]?.string
    sessionID = meta?["sessionId"]?.string
    codexExecutable = meta?[MetaKey.sandboxLauncher]?["codexExecutable"]?.string.flatMap(CallContext.path(fromURLOrPath:))
    let sandbox = meta?[MetaKey.sandboxState]
    workspace = sandbox?["sandboxCwd"]?.string.flatMap(CallContext.path(fromURLOrPath:))
    sandboxIsReadOnly = SandboxProfile.isReadOnly(sandbox?["permissionProfile"])
  }

  /// Codex writes a `file://` URL or a plain path.
  package static func path(fromURLOrPath text: String) -> String? {
    if text.hasPrefix("/") { return text }
    guard let url = URL(string: text), url.isFileURL, url.path.hasPrefix("/") else { return nil }
    return url.path
  }
}

/// Codex's `permissionProfile`, as version 0.163 sends it.
package enum SandboxProfile {
  /// Whether nothing may be written. A profile that isn't understood doesn't count as read-only.
  package static func isReadOnly(_ profile: JSONValue?) -> Bool {
    guard let profile, profile["type"]?.string == "managed", let files = profile["file_system"], files["type"]?.string == "restricted",
      let entries = files["entries"]?.array
    else { return false }
    return !entries.contains { $0["access"]?.string == "write" }
  }
}
