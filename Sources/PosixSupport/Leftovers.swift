import Foundation

/// What a killed install has left beside its target: `NAME.PID.NUMBER.KIND`, the way new files and folders are called before their rename.
package enum Leftovers {
  /// Only those whose process is gone.
  package static func paths(of name: String, in folder: String, kinds: Set<String>) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { candidate in
      guard candidate.hasPrefix(name + ".") else { return false }
      let parts = candidate.dropFirst(name.count + 1).split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 3, kinds.contains(String(parts[2])), UInt64(parts[1]) != nil, let pid = pid_t(parts[0]), pid > 0 else { return false }
      return kill(pid, 0) != 0 && errno == ESRCH
    }.map { folder + "/" + $0 }
  }

  package static func remove(_ paths: [String]) {
    for path in paths { try? FileManager.default.removeItem(atPath: path) }
  }
}
