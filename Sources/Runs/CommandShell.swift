import Foundation
import PosixSupport
import ShellReading

/// The shell that OpenCode runs commands in: the user's own, whatever its language, unless OpenCode passes it over (docs/facts/opencode-cli.md).
enum CommandShell {
  /// Those whose language is read (`ShellReading`).
  private static let read: Set<String> = ["bash", "zsh", "sh", "dash", "ash", "ksh", "mksh"]
  private static let passedOver: Set<String> = ["fish", "nu"]

  /// The user's own, where it is one that is read.
  static func own(_ environment: [String: String]) -> String? {
    guard let own = environment["SHELL"], own.hasPrefix("/"), read.contains(name(own)), PrivateFiles.isExecutable(own) else { return nil }
    return own
  }

  /// The name of the user's own where OpenCode takes it and it isn't read.
  static func unread(_ environment: [String: String]) -> String? {
    guard let own = environment["SHELL"], !own.isEmpty else { return nil }
    let name = name(own)
    return read.contains(name) || passedOver.contains(name) ? nil : name
  }

  private static func name(_ path: String) -> String { (path as NSString).lastPathComponent }
}

extension RunRecord {
  /// A report of what was read as if one of the known shells had run it: in another one nothing of that is proven.
  package func judged(_ report: VerificationReport) -> VerificationReport {
    guard let shell = request.unreadShell else { return report }
    var report = report
    for index in report.declared.indices where report.declared[index].result != "not run" {
      (report.declared[index].result, report.declared[index].exitCode) = ("unknown", nil)
      report.declared[index].why = "OpenCode's shell is \(shell), whose language isn't read"
    }
    for index in report.undeclared.indices { report.undeclared[index].exitCode = nil }
    return report
  }
}
