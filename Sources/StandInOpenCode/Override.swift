import Foundation
import JSON
import PosixSupport

/// A subcommand that misbehaves.
struct Override {
  /// The subcommand, and words that the other arguments must contain: `api /message`.
  let name: String
  /// `{"stdout", "stderr", "error", "delay", "hang", "exit", "times"}`
  let what: JSONValue

  private var words: [Substring] { name.split(separator: " ") }

  /// How many words of its name the call has; nil: it isn't meant.
  func fits(_ arguments: [String]) -> Int? {
    guard arguments.first.map({ $0 == words.first ?? "" }) ?? false else { return nil }
    return words.dropFirst().allSatisfy { word in arguments.dropFirst().contains { $0.contains(word) } } ? words.count : nil
  }

  /// - Returns: the exit code; nil: the call goes on as usual
  func play(console: Console, store: SessionStore, build: Build) throws -> Int32? {
    if let times = what["times"]?.int, try store.count("override \(name)") > times { return nil }
    Thread.sleep(forTimeInterval: max(0, min(what["delay"]?.double ?? 0, 1_000_000)))
    if let text = what["stdout"]?.string { try console.print(text) }
    if let text = what["stderr"]?.string { console.complain(text) }
    if what["hang"]?.bool ?? false { while true { Thread.sleep(forTimeInterval: 3600) } }
    if let text = what["error"]?.string {
      let code = build.isTwo ? console.failTwo(text) : console.fail(text)
      return what["exit"]?.int.map { Int32(clamping: $0) } ?? code
    }
    return what["exit"]?.int.map { Int32(clamping: $0) }
  }
}
