import PosixSupport

extension GitSnapshot {
  package static let permissionsFile = "permissions"
  /// What files have unless somebody chose otherwise.
  static let usual: Set<UInt32> = [0o644, 0o755, 0o664, 0o775, 0o666, 0o777]

  /// Keeps the permissions of files that have unusual ones: git knows only whether a file is executable (and where it is told to look away, not even that:
  /// then 0644 alone is usual), and `undo` mustn't open what was closed.
  /// - Throws: `PosixError`
  package func notePermissions(_ paths: [PathBytes]) throws {
    let usual = ignoresFileMode ? [0o644] : GitSnapshot.usual
    var bytes: [UInt8] = []
    for path in paths {
      let full = WorkspacePath.join(root, path)
      guard let attributes = BytePaths.attributes(full), !usual.contains(attributes.permissions), FileFacts.of(full)?.kind == .file else { continue }
      bytes += Array("\(String(attributes.permissions, radix: 8)) ".utf8) + path + [0]
    }
    if !bytes.isEmpty { try PrivateFiles.replace("\(directory)/\(GitSnapshot.permissionsFile)", with: bytes) }
  }

  /// What `notePermissions` kept in a git directory of a run's.
  package static func permissions(in directory: String) -> [PathBytes: UInt32] {
    guard let bytes = try? PrivateFiles.read("\(directory)/\(permissionsFile)", limit: 256 << 20) else { return [:] }
    var found: [PathBytes: UInt32] = [:]
    for record in bytes.split(separator: 0) {
      let parts = record.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let number = UInt32(String(decoding: parts[0], as: UTF8.self), radix: 8) else { continue }
      found[PathBytes(parts[1])] = number
    }
    return found
  }
}
