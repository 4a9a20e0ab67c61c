import Foundation
import JSON
import PosixSupport

/// The sentences of a reply's `attention`, a line each.
package func attention(_ reply: JSONValue) -> String { reply["attention"]?.array?.compactMap(\.string).joined(separator: "\n") ?? "" }

/// Waits until something is so.
package func eventually(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Deadline.after(seconds)
  while !deadline.hasPassed {
    if try condition() { return true }
    usleep(10_000)
  }
  return false
}

/// What a test could not set up or get.
package struct TestFailure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
