import Foundation

/// A process that nobody is the parent of but init (or whoever reaps orphans here): it leads a session of its own, and a client that
/// ends all descendants of its server doesn't find it among them.
package enum DetachedProcess {
  /// What a process is after `divide`.
  package enum Half: Sendable {
    /// To end now, so that the other has no parent.
    case parent
    /// In a session of its own, with the same arguments, environment and descriptors 0 to 2.
    case detached
  }

  /// Divides this process in two, which spares starting a program: only while it has a single thread, for the others would be missing in the
  /// new process with whatever they hold.
  /// - Returns: nil: that can't be done here, and nothing has happened
  /// - Throws: `PosixError`
  package static func divide() throws -> Half? {
    #if os(Linux)
      // Not on Darwin: Foundation refuses to work in a process that was divided.
      typealias Fork = @convention(c) () -> pid_t
      // Its threads are folders there, so that its link count is theirs and two.
      var threads = stat()
      guard stat("/proc/self/task", &threads) == 0, threads.st_nlink == 3, let symbol = dlsym(nil, "fork") else { return nil }
      // Inherited: there is no moment at which one of them could end the new process.
      OwnProcess.surviveSignals()
      OwnProcess.closeInherited()
      switch unsafeBitCast(symbol, to: Fork.self)() {
      case -1: throw PosixError("fork")
      case 0:
        setsid()
        return .detached
      default: return .parent
      }
    #else
      return nil
    #endif
  }

  /// Starts `executable` in a new session; the caller must end soon after, which is what detaches it. It inherits descriptors 0 to 2,
  /// the environment, the folder, and ignores the signals that `surviveSignals` names until it says otherwise itself.
  /// - Throws: `PosixError`
  package static func spawn(_ executable: String, _ arguments: [String]) throws {
    // Ignored signals stay ignored across an exec: there is no moment at which one of them could end the new process.
    OwnProcess.ignoreSignals()
    OwnProcess.closeInherited()
    var attributes = try SpawnAttributes(.session, keepingSignals: true)
    defer { attributes.destroy() }
    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, nil, &attributes.raw, &argv, environ)
    if code != 0 { throw PosixError("posix_spawn", path: executable, code: code) }
  }
}
