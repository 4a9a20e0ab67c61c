import Foundation

/// How a process ended, as the kernel told it.
package enum ExitStatus: Sendable, Equatable, Codable {
  case exited(Int32)
  case signaled(Int32)

  package var succeeded: Bool { self == .exited(0) }
}

extension ExitStatus {
  /// `SIGTERM` for 15; numbers differ between systems, so the names are looked up here.
  package static func signalName(_ number: Int32) -> String {
    let names: [(Int32, String)] = [
      (SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"), (SIGABRT, "SIGABRT"),
      (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"), (SIGKILL, "SIGKILL"), (SIGUSR1, "SIGUSR1"), (SIGSEGV, "SIGSEGV"), (SIGUSR2, "SIGUSR2"),
      (SIGPIPE, "SIGPIPE"), (SIGALRM, "SIGALRM"), (SIGTERM, "SIGTERM"), (SIGXCPU, "SIGXCPU"), (SIGXFSZ, "SIGXFSZ"), (SIGSYS, "SIGSYS"),
    ]
    return names.first { $0.0 == number }?.1 ?? "signal \(number)"
  }

  /// Shells and scripts end with 128 and the number of the signal that ended their child: its name. Not proven: a program may exit with that
  /// number by itself.
  package var signalBehindShell: String? {
    guard case .exited(let code) = self, code > 128 else { return nil }
    let name = ExitStatus.signalName(code - 128)
    return name.hasPrefix("SIG") ? name : nil
  }

  /// "exit 3" or "SIGTERM".
  package var text: String {
    switch self {
    case .exited(let code): "exit \(code)"
    case .signaled(let number): ExitStatus.signalName(number)
    }
  }
}
