/// A folder by its name alone, as `cd` reads it.
struct ShellFolder: Hashable, Sendable {
  /// Bytes of each part, no `.` and no empty ones; `..` only at the start of a relative name.
  private(set) var steps: [[UInt8]] = []
  private(set) var isAbsolute = false

  static let up = Array("..".utf8)

  init(_ path: String) { self = ShellFolder().entering(Array(path.utf8)) }

  private init() {}

  func entering(_ path: [UInt8]) -> ShellFolder {
    var folder = self
    if path.first == UInt8(ascii: "/") {
      folder.isAbsolute = true
      folder.steps = []
    }
    for step in path.split(separator: UInt8(ascii: "/")) where !step.elementsEqual(".".utf8) {
      if !step.elementsEqual(ShellFolder.up) || (!folder.isAbsolute && (folder.steps.last ?? ShellFolder.up) == ShellFolder.up) {
        folder.steps.append(Array(step))
      } else {
        _ = folder.steps.popLast()
      }
    }
    return folder
  }

  /// Whether each folder on the way along `path`, from this one, is one of those.
  func passes(_ path: [UInt8], _ isOne: (ShellFolder) -> Bool) -> Bool {
    var folder = path.first == UInt8(ascii: "/") ? entering([UInt8(ascii: "/")]) : self
    return path.split(separator: UInt8(ascii: "/")).allSatisfy {
      folder = folder.entering(Array($0))
      return isOne(folder)
    }
  }

  func isInside(_ other: ShellFolder) -> Bool { isAbsolute == other.isAbsolute && steps.starts(with: other.steps) }

  var path: String {
    let joined = String(decoding: Array(steps.joined(separator: "/".utf8)), as: UTF8.self)
    return isAbsolute ? "/" + joined : joined.isEmpty ? "." : joined
  }
}
