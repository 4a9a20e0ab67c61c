import Foundation

/// A short helper program, run to its end within a deadline, its output in files (a pipe's reader could block or lose bytes).
package struct Command: Sendable {
  package var executable: String
  package var arguments: [String]
  package var environment: [String: String]?
  package var folder: String?
  /// When its process group is killed.
  package var deadline: Deadline
  /// More output than this is not read.
  package var outputLimit: Int
  /// What ends it before its time; without effect on one with a session of its own.
  package var leash: Leash?
  /// Whether it gets a session of its own: an interactive shell would else take the terminal.
  package var ownSession: Bool
  /// A program that is known to write to what it is given and nowhere else: its output is kept in memory, where that can be bounded, which
  /// saves making files. Past the limit it gets an error.
  package var isTrusted = false

  package init(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil, deadline: Deadline,
    outputLimit: Int = 256 << 20, ownSession: Bool = false
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.folder = folder
    self.deadline = deadline
    self.outputLimit = outputLimit
    self.ownSession = ownSession
  }

  package struct Result: Sendable {
    /// nil: it did not end within the deadline.
    package let status: ExitStatus?
    package let output: [UInt8]
    package let errors: [UInt8]

    package var succeeded: Bool { status?.succeeded ?? false }
    package var outputText: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: errors, as: UTF8.self) }
  }

  /// Runs it, blocking the calling thread.
  /// - Throws: `PosixError` when it can't be started or its output can't be kept
  package func run(input: [UInt8] = []) throws -> Result {
    let (output, errors) = (try outputFile(limit: outputLimit), try outputFile(limit: Command.errorLimit))
    defer {
      output.close()
      errors.close()
    }
    var source: Descriptor?
    defer { source?.close() }
    if !input.isEmpty {
      let file = try isTrusted ? SystemHabits.memoryFile(limit: input.count) ?? Command.scratchFile() : Command.scratchFile()
      source = file
      try file.writeAll(input)
      lseek(file.raw, 0, SEEK_SET)
    }
    let status = try runToEnd(source, output, errors)
    return Result(status: status, output: try written(output, limit: outputLimit), errors: try written(errors, limit: Command.errorLimit))
  }

  private static let errorLimit = 1 << 20

  private func runToEnd(_ input: Descriptor?, _ output: Descriptor, _ errors: Descriptor) throws -> ExitStatus? {
    let process = try SpawnedProcess(
      executable, arguments, environment: environment ?? OwnProcess.environment, folder: folder ?? FileManager.default.currentDirectoryPath,
      leading: ownSession ? .session : .group, input: input, output: output, errors: errors)
    if !ownSession { leash?.hold(process) }
    defer { leash?.release(process) }
    let status = try process.wait(deadline: deadline)
    if status == nil { process.killGroup() }
    return status
  }

  private func outputFile(limit: Int) throws -> Descriptor {
    try isTrusted ? SystemHabits.memoryFile(limit: limit) ?? Command.scratchFile() : Command.scratchFile()
  }

  /// A file in memory has its full size from the beginning: its position tells how much was written. So it does of one on the disk, but there
  /// a program may have opened it again by its name in /dev.
  private func written(_ file: Descriptor, limit: Int) throws -> [UInt8] {
    let end = isTrusted ? Int64(lseek(file.raw, 0, SEEK_CUR)) : try file.size()
    return try file.bytes(limit: Int(min(Int64(limit), max(0, end))))
  }

  /// An open file without a name: gone with its last descriptor, whatever crashes.
  private static func scratchFile() throws -> Descriptor {
    var failure: PosixError?
    // TMPDIR may name a folder that is gone.
    for folder in [NSTemporaryDirectory(), "/tmp", "/var/tmp"] {
      let path = "\(folder.hasSuffix("/") ? folder : folder + "/")opencode-worker-\(getpid())-\(UInt64.random(in: 0 ... .max))"
      do {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL)
        unlink(path)
        return file
      } catch let error as PosixError {
        failure = failure ?? error
        if error.isShortage { break }
      }
    }
    throw failure ?? PosixError("open", path: "/tmp", code: ENOENT)
  }
}

/// Runs a blocking call on a thread of its own: never in a Task, whose pool it would starve.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}

/// The same for a call that can't fail.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}
