import Foundation
import OpenCode
import PosixSupport
import ShellReading
import Text

/// The worker's own run of the declared commands, after OpenCode's end: in the run's folder, with OpenCode's environment, one after the other.
/// What they print is in the run's folder; what they write isn't the run's.
package struct DeclaredChecks {
  package let folder: RunFolder
  package let record: RunRecord
  /// The supervisor's own, from which OpenCode's is derived.
  package let environment: [String: String]

  /// Seconds for all of them, unless `verifySeconds` says another number.
  package static let deadline = 600

  /// Runs those that aren't proven to have passed; the others stay as they are. Blocks.
  package func run(_ report: VerificationReport) -> VerificationReport {
    var report = report
    let commands = record.request.verificationCommands
    guard commands.count == report.declared.count else { return report }
    let deadline = Deadline.after(Double(record.request.verifySeconds ?? DeclaredChecks.deadline))
    for (index, command) in commands.enumerated() where !report.declared[index].isProven {
      try? Stored.save(CheckProgress(command: command), to: folder.checkProgress)
      report.declared[index] = check(command, number: index + 1, deadline: deadline, before: report.declared[index])
    }
    unlink(folder.checkProgress)
    return report
  }

  private func check(_ command: String, number: Int, deadline: Deadline, before: VerificationReport.Declared) -> VerificationReport.Declared {
    let start = Monotonic.now
    var row = attempt(command, output: folder.checkOutput(number), deadline: deadline, before)
    row.seconds = Monotonic.now - start
    row.at = Date().timeIntervalSince1970
    if row.result == "passed", before.result == "failed" || before.failedBefore == true { row.failedBefore = true }
    if row.result != "passed" { row.lastOutput = DeclaredChecks.tail(of: folder.checkOutput(number)) }
    return row
  }

  private func attempt(_ command: String, output: String, deadline: Deadline, _ before: VerificationReport.Declared) -> VerificationReport.Declared {
    var row = before
    (row.result, row.exitCode, row.why, row.by, row.times) = ("unknown", nil, nil, "worker", before.times + 1)
    (row.editedAfter, row.maybeEditedAfter, row.failedBefore) = (false, nil, nil)
    guard !deadline.hasPassed else {
      (row.result, row.why, row.times) = ("timed out", "there was no time left for it", before.times)
      return row
    }
    do {
      let file = try Descriptor.openPrivate(output, O_WRONLY | O_APPEND | O_TRUNC)
      defer { file.close() }
      // As OpenCode's own shell: in a session of its own, with the command as it was written.
      let child = try SpawnedProcess(
        shell, ["-c", command],
        environment: ChildEnvironment.make(environment, for: record.request.installation.installation, folder: record.request.cwd, run: record.id),
        folder: record.request.cwd, leading: .session, output: file, errors: file)
      let status = try child.wait(deadline: deadline)
      // What it left in the background ends with it.
      child.killGroup()
      switch status {
      case nil: row.result = "timed out"
      case .exited(let code)?: (row.exitCode, row.result) = (Int(code), code == 0 ? "passed" : "failed")
      case .signaled(let number)?: (row.result, row.why) = ("failed", "ended by \(ExitStatus.signalName(number))")
      }
    } catch {
      row.why = "it could not be run: \(error)"
    }
    return row
  }

  /// The user's own shell where it is of that kind, as OpenCode chooses it.
  private var shell: String {
    CommandShell.own(environment) ?? ProgramFinder.locate("bash", path: environment["PATH"], workspace: record.request.cwd) ?? "/bin/sh"
  }

  private static func tail(of path: String) -> String? {
    guard let bytes = try? PrivateFiles.readEnd(path, limit: 4 << 10) else { return nil }
    let lines = TerminalText.plain(String(decoding: bytes, as: UTF8.self)).split(whereSeparator: \.isNewline).suffix(12)
    let text = lines.joined(separator: "\n")
    return text.isEmpty ? nil : TextCut.headAndTail(text, bytes: 900)
  }
}

/// Which check is at work; gone when none is.
package struct CheckProgress: Codable, Sendable {
  package var command: String
}
