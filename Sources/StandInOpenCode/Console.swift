import Foundation
import JSON
import PosixSupport

/// The stand-in's three standard streams.
struct Console {
  let input: Descriptor
  let output: Descriptor
  let errors: Descriptor

  func print(_ text: String) throws { try output.writeAll(Array(text.utf8)) }
  func print(_ value: JSONValue) throws { try output.writeAll(value.bytes + [UInt8(ascii: "\n")]) }

  /// Standard error may be gone; that ends nothing.
  func complain(_ text: String) { try? errors.writeAll(Array(text.utf8)) }

  /// OpenCode 1.x colours its errors even without a terminal.
  func fail(_ text: String) -> Int32 {
    complain("\u{1B}[91m\u{1B}[1mError: \u{1B}[0m\(text)\n")
    return 1
  }

  /// A command of 2.x that isn't `run`.
  func failTwo(_ text: String) -> Int32 {
    complain("[00:00:00.000] ERROR (#1): Error: \(text)\n")
    return 1
  }

  /// Everything up to the end of standard input, or up to so many bytes; nothing from a terminal.
  func readAll(limit: Int = .max) -> String {
    if isatty(input.raw) != 0 { return "" }
    var all: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while all.count < limit {
      let wanted = min(part.count, limit - all.count)
      guard let count = try? part.withUnsafeMutableBytes({ try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted])) }), count > 0 else {
        break
      }
      all += part[..<count]
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// Standard input is a regular file.
  var inputIsFile: Bool {
    var info = stat()
    return fstat(input.raw, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
  }
}
