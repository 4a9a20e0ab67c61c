import Foundation
import PosixSupport

/// What a supervisor tells the server that spawned it, a JSON line each, on its stdout. The server may be gone: nobody minds.
package enum SupervisorMessage: Codable, Sendable, Equatable {
  case accepted(String)
  /// Another run is alive, this one if it is known.
  case busy(String?)
  /// OpenCode is alive.
  case running
  /// The run has ended already, or could not be started; its review says how.
  case ended
  /// Nothing was accepted.
  case failed(String)
  /// There is no supervisor: it could not be started.
  case notSpawned(String)
}

/// The supervisor's end of the pipe.
package struct SupervisorReport: Sendable {
  package let output: Descriptor?

  /// Takes stdout over and leaves `/dev/null` in its place.
  package static func takingStdout() -> SupervisorReport {
    let output = try? OwnProcess.duplicate(STDOUT_FILENO)
    if let null = try? Descriptor.open("/dev/null", O_RDWR) {
      for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { try? OwnProcess.use(null, as: number) }
    }
    return SupervisorReport(output: output)
  }

  package func send(_ message: SupervisorMessage) {
    guard let output, var line = try? JSONEncoder().encode(message) else { return }
    line.append(UInt8(ascii: "\n"))
    try? output.writeAll(line)
  }
}

/// The server's end of the pipe.
package final class SupervisorChannel {
  private let input: Descriptor
  private var buffered: [UInt8] = []

  package init(_ input: Descriptor) { self.input = input }

  deinit { input.close() }

  /// The next message; nil when the supervisor has said all, or `seconds` have passed.
  package func next(seconds: Double) -> SupervisorMessage? {
    let deadline = Deadline.after(seconds)
    while true {
      if let newline = buffered.firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffered[..<newline]
        buffered.removeSubrange(...newline)
        if let message = try? JSONDecoder().decode(SupervisorMessage.self, from: Data(line)) { return message }
        continue
      }
      guard !deadline.hasPassed, waitReadable([input], deadline: deadline)[0].isReady else { return nil }
      let more = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = (try? input.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
      }
      if more.isEmpty { return nil }
      buffered += more
    }
  }
}
