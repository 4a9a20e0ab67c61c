import Foundation
import PosixSupport

/// A command in a terminal of its own: stdin, stdout and stderr lead there, as a person's do.
package struct TerminalSession {
  package let text: String
  package let code: Int?

  /// Types into the terminal what it is waiting for, and takes what it shows until the command ends.
  private static let script = """
    import fcntl, os, pty, select, struct, sys, termios, time
    prompt, typed, columns, rows, command = sys.argv[1].encode(), sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
    ready, go = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.close(go)
        os.read(ready, 1)
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.write(go, b'x')
    seen, end, done = b'', time.time() + 100, not typed
    while time.time() < end:
        if not done and prompt in seen:
            os.write(terminal, typed)
            done = True
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            bytes = os.read(terminal, 65536)
        except OSError:
            break
        if not bytes:
            break
        seen += bytes
    else:
        os.kill(pid, 9)
    code = os.WEXITSTATUS(os.waitpid(pid, 0)[1])
    sys.stdout.buffer.write(seen)
    sys.exit(code)
    """

  /// - Parameters:
  ///   - prompt: what is waited for before `typed` is typed
  /// - Returns: nil, with a printed line that says why, where there is no python3
  package static func run(
    _ words: [String], in world: World, prompt: String = "", typed: String = "", size: (columns: Int, rows: Int) = (80, 24), extra: [String: String] = [:],
    test: String = #function
  ) throws -> TerminalSession? {
    guard let python = Python.interpreter(for: test) else { return nil }
    // Python would put a UTF-8 locale in place of C.
    let environment = world.environment.merging(["TERM": "xterm-256color", "PYTHONCOERCECLOCALE": "0"]) { $1 }.merging(extra) { $1 }
    let result = try Command(
      python, ["-c", script, prompt, typed, "\(size.columns)", "\(size.rows)", World.binary] + words, environment: environment, folder: world.repository,
      deadline: .after(120)
    ).run()
    guard case .exited(let code)? = result.status else { throw TestFailure("\(words): \(result.outputText) \(result.errorText)") }
    return TerminalSession(text: result.outputText.replacing("\r\n", with: "\n"), code: Int(code))
  }
}
