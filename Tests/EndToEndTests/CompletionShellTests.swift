import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// The completions, loaded by each shell as a user does it.
@Suite(.blocking) struct CompletionShellTests {
  let world: World
  let run: String

  init() throws {
    world = try World()
    try world.standIn(["turns": [["text": "Done."]]])
    let reply = try JSONValue(parsing: try world.worker("call", "run_and_wait", JSONValue.object(world.task()).text, deadline: .after(120)).output)
    run = reply["run"]?.string ?? ""
    try FileManager.default.createSymbolicLink(atPath: world.path("bin/opencode-worker"), withDestinationPath: World.binary)
    world.environment["PATH"] = world.path("bin") + ":" + (world.environment["PATH"] ?? "")
  }

  private func isInstalled(_ name: String, test: String = #function) -> Bool {
    if ProgramFinder.locate(name, path: world.environment["PATH"], workspace: nil) != nil { return true }
    print("NOTICE: \(test) was skipped: there is no \(name)")
    return false
  }

  /// Types into an interactive shell in a terminal of its own, presses TAB, and gives what the line then is, as the shell itself prints it.
  private static let typist = """
    import os, pty, select, sys, time
    load, line, shell = sys.argv[1], sys.argv[2], sys.argv[3:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ['TERM'] = 'xterm'
        os.execvp(shell[0], shell)
    seen = b''
    def until(word, seconds=60):
        global seen
        end = time.time() + seconds
        while word not in seen and time.time() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    seen += os.read(terminal, 65536)
                except OSError:
                    break
        return word in seen
    os.write(terminal, (load + "; echo rea''dy\\n").encode())
    until(b'ready')
    time.sleep(0.3)
    seen = b''
    # The command is a function that shows its words: what was completed is what it gets.
    os.write(terminal, line.encode() + b'\\t')
    time.sleep(2)
    os.write(terminal, b'\\n')
    until(b']]')
    sys.stdout.buffer.write(seen)
    os.write(terminal, b'\\x04exit\\n')
    """

  /// What the command got for a line that ends with TAB.
  private func completed(_ line: String, load: String, shell: [String], by python: String) throws -> String {
    let result = try Command(
      python, ["-c", Self.typist, load, line] + shell, environment: world.environment, folder: world.repository, deadline: .after(120)
    ).run()
    let text = result.outputText
    guard let start = text.range(of: "[["), let end = text.range(of: "]]", range: start.upperBound..<text.endIndex) else {
      return "nothing: \(text) \(result.errorText)"
    }
    return text[start.upperBound..<end.lowerBound].trimmingCharacters(in: .whitespaces)
  }

  private var cases: [(String, String)] {
    [
      ("opencode-worker wa", "watch"), ("opencode-worker undo \(run.prefix(10))", "undo \(run)"), ("opencode-worker report --js", "report --json"),
      ("opencode-worker completions zs", "completions zsh"),
    ]
  }

  @Test(arguments: [["bash", "--norc", "-i"], ["zsh", "-f", "-i"]])
  func evaluated(_ shell: [String]) throws {
    guard isInstalled(shell[0]), let python = Python.interpreter() else { return }
    for (line, expected) in cases {
      let load =
        "eval \"$(opencode-worker completions \(shell[0]))\"; opencode-worker() { if [ \"$1\" = runs ]; then command opencode-worker \"$@\"; else echo \"[[$*]]\"; fi; }"
      #expect(try completed(line, load: load, shell: shell, by: python) == expected, "\(line)")
    }
  }

  /// As a file on zsh's function path, which is loaded at the first TAB.
  @Test func zshFromItsFunctionPath() throws {
    guard isInstalled("zsh"), let python = Python.interpreter() else { return }
    try PrivateFiles.createFolder(world.path("functions"))
    try world.write("functions/_opencode-worker", try world.worker("completions", "zsh").outputText)
    let load = "fpath=(\(world.path("functions")) $fpath); autoload -Uz compinit; compinit -u -d \(world.path("dump")); opencode-worker() { echo \"[[$*]]\"; }"
    #expect(try completed("opencode-worker wa", load: load, shell: ["zsh", "-f", "-i"], by: python) == "watch")
  }

  @Test func fish() throws {
    guard isInstalled("fish") else { return }
    for (line, expected) in cases + [("opencode-worker logs -", "logs -n"), ("opencode-worker logs -", "logs --raw")] {
      let script = "opencode-worker completions fish | source; complete -C '\(line)'"
      let result = try Command(
        "/usr/bin/env", ["fish", "--no-config", "-c", script], environment: world.environment, folder: world.repository, deadline: .after(60)
      ).run()
      let words = result.outputText.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
      #expect(words.contains(expected.split(separator: " ").last.map(String.init) ?? ""), "\(line): \(words) \(result.errorText)")
    }
  }
}
