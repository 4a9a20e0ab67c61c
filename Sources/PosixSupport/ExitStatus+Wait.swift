import Foundation

extension ExitStatus {
  /// Waits for the end of a child, which stays there to be reaped. Blocks the calling thread.
  /// - Returns: nil when it isn't there (any more) to be waited for
  static func waited(_ pid: Int32) -> ExitStatus? {
    while true {
      switch look(pid, WEXITED | WNOWAIT) {
      case .ended(let status): return status
      case .gone: return nil
      // XNU comes back for a child that was stopped, at once and each time: it is no end.
      case .lives: usleep(20_000)
      }
    }
  }

  enum Look {
    case ended(ExitStatus)
    case lives
    case gone
  }

  /// One call of `waitid`. Only a child that exited, was killed or dumped its core has ended, whatever else the call tells of.
  static func look(_ pid: Int32, _ options: Int32) -> Look {
    var info = siginfo_t()
    while waitid(P_PID, id_t(pid), &info, options) != 0 {
      if errno != EINTR { return .gone }
    }
    return ExitStatus(code: Int(info.si_code), value: info.exitValue).map { .ended($0) } ?? .lives
  }

  /// - Parameters:
  ///   - code: `si_code`
  ///   - value: `si_status`
  init?(code: Int, value: Int32) {
    switch code {
    case Int(CLD_EXITED): self = .exited(value)
    case Int(CLD_KILLED), Int(CLD_DUMPED): self = .signaled(value)
    default: return nil
    }
  }
}

extension siginfo_t {
  /// Exit code or signal number of a `waitid` result.
  fileprivate var exitValue: Int32 {
    #if os(Linux)
      return _sifields._sigchld.si_status
    #else
      return si_status
    #endif
  }
}
