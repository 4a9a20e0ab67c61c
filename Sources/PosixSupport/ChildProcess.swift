import Foundation

/// A program started through Foundation's `Process`, with an end that is noticed at once and never lost.
package final class ChildProcess: Sendable {
  package let pid: Int32
  private let ending: Ending

  /// Starts `executable`. The descriptors given stay the caller's to close; those not given are `/dev/null`.
  /// - Throws: `PosixError` naming the executable or the folder that is missing, or Foundation's own error
  package init(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil,
    input: Descriptor? = nil, output: Descriptor? = nil, errors: Descriptor? = nil
  ) throws {
    // Foundation reports a missing folder and a missing program with the same error: tell them apart here.
    if let folder, !PrivateFiles.isFolder(folder) { throw PosixError("chdir", path: folder, code: ENOENT) }
    guard PrivateFiles.exists(executable) else { throw PosixError("exec", path: executable, code: ENOENT) }
    guard PrivateFiles.isExecutable(executable) else { throw PosixError("exec", path: executable, code: EACCES) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    if let environment { process.environment = environment }
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder, isDirectory: true) }
    func handle(_ descriptor: Descriptor?) -> FileHandle {
      descriptor.map { FileHandle(fileDescriptor: $0.raw, closeOnDealloc: false) } ?? FileHandle.nullDevice
    }
    process.standardInput = handle(input)
    process.standardOutput = handle(output)
    process.standardError = handle(errors)
    let ending = Ending()
    process.terminationHandler = { ended in
      let code = ended.terminationStatus
      ending.settle(ended.terminationReason == .exit ? .exited(code) : .signaled(code))
    }
    // Threads of the concurrency pool block every signal, and a child would inherit that.
    do {
      try OwnProcess.withNoSignalsBlocked { try process.run() }
    } catch {
      guard let code = ChildProcess.systemCode(of: error) else { throw error }
      throw PosixError("exec", path: executable, code: code)
    }
    let pid = process.processIdentifier
    self.pid = pid
    self.ending = ending
    #if os(Linux)
      // There the handler fires only when every descendant has closed a socket of Foundation's; `waitid` sees the end at once, but
      // may lose the race to Foundation's own reaper. The first of the two to know settles it.
      Thread.detachNewThread {
        if let status = ExitStatus.waited(pid) { ending.settle(status) }
      }
    #endif
  }

  /// The system's own word ("Argument list too long") in an error of Foundation's: it is the error, or what lies under it.
  static func systemCode(of error: any Error) -> Int32? {
    var next: NSError? = error as NSError
    for _ in 0..<4 {
      guard let this = next else { return nil }
      if this.domain == NSPOSIXErrorDomain { return Int32(clamping: this.code) }
      next = this.userInfo[NSUnderlyingErrorKey] as? NSError
    }
    return nil
  }

  /// Waits for the end, blocking the calling thread.
  /// - Parameter deadline: nil: for ever
  /// - Returns: nil when the time was up first
  package func wait(deadline: Deadline? = nil) -> ExitStatus? { ending.wait(deadline) }

  /// Kills the whole process group that the child leads.
  package func killGroup() { ProcessTable.signalGroup(pid, SIGKILL) }

  private final class Ending: @unchecked Sendable {
    private let condition = NSCondition()
    private var status: ExitStatus?

    func settle(_ status: ExitStatus) {
      condition.lock()
      if self.status == nil { self.status = status }
      condition.broadcast()
      condition.unlock()
    }

    func wait(_ deadline: Deadline?) -> ExitStatus? {
      condition.lock()
      defer { condition.unlock() }
      while status == nil {
        if let deadline {
          let left = deadline.left
          if left <= 0 { break }
          _ = condition.wait(until: Date(timeIntervalSinceNow: left))
        } else {
          condition.wait()
        }
      }
      return status
    }
  }
}
