import Foundation
import PosixSupport

/// A file system of a megabyte in a world, which can be filled to the last byte.
package final class SmallDisk {
  package let path: String

  private init(_ path: String) { self.path = path }

  /// - Returns: nil, with a printed line that says why, where none can be mounted
  package static func mounted(in world: World, test: String = #function) throws -> SmallDisk? {
    let path = world.path("disk")
    try PrivateFiles.createFolder(path)
    let mounted = try? Command("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], deadline: .after(10)).run()
    if mounted?.succeeded == true { return SmallDisk(path) }
    print("NOTICE: \(test) was skipped: a tmpfs can't be mounted here (\(mounted?.errorText ?? "no mount program"))")
    return nil
  }

  deinit { _ = try? Command("/bin/umount", ["-l", path], deadline: .after(10)).run() }

  package func fill() throws {
    let filler = try Descriptor.open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND)
    defer { filler.close() }
    var size = 64 << 10
    while size > 0 { if (try? filler.writeAll([UInt8](repeating: 1, count: size))) == nil { size /= 2 } }
  }

  package func empty() { unlink(path + "/filler") }
}
