import Foundation
import OpenCode
import PosixSupport

/// What was asked of a run, as it was written into the staging folder.
@dynamicMemberLookup
package struct RunRequest: Codable, Sendable {
  /// Settled: the folder resolved, the title made, the session found.
  package var start: StartArguments
  /// Codex's sandbox was read-only, which is why the preset is.
  package var sandboxIsReadOnly: Bool?
  /// OpenCode itself confirmed the rules that result from the preset.
  package var presetHolds: Bool?
  /// What about the preset isn't known, or had to be left out.
  package var presetRemark: String?
  /// Configuration files that OpenCode 2 passes over in silence, and why.
  package var ignoredConfiguration: [String]?
  /// Codex's conversation.
  package var threadID: String?
  /// The session that the conversation shares with its sub-agents' ones.
  package var sessionID: String?
  /// How Codex is told of the end; nil: it isn't.
  package var wake: WakeCall?
  /// The OpenCode that carries it out.
  package var installation: InstalledOpenCode
  /// OpenCode's arguments.
  package var arguments: [String]
  /// git's path; nil when it isn't installed.
  package var git: String?
  /// The name of OpenCode's shell, where its language isn't read.
  package var unreadShell: String?

  package init(
    start: StartArguments, sandboxIsReadOnly: Bool? = nil, presetHolds: Bool? = nil, presetRemark: String? = nil, ignoredConfiguration: [String]? = nil,
    threadID: String? = nil, sessionID: String? = nil, wake: WakeCall? = nil, installation: InstalledOpenCode, arguments: [String], git: String? = nil,
    unreadShell: String? = nil
  ) {
    self.start = start
    self.sandboxIsReadOnly = sandboxIsReadOnly
    self.presetHolds = presetHolds
    self.presetRemark = presetRemark
    self.ignoredConfiguration = ignoredConfiguration
    self.threadID = threadID
    self.sessionID = sessionID
    self.wake = wake
    self.installation = installation
    self.arguments = arguments
    self.git = git
    self.unreadShell = unreadShell
  }

  /// The folder that OpenCode works in.
  package var cwd: String { start.cwd ?? "/" }
  package var title: String { start.title ?? "" }

  /// The OpenCode that can be asked now: an upgrade during the run may have put another in its place. Blocks while its version is asked.
  package func client(environment: [String: String], deadline: Deadline, leash: Leash? = nil) -> OpenCodeClient {
    let now = installation.asItIsNow(environment: environment, folder: cwd, deadline: deadline)
    var client = OpenCodeClient(now, folder: cwd, environment: environment)
    client.leash = leash
    return client
  }

  package subscript<Value>(dynamicMember argument: KeyPath<StartArguments, Value>) -> Value { start[keyPath: argument] }

  /// What the model reads: the message exactly, then the criteria and the commands under a heading each, then what every run must know.
  package var prompt: String {
    var text = start.message
    func add(_ heading: String, _ lines: [String]) {
      guard !lines.isEmpty else { return }
      text += (text.hasSuffix("\n") ? "\n" : "\n\n") + "## \(heading)\n\n" + lines.joined(separator: "\n") + "\n"
    }
    add("Acceptance criteria", start.acceptanceCriteria.map { "- \($0)" })
    if !start.verificationCommands.isEmpty {
      add("Verification commands", start.verificationCommands.map { "- `\($0)`" } + ["", "Run each of them, exactly as written, after your last change."])
    }
    add("This run", ["Nobody can answer you: don't ask, decide, and say what you decided. Finish with what is left."])
    return text
  }
}

extension RunRequest {
  private enum CodingKeys: String, CodingKey {
    case sandboxIsReadOnly, presetHolds, presetRemark, ignoredConfiguration, threadID, sessionID, wake, installation, arguments, git, unreadShell
  }
  /// As requests of version 1.0.0 called it.
  private enum FormerKeys: String, CodingKey { case skipPermissions }

  /// The arguments stand beside the other members, as they always did.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    start = try StartArguments(from: decoder)
    let former = try decoder.container(keyedBy: FormerKeys.self)
    if try former.decodeIfPresent(Bool.self, forKey: .skipPermissions) == true { start.dangerouslySkipPermissions = true }
    sandboxIsReadOnly = try values.decodeIfPresent(Bool.self, forKey: .sandboxIsReadOnly)
    presetHolds = try values.decodeIfPresent(Bool.self, forKey: .presetHolds)
    presetRemark = try values.decodeIfPresent(String.self, forKey: .presetRemark)
    ignoredConfiguration = try values.decodeIfPresent([String].self, forKey: .ignoredConfiguration)
    threadID = try values.decodeIfPresent(String.self, forKey: .threadID)
    sessionID = try values.decodeIfPresent(String.self, forKey: .sessionID)
    wake = try values.decodeIfPresent(WakeCall.self, forKey: .wake)
    installation = try values.decode(InstalledOpenCode.self, forKey: .installation)
    arguments = try values.decode([String].self, forKey: .arguments)
    git = try values.decodeIfPresent(String.self, forKey: .git)
    unreadShell = try values.decodeIfPresent(String.self, forKey: .unreadShell)
  }

  package func encode(to encoder: any Encoder) throws {
    try start.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encodeIfPresent(sandboxIsReadOnly, forKey: .sandboxIsReadOnly)
    try values.encodeIfPresent(presetHolds, forKey: .presetHolds)
    try values.encodeIfPresent(presetRemark, forKey: .presetRemark)
    try values.encodeIfPresent(ignoredConfiguration, forKey: .ignoredConfiguration)
    try values.encodeIfPresent(threadID, forKey: .threadID)
    try values.encodeIfPresent(sessionID, forKey: .sessionID)
    try values.encodeIfPresent(wake, forKey: .wake)
    try values.encode(installation, forKey: .installation)
    try values.encode(arguments, forKey: .arguments)
    try values.encodeIfPresent(git, forKey: .git)
    try values.encodeIfPresent(unreadShell, forKey: .unreadShell)
  }
}

/// An OpenCode as a record keeps it: a run stays with its own, whatever is installed meanwhile.
package struct InstalledOpenCode: Codable, Sendable {
  package var path: String
  package var version: OpenCodeVersion
  package var foundBy: String
  package var isWrapper: Bool
  /// Of a native binary: whether it has been replaced.
  package var stamp: FileStamp?

  package init(_ installation: Installation) {
    path = installation.path
    stamp = installation.isWrapper ? nil : FileStamp(installation.path)
    version = installation.version
    foundBy = installation.foundBy
    isWrapper = installation.isWrapper
  }

  package var installation: Installation { Installation(path: path, version: version, foundBy: foundBy, isWrapper: isWrapper) }

  /// The same program with the version that it has now; the recorded one when it doesn't tell.
  package func asItIsNow(environment: [String: String], folder: String, deadline: Deadline) -> Installation {
    if let stamp, FileStamp(path) == stamp { return installation }
    return OpenCodeFinder.askAgain(installation, environment: environment, folder: folder, deadline: deadline) ?? installation
  }
}

extension RunDigest {
  /// The digest of a run that has printed nothing yet.
  package init(_ request: RunRequest) {
    self.init(generation: request.installation.version.generation, declaredCommands: request.verificationCommands, workspace: request.cwd)
  }
}

/// Written when a run is accepted.
package struct RunRecord: Codable, Sendable {
  package var id: String
  /// The name of the staging folder it came from.
  package var staging: String
  /// Seconds since 1970.
  package var startedAt: Double
  /// The same moment on a clock that nobody sets; a record of version 1.0.0 has none.
  package var startedSinceBoot: SinceBoot?
  package var request: RunRequest
  /// Its file is damaged: this is what the run's request and its id tell. Never written.
  package var isMadeGood = false

  private enum CodingKeys: CodingKey { case id, staging, startedAt, startedSinceBoot, request }
}

/// Who OpenCode is, or that it never was.
package struct ProcessRecord: Codable, Sendable {
  /// nil: nothing had been spawned when its supervisor was found dead, and nothing will be.
  package var identity: ProcessIdentity?
}

/// The exit status on disk: 512 bytes that exist from the start, overwritten in place, so that a full disk can't lose it.
package enum ExitRecord {
  package static let size = 512

  package struct Value: Sendable, Equatable {
    /// `exited`, `signaled` or `spawnFailed`.
    package let end: RunEnd
    /// Seconds since 1970.
    package let at: Double

    package init(end: RunEnd, at: Double) {
      self.end = end
      self.at = at
    }

    package init(status: ExitStatus, at: Double) { self.init(end: RunEnd(status), at: at) }
  }

  /// Bytes of a reason: it must fit into the file's own blocks.
  private static let longestReason = 200

  /// Creates the file, on the disk for certain.
  /// - Throws: `PosixError`
  package static func create(_ path: String) throws {
    let file = try Descriptor.openPrivate(path, O_RDWR | O_TRUNC)
    defer { file.close() }
    try file.writeAll([UInt8](repeating: UInt8(ascii: "\n"), count: size))
    try file.sync()
  }

  /// - Throws: `PosixError`
  package static func write(_ value: Value, to path: String) throws {
    // Whatever else has got this name can't be written: it makes way.
    if FileFacts.of(Array(path.utf8))?.kind != .file {
      unlink(path)
      rmdir(path)
      try create(path)
    }
    let file = try Descriptor.open(path, O_RDWR | O_NONBLOCK)
    defer { file.close() }
    let words: String =
      switch value.end {
      case .exited(let code): "exited \(code)"
      case .signaled(let number): "signaled \(number)"
      case .spawnFailed(let reason): "failed \(reason.utf8.prefix(longestReason).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())"
      case .notSeen, .neverStarted: throw PosixError("write", path: path, code: EINVAL)
      }
    let text = "\(words) \(value.at.bitPattern)"
    var bytes = Array("\(text) \(checksum(text))".utf8)
    bytes += [UInt8](repeating: UInt8(ascii: "\n"), count: size - bytes.count)
    try file.overwrite(bytes, at: 0)
    try file.sync()
  }

  /// nil: not written, or not whole.
  package static func read(_ path: String) -> Value? {
    guard let bytes = try? PrivateFiles.read(path, limit: size) else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first?.split(separator: " ") ?? []
    guard words.count == 4, let bits = UInt64(words[2]), checksum(words[..<3].joined(separator: " ")) == words[3] else { return nil }
    let at = Double(bitPattern: bits)
    if words[0] == "failed" {
      let digits = Array(words[1].utf8)
      let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16) }
      return Value(end: .spawnFailed(String(decoding: bytes, as: UTF8.self)), at: at)
    }
    guard let number = Int32(words[1]) else { return nil }
    switch words[0] {
    case "exited": return Value(status: .exited(number), at: at)
    case "signaled": return Value(status: .signaled(number), at: at)
    default: return nil
    }
  }

  /// FNV-1a.
  private static func checksum(_ text: String) -> String {
    String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }, radix: 16)
  }
}

extension RunRecord {
  /// Whether a folder isn't in the run's workspace by where its links lead; true also when it can't be looked at.
  /// - Parameter folder: relative to the workspace, or absolute
  func isOutside(_ folder: String) -> Bool {
    let path = folder.hasPrefix("/") ? folder : request.cwd + "/" + folder
    // On a file system that doesn't answer it isn't known either.
    guard let root = PrivateFiles.resolved(request.cwd), let real = Begun({ PrivateFiles.resolved(path) }).value(deadline: .after(5)) ?? nil else {
      return true
    }
    return !ProgramFinder.holds(root, real)
  }
}
