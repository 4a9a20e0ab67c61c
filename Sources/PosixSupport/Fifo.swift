import Foundation

/// A FIFO that its owner holds open while it lives: whoever reads it sees the owner's end as end of file.
package enum Fifo {
  /// Creates the FIFO if it isn't there and holds it open for reading and writing. Neither blocks.
  /// - Throws: `PosixError`
  package static func hold(_ path: String) throws -> Descriptor {
    var info = stat()
    // Whatever else has got this name can't be held.
    if lstat(path, &info) == 0, info.st_mode & S_IFMT != S_IFIFO { unlink(path) }
    if mkfifo(path, 0o600) == 0 { chmod(path, 0o600) } else if errno != EEXIST { throw PosixError("mkfifo", path: path) }
    return try Descriptor.open(path, O_RDWR | O_NONBLOCK)
  }

  /// Opens for watching; nil when nobody holds the FIFO (or it doesn't exist).
  ///
  /// A reader that comes after the last writer left never gets a hang-up from `poll`, so one `read` decides: 0 is "no
  /// writer", `EAGAIN` is "held".
  /// - Throws: `PosixError` when it can't be told (no descriptor left, for one): that mustn't pass for "not held"
  package static func watch(_ path: String) throws -> Descriptor? {
    let file: Descriptor
    do {
      file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
    } catch let error as PosixError where !error.isShortage {
      return nil
    }
    var byte: UInt8 = 0
    let count = systemRead(file.raw, &byte, 1)
    if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { return file }
    file.close()
    return nil
  }

  /// Waits until nobody holds the FIFO any more, blocking the calling thread. Bytes in it don't count.
  /// - Parameter watched: from `watch`; stays open
  package static func waitForRelease(_ watched: Descriptor) {
    if SystemHabits.pollTellsHangUps {
      while !waitReadable([watched], deadline: nil)[0].isReady {}
    } else {
      while isHeld(watched) { usleep(20_000) }
    }
  }

  /// What one `read` says.
  private static func isHeld(_ watched: Descriptor) -> Bool {
    var byte: UInt8 = 0
    let count = systemRead(watched.raw, &byte, 1)
    return count > 0 || (count < 0 && [EAGAIN, EWOULDBLOCK, EINTR].contains(errno))
  }

  /// Whether a process holds the FIFO right now.
  /// - Throws: `PosixError` when it can't be told
  package static func isHeld(_ path: String) throws -> Bool {
    guard let file = try watch(path) else { return false }
    file.close()
    return true
  }
}
