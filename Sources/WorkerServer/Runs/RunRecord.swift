import Foundation
import OpenCode
import PosixSupport

/// What was asked of a run, as it was written into the staging folder.
struct RunRequest: Codable, Sendable {
  var message: String
  var cwd: String
  var title: String
  var model: String?
  var variant: String?
  var agent: String?
  /// The session that is continued.
  var session: String?
  var continueLast = false
  var fork = false
  var files: [String] = []
  var skipPermissions = false
  var permissions: String?
  /// Codex's sandbox was read-only, which is why `permissions` is.
  var sandboxIsReadOnly: Bool?
  /// OpenCode itself confirmed the rules that result from `permissions`; OpenCode 2 has no way to ask.
  var presetHolds: Bool?
  var acceptanceCriteria: [String] = []
  var verificationCommands: [String] = []
  /// Codex's conversation.
  var threadID: String?
  /// The OpenCode that carries it out.
  var installation: InstalledOpenCode
  /// OpenCode's arguments.
  var arguments: [String]
  /// git's path; nil when it isn't installed.
  var git: String?

  /// What the model reads: the message exactly, then the criteria and the commands under a heading each.
  var prompt: String {
    var text = message
    func add(_ heading: String, _ lines: [String]) {
      guard !lines.isEmpty else { return }
      text += (text.hasSuffix("\n") ? "\n" : "\n\n") + "## \(heading)\n\n" + lines.joined(separator: "\n") + "\n"
    }
    add("Acceptance criteria", acceptanceCriteria.map { "- \($0)" })
    guard !verificationCommands.isEmpty else { return text }
    add("Verification commands", verificationCommands.map { "- `\($0)`" } + ["", "Run each of them, exactly as written, after your last change."])
    return text
  }
}

/// An OpenCode as a record keeps it: a run stays with its own, whatever is installed meanwhile.
struct InstalledOpenCode: Codable, Sendable {
  var path: String
  var version: OpenCodeVersion
  var foundBy: String
  var isWrapper: Bool
  /// Of a native binary: whether it has been replaced.
  var stamp: FileStamp?

  init(_ installation: Installation) {
    path = installation.path
    stamp = installation.isWrapper ? nil : FileStamp(installation.path)
    version = installation.version
    foundBy = installation.foundBy
    isWrapper = installation.isWrapper
  }

  var installation: Installation { Installation(path: path, version: version, foundBy: foundBy, isWrapper: isWrapper) }

  /// The same program with the version that it has now; the recorded one when it doesn't tell.
  /// - Parameter deadline: seconds
  func asItIsNow(environment: [String: String], folder: String, deadline: Double) -> Installation {
    if let stamp, FileStamp(path) == stamp { return installation }
    return OpenCodeFinder.askAgain(installation, environment: environment, folder: folder, deadline: deadline) ?? installation
  }
}

extension RunDigest {
  /// The digest of a run that has printed nothing yet.
  init(_ request: RunRequest) {
    self.init(line: request.installation.version.line == .v1 ? .line1 : .line2, declaredCommands: request.verificationCommands)
  }
}

/// Written when a run is accepted.
struct RunRecord: Codable, Sendable {
  var id: String
  /// The name of the staging folder it came from.
  var staging: String
  /// Seconds since 1970.
  var startedAt: Double
  var request: RunRequest
}

/// Who OpenCode is, or that it never was.
struct ProcessRecord: Codable, Sendable {
  /// nil: nothing had been spawned when its supervisor was found dead, and nothing will be.
  var identity: ProcessIdentity?
}

/// The exit status on disk: 512 bytes that exist from the start, overwritten in place, so that a full disk can't lose it.
enum ExitRecord {
  static let size = 512

  struct Value: Sendable, Equatable {
    let status: ExitStatus
    /// Seconds since 1970.
    let at: Double
  }

  /// Creates the file, on the disk for certain.
  /// - Throws: `PosixError`
  static func create(_ path: String) throws {
    let file = try Descriptor.openPrivate(path, O_RDWR | O_TRUNC)
    defer { file.close() }
    try file.writeAll([UInt8](repeating: UInt8(ascii: "\n"), count: size))
    try file.sync()
  }

  /// - Throws: `PosixError`
  static func write(_ value: Value, to path: String) throws {
    if !PrivateFiles.exists(path) { try create(path) }
    let file = try Descriptor.open(path, O_RDWR)
    defer { file.close() }
    let (kind, number): (String, Int32) =
      switch value.status {
      case .exited(let code): ("exited", code)
      case .signaled(let number): ("signaled", number)
      }
    let text = "\(kind) \(number) \(value.at.bitPattern)"
    var bytes = Array("\(text) \(checksum(text))".utf8)
    bytes += [UInt8](repeating: UInt8(ascii: "\n"), count: size - bytes.count)
    try file.overwrite(bytes, at: 0)
    try file.sync()
  }

  /// nil: not written, or not whole.
  static func read(_ path: String) -> Value? {
    guard let bytes = try? PrivateFiles.read(path, limit: size) else { return nil }
    let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first?.split(separator: " ") ?? []
    guard words.count == 4, let number = Int32(words[1]), let bits = UInt64(words[2]),
      checksum(words[..<3].joined(separator: " ")) == words[3]
    else { return nil }
    switch words[0] {
    case "exited": return Value(status: .exited(number), at: Double(bitPattern: bits))
    case "signaled": return Value(status: .signaled(number), at: Double(bitPattern: bits))
    default: return nil
    }
  }

  /// FNV-1a.
  private static func checksum(_ text: String) -> String {
    String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }, radix: 16)
  }
}
