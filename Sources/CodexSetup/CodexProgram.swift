import Foundation
import JSON
import PosixSupport

/// The `codex` command on PATH.
package struct CodexProgram: Sendable {
  package let path: String
  package let environment: [String: String]

  /// nil when it isn't there. Relative entries of PATH are passed over.
  package init?(environment: [String: String]) {
    guard let path = ProgramFinder.locate("codex", path: environment["PATH"] ?? "", workspace: nil) else { return nil }
    self.path = path
    self.environment = environment
  }

  /// Runs it to its end, blocking the calling thread.
  package func run(_ arguments: [String], deadline: Deadline = .after(60)) -> Answer {
    do {
      return Answer(try Command(path, arguments, environment: environment, folder: "/", deadline: deadline, outputLimit: 4 << 20).run())
    } catch {
      return Answer(succeeded: false, output: [], complaint: "\(error)")
    }
  }

  /// `0.163.0`; nil when it doesn't say.
  package var version: String? {
    String(decoding: run(["--version"], deadline: .after(20)).output.prefix(200), as: UTF8.self).split(whereSeparator: \.isWhitespace).last.map(String.init)
  }

  /// Runs it with `--json`, and without where this version doesn't know that (`plugin add` of 0.133).
  package func runForJSON(_ arguments: [String]) -> Answer {
    let answer = run(arguments + ["--json"])
    return !answer.succeeded && answer.complaint.contains("--json") ? run(arguments) : answer
  }

  /// Whether it has `codex queue`, by which the wake-up works.
  package var canQueue: Bool { run(["queue", "--help"], deadline: .after(20)).succeeded }

  package struct Answer: Sendable {
    package let succeeded: Bool
    package let output: [UInt8]
    /// Its own words when it failed, on one line.
    package let complaint: String

    package var json: JSONValue? { try? JSONValue(parsing: output) }

    package init(succeeded: Bool, output: [UInt8], complaint: String) {
      (self.succeeded, self.output, self.complaint) = (succeeded, output, complaint)
    }

    package init(_ result: Command.Result) {
      let lines = result.errorText.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      // Codex 0.133 and its command line's own parser write it small.
      let start = lines.firstIndex { $0.lowercased().hasPrefix("error:") } ?? max(0, lines.count - 1)
      let words = lines[start...].prefix { !$0.hasPrefix("Stack backtrace") }.prefix(5).joined(separator: " ")
      self.init(
        succeeded: result.succeeded, output: result.output,
        complaint: result.status == nil ? "no answer in time" : String((words.isEmpty ? "it failed without a word" : words).prefix(400)))
    }
  }

  /// What `codex mcp get` says of our server, whether the plugin or an entry brings it.
  package struct Server: Sendable, Equatable {
    package let enabled: Bool
    package let command: String
    package let folder: String?
    package let waitSeconds: Int?
    package let toolTimeout: Int?
    /// The wake-up is on.
    package var wakes = false
    /// OPENCODE_BIN, as the server's own environment has it.
    package var openCode: String?
  }

  /// - Returns: nil when Codex knows no such server or its answer has another shape
  package func server() -> Server? {
    guard let json = run(["mcp", "get", CodexSettings.name, "--json"]).json, let transport = json["transport"], let command = transport["command"]?.string
    else { return nil }
    return Server(
      enabled: json["enabled"]?.bool ?? true, command: command, folder: transport["cwd"]?.string,
      waitSeconds: transport["env"]?[CodexSettings.waitVariable]?.string.flatMap { Int($0) },
      toolTimeout: json["tool_timeout_sec"]?.int, wakes: transport["env"]?[CodexSettings.wakeVariable]?.string == "1",
      openCode: transport["env"]?[CodexSettings.openCodeVariable]?.string)
  }

  /// Where the plugin comes from, such as `personal`; nil when it isn't installed in Codex.
  package func installedMarketplaces() -> [String]? {
    guard let installed = run(["plugin", "list", "--json"]).json?["installed"]?.array else { return nil }
    return installed.filter { $0["name"]?.string == CodexSettings.name }.compactMap { $0["marketplaceName"]?.string }
  }
}
