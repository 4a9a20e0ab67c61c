import Foundation

/// What the kernel does otherwise elsewhere: `docs/facts/swift-platform.md`, Darwin.
enum SystemHabits {
  /// Whether `poll` tells that a FIFO's last writer has gone. XNU's doesn't, nor does its kqueue; `read` does.
  static let pollTellsHangUps: Bool = {
    #if canImport(Darwin)
      return false
    #else
      #if DEBUG
        // The tests run under a `poll` that behaves as XNU's (`Tests/xnu-habits`).
        if OwnProcess.environment["WORKER_TEST_KERNEL"] == "xnu" { return false }
      #endif
      return true
    #endif
  }()

  /// What can be polled for the end of a child that hasn't been reaped; nil: its end must be asked for again and again.
  static func endNotice(of pid: pid_t) -> Descriptor? {
    #if os(Linux)
      guard pollTellsHangUps, let systemCall else { return nil }
      // `pidfd_open`, since Linux 5.3; glibc has a name for it since 2.36 only. It is close-on-exec.
      let file = systemCall(434, Int(pid), 0, 0)
      return file < 0 ? nil : Descriptor(raw: Int32(file))
    #else
      return nil
    #endif
  }

  /// A nameless file in memory that holds at most `limit` bytes: a writer gets an error past that. What was written is told by the position
  /// that the writer shares. nil: there is none here.
  static func memoryFile(limit: Int) -> Descriptor? {
    #if os(Linux)
      // Past the user's own limit the kernel would end this process.
      var allowed = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &allowed) == 0, allowed.rlim_cur >= rlim_t(limit) else { return nil }
      // MFD_CLOEXEC | MFD_ALLOW_SEALING; then F_SEAL_SHRINK | F_SEAL_GROW. glibc's headers keep them from Swift.
      guard let createMemoryFile, case let file = createMemoryFile("opencode-worker", 0x3), file >= 0 else { return nil }
      if ftruncate(file, off_t(limit)) == 0, fcntl(file, 1033, 0x2 | 0x4) == 0 { return Descriptor(raw: file) }
      _ = systemClose(file)
    #endif
    return nil
  }

  /// Closes every descriptor of a range; false: that can't be done at once here, and nothing was closed.
  static func closeAll(_ numbers: Range<Int32>) -> Bool {
    if numbers.isEmpty { return true }
    #if os(Linux)
      // `close_range`, since Linux 5.9; its range includes both ends.
      return systemCall.map { $0(436, Int(numbers.lowerBound), Int(numbers.upperBound) - 1, 0) == 0 } ?? false
    #else
      return false
    #endif
  }

  #if os(Linux)
    typealias SpawnCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    /// Since glibc 2.34: what a child closes before it becomes its program, without a list of them.
    static let spawnCloseFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: SpawnCloseFrom.self) }

    private typealias SystemCall = @convention(c) (Int, Int, Int, Int) -> Int
    private typealias MemoryFile = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    private static let systemCall = dlsym(nil, "syscall").map { unsafeBitCast($0, to: SystemCall.self) }
    private static let createMemoryFile = dlsym(nil, "memfd_create").map { unsafeBitCast($0, to: MemoryFile.self) }
  #endif
}
