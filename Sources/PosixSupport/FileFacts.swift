import Foundation

/// What the file system knows of a path whose name may be any bytes. Symlinks aren't followed.
package struct FileFacts: Sendable, Equatable, Codable {
  package enum Kind: String, Sendable, Codable { case file, folder, link, other }

  package let kind: Kind
  package let executable: Bool
  package let size: Int64
  /// Nanoseconds since 1970; content last changed.
  package let modified: Int64
  /// Nanoseconds since 1970; content, name or attributes last changed. Programs can't set it.
  package let changed: Int64
  package let inode: UInt64

  /// Bytes that a file takes on the disk; its size says nothing of a sparse one. 0 if nothing is there.
  static func allocated(_ path: [UInt8]) -> Int64 {
    var info = stat()
    return withPath(path, { lstat($0, &info) }) == 0 ? Int64(info.st_blocks) * 512 : 0
  }

  /// nil if nothing is there (or its folder can't be searched).
  package static func of(_ path: [UInt8]) -> FileFacts? {
    var info = stat()
    guard withPath(path, { lstat($0, &info) }) == 0 else { return nil }
    return FileFacts(info)
  }

  /// Facts as they were written down before; what wasn't kept is 0.
  package init(kind: Kind, executable: Bool, size: Int64, modified: Int64) {
    self.kind = kind
    self.executable = executable
    self.size = size
    self.modified = modified
    changed = 0
    inode = 0
  }

  init(_ info: stat) {
    switch info.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .link
    default: kind = .other
    }
    executable = info.st_mode & 0o100 != 0
    size = Int64(info.st_size)
    inode = UInt64(info.st_ino)
    #if os(Linux)
      modified = nanoseconds(info.st_mtim)
      changed = nanoseconds(info.st_ctim)
    #else
      modified = nanoseconds(info.st_mtimespec)
      changed = nanoseconds(info.st_ctimespec)
    #endif
  }
}

/// File system calls on paths that may be any bytes.
package enum BytePaths {
  /// Whether a file can be opened for reading; never blocks on a FIFO.
  package static func canRead(_ path: [UInt8]) -> Bool {
    let fd = withPath(path) { openFile($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0) }
    guard fd >= 0 else { return false }
    _ = systemClose(fd)
    return true
  }

  /// The names in a folder, without `.` and `..`; no more than `limit`.
  /// - Throws: `PosixError`
  package static func names(in folder: [UInt8], limit: Int = .max) throws -> [[UInt8]] {
    guard let stream = withPath(folder, { opendir($0) }) else { throw PosixError("opendir", path: String(decoding: folder, as: UTF8.self)) }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while names.count < limit, let entry = readdir(stream) {
      // The record ends with the name: copying the whole type would read past the system's buffer.
      let start = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0).assumingMemoryBound(to: UInt8.self)
      let name = Array(UnsafeBufferPointer(start: start, count: strlen(start)))
      if name != [0x2e] && name != [0x2e, 0x2e] { names.append(name) }
    }
    return names
  }

  /// Sets a file's modification time, to the nanosecond.
  /// - Throws: `PosixError`
  package static func setModified(_ path: String, _ nanoseconds: Int64) throws {
    let time = timespec(tv_sec: time_t(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    let times = [time, time]
    if utimensat(AT_FDCWD, path, times, 0) != 0 { throw PosixError("utimensat", path: path) }
  }

  /// The path without symlinks, `.` and `..`; nil if it doesn't exist.
  package static func resolved(_ path: [UInt8]) -> [UInt8]? {
    guard let real = withPath(path, { realpath($0, nil) }) else { return nil }
    defer { free(real) }
    return real.withMemoryRebound(to: UInt8.self, capacity: 1) { Array(UnsafeBufferPointer(start: $0, count: strlen(real))) }
  }
}

private func nanoseconds(_ time: timespec) -> Int64 {
  let (whole, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
  return overflow ? (time.tv_sec < 0 ? .min : .max) : whole &+ Int64(time.tv_nsec)
}

private func strlen(_ text: UnsafePointer<UInt8>) -> Int {
  var count = 0
  while text[count] != 0 { count += 1 }
  return count
}

/// Calls with the path as a C string. A path with a NUL inside can't exist: it is cut there, as the system would.
func withPath<Value>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
  (path + [0]).withUnsafeBufferPointer { bytes in
    bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
  }
}
