import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

/// `watch` in a real terminal (tmux) of three sizes, on a run whose provider refuses for ever.
@Suite(.blocking) struct WatchScreenTests {
  let world: World

  init() throws {
    world = try World()
    world.environment["TZ"] = "UTC"
    world.environment["TERM"] = "xterm-256color"
    // tmux starts its commands with it; a user without rights may have none.
    world.environment["SHELL"] = "/bin/sh"
  }

  private static let script: JSONValue = [
    "turns": [
      [
        "text": "I will read the parser first.",
        "tools": [
          [
            "name": "todowrite",
            "arguments": [
              "todos": [
                ["id": "1", "content": "Read the parser", "status": "completed", "priority": "high"],
                ["id": "2", "content": "Add --verbose", "status": "in_progress", "priority": "high"],
                ["id": "3", "content": "Write a test", "status": "pending", "priority": "high"],
                [
                  "id": "4", "content": "Run the checks, all of them, and write down what each of them says in a sentence", "status": "pending",
                  "priority": "low",
                ],
              ]
            ],
          ], ["name": "write", "arguments": ["filePath": "src/cli.py", "content": "print('verbose')\n"]],
          ["name": "write", "arguments": ["filePath": "tests/test_cli.py", "content": "assert True\n"]],
          ["name": "bash", "arguments": ["command": "test -s tests/test_cli.py", "description": "Checks"]],
          ["name": "bash", "arguments": ["command": "make check", "description": "Checks"]],
          [
            "name": "bash",
            "arguments": ["command": "echo '日本語のテキスト' a long line that no small terminal has room for, whatever its font is", "description": "Says"],
          ],
        ],
      ], ["status": 429, "body": ["error": ["message": "Rate limit reached for requests"]], "forever": true],
    ], "retrySeconds": 1,
  ]

  /// A server of its own for each size: one that is still ending would take the next session along.
  private struct Tmux {
    let world: World
    let name: String

    @discardableResult
    func callAsFunction(_ words: String...) throws -> String {
      let result = try Command(
        "/usr/bin/env", ["tmux", "-f", "/dev/null", "-S", world.path(name)] + words, environment: world.environment, folder: world.repository,
        deadline: .after(60)
      ).run()
      if !result.succeeded { throw TestFailure("tmux \(words): \(result.errorText)") }
      return result.outputText
    }

    func screen(colours: Bool = false) throws -> [String] {
      try (colours ? self("capture-pane", "-p", "-e") : self("capture-pane", "-p")).components(separatedBy: "\n").dropLast()
    }
  }

  /// Without trailing blank rows.
  private func filled(_ rows: [String]) -> [String] { Array(rows.reversed().drop { $0.isEmpty }.reversed()) }

  @Test func threeSizesAndOneThatChanges() throws {
    guard ProgramFinder.locate("tmux", path: world.environment["PATH"], workspace: nil) != nil else {
      print("NOTICE: threeSizesAndOneThatChanges was skipped: there is no tmux")
      return
    }
    try world.standIn(Self.script)
    let task = world.task([
      "title": "Add a --verbose option", "model": "stand-in/m1", "verificationCommands": ["test -s tests/test_cli.py", "make check", "make lint"],
    ])
    let started = try JSONValue(parsing: try world.worker("call", "start", JSONValue.object(task).text).output)
    let run = try #require(started["run"]?.string, "\(started.text)")
    #expect(eventually(within: 60) { (try? world.worker("status", run).outputText.contains("the provider refuses")) == true })
    var tmux = Tmux(world: world, name: "tmux")
    for (width, height) in [(80, 24), (120, 40), (50, 15)] {
      tmux = Tmux(world: world, name: "tmux-\(width)")
      // Ctrl-C reaches the shell too.
      let command = "trap : INT; '\(World.binary)' watch \(run); sleep 600"
      try tmux("new-session", "-d", "-x", "\(width)", "-y", "\(height)", command)
      #expect(try eventually(within: 60) { try tmux.screen().contains { $0.contains("the provider refuses: Rate limit") } })
      // Some more of the endless retries have their line.
      #expect(try eventually(within: 60) { try tmux.screen().filter { $0.contains("provider") && $0.contains("Rate limit") }.count > 2 })
      try look(tmux, width, height)
      let text = filled(try tmux.screen()).map { row in String(row.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
      try keep(text + "\n", "\(width)x\(height)")
    }
    // The same terminal, made wider and narrower while it is drawn.
    for (width, height) in [(100, 30), (60, 20), (44, 12), (120, 40)] {
      try tmux("resize-window", "-x", "\(width)", "-y", "\(height)")
      #expect(try eventually(within: 30) { try filled(tmux.screen()).last.map { $0.contains("refuses") && $0.count <= width } ?? false })
      usleep(700_000)
      try look(tmux, width, height)
    }
    try tmux("send-keys", "C-c")
    #expect(try eventually(within: 30) { try tmux.screen().joined(separator: " ").contains("The run goes on.") })
    #expect(try world.worker("status", run).outputText.contains("running"))
  }

  /// What must be so on every screen.
  private func look(_ tmux: Tmux, _ width: Int, _ height: Int) throws {
    // A screen is caught between two drawings sometimes.
    let isWell = try eventually(within: 30) {
      let rows = filled(try tmux.screen())
      guard let last = rows.last, last.hasPrefix("the provider refuses: Rate limit") else { return false }
      return rows.filter { $0.hasPrefix("the provider refuses") }.count == 1 && rows.filter { $0.hasPrefix("────") }.count == 1
        && rows.contains { $0.hasPrefix("checks    ") } && rows.contains { $0.hasPrefix("files 2") } && rows.contains { $0.hasPrefix("todo 1/4") }
        && rows.contains { $0.contains("[>] Add --verbose") }
    }
    let shown = try tmux.screen().joined(separator: "\n")
    #expect(isWell, "\(width)x\(height):\n\(shown)")
    let coloured = try tmux.screen(colours: true)
    #expect(coloured.contains { $0.contains("\u{1B}[31m") && $0.contains("Rate limit") })
  }

  /// Kept for README and the eye: renewed with `UPDATE_GOLDEN=1`, compared by `look` only, since a retry more or less is no difference.
  private func keep(_ text: String, _ size: String) throws {
    guard Golden.isRenewed else { return }
    let folder = URL(fileURLWithPath: Fixture.folder).deletingLastPathComponent().deletingLastPathComponent().path + "/docs/pictures"
    // The path may be cut; the times stay as they were.
    let settled = text.replacing(/\S*\/worker-test-\S*/, with: "/home/me/project").replacing(/\d{8}-\d{6}-[2-9a-z]{4}/, with: "20261122-162803-k3f9")
    try PrivateFiles.replace("\(folder)/watch-\(size).txt", with: Array(settled.utf8), mode: 0o644)
  }
}
