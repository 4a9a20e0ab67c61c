import Foundation

/// What a process does to itself: its session, its signals, its descriptors, becoming another program.
package enum OwnProcess {
  #if canImport(Darwin)
    package static let isOnDarwin = true
  #else
    package static let isOnDarwin = false
  #endif

  /// The environment, without Foundation's `ProcessInfo`, which brings much else into memory. Of names that stand there twice the first counts,
  /// as for `getenv`; what isn't UTF-8 is read as `String(cString:)` does.
  package static var environment: [String: String] {
    var found: [String: String] = [:]
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
    while let entry = next.pointee {
      next += 1
      let text = String(cString: entry)
      guard let divider = text.utf8.firstIndex(of: UInt8(ascii: "=")), divider != text.startIndex else { continue }
      let name = String(text[..<divider])
      if found[name] == nil { found[name] = String(text[text.index(after: divider)...]) }
    }
    return found
  }

  /// Makes signals what this program counts on, whatever was inherited: with SIGCHLD ignored no exit status could be had, and a
  /// blocked signal would stay blocked in every child. A write to a pipe whose reader has gone fails with `EPIPE`: handled, not
  /// ignored, because ignoring would be inherited.
  package static func settleSignals() {
    signal(SIGCHLD, SIG_DFL)
    unblockSignals()
    signal(SIGPIPE) { _ in }
  }

  /// Makes sure that there are enough descriptors and enough memory to work with. Foundation would crash, or wait for ever for a thread,
  /// where it gets too few.
  /// - Returns: what is too little, and what to do; nil: nothing is
  package static func settleLimits() -> String? {
    let (files, memory, processes): (rlim_t, rlim_t, rlim_t) = (64, 1 << 30, 64)
    var limit = rlimit()
    if getrlimit(resourceLimit, &limit) == 0, limit.rlim_cur < files {
      let found = limit.rlim_cur
      limit.rlim_cur = min(limit.rlim_max, 1024)
      if limit.rlim_max < files || setrlimit(resourceLimit, &limit) != 0 {
        return "only \(found) files may be open at once, and \(files) are needed: raise the limit (ulimit -n)"
      }
    }
    if getrlimit(memoryLimit, &limit) == 0, limit.rlim_cur < memory {
      return "only \(limit.rlim_cur >> 20) MiB of address space are allowed, and \(memory >> 20) are needed: raise the limit (ulimit -v)"
    }
    // Root may start as many as the machine holds.
    if getuid() != 0, getrlimit(processLimit, &limit) == 0, limit.rlim_cur < processes {
      return "only \(limit.rlim_cur) processes and threads are allowed, and \(processes) are needed: raise the limit (ulimit -u)"
    }
    return nil
  }

  /// Terminal hang-ups and the polite signals.
  private static let survivable = [SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM]

  /// They don't end us, and our children get their default actions.
  package static func surviveSignals() {
    for number in survivable { signal(number) { _ in } }
  }

  /// They end neither us nor what we spawn.
  static func ignoreSignals() {
    for number in survivable { signal(number, SIG_IGN) }
  }

  /// Every signal's default action and an empty mask, for the program that we become.
  package static func resetSignals() {
    for number in Int32(1)..<32 where number != SIGKILL && number != SIGSTOP { signal(number, SIG_DFL) }
    unblockSignals()
  }

  private static func unblockSignals() {
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
  }

  /// Calls `body` with this thread's signal mask empty.
  static func withNoSignalsBlocked<Value>(_ body: () throws -> Value) rethrows -> Value {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
  }

  /// Closes every descriptor from 3 on but one. (Foundation leaves one end of a socket pair in each child.)
  package static func closeInherited(except kept: Descriptor? = nil) {
    let first = max(kept?.raw ?? 2, 2)
    if SystemHabits.closeAll(3..<max(first, 3)), SystemHabits.closeAll((first + 1)..<Int32.max) { return }
    for number in openDescriptors() where number > 2 && number != kept?.raw { _ = systemClose(number) }
  }

  /// The numbers that are open; where the system doesn't tell, all that may be.
  static func openDescriptors() -> [Int32] {
    if let names = try? FileManager.default.contentsOfDirectory(atPath: descriptorFolder) { return names.compactMap(Int32.init) }
    var limit = rlimit()
    let soft = getrlimit(resourceLimit, &limit) == 0 ? limit.rlim_cur : 1024
    return Array(0..<Int32(clamping: min(soft, 4096)))
  }

  /// Makes `descriptor` the process's descriptor `number` (0, 1 or 2).
  /// - Throws: `PosixError`
  package static func use(_ descriptor: Descriptor, as number: Int32) throws {
    if dup2(descriptor.raw, number) < 0 { throw PosixError("dup2") }
  }

  /// A close-on-exec copy of a descriptor.
  /// - Throws: `PosixError`
  package static func duplicate(_ number: Int32) throws -> Descriptor {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    if copy < 0 { throw PosixError("fcntl") }
    return Descriptor(raw: copy)
  }

  /// Becomes another program.
  /// - Throws: `PosixError`: it only returns when it failed
  package static func execute(_ path: String, arguments: [String], environment: [String: String]) throws -> Never {
    var argv = ([path] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    execve(path, &argv, &envp)
    throw PosixError("execve", path: path)
  }

  /// The most memory that was resident so far, in bytes.
  package static var peakMemory: Int64 {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Int64(usage.ru_maxrss) << 10
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Int64(usage.ru_maxrss)
    #endif
  }

  /// The absolute path of the running binary.
  package static let executable: String = {
    #if os(Linux)
      if let path = PrivateFiles.resolved("/proc/self/exe") { return path }
    #endif
    return Bundle.main.executablePath ?? CommandLine.arguments[0]
  }()

  #if os(Linux)
    private static let descriptorFolder = "/proc/self/fd"
    private static let resourceLimit = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    private static let memoryLimit = __rlimit_resource_t(RLIMIT_AS.rawValue)
    private static let processLimit = __rlimit_resource_t(__RLIMIT_NPROC.rawValue)
  #else
    private static let descriptorFolder = "/dev/fd"
    private static let resourceLimit = RLIMIT_NOFILE
    private static let memoryLimit = RLIMIT_AS
    private static let processLimit = RLIMIT_NPROC
  #endif
}

package enum Platform {
  #if os(macOS)
    package static let isMac = true
  #else
    package static let isMac = false
  #endif

  /// The machine in the words that package registries use: `linux-x64`, `darwin-arm64`, ...
  package static let npmName: String = {
    #if os(Linux)
      let system = "linux"
    #else
      let system = "darwin"
    #endif
    #if arch(arm64)
      return "\(system)-arm64"
    #else
      return "\(system)-x64"
    #endif
  }()
}
