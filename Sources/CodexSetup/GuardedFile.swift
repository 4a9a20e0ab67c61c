import Foundation
import PosixSupport

/// A file of someone else's, as it was read: it is only replaced while it still is what was read, and keeps its mode and its symlink.
package struct GuardedFile: Sendable {
  package let path: String
  /// Where the bytes really are, when `path` is a symlink.
  package let target: String
  /// nil: there was no file.
  package let bytes: [UInt8]?
  package let mode: mode_t

  /// - Throws: `SetupRefusal`: not a regular file, a dangling symlink, unreadable or absurdly large
  package init(reading path: String, modeWhenNew: mode_t) throws {
    self.path = path
    guard PrivateFiles.exists(path) else {
      (target, bytes, mode) = (path, nil, modeWhenNew)
      return
    }
    guard let target = PrivateFiles.resolved(path) else { throw SetupRefusal("\(path) is a symlink that leads nowhere") }
    var info = stat()
    guard stat(target, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { throw SetupRefusal("\(path) is not a regular file") }
    guard info.st_size < 16 << 20 else { throw SetupRefusal("\(path) is too large to be a configuration file") }
    self.target = target
    mode = mode_t(info.st_mode & 0o7777)
    do {
      bytes = try PrivateFiles.read(target)
    } catch {
      throw SetupRefusal("can't read \(path): \(error)")
    }
  }

  /// - Throws: `SetupRefusal` when the file is no longer what was read, or can't be written; it is then unharmed
  package func replace(with new: [UInt8]) throws {
    try checkUnchanged()
    do {
      try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
      if bytes == nil {
        guard try PrivateFiles.createOnce(target, with: new) else { throw changed }
        guard chmod(target, mode) == 0 else { throw PosixError("chmod", path: target) }
      } else {
        try PrivateFiles.replace(target, with: new, durable: true, mode: mode)
      }
    } catch let error as PosixError {
      throw SetupRefusal("can't write \(path): \(error)")
    }
  }

  /// - Throws: `SetupRefusal` when the file is no longer what was read
  package func remove() throws {
    try checkUnchanged()
    guard unlink(path) == 0 || errno == ENOENT else { throw SetupRefusal("can't remove \(path): \(PosixError.text(of: errno))") }
  }

  /// The content that was read, kept beside the link with the same mode.
  /// - Returns: its path
  /// - Throws: `SetupRefusal`
  @discardableResult
  package func backUp() throws -> String? {
    guard let bytes else { return nil }
    do {
      try PrivateFiles.replace(backupPath, with: bytes, durable: true, mode: mode)
    } catch {
      throw SetupRefusal("can't write the backup \(backupPath): \(error)")
    }
    return backupPath
  }

  package var backupPath: String { path + ".before-opencode-worker" }

  private var changed: SetupRefusal { SetupRefusal("\(path) was changed by another program meanwhile: nothing was written, try again") }

  private func checkUnchanged() throws {
    for file in [target, backupPath] {
      let (folder, name) = ((file as NSString).deletingLastPathComponent, (file as NSString).lastPathComponent)
      Leftovers.remove(Leftovers.paths(of: name, in: folder, kinds: ["tmp"]))
    }
    let now = try GuardedFile(reading: path, modeWhenNew: mode)
    guard now.target == target, now.bytes == bytes else { throw changed }
  }
}
