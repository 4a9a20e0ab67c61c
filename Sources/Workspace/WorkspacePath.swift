/// A path relative to a workspace's root, in the bytes that the file system holds.
package typealias PathBytes = [UInt8]

/// How paths that may be any bytes are shown: valid UTF-8 as it is; anything else as git quotes it, and only then:
/// `"caf\351"` (in double quotes, invalid bytes in octal, `\` and `"` escaped). A name that itself begins with `"` is quoted too,
/// so that what is shown can always be turned back.
package enum WorkspacePath {
  package static func shown(_ bytes: some Collection<UInt8>) -> String {
    if bytes.first != quote, let text = String(validating: bytes, as: UTF8.self) { return text }
    var out: [UInt8] = [quote]
    var rest = bytes[...]
    while let first = rest.first {
      let length = validLength(rest)
      if length == 0 {
        out += [backslash] + octal(first)
        rest = rest.dropFirst()
      } else {
        if first == quote || first == backslash { out.append(backslash) }
        out += rest.prefix(length)
        rest = rest.dropFirst(length)
      }
    }
    return String(decoding: out + [quote], as: UTF8.self)
  }

  /// The bytes of a path as it was shown. A text that isn't well quoted stands for itself.
  package static func bytes(_ shown: String) -> PathBytes {
    let text = Array(shown.utf8)
    guard text.count >= 2, text.first == quote, text.last == quote else { return text }
    var out: PathBytes = []
    var index = 1
    let end = text.count - 1
    while index < end {
      let byte = text[index]
      guard byte == backslash else {
        if byte == quote { return text }
        out.append(byte)
        index += 1
        continue
      }
      guard index + 1 < end else { return text }
      let next = text[index + 1]
      if (0x30...0x33).contains(next), index + 3 < end, (0x30...0x37).contains(text[index + 2]), (0x30...0x37).contains(text[index + 3]) {
        out.append((next - 0x30) << 6 | (text[index + 2] - 0x30) << 3 | (text[index + 3] - 0x30))
        index += 4
      } else {
        guard let plain = escapes[next] else { return text }
        out.append(plain)
        index += 2
      }
    }
    return out
  }

  /// Quoted so that git reads it back on one line (`--stdin-paths`, `info/alternates`, configuration values).
  package static func quotedForGit(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var out: [UInt8] = [quote]
    for byte in bytes {
      switch byte {
      case quote, backslash: out += [backslash, byte]
      case 0x0a: out += [backslash, UInt8(ascii: "n")]
      case 0x09: out += [backslash, UInt8(ascii: "t")]
      default: out.append(byte)
      }
    }
    return out + [quote]
  }

  /// Without empty parts, `.` and `..`; nil when it leads out of the root.
  package static func normalized(_ path: some Collection<UInt8>) -> PathBytes? {
    var parts: [ArraySlice<UInt8>] = []
    for part in Array(path).split(separator: slash) {
      if part.elementsEqual([dot]) { continue }
      if part.elementsEqual([dot, dot]) {
        if parts.popLast() == nil { return nil }
      } else {
        parts.append(part)
      }
    }
    return Array(parts.joined(separator: [slash]))
  }

  /// The folders above a path, nearest first, without the root.
  package static func parents(_ path: PathBytes) -> [PathBytes] {
    path.indices.reversed().filter { path[$0] == slash }.map { PathBytes(path[..<$0]) }
  }

  package static func join(_ folder: PathBytes, _ name: PathBytes) -> PathBytes {
    if folder.isEmpty { return name }
    return folder.last == slash ? folder + name : folder + [slash] + name
  }

  /// `path` relative to `folder`; nil if it isn't inside.
  package static func relative(_ path: PathBytes, to folder: PathBytes) -> PathBytes? {
    if folder.isEmpty { return path }
    if folder == [slash] { return path.first == slash ? PathBytes(path.dropFirst()) : nil }
    guard path.starts(with: folder) else { return nil }
    if path.count == folder.count { return [] }
    return path[folder.count] == slash ? PathBytes(path.dropFirst(folder.count + 1)) : nil
  }

  package static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")
  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")
  private static let escapes: [UInt8: UInt8] = [
    quote: quote, backslash: backslash, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "a"): 7,
    UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "v"): 11,
  ]

  private static func octal(_ byte: UInt8) -> [UInt8] { [0x30 + (byte >> 6), 0x30 + (byte >> 3 & 7), 0x30 + (byte & 7)] }

  /// Bytes of the first character if it is valid UTF-8, else 0.
  private static func validLength(_ bytes: some Collection<UInt8>) -> Int {
    for length in 1...4 where bytes.count >= length {
      let head = bytes.prefix(length)
      if let text = String(validating: head, as: UTF8.self), text.unicodeScalars.count == 1 { return length }
    }
    return 0
  }
}

/// In the order of their bytes, as git sorts.
package func precedes(_ left: PathBytes, _ right: PathBytes) -> Bool { left.lexicographicallyPrecedes(right) }
