import Foundation

/// Files and folders that only their owner may read: folders 0700, files 0600.
package enum PrivateFiles {
  /// Creates `path` and what is missing above it; an existing folder is kept as it is.
  /// - Throws: `PosixError`
  package static func createFolder(_ path: String) throws {
    if make(path) { return }
    switch errno {
    case EEXIST:
      guard isFolder(path) else { throw PosixError("mkdir", path: path, code: ENOTDIR) }
    case ENOENT:
      let parent = (path as NSString).deletingLastPathComponent
      guard parent != path, !parent.isEmpty else { throw PosixError("mkdir", path: path, code: ENOENT) }
      try createFolder(parent)
      if !make(path), errno != EEXIST { throw PosixError("mkdir", path: path) }
    default:
      throw PosixError("mkdir", path: path)
    }
  }

  /// The umask may forbid even the owner what he needs.
  private static func make(_ folder: String) -> Bool {
    guard mkdir(folder, 0o700) == 0 else { return false }
    chmod(folder, 0o700)
    return true
  }

  /// Writes a new file beside `path` and renames it over it: a reader sees the old content or the new, never a part.
  /// - Parameter durable: also flushed to the disk before the rename
  /// - Throws: `PosixError`; the old file is then unharmed
  package static func replace(_ path: String, with bytes: some ContiguousBytes, durable: Bool = false, mode: mode_t = 0o600) throws {
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    do {
      let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
      defer { file.close() }
      if fchmod(file.raw, mode) != 0 { throw PosixError("fchmod", path: temporary) }
      try file.writeAll(bytes)
      if durable { try file.sync() }
    } catch {
      unlink(temporary)
      throw error
    }
    if rename(temporary, path) != 0 {
      let failure = PosixError("rename", path: path)
      unlink(temporary)
      throw failure
    }
  }

  /// Writes to a name that a person chose: a plain file is replaced, also behind a symlink, which stays; a device or a FIFO is written to.
  /// - Throws: `PosixError`
  package static func write(_ path: String, _ bytes: some ContiguousBytes) throws {
    var (own, target) = (stat(), stat())
    guard lstat(path, &own) == 0 else { return try replace(path, with: bytes) }
    let leadsSomewhere = stat(path, &target) == 0
    if leadsSomewhere, target.st_mode & S_IFMT == S_IFREG, let real = resolved(path) { return try replace(real, with: bytes) }
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY)
    defer { file.close() }
    try file.writeAll(bytes)
  }

  /// Creates `path` with `bytes`, complete from the first moment that it can be seen.
  /// - Returns: false if `path` exists already: then nothing was done
  /// - Throws: `PosixError`
  package static func createOnce(_ path: String, with bytes: some ContiguousBytes) throws -> Bool {
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    defer { unlink(temporary) }
    let file = try Descriptor.openPrivate(temporary, O_WRONLY | O_EXCL)
    defer { file.close() }
    try file.writeAll(bytes)
    try file.sync()
    if link(temporary, path) == 0 { return true }
    if errno == EEXIST { return false }
    throw PosixError("link", path: path)
  }

  /// The whole content of a plain file. Never waits: whoever can write in the folder may have put a FIFO there.
  /// - Throws: `PosixError`, also when the file is larger than `limit` bytes or isn't a plain one
  package static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
    let file = try Descriptor.openPlainFile(path)
    defer { file.close() }
    let size = try file.size()
    guard size <= limit else { throw PosixError("read", path: path, code: EFBIG, reason: "\(size) bytes, more than \(limit)") }
    return try file.bytes(limit: Int(size))
  }

  /// The last bytes of a plain file.
  /// - Throws: `PosixError`
  package static func readEnd(_ path: String, limit: Int) throws -> [UInt8] {
    let file = try Descriptor.openPlainFile(path)
    defer { file.close() }
    let size = try file.size()
    return try file.bytes(at: max(0, size - Int64(limit)), limit: Int(min(size, Int64(limit))))
  }

  /// Keeps what a file holds under another name, for a file that is only ever replaced as a whole: as a second name for it, or as a copy where the
  /// file system has no such names.
  /// - Throws: `PosixError`
  package static func keep(_ path: String, as target: String, limit: Int) throws {
    unlink(target)
    if link(path, target) != 0 { try copy(path, to: target, limit: limit) }
  }

  /// Copies a plain file without holding it in memory.
  /// - Throws: `PosixError`, also when it is larger than `limit` bytes
  package static func copy(_ path: String, to target: String, limit: Int) throws {
    let source = try Descriptor.openPlainFile(path)
    defer { source.close() }
    let size = try source.size()
    guard size <= limit else { throw PosixError("read", path: path, code: EFBIG, reason: "\(size) bytes, more than \(limit)") }
    unlink(target)
    let copy = try Descriptor.openPrivate(target, O_WRONLY | O_EXCL)
    defer { copy.close() }
    var offset: Int64 = 0
    while offset < size {
      let part = try source.bytes(at: offset, limit: Int(min(size - offset, 1 << 20)))
      if part.isEmpty { break }
      try copy.writeAll(part)
      offset += Int64(part.count)
    }
  }

  /// The user that a file or folder belongs to, when it isn't this process's own; symlinks followed.
  package static func foreignOwner(_ path: String) -> UInt32? {
    var info = stat()
    return stat(path, &info) == 0 && info.st_uid != geteuid() ? info.st_uid : nil
  }

  package static func exists(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0
  }

  /// Follows symlinks.
  package static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// A regular file that may be executed (symlinks followed).
  package static func isExecutable(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
  }

  /// The path without symlinks, `.` and `..`; nil if it doesn't exist.
  package static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  /// An absolute path without empty parts, `.` and `..`, whatever is there. (Foundation's `standardizingPath` strips `/private` on Darwin.)
  package static func lexical(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Bytes that an unprivileged process may still write to the file system of `path`.
  package static func freeSpace(_ path: String) -> Int64? {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else { return nil }
    return Int64(info.f_bavail) * Int64(info.f_frsize)
  }
}
