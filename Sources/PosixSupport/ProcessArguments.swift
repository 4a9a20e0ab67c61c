/// The layout of Darwin's KERN_PROCARGS2: a count of arguments, the executable's path, zeros, the arguments, the environment; each text
/// ends with a zero.
enum ProcessArguments {
  /// - Returns: nil when it isn't laid out like that. An argument may be empty; the environment ends at the first empty text, since what
  ///   follows is the kernel's own.
  static func split(_ bytes: ArraySlice<UInt8>) -> (arguments: [ArraySlice<UInt8>], environment: [ArraySlice<UInt8>])? {
    guard bytes.count > 4 else { return nil }
    let count = bytes.prefix(4).withUnsafeBytes { Int($0.loadUnaligned(as: Int32.self)) }
    var rest = bytes.dropFirst(4)
    guard count >= 0, let pathEnd = rest.firstIndex(of: 0) else { return nil }
    rest = rest[pathEnd...].drop { $0 == 0 }
    var texts: [ArraySlice<UInt8>] = []
    while let end = rest.firstIndex(of: 0) {
      if texts.count >= count, end == rest.startIndex { break }
      texts.append(rest[rest.startIndex..<end])
      rest = rest[(end + 1)...]
    }
    return (Array(texts.prefix(count)), Array(texts.dropFirst(count)))
  }
}
