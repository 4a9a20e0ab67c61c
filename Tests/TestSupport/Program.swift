import PosixSupport

/// A program that a test writes and then starts.
package enum Program {
  /// Written by another process: a child that this one has just forked for another test would hold the file open for writing, and then nobody
  /// can start it (ETXTBSY).
  /// - Throws: with the shell's words
  package static func write(_ text: String, to path: String) throws {
    let words = "cat > \"$0.new\" && chmod 755 \"$0.new\" && mv -f \"$0.new\" \"$0\""
    let result = try Command("/bin/sh", ["-c", words, path], deadline: .after(60)).run(input: Array(text.utf8))
    if !result.succeeded { throw TestFailure("\(path): \(result.errorText)") }
  }

  /// A copy, made by another process for the same reason.
  /// - Throws: with cp's words
  package static func copy(_ program: String, to path: String) throws {
    let result = try Command("/bin/cp", ["-f", "--", program, path], deadline: .after(60)).run()
    if !result.succeeded { throw TestFailure("\(path): \(result.errorText)") }
  }
}
