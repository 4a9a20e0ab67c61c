import Foundation
import JSON
import PosixSupport

/// Lines in on stdin, whole frames out on stdout; a blocking thread for each. Nothing else can reach stdout: the protocol has a
/// descriptor of its own, and fd 1 leads to stderr.
package final class StdioTransport: Sendable {
  private let input: Descriptor
  private let writer: FrameWriter

  /// Takes stdin and stdout over.
  /// - Throws: `PosixError` when one of them is closed
  package init() throws {
    input = try OwnProcess.duplicate(STDIN_FILENO)
    let output = try OwnProcess.duplicate(STDOUT_FILENO)
    if (try? OwnProcess.use(Descriptor(raw: STDERR_FILENO), as: STDOUT_FILENO)) == nil {
      try OwnProcess.use(try Descriptor.open("/dev/null", O_WRONLY), as: STDOUT_FILENO)
    }
    writer = FrameWriter(output)
  }

  /// The frames as they come; the sequence ends at end of file. The reader stays a few frames ahead of whoever takes them, no more, and reads none while
  /// much lies there that nobody takes from stdout.
  package func frames() -> FrameSequence {
    let (input, writer) = (input, writer)
    let credits = Credits(8)
    let (stream, continuation) = AsyncStream.makeStream(of: Frame.self)
    Thread.detachNewThread {
      var framing = LineFraming()
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
      defer { buffer.deallocate() }
      while let count = try? input.readWaiting(into: buffer), count > 0 {
        for frame in framing.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
          writer.waitForRoom()
          credits.take()
          continuation.yield(frame)
        }
      }
      if let last = framing.finish() { continuation.yield(last) }
      continuation.finish()
    }
    return FrameSequence(stream: stream, credits: credits)
  }

  /// Queues one message; never blocks the caller.
  package func send(_ message: JSONValue) {
    var bytes = message.bytes
    bytes.append(UInt8(ascii: "\n"))
    writer.enqueue(bytes)
  }

  /// Waits until what was queued is written, at most `seconds`.
  package func flush(seconds: Double) { writer.flush(seconds) }

  /// Calls `body` once when stdout turns out to be closed.
  package func onBroken(_ body: @escaping @Sendable () -> Void) { writer.onBroken(body) }
}

/// The frames of a transport, in order.
package struct FrameSequence: AsyncSequence {
  fileprivate let stream: AsyncStream<Frame>
  fileprivate let credits: Credits

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate var base: AsyncStream<Frame>.Iterator
    fileprivate let credits: Credits

    package mutating func next() async -> Frame? {
      credits.give()
      return await base.next()
    }
  }

  package func makeAsyncIterator() -> Iterator { Iterator(base: stream.makeAsyncIterator(), credits: credits) }
}

/// Lets a producer run ahead of its consumer by a bounded number of items.
private final class Credits: @unchecked Sendable {
  private let condition = NSCondition()
  private var left: Int

  init(_ count: Int) { left = count }

  func take() {
    condition.lock()
    while left == 0 { condition.wait() }
    left -= 1
    condition.unlock()
  }

  func give() {
    condition.lock()
    left += 1
    condition.signal()
    condition.unlock()
  }
}

/// Writes queued frames one after the other, each whole, from a thread of its own.
private final class FrameWriter: @unchecked Sendable {
  private let output: Descriptor
  private let condition = NSCondition()
  private var queue: [[UInt8]] = []
  /// Bytes that are queued or being written.
  private var unwritten = 0
  /// Far more than answers to what a client asks at the same time.
  private static let room = 16 << 20
  private var writing = false
  private var broken = false
  private var brokenHandler: (@Sendable () -> Void)?

  init(_ output: Descriptor) {
    self.output = output
    Thread.detachNewThread { [self] in run() }
  }

  func onBroken(_ body: @escaping @Sendable () -> Void) {
    condition.withLock { brokenHandler = body }
  }

  func enqueue(_ frame: [UInt8]) {
    condition.lock()
    if !broken {
      queue.append(frame)
      unwritten += frame.count
    }
    condition.broadcast()
    condition.unlock()
  }

  /// Blocks while more is queued than a client that reads leaves there.
  func waitForRoom() {
    condition.lock()
    while unwritten > FrameWriter.room, !broken { condition.wait() }
    condition.unlock()
  }

  func flush(_ seconds: Double) {
    let until = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    while !queue.isEmpty || writing, !broken, condition.wait(until: until) {}
    condition.unlock()
  }

  private func run() {
    condition.lock()
    while true {
      while queue.isEmpty { condition.wait() }
      let frames = queue
      queue = []
      writing = true
      condition.unlock()
      var failed = false
      for frame in frames where !failed {
        failed = (try? output.writeAll(frame)) == nil
        condition.withLock {
          unwritten -= frame.count
          condition.broadcast()
        }
      }
      condition.lock()
      writing = false
      if failed, !broken {
        broken = true
        queue = []
        let handler = brokenHandler
        condition.broadcast()
        condition.unlock()
        handler?()
        condition.lock()
      }
      condition.broadcast()
    }
  }
}
