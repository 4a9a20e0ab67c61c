import Foundation

/// What files take on the disk: blocks, not their apparent sizes, which sparse files don't take.
package enum DiskUse {
  /// All that lies below a folder, the folder included. Symlinks aren't followed.
  package static func bytes(below folder: String) -> Int64 {
    var total: Int64 = 0
    var queue = [Array(folder.utf8)]
    while let next = queue.popLast() {
      total += FileFacts.allocated(next)
      guard FileFacts.of(next)?.kind == .folder else { continue }
      for name in (try? BytePaths.names(in: next)) ?? [] { queue.append(next + [UInt8(ascii: "/")] + name) }
    }
    return total
  }
}
