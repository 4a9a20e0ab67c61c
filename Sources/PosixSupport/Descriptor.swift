import Foundation

/// An open file descriptor. Always opened close-on-exec: nothing that is spawned inherits it by accident.
package struct Descriptor: Sendable, Equatable {
  package let raw: Int32

  package init(raw: Int32) { self.raw = raw }

  /// Opens `path` with `O_CLOEXEC` added to `flags`.
  /// - Throws: `PosixError`
  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws -> Descriptor {
    while true {
      let fd = openFile(path, flags | O_CLOEXEC, mode)
      if fd >= 0 { return Descriptor(raw: fd) }
      if errno != EINTR { throw PosixError("open", path: path) }
    }
  }

  /// Opens a file that others may have put there: only a plain file, and never waiting for the other end of a FIFO.
  /// - Throws: `PosixError`
  package static func openPlainFile(_ path: String) throws -> Descriptor {
    try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY).checkedPlainFile(path)
  }

  private func checkedPlainFile(_ path: String) throws -> Descriptor {
    var info = stat()
    guard fstat(raw, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      close()
      throw PosixError("open", path: path, code: EINVAL, reason: "not a plain file")
    }
    // Whoever inherits it mustn't find an unusual flag.
    _ = fcntl(raw, F_SETFL, fcntl(raw, F_GETFL) & ~O_NONBLOCK)
    return self
  }

  /// Opens a file of our own, creating it if need be, readable by its owner only whatever the umask is.
  /// - Throws: `PosixError`, also when something else than a plain file has its name
  package static func openPrivate(_ path: String, _ flags: Int32) throws -> Descriptor {
    let file = try open(path, flags | O_CREAT | O_NONBLOCK | O_NOCTTY).checkedPlainFile(path)
    // A file that somebody else owns stays as it is.
    _ = fchmod(file.raw, 0o600)
    return file
  }

  /// A pipe whose ends are close-on-exec.
  /// - Throws: `PosixError`
  package static func pipe() throws -> (read: Descriptor, write: Descriptor) {
    var ends: [Int32] = [-1, -1]
    guard systemPipe(&ends) == 0 else { throw PosixError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (Descriptor(raw: ends[0]), Descriptor(raw: ends[1]))
  }

  /// Reads once, up to `buffer.count` bytes; 0 is end of file.
  /// - Throws: `PosixError` (`EAGAIN` included)
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = systemRead(raw, buffer.baseAddress!, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw PosixError("read") }
    }
  }

  /// The same, but waits when a descriptor that doesn't block has nothing yet.
  /// - Throws: `PosixError`
  package func readWaiting(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      do {
        return try read(into: buffer)
      } catch let error as PosixError where error.code == EAGAIN || error.code == EWOULDBLOCK {
        _ = waitReadable([self], deadline: nil)
      }
    }
  }

  /// Reads at `offset` without moving the file position; 0 is end of file.
  /// - Throws: `PosixError`
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    while true {
      let count = pread(raw, buffer.baseAddress!, buffer.count, off_t(offset))
      if count >= 0 { return count }
      if errno != EINTR { throw PosixError("pread") }
    }
  }

  /// Reads at most `limit` bytes from `offset` on.
  /// - Throws: `PosixError`
  package func bytes(at offset: Int64 = 0, limit: Int) throws -> [UInt8] {
    guard limit > 0 else { return [] }
    return try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let memory = UnsafeMutableRawBufferPointer(buffer)
      while count < limit {
        let got = try read(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]), at: offset + Int64(count))
        if got == 0 { break }
        count += got
      }
    }
  }

  /// Writes everything, waiting as long as the other side takes.
  /// - Throws: `PosixError` (`EPIPE`, `ENOSPC`, ...)
  package func writeAll(_ bytes: some ContiguousBytes) throws {
    try bytes.withUnsafeBytes { (memory: UnsafeRawBufferPointer) in
      var rest = memory
      while !rest.isEmpty {
        let count = systemWrite(raw, rest.baseAddress!, rest.count)
        if count >= 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        } else if errno == EAGAIN || errno == EWOULDBLOCK {
          var poller = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
          _ = systemPoll(&poller, 1, -1)
        } else if errno != EINTR {
          throw PosixError("write")
        }
      }
    }
  }

  /// Writes what a pipe takes at once, without waiting for a reader.
  /// - Returns: how many bytes that was
  /// - Throws: `PosixError` (`EPIPE`, ...)
  package func writeWhatFits(_ bytes: some ContiguousBytes) throws -> Int {
    let flags = fcntl(raw, F_GETFL)
    guard flags >= 0, fcntl(raw, F_SETFL, flags | O_NONBLOCK) == 0 else { throw PosixError("fcntl") }
    defer { _ = fcntl(raw, F_SETFL, flags) }
    return try bytes.withUnsafeBytes { (memory: UnsafeRawBufferPointer) in
      var written = 0
      while written < memory.count {
        let count = systemWrite(raw, memory.baseAddress! + written, memory.count - written)
        if count >= 0 {
          written += count
        } else if errno == EAGAIN || errno == EWOULDBLOCK {
          break
        } else if errno != EINTR {
          throw PosixError("write")
        }
      }
      return written
    }
  }

  /// Overwrites in place with a single `pwrite`.
  /// - Throws: `PosixError`; a short write is reported as `ENOSPC`
  package func overwrite(_ bytes: [UInt8], at offset: Int64) throws {
    let count = bytes.withUnsafeBytes { pwrite(raw, $0.baseAddress!, $0.count, off_t(offset)) }
    if count < 0 { throw PosixError("pwrite") }
    if count != bytes.count { throw PosixError("pwrite", code: ENOSPC) }
  }

  /// Flushes to the disk.
  /// - Throws: `PosixError`
  package func sync() throws {
    if fsync(raw) != 0 { throw PosixError("fsync") }
  }

  /// Size of the file in bytes.
  /// - Throws: `PosixError`
  package func size() throws -> Int64 {
    var info = stat()
    if fstat(raw, &info) != 0 { throw PosixError("fstat") }
    return Int64(info.st_size)
  }

  /// Whether `path` still leads to this very file; false also when it can't be told.
  package func isFile(at path: String) -> Bool {
    var (own, there) = (stat(), stat())
    return fstat(raw, &own) == 0 && stat(path, &there) == 0 && own.st_ino == there.st_ino && own.st_dev == there.st_dev
  }

  package func close() { _ = systemClose(raw) }
}

/// What `poll` said of one descriptor.
package struct Readiness: Sendable {
  package let readable: Bool
  package let hungUp: Bool
  package var isReady: Bool { readable || hungUp }
}

/// Waits until one of `descriptors` can be read or has hung up, or the time is up (nil: for ever).
/// - Returns: one entry for each descriptor; none ready means that the time was up.
package func waitReadable(_ descriptors: [Descriptor], deadline: Deadline?) -> [Readiness] {
  var set = descriptors.map { pollfd(fd: $0.raw, events: Int16(POLLIN), revents: 0) }
  func milliseconds() -> Int32 { deadline.map { Int32(clamping: Int(min($0.left, 1e6) * 1000 + 0.999)) } ?? -1 }
  while systemPoll(&set, nfds_t(set.count), milliseconds()) < 0, errno == EINTR {}
  return set.map {
    Readiness(
      readable: $0.revents & Int16(POLLIN) != 0,
      hungUp: $0.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0)
  }
}
