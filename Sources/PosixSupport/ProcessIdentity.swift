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
    let parent: Int32
    let group: Int32
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
        startTime: start, parent: Int32(String(decoding: fields[1], as: UTF8.self)) ?? 0, group: Int32(String(decoding: fields[2], as: UTF8.self)) ?? 0,
        isDead: letter == UInt8(ascii: "Z") || letter == UInt8(ascii: "X"),
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

    /// Every living process but this one.
    private static func living() -> [Candidate] {
      ((try? BytePaths.names(in: Array("/proc".utf8))) ?? []).compactMap { name in
        guard let pid = Int32(String(decoding: name, as: UTF8.self)), pid != getpid(), let state = state(of: pid), !state.isDead else { return nil }
        var texts = texts(of: pid)
        // In the midst of `execve` a process shows neither, though it has both: its starter goes on before that.
        for _ in 0..<20 where texts.changes && ![0, 2].contains(state.parent) {
          usleep(2_000)
          texts = self.texts(of: pid)
        }
        return Candidate(pid: pid, parent: state.parent, group: state.group, words: texts.words, environment: texts.environment)
      }
    }

    /// The arguments and the environment. A process of the kernel's has none; one with other rights shows no environment. They aren't read at
    /// the same instant: `changes` is whether an `execve` may lie between them.
    private static func texts(of pid: Int32) -> (words: [ArraySlice<UInt8>], environment: [ArraySlice<UInt8>]?, changes: Bool) {
      func arguments() -> [UInt8] { (try? readSystemFile("/proc/\(pid)/cmdline")) ?? [] }
      let read = arguments()
      let environment = try? readSystemFile("/proc/\(pid)/environ").split(separator: 0)
      let words = read.split(separator: 0)
      return (words, environment, environment != nil && (words.isEmpty || environment?.isEmpty == true && arguments() != read))
    }

    /// Files under /proc have no size: read to the end.
    private static func readSystemFile(_ path: String) throws -> [UInt8] {
      let file = try Descriptor.open(path, O_RDONLY)
      defer { file.close() }
      return try file.bytes(limit: 1 << 17)
    }
  #else
    static let bootID: String = {
      // `kern.boottime` moves when the clock is set.
      var size = 0
      guard sysctlbyname("kern.bootsessionuuid", nil, &size, nil, 0) == 0, size > 0 else { return "" }
      var text = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0 else { return "" }
      return String(decoding: text.prefix(size).prefix { $0 != 0 }, as: UTF8.self)
    }()

    static func state(of pid: Int32) -> State? {
      var query = [CTL_KERN, KERN_PROC, KERN_PROC_PID, pid]
      var info = kinfo_proc()
      var size = MemoryLayout<kinfo_proc>.size
      guard pid > 0, sysctl(&query, 4, &info, &size, nil, 0) == 0, size > 0 else { return nil }
      return state(info)
    }

    private static func state(_ info: kinfo_proc) -> State {
      let start = info.kp_proc.p_un.__p_starttime
      return State(
        startTime: UInt64(start.tv_sec) * 1_000_000 + UInt64(start.tv_usec), parent: info.kp_eproc.e_ppid, group: info.kp_eproc.e_pgid,
        isDead: Int32(info.kp_proc.p_stat) == SZOMB, isStopped: Int32(info.kp_proc.p_stat) == SSTOP)
    }

    /// `sysctl` needs no descriptor: what it doesn't find isn't there.
    static func isUnreadable(_ pid: Int32) -> Bool { false }

    /// Every living process of this user but this one.
    private static func living() -> [Candidate] {
      var query = [CTL_KERN, KERN_PROC, KERN_PROC_UID, Int32(bitPattern: getuid())]
      var size = 0
      guard sysctl(&query, 4, nil, &size, nil, 0) == 0 else { return [] }
      var list = [kinfo_proc](repeating: kinfo_proc(), count: size / MemoryLayout<kinfo_proc>.stride + 16)
      size = list.count * MemoryLayout<kinfo_proc>.stride
      guard sysctl(&query, 4, &list, &size, nil, 0) == 0 else { return [] }
      return list.prefix(size / MemoryLayout<kinfo_proc>.stride).compactMap { info in
        let (pid, state) = (info.kp_proc.p_pid, state(info))
        guard pid != getpid(), !state.isDead else { return nil }
        let texts = argumentTexts(pid)
        let environment = texts.flatMap { $0.environment.isEmpty ? nil : $0.environment }
        return Candidate(pid: pid, parent: state.parent, group: state.group, words: texts?.arguments ?? [], environment: environment)
      }
    }

    /// What the kernel keeps of a process: its arguments and its environment. Of the system's own programs it shows no environment.
    private static func argumentTexts(_ pid: Int32) -> (arguments: [ArraySlice<UInt8>], environment: [ArraySlice<UInt8>])? {
      var request = [CTL_KERN, KERN_PROCARGS2, pid]
      var length = 1 << 20
      var bytes = [UInt8](repeating: 0, count: length)
      guard sysctl(&request, 3, &bytes, &length, nil, 0) == 0, length > 4 else { return nil }
      return ProcessArguments.split(bytes[..<length])
    }
  #endif

  /// The living processes whose environment holds `NAME=VALUE`, and those whose environment the system doesn't show and that belong to such
  /// a one: as its child, or in its group.
  /// - Parameter group: a process group whose members count as well, where their environment isn't shown
  package static func carrying(_ name: String, _ value: String, group: Int32? = nil) -> [ListedProcess] {
    let all = living()
    let wanted = Array("\(name)=\(value)".utf8)
    let found = Candidate.belonging(all, group: group) { $0.contains { $0.elementsEqual(wanted) } }
    return all.filter { found.contains($0.pid) }.map {
      ListedProcess(pid: $0.pid, command: $0.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "))
    }
  }

  /// The environments of this user's living processes whose command line holds all of `words`.
  package static func environments(ofCommandsWith words: String...) -> [(pid: Int32, environment: [String: String])] {
    living().compactMap { process in
      guard let environment = process.environment, words.allSatisfy({ word in process.words.contains { $0.elementsEqual(word.utf8) } }) else { return nil }
      return (process.pid, assignments(environment))
    }
  }

  /// A process with what the system shows of it.
  struct Candidate {
    let pid: Int32
    let parent: Int32
    let group: Int32
    var words: [ArraySlice<UInt8>] = []
    /// nil: not shown.
    let environment: [ArraySlice<UInt8>]?

    /// Those whose environment `fits`, then what belongs to them and hides its own.
    static func belonging(_ all: [Candidate], group: Int32? = nil, fits: ([ArraySlice<UInt8>]) -> Bool) -> Set<Int32> {
      let carriers = all.filter { $0.environment.map(fits) ?? false }
      var found = Set(carriers.map(\.pid))
      // Its own group only where it leads it: else the group is that of whoever started it.
      var groups = found
      if let group { groups.insert(group) }
      var hidden = all.filter { $0.environment == nil }
      while true {
        let more = hidden.filter { found.contains($0.parent) || groups.contains($0.group) }
        if more.isEmpty { return found }
        found.formUnion(more.map(\.pid))
        groups.formUnion(more.map(\.pid))
        hidden.removeAll { found.contains($0.pid) }
      }
    }
  }

  private static func assignments(_ texts: [ArraySlice<UInt8>]) -> [String: String] {
    var found: [String: String] = [:]
    for text in texts {
      guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { continue }
      found[String(decoding: text[..<equals], as: UTF8.self)] = String(decoding: text[text.index(after: equals)...], as: UTF8.self)
    }
    return found
  }
}
