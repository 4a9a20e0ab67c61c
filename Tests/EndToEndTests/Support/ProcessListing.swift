import Foundation
import PosixSupport

extension ProcessTable {
  /// The living processes and their command lines; zombies have none.
  static func commands() -> [ListedProcess] {
    #if os(Linux)
      return ((try? BytePaths.names(in: Array("/proc".utf8))) ?? []).compactMap { name in
        guard let pid = Int32(String(decoding: name, as: UTF8.self)), let file = try? Descriptor.open("/proc/\(pid)/cmdline", O_RDONLY) else { return nil }
        defer { file.close() }
        let words = ((try? file.bytes(limit: 1 << 16)) ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.isEmpty ? nil : ListedProcess(pid: pid, command: words.joined(separator: " "))
      }
    #else
      let listing = (try? Command("/bin/ps", ["-axo", "pid=,args="], deadline: 10).run().outputText) ?? ""
      return listing.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let pid = Int32(words[0]) else { return nil }
        return ListedProcess(pid: pid, command: String(words[1]))
      }
    #endif
  }
}
