import Foundation

/// A system call that failed: which one, on what, and `errno`.
package struct PosixError: Error, CustomStringConvertible, Sendable {
  package let operation: String
  package let path: String?
  package let code: Int32
  /// In place of the system's words, which would mislead.
  package let reason: String?

  package init(_ operation: String, path: String? = nil, code: Int32 = errno, reason: String? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = reason
  }

  /// The system had nothing left to answer with: says nothing about what was asked for.
  package var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, EIO].contains(code) }

  /// `open /a/b: No such file or directory`
  package var description: String {
    let target = path.map { " \($0)" } ?? ""
    return "\(operation)\(target): \(reason ?? PosixError.text(of: code))"
  }

  /// The system's own words for an `errno`, such as "No space left on device".
  package static func text(of code: Int32) -> String { String(cString: strerror(code)) }
}
