import JSON
import PosixSupport

/// What a tool may know of the call besides its arguments.
package struct CallContext: Sendable {
  package var client = ClientInfo()
  /// Codex's conversation.
  package var threadID: String?
  /// What the conversation shares with its sub-agents' ones.
  package var sessionID: String?
  /// Codex's own binary.
  package var codexExecutable: String?
  /// The folder that the caller says it works in: Codex with each call, a person by standing in it.
  package var workspace: String?
  /// Codex's sandbox for this conversation; nil where there is no word of one.
  package var sandbox: SandboxProfile?
  /// A person typed this call.
  package var isByHand = false
  package var progress: ProgressReporter?
  /// When the call came, on the clock of `Monotonic`.
  package var began = Monotonic.now
  /// nil where nobody can be asked.
  package var channel: ClientChannel?

  package init() {}

  package init(client: ClientInfo, meta: JSONValue?, progress: ProgressReporter?, channel: ClientChannel? = nil) {
    self.client = client
    self.progress = progress
    self.channel = channel
    threadID = meta?["threadId"]?.string
    sessionID = meta?["sessionId"]?.string
    codexExecutable = meta?[MetaKey.sandboxLauncher]?["codexExecutable"]?.string.flatMap(FileURL.path)
    let sandbox = meta?[MetaKey.sandboxState]
    workspace = sandbox?["sandboxCwd"]?.string.flatMap(FileURL.path)
    self.sandbox = sandbox.map { SandboxProfile($0["permissionProfile"]) }
  }

  /// Codex's sandbox for this conversation allows no writing.
  package var sandboxIsReadOnly: Bool { sandbox == .readOnly }
}

/// Codex's `permissionProfile`, as version 0.163 sends it.
package enum SandboxProfile: Sendable, Equatable {
  /// Nothing may be written.
  case readOnly
  /// Some places may be written, or it isn't understood.
  case limited
  /// There is none: Codex has full access.
  case disabled

  package init(_ profile: JSONValue?) {
    self = .limited
    if profile?["type"]?.string == "disabled" { self = .disabled }
    guard let profile, profile["type"]?.string == "managed", let files = profile["file_system"], files["type"]?.string == "restricted",
      let entries = files["entries"]?.array
    else { return }
    if !entries.contains(where: { $0["access"]?.string == "write" }) { self = .readOnly }
  }
}
