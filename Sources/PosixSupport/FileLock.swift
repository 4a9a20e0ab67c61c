import Foundation

/// An exclusive `flock` on a file, held until it is released or its process is gone. Its descriptor is close-on-exec:
/// a process left behind by a child can't hold the lock for ever.
package final class FileLock: Sendable {
  package let file: Descriptor

  private init(_ file: Descriptor) { self.file = file }

  /// Takes the lock without waiting; nil when another process holds it.
  /// - Throws: `PosixError`
  package static func take(_ path: String) throws -> FileLock? {
    while true {
      let file = try Descriptor.openPrivate(path, O_RDWR)
      while flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
        if errno == EINTR { continue }
        let failure = PosixError("flock", path: path)
        file.close()
        if failure.code == EWOULDBLOCK { return nil }
        throw failure
      }
      // Deleted since it was opened: then somebody else may lock another file under this name.
      if file.isFile(at: path) { return FileLock(file) }
      file.close()
    }
  }

  /// Replaces the content of the locked file (in place: the lock belongs to this very file).
  /// - Throws: `PosixError`
  package func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    try file.overwrite(bytes, at: 0)
    if ftruncate(file.raw, off_t(bytes.count)) != 0 { throw PosixError("ftruncate") }
  }

  package func release() { file.close() }
}
