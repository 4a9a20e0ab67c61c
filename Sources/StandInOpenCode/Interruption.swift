import Foundation
import JSON
import PosixSupport

/// What signals do to a run of 2.x: it prints an error, ends its shell commands and exits with 130. SIGINT, a user's, also releases the claim and
/// leaves the session's outcome. 1.x just dies of them.
enum Interruption {
  nonisolated(unsafe) private static var message: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var length = 0
  /// The shell commands at work; 0: a free place. The handler only reads it.
  nonisolated(unsafe) private static let children: UnsafeMutablePointer<Int32> = {
    let places = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
    places.initialize(repeating: 0, count: capacity)
    return places
  }()
  private static let capacity = 64
  private static let lock = NSLock()
  nonisolated(unsafe) private static var claim: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var outcome: Int32 = -1

  /// How many shell commands are being started: a signal in that moment ends the run when they are known.
  nonisolated(unsafe) private static var starting = 0
  nonisolated(unsafe) private static var isPending = false

  /// Starts a shell command, which ends with the run.
  static func start(_ shell: () throws -> Shell) rethrows -> Shell {
    lock.withLock { starting += 1 }
    defer {
      lock.withLock { starting -= 1 }
      if isPending { end() }
    }
    let shell = try shell()
    replace(0, with: shell.child.pid)
    return shell
  }

  static func ended(_ pid: Int32) { replace(pid, with: 0) }

  private static func replace(_ old: Int32, with new: Int32) {
    lock.withLock {
      if let place = (0..<capacity).first(where: { children[$0] == old }) { children[place] = new }
    }
  }

  /// Puts the time into the prepared message, digit by digit.
  private static func stamp() {
    guard let message else { return }
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var left = Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
    for index in stride(from: stampStart + 12, through: stampStart, by: -1) {
      message[index] = CChar(48 + left % 10)
      left /= 10
    }
  }

  private static let stampStart = #"{"type":"error","timestamp":"#.utf8.count

  /// - Parameters:
  ///   - claim: the file that a user's interruption removes
  ///   - outcome: the file that tells an interruption afterwards
  static func prepare(session: String, claim: String?, outcome: String) throws {
    let event: JSONValue = [
      "type": "error", "timestamp": JSONValue(Player.now()), "sessionID": .string(session), "error": ["type": "unknown", "message": "Transport"],
    ]
    let text = event.text + "\n"
    length = text.utf8.count
    _ = (stampStart, children, capacity)
    message = strdup(text)
    self.claim = claim.map { strdup($0) }
    if claim != nil { self.outcome = try Descriptor.open(outcome, O_WRONLY | O_CREAT | O_TRUNC).raw }
    // Handled, not ignored: its shell commands don't inherit that.
    signal(SIGHUP) { _ in }
    signal(SIGTERM) { _ in Interruption.end() }
    signal(SIGINT) { _ in
      if let claim = Interruption.claim { unlink(claim) }
      if Interruption.outcome >= 0 { _ = write(Interruption.outcome, "interrupted", 11) }
      Interruption.end()
    }
  }

  /// Only calls that a signal handler may make.
  private static func end() {
    isPending = true
    if starting > 0 { return }
    stamp()
    if let message { _ = write(1, message, length) }
    for place in 0..<capacity where children[place] > 0 { kill(-children[place], SIGKILL) }
    _exit(130)
  }
}
