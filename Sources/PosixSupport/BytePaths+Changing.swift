import Foundation

/// Changing what lies under paths that may be any bytes. Symlinks at the end of a path aren't followed.
extension BytePaths {
  /// What a file that takes another's place should take over.
  package struct Attributes: Sendable, Equatable {
    /// The twelve bits that `chmod` sets.
    package let permissions: UInt32
    package let owner: UInt32
    package let group: UInt32
    /// How many names the file has.
    package let names: Int
  }

  package static func attributes(_ path: [UInt8]) -> Attributes? {
    var info = stat()
    guard withPath(path, { lstat($0, &info) }) == 0 else { return nil }
    return Attributes(permissions: UInt32(info.st_mode & 0o7777), owner: info.st_uid, group: info.st_gid, names: Int(info.st_nlink))
  }

  /// Nanoseconds since 1970; when the file or folder was made. nil: the file system doesn't tell.
  package static func born(_ path: [UInt8]) -> Int64? {
    #if os(Linux)
      // `struct statx` has a fixed layout of 256 bytes: the mask of what was told at 0, the time of birth at 80.
      typealias Statx = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UInt32, UnsafeMutableRawPointer) -> Int32
      guard let symbol = dlsym(nil, "statx") else { return nil }
      let statx = unsafeBitCast(symbol, to: Statx.self)
      let (birth, noFollow): (UInt32, Int32) = (0x800, 0x100)
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
      defer { memory.deallocate() }
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      guard withPath(path, { statx(AT_FDCWD, $0, noFollow, birth, memory.baseAddress!) }) == 0,
        memory.load(fromByteOffset: 0, as: UInt32.self) & birth != 0
      else { return nil }
      return memory.load(fromByteOffset: 80, as: Int64.self) &* 1_000_000_000 &+ Int64(memory.load(fromByteOffset: 88, as: UInt32.self))
    #else
      var info = stat()
      guard withPath(path, { lstat($0, &info) }) == 0 else { return nil }
      return Int64(info.st_birthtimespec.tv_sec) &* 1_000_000_000 &+ Int64(info.st_birthtimespec.tv_nsec)
    #endif
  }

  /// Opens a plain file for reading, or makes a new one for writing (`O_CREAT | O_EXCL`).
  /// - Throws: `PosixError`
  package static func open(_ path: [UInt8], _ flags: Int32, mode: UInt32 = 0o600) throws -> Descriptor {
    while true {
      let fd = withPath(path) { openFile($0, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode_t(mode)) }
      if fd >= 0 { return Descriptor(raw: fd) }
      if errno != EINTR { throw failure("open", path) }
    }
  }

  /// - Throws: `PosixError`
  package static func target(ofLink path: [UInt8]) throws -> [UInt8] {
    var size = 256
    while size <= 1 << 20 {
      var memory = [CChar](repeating: 0, count: size)
      let count = withPath(path) { readlink($0, &memory, size) }
      if count < 0 { throw failure("readlink", path) }
      if count < size { return memory[..<count].map { UInt8(bitPattern: $0) } }
      size *= 4
    }
    throw PosixError("readlink", path: String(decoding: path, as: UTF8.self), code: ENAMETOOLONG)
  }

  /// - Throws: `PosixError`, also when something has that name
  package static func makeLink(_ path: [UInt8], to target: [UInt8]) throws {
    try check("symlink", path, withPath(target) { target in withPath(path) { symlink(target, $0) } })
  }

  /// - Throws: `PosixError`, also when something has that name
  package static func makeFolder(_ path: [UInt8], permissions: UInt32 = 0o777) throws {
    try check("mkdir", path, withPath(path) { mkdir($0, mode_t(permissions)) })
  }

  /// Deletes a file or a symlink.
  /// - Throws: `PosixError`
  package static func remove(_ path: [UInt8]) throws { try check("unlink", path, withPath(path) { unlink($0) }) }

  /// Deletes an empty folder.
  /// - Throws: `PosixError`
  package static func removeFolder(_ path: [UInt8]) throws { try check("rmdir", path, withPath(path) { rmdir($0) }) }

  /// - Throws: `PosixError`; then both are as they were
  package static func move(_ path: [UInt8], to target: [UInt8]) throws {
    try check("rename", target, withPath(path) { path in withPath(target) { rename(path, $0) } })
  }

  /// Whether what lies in a folder can be reached.
  package static func mayEnter(_ folder: [UInt8]) -> Bool { withPath(folder) { access($0, X_OK) } == 0 }

  /// Whether a name can be added to or taken from a folder.
  package static func mayChange(_ folder: [UInt8]) -> Bool { withPath(folder) { access($0, W_OK | X_OK) } == 0 }

  private static func check(_ operation: String, _ path: [UInt8], _ result: Int32) throws {
    if result != 0 { throw failure(operation, path) }
  }

  private static func failure(_ operation: String, _ path: [UInt8]) -> PosixError {
    PosixError(operation, path: String(decoding: path, as: UTF8.self))
  }
}

extension Descriptor {
  /// Gives an open file permissions and an owner.
  /// - Throws: `PosixError`
  package func set(permissions: UInt32, owner: UInt32, group: UInt32) throws {
    var info = stat()
    guard fstat(raw, &info) == 0 else { throw PosixError("fstat") }
    if info.st_uid != owner || info.st_gid != group, fchown(raw, owner, group) != 0 { throw PosixError("fchown") }
    try set(permissions: permissions)
  }

  /// - Throws: `PosixError`
  package func set(permissions: UInt32) throws {
    if fchmod(raw, mode_t(permissions)) != 0 { throw PosixError("fchmod") }
  }

  /// Copies this whole file to where another stands.
  /// - Returns: how many bytes
  /// - Throws: `PosixError`
  @discardableResult
  package func copyAll(to target: Descriptor) throws -> Int64 {
    var total: Int64 = 0
    while case let part = try bytes(at: total, limit: 256 << 10), !part.isEmpty {
      try target.writeAll(part)
      total += Int64(part.count)
    }
    return total
  }

  /// Whether both files hold the same.
  /// - Throws: `PosixError`
  package func holdsTheSame(as other: Descriptor) throws -> Bool {
    let size = 256 << 10
    var offset: Int64 = 0
    while true {
      let (one, two) = (try bytes(at: offset, limit: size), try other.bytes(at: offset, limit: size))
      if one != two { return false }
      if one.count < size { return true }
      offset += Int64(size)
    }
  }
}

/// The permissions that new files and folders lose.
package enum FileMask {
  package static let current: UInt32 = {
    let mask = umask(0o077)
    umask(mask)
    return UInt32(mask)
  }()
}
