import Foundation
import PosixSupport

extension ProcessTable {
  /// The living processes and their command lines; zombies have none.
  package static func commands() -> [ListedProcess] {
    #if os(Linux)
      return ((try? BytePaths.names(in: Array("/proc".utf8))) ?? []).compactMap { name in
        guard let pid = Int32(String(decoding: name, as: UTF8.self)), let file = try? Descriptor.open("/proc/\(pid)/cmdline", O_RDONLY) else { return nil }
        defer { file.close() }
        let words = ((try? file.bytes(limit: 1 << 16)) ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.isEmpty ? nil : ListedProcess(pid: pid, command: words.joined(separator: " "))
      }
    #else
      let listing = (try? Command("/bin/ps", ["-axo", "pid=,args="], deadline: .after(10)).run().outputText) ?? ""
      return listing.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let pid = Int32(words[0]) else { return nil }
        return ListedProcess(pid: pid, command: String(words[1]))
      }
    #endif
  }

  /// Each living process and its parent.
  package static func parents() throws -> [Int32: Int32] {
    let listing = try Command("/usr/bin/env", ["ps", "-axo", "pid=,ppid=,stat="], deadline: .after(20)).run().outputText
    return Dictionary(
      listing.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 3, let pid = Int32(words[0]), let parent = Int32(words[1]), !words[2].hasPrefix("Z") else { return nil }
        return (pid, parent)
      }, uniquingKeysWith: { $1 })
  }

  /// Whether a process has gone on after a `fork` without an exec since, which no Swift program survives for long (`ps`, flag 1). Nil where `ps` can't tell.
  package static func beganByForkAlone(_ pid: Int32) throws -> Bool? {
    #if os(Linux)
      let flags = try Command("/usr/bin/env", ["ps", "-o", "f=", "-p", "\(pid)"], deadline: .after(20)).run().outputText
      return Int(flags.trimmingCharacters(in: .whitespacesAndNewlines)).map { $0 & 1 != 0 }
    #else
      return nil
    #endif
  }

  /// Children, their children and so on.
  package static func descendants(of pid: Int32) throws -> [Int32] {
    let parents = try parents()
    var found: [Int32] = []
    var level: Set<Int32> = [pid]
    while !level.isEmpty {
      level = Set(parents.filter { level.contains($0.value) }.keys)
      found += level
    }
    return found
  }
}
