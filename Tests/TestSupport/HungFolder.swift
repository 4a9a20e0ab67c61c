import Foundation
import PosixSupport

/// A file system that never answers, as one on a network that is gone: mounted by a program of its own, which whoever wants to may run later.
package final class HungFolder {
  package let path: String
  /// What mounts it, for a shell: it returns once that is done.
  package let command: String

  /// - Returns: nil, with a printed line that says why, where none can be mounted
  package static func prepared(at path: String, in world: World, test: String = #function) throws -> HungFolder? {
    guard geteuid() == 0, let device = try? Descriptor.open("/dev/fuse", O_RDWR) else {
      print("NOTICE: \(test) was skipped: no file system can be mounted here (root and /dev/fuse)")
      return nil
    }
    device.close()
    return try HungFolder(path, world)
  }

  private init(_ path: String, _ world: World) throws {
    self.path = path
    try PrivateFiles.createFolder(path)
    let program = world.path("hang.py")
    // Nobody reads what the kernel asks through this descriptor.
    let text = """
      import ctypes, os, sys, time
      fd = os.open("/dev/fuse", os.O_RDWR)
      options = "fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
      if ctypes.CDLL(None).mount(b"hung", sys.argv[1].encode(), b"fuse.hung", 0, options.encode()) != 0: sys.exit(1)
      if os.fork() != 0: os._exit(0)
      os.setsid()
      for number in range(3): os.dup2(os.open(os.devnull, os.O_RDWR), number)
      time.sleep(600)

      """
    try PrivateFiles.replace(program, with: Array(text.utf8))
    command = "python3 '\(program)' '\(path)'"
  }

  package func mount() throws {
    let result = try Command("/bin/sh", ["-c", command], deadline: .after(30)).run()
    if !result.succeeded { throw TestFailure("mount: \(result.errorText)") }
  }

  deinit { _ = try? Command("/bin/umount", ["-l", "-f", path], deadline: .after(10)).run() }
}
