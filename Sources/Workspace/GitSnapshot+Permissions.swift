import PosixSupport

extension GitSnapshot {
  package static let permissionsFile = "permissions"
  /// Keeps the permissions of files that a new file wouldn't have: git knows only whether a file is executable, and `undo` mustn't open what was
  /// closed. One `lstat` a file: 20,000 take some tens of milliseconds, beside git's own.
  /// - Returns: records for `keepPermissions`
  package func unusualPermissions(_ paths: some Sequence<PathBytes>) -> [UInt8] {
    let usual: Set<UInt32> = [0o666 & ~FileMask.current, 0o777 & ~FileMask.current]
    var bytes: [UInt8] = []
    for path in paths {
      guard let permissions = BytePaths.permissions(ofFile: WorkspacePath.join(root, path)), !usual.contains(permissions) else { continue }
      bytes += Array("\(String(permissions, radix: 8)) ".utf8) + path + [0]
    }
    return bytes
  }

  /// - Throws: `PosixError`
  package func keepPermissions(_ records: [UInt8]) throws {
    // Without a path: what the others have, whoever undoes it with whichever mask.
    let usual = Array("\(String(0o777 & ~FileMask.current, radix: 8)) ".utf8) + [0]
    try PrivateFiles.replace("\(directory)/\(GitSnapshot.permissionsFile)", with: usual + records)
  }

  /// What `keepPermissions` kept in a git directory of a run's: of files, and for an empty path of all others where they are executable. (Older
  /// versions kept those of uncommitted files only, and nothing of the others.)
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
