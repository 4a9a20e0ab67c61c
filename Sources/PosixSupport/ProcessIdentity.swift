import Foundation

/// One process for certain: a pid alone may have been given to another since.
package struct ProcessIdentity: Codable, Sendable, Equatable {
  package let pid: Int32
  /// Linux: clock ticks since boot. macOS: microseconds since 1970.
  package let startTime: UInt64
  /// Changes at every boot.
  package let bootID: String

  package init(pid: Int32, startTime: UInt64, bootID: String) {
    self.pid = pid
    self.startTime = startTime
    self.bootID = bootID
  }

  package static var current: ProcessIdentity? { of(getpid()) }

  package static func of(_ pid: Int32) -> ProcessIdentity? {
    guard let state = ProcessTable.state(of: pid) else { return nil }
    return ProcessIdentity(pid: pid, startTime: state.startTime, bootID: ProcessTable.bootID)
  }

  /// Whether this very process still runs. A zombie, or another process under the same pid, doesn't count.
  package var isAlive: Bool {
    // A boot id that couldn't be read proves nothing.
    guard bootID == ProcessTable.bootID || ProcessTable.bootID.isEmpty else { return false }
    guard let state = ProcessTable.state(of: pid) else { return ProcessTable.isUnreadable(pid) }
    return state.startTime == startTime && !state.isDead
  }

  /// Whether it is there but has been stopped (SIGSTOP).
  package var isStopped: Bool {
    guard bootID == ProcessTable.bootID, let state = ProcessTable.state(of: pid) else { return false }
    return state.startTime == startTime && state.isStopped
  }
}

/// A process found in the system's table.
package struct ListedProcess: Sendable, Equatable {
  package let pid: Int32
  /// Its command line, arguments separated by spaces.
  package let command: String

  package init(pid: Int32, command: String) {
    self.pid = pid
    self.command = command
  }
}

package enum ProcessTable {
  struct State {
    let startTime: UInt64
    /// States Z and X: it has ended, whatever the table says.
    let isDead: Bool
    /// By SIGSTOP or a debugger.
    let isStopped: Bool
  }

  /// Sends a signal to a whole process group.
  package static func signalGroup(_ group: Int32, _ number: Int32) {
    guard group > 1 else { return }
    _ = systemKill(-group, number)
  }

  #if os(Linux)
    static let bootID: String = {
      let bytes = (try? readSystemFile("/proc/sys/kernel/random/boot_id")) ?? []
      return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }()

    static func state(of pid: Int32) -> State? {
      guard pid > 0, let bytes = try? readSystemFile("/proc/\(pid)/stat"), let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
      // After "pid (name) " come the state (field 3) and, 19 fields later, the start time (field 22).
      let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
      guard fields.count > 19, let start = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
      let letter = fields[0].first
      return State(
        startTime: start, isDead: letter == UInt8(ascii: "Z") || letter == UInt8(ascii: "X"),
        isStopped: letter == UInt8(ascii: "T") || letter == UInt8(ascii: "t"))
    }

    /// Whether a process is there that can't be looked at just now, for want of descriptors or memory.
    static func isUnreadable(_ pid: Int32) -> Bool {
      do {
        try Descriptor.open("/proc/\(pid)/stat", O_RDONLY).close()
        return false
      } catch {
        return (error as? PosixError)?.isShortage == true && systemKill(pid, 0) == 0
      }
    }

    /// The processes of this user whose environment holds `NAME=VALUE`, living ones only.
    package static func carrying(_ name: String, _ value: String) -> [ListedProcess] {
      let wanted = Array("\(name)=\(value)".utf8)
      var found: [ListedProcess] = []
      for name in (try? BytePaths.names(in: Array("/proc".utf8))) ?? [] {
        guard let pid = Int32(String(decoding: name, as: UTF8.self)), pid != getpid(), let environment = try? readSystemFile("/proc/\(pid)/environ"),
          environment.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }),
          let state = state(of: pid), !state.isDead
        else { continue }
        let command = ((try? readSystemFile("/proc/\(pid)/cmdline")) ?? []).split(separator: 0)
        found.append(ListedProcess(pid: pid, command: command.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")))
      }
      return found
    }

    /// The environments of this user's living processes whose command line holds all of `words`.
    package static func environments(ofCommandsWith words: String...) -> [(pid: Int32, environment: [String: String])] {
      var found: [(Int32, [String: String])] = []
      for name in (try? BytePaths.names(in: Array("/proc".utf8))) ?? [] {
        guard let pid = Int32(String(decoding: name, as: UTF8.self)), pid != getpid(),
          let command = try? readSystemFile("/proc/\(pid)/cmdline").split(separator: 0),
          words.allSatisfy({ word in command.contains { $0.elementsEqual(word.utf8) } }),
          let environment = try? readSystemFile("/proc/\(pid)/environ"), let state = state(of: pid), !state.isDead
        else { continue }
        found.append((pid, assignments(environment.split(separator: 0))))
      }
      return found
    }

    /// Files under /proc have no size: read to the end.
    private static func readSystemFile(_ path: String) throws -> [UInt8] {
      let file = try Descriptor.open(path, O_RDONLY)
      defer { file.close() }
      return try file.bytes(limit: 1 << 17)
    }
  #else
    static let bootID: String = {
      var time = timeval()
      var size = MemoryLayout<timeval>.size
      return sysctlbyname("kern.boottime", &time, &size, nil, 0) == 0 ? "\(time.tv_sec)" : ""
    }()

    static func state(of pid: Int32) -> State? {
      var query = [CTL_KERN, KERN_PROC, KERN_PROC_PID, pid]
      var info = kinfo_proc()
      var size = MemoryLayout<kinfo_proc>.size
      guard pid > 0, sysctl(&query, 4, &info, &size, nil, 0) == 0, size > 0 else { return nil }
      let start = info.kp_proc.p_starttime
      return State(
        startTime: UInt64(start.tv_sec) * 1_000_000 + UInt64(start.tv_usec),
        isDead: Int32(info.kp_proc.p_stat) == SZOMB, isStopped: Int32(info.kp_proc.p_stat) == SSTOP)
    }

    /// `sysctl` needs no descriptor: what it doesn't find isn't there.
    static func isUnreadable(_ pid: Int32) -> Bool { false }

    /// What the kernel keeps of each living process of this user: how many arguments, then the executable's path, arguments and environment.
    private static func argumentTexts() -> [(pid: Int32, count: Int, texts: [ArraySlice<UInt8>])] {
      var query = [CTL_KERN, KERN_PROC, KERN_PROC_UID, Int32(bitPattern: getuid())]
      var size = 0
      guard sysctl(&query, 4, nil, &size, nil, 0) == 0 else { return [] }
      var list = [kinfo_proc](repeating: kinfo_proc(), count: size / MemoryLayout<kinfo_proc>.stride + 16)
      size = list.count * MemoryLayout<kinfo_proc>.stride
      guard sysctl(&query, 4, &list, &size, nil, 0) == 0 else { return [] }
      return list.prefix(size / MemoryLayout<kinfo_proc>.stride).compactMap { info in
        let pid = info.kp_proc.p_pid
        guard pid != getpid(), Int32(info.kp_proc.p_stat) != SZOMB else { return nil }
        var request = [CTL_KERN, KERN_PROCARGS2, pid]
        var length = 1 << 20
        var bytes = [UInt8](repeating: 0, count: length)
        guard sysctl(&request, 3, &bytes, &length, nil, 0) == 0, length > 4 else { return nil }
        // A count of arguments, the executable's path, zeros, then arguments and environment.
        let count = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: Int32.self)) }
        return (pid, count, bytes[4..<length].split(separator: 0))
      }
    }

    /// The processes of this user whose environment holds `NAME=VALUE`, living ones only.
    package static func carrying(_ name: String, _ value: String) -> [ListedProcess] {
      let wanted = Array("\(name)=\(value)".utf8)
      return argumentTexts().compactMap { process in
        guard process.texts.contains(where: { $0.elementsEqual(wanted) }) else { return nil }
        let command = process.texts.dropFirst().prefix(process.count).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        return ListedProcess(pid: process.pid, command: command)
      }
    }

    /// The environments of this user's living processes whose command line holds all of `words`.
    package static func environments(ofCommandsWith words: String...) -> [(pid: Int32, environment: [String: String])] {
      argumentTexts().compactMap { process in
        let command = process.texts.dropFirst().prefix(process.count)
        guard words.allSatisfy({ word in command.contains { $0.elementsEqual(word.utf8) } }) else { return nil }
        return (process.pid, assignments(Array(process.texts.dropFirst(1 + process.count))))
      }
    }
  #endif

  private static func assignments(_ texts: [ArraySlice<UInt8>]) -> [String: String] {
    var found: [String: String] = [:]
    for text in texts {
      guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
      found[String(decoding: text[..<equals], as: UTF8.self)] = String(decoding: text[text.index(after: equals)...], as: UTF8.self)
    }
    return found
  }
}
