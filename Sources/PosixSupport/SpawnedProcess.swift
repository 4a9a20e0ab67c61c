import Foundation

/// A helper program, started without Foundation's `Process`: that takes a millisecond more and three threads for each (`docs/facts/swift-platform.md`).
/// Its arguments are passed byte for byte; `Process` decomposes them on Darwin (NFC to NFD).
package final class SpawnedProcess: Sendable {
  /// What it leads, so that all of it can be killed.
  package enum Lead: Sendable {
    case group
    /// Without a terminal: what an interactive shell does to its terminal reaches nobody.
    case session
  }

  package let pid: Int32
  private let state: State

  /// Starts `executable`, which inherits no descriptor but those given; those not given are `/dev/null`.
  /// - Throws: `PosixError` naming the executable or the folder that is missing, or why it can't be started
  package init(
    _ executable: String, _ arguments: [String], environment: [String: String], folder: String, leading lead: Lead, input: Descriptor? = nil,
    output: Descriptor? = nil, errors: Descriptor? = nil
  ) throws {
    guard PrivateFiles.isFolder(folder) else { throw PosixError("chdir", path: folder, code: ENOENT) }
    guard PrivateFiles.exists(executable) else { throw PosixError("exec", path: executable, code: ENOENT) }
    guard PrivateFiles.isExecutable(executable) else { throw PosixError("exec", path: executable, code: EACCES) }
    var attributes = try SpawnAttributes(lead)
    defer { attributes.destroy() }
    var actions = try SpawnActions()
    defer { actions.destroy() }
    let null = try Descriptor.open("/dev/null", O_RDWR)
    defer { null.close() }
    try actions.changeFolder(folder)
    for (number, descriptor) in [input ?? null, output ?? null, errors ?? null].enumerated() { try actions.duplicate(descriptor.raw, as: Int32(number)) }
    actions.closeRest()
    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for word in argv + envp { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, &actions.raw, &attributes.raw, &argv, &envp)
    if code != 0 { throw PosixError("exec", path: executable, code: code) }
    self.pid = pid
    state = State(SystemHabits.endNotice(of: pid))
  }

  /// Waits for the end, blocking the calling thread.
  /// - Returns: nil when the time was up first
  /// - Throws: `PosixError` when somebody else has reaped it: how it ended can't be had then
  package func wait(deadline: Deadline) throws -> ExitStatus? {
    let began = Monotonic.now
    while true {
      switch state.look(pid) {
      case .ended(let status): return status
      case .gone: throw PosixError("waitid", code: ECHILD)
      case .lives: break
      }
      let left = deadline.left
      if left <= 0 { return nil }
      if let notice = state.notice {
        _ = waitReadable([notice], deadline: deadline)
      } else {
        // Never much longer than it has taken so far.
        usleep(UInt32(max(1, min(max(200e-6, (Monotonic.now - began) / 4), left, 0.02) * 1e6)))
      }
    }
  }

  /// Kills the process group that it leads.
  package func killGroup() { ProcessTable.signalGroup(pid, SIGKILL) }

  deinit {
    // Whatever still runs is reaped when it ends.
    let (pid, state) = (pid, state)
    if case .lives = state.look(pid) {
      Thread.detachNewThread {
        while case .lives = state.look(pid) { usleep(50_000) }
      }
    }
  }

  private final class State: @unchecked Sendable {
    private let lock = NSLock()
    private var status: ExitStatus?
    /// Readable from the end on.
    let notice: Descriptor?

    init(_ notice: Descriptor?) { self.notice = notice }

    deinit { notice?.close() }

    /// The end, once it is there. The process is reaped when it is first seen.
    func look(_ pid: Int32) -> ExitStatus.Look {
      lock.lock()
      defer { lock.unlock() }
      if let status { return .ended(status) }
      let found = ExitStatus.look(pid, WEXITED | WNOHANG | WNOWAIT)
      if case .ended(let status) = found {
        _ = waitpid(pid, nil, WNOHANG)
        self.status = status
      }
      return found
    }
  }
}

/// `posix_spawn`'s attributes: a new session or group, no blocked signal, every signal's default action.
struct SpawnAttributes {
  #if canImport(Darwin)
    var raw: posix_spawnattr_t?
  #else
    var raw = posix_spawnattr_t()
  #endif

  /// - Parameter keepingSignals: what is ignored stays ignored
  /// - Throws: `PosixError`
  init(_ lead: SpawnedProcess.Lead, keepingSignals: Bool = false) throws {
    guard posix_spawnattr_init(&raw) == 0 else { throw PosixError("posix_spawnattr_init") }
    var flags = lead == .session ? SpawnAttributes.newSession : SpawnAttributes.newGroup
    if !keepingSignals {
      flags |= SpawnAttributes.signals
      var (none, all) = (sigset_t(), sigset_t())
      sigemptyset(&none)
      sigfillset(&all)
      posix_spawnattr_setsigmask(&raw, &none)
      posix_spawnattr_setsigdefault(&raw, &all)
    }
    posix_spawnattr_setflags(&raw, flags)
  }

  mutating func destroy() { posix_spawnattr_destroy(&raw) }

  /// `POSIX_SPAWN_SETSID`, which glibc's header keeps from Swift. Darwin's other flag closes every descriptor that no action names.
  #if canImport(Darwin)
    private static let newSession = Int16(POSIX_SPAWN_SETSID)
    private static let newGroup = Int16(POSIX_SPAWN_SETPGROUP)
    private static let signals = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT)
  #else
    private static let newSession: Int16 = 0x80
    private static let newGroup = Int16(POSIX_SPAWN_SETPGROUP)
    private static let signals = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
  #endif
}

/// `posix_spawn`'s file actions.
private struct SpawnActions {
  #if canImport(Darwin)
    var raw: posix_spawn_file_actions_t?
  #else
    var raw = posix_spawn_file_actions_t()
  #endif

  init() throws {
    guard posix_spawn_file_actions_init(&raw) == 0 else { throw PosixError("posix_spawn_file_actions_init") }
  }

  mutating func destroy() { posix_spawn_file_actions_destroy(&raw) }

  mutating func duplicate(_ descriptor: Int32, as number: Int32) throws {
    let code = posix_spawn_file_actions_adddup2(&raw, descriptor, number)
    if code != 0 { throw PosixError("posix_spawn_file_actions_adddup2", code: code) }
  }

  mutating func changeFolder(_ folder: String) throws {
    #if canImport(Darwin)
      let code = posix_spawn_file_actions_addchdir_np(&raw, folder)
    #else
      // glibc's header keeps it from Swift.
      typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
      guard let symbol = dlsym(nil, "posix_spawn_file_actions_addchdir_np") else {
        throw PosixError("posix_spawn_file_actions_addchdir_np", code: ENOSYS)
      }
      let code = unsafeBitCast(symbol, to: Function.self)(&raw, folder)
    #endif
    if code != 0 { throw PosixError("posix_spawn_file_actions_addchdir_np", path: folder, code: code) }
  }

  /// Every other descriptor that is open now. Most are close-on-exec already; Foundation's aren't.
  mutating func closeRest() {
    #if !canImport(Darwin)
      if let closeFrom = SystemHabits.spawnCloseFrom, closeFrom(&raw, 3) == 0 { return }
      for number in OwnProcess.openDescriptors() where number > 2 { posix_spawn_file_actions_addclose(&raw, number) }
    #endif
  }
}
