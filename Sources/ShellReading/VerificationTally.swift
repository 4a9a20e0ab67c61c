/// A bounded fold over a run's shell commands and edits, in any order.
package struct VerificationTally: Codable, Sendable, Equatable {
  /// One declared command's part in one shell command.
  private struct Sight: Codable, Sendable, Equatable {
    var verdict: ShellVerdict
    var exitCode: Int?
    var why: String?
    var at: Double

    /// The later one decides; of two at the same time the worse one.
    func yields(to other: Sight) -> Bool { (at, rank, exitCode ?? 0) < (other.at, other.rank, other.exitCode ?? 0) }
    private var rank: Int { verdict == .failed ? 2 : verdict == .unknown ? 1 : 0 }
  }
  private struct Seen: Codable, Sendable, Equatable {
    var times = 0
    var last: Sight?

    mutating func add(_ sight: Sight, times added: Int = 1) {
      times += added
      if last.map({ $0.yields(to: sight) }) ?? true { last = sight }
    }
  }
  private struct Check: Codable, Sendable, Equatable {
    var command: String
    var exitCode: Int?
    var times: Int
    var at: Double
  }
  /// A shell command that can still be replaced by a second report of the same part.
  private struct Recent: Codable, Sendable, Equatable {
    var id: String
    var sights: [Int: Sight]
    var check: Check?
  }

  private static let recentLimit = 128
  private static let checkLimit = 32
  private static let textLimit = 400

  private var commands: [DeclaredCommand]
  /// Absolute path of the folder that the commands are declared for.
  package let workspace: String?
  private var settled: [Int: Seen] = [:]
  private var checks: [Check] = []
  private var recent: [Recent] = []
  private var lastEdit: Double?

  /// - Parameter workspace: absolute path of the folder that the commands are declared for; what ran elsewhere proves nothing about it
  package init(declared: [String], workspace: String? = nil) {
    commands = declared.map { DeclaredCommand($0) }
    self.workspace = workspace
  }

  /// Adds a shell command that has ended.
  /// - Parameters:
  ///   - isCut: parts of the command's text are missing
  ///   - exitCode: nil when OpenCode gave none (killed, timed out)
  ///   - folder: absolute path of where it started; nil: in the workspace
  ///   - at: seconds since 1970 of its end
  ///   - id: of the part; the same id again replaces what was recorded
  package mutating func recordShell(command text: String, isCut: Bool = false, exitCode: Int?, startedIn folder: String? = nil, at: Double, id: String) {
    let at = at.isFinite ? at : 0
    let command = ShellCommand(text, isCut: isCut)
    var sights: [Int: Sight] = [:]
    for (index, declared) in commands.enumerated() {
      guard var finding = declared.finding(in: command, exitCode: exitCode, startedIn: folder ?? workspace) else { continue }
      if finding.verdict != .unknown, finding.isInside(workspace ?? "") != true {
        finding = ShellFinding(verdict: .unknown, why: "it ran in \(finding.folders?.joined(separator: " or ") ?? "a folder that isn't known")")
      }
      sights[index] = Sight(verdict: finding.verdict, exitCode: finding.exitCode, why: finding.why?.shortened(toBytes: VerificationTally.textLimit), at: at)
    }
    var check: Check?
    if sights.isEmpty, let result = CheckCommands.result(of: command, exitCode: exitCode) {
      check = Check(command: text.shortened(toBytes: VerificationTally.textLimit), exitCode: result.exitCode, times: 1, at: at)
    }
    let id = id.shortened(toBytes: VerificationTally.textLimit)
    if let index = recent.firstIndex(where: { $0.id == id }) { recent.remove(at: index) }
    recent.append(Recent(id: id, sights: sights, check: check))
    if recent.count > VerificationTally.recentLimit { settle(recent.removeFirst()) }
  }

  /// Notes that a tool changed files.
  /// - Parameter at: seconds since 1970
  package mutating func recordEdit(at: Double) {
    if at.isFinite { lastEdit = max(lastEdit ?? at, at) }
  }

  private mutating func settle(_ old: Recent) {
    for (index, sight) in old.sights { settled[index, default: Seen()].add(sight) }
    if let check = old.check { checks = VerificationTally.adding(check, to: checks) }
  }

  private static func adding(_ check: Check, to checks: [Check]) -> [Check] {
    var checks = checks
    if let index = checks.firstIndex(where: { $0.command == check.command }) {
      checks[index].times += check.times
      if check.at >= checks[index].at { (checks[index].exitCode, checks[index].at) = (check.exitCode, check.at) }
    } else {
      checks.append(check)
    }
    if checks.count > checkLimit, let oldest = checks.indices.min(by: { checks[$0].at < checks[$1].at }) { checks.remove(at: oldest) }
    return checks
  }

  /// - Parameter endNotSeen: the run ended by a signal or is lost: a tool cut short leaves no event, so "not run" can't be said
  package func report(endNotSeen: Bool) -> VerificationReport {
    var (seen, checks) = (settled, checks)
    for one in recent {
      for (index, sight) in one.sights { seen[index, default: Seen()].add(sight) }
      if let check = one.check { checks = VerificationTally.adding(check, to: checks) }
    }
    let declared = commands.enumerated().map { index, command in
      let command = command.text.shortened(toBytes: VerificationTally.textLimit)
      guard let own = seen[index], let last = own.last else {
        return VerificationReport.Declared(command: command, result: endNotSeen ? "unknown" : "not run", times: 0, editedAfter: false)
      }
      return VerificationReport.Declared(
        command: command, result: last.verdict.rawValue, exitCode: last.exitCode, why: last.why, times: own.times, at: last.at,
        editedAfter: lastEdit.map { $0 > last.at } ?? false)
    }
    let undeclared = checks.sorted { ($0.at, $0.command) < ($1.at, $1.command) }
      .map { VerificationReport.Undeclared(command: $0.command, exitCode: $0.exitCode, times: $0.times) }
    return VerificationReport(declared: declared, undeclared: undeclared)
  }
}

extension String {
  /// Cut at so many bytes, never inside a character's encoding; `…` says that it was cut.
  fileprivate func shortened(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    let mark = "…"
    var end = utf8.index(utf8.startIndex, offsetBy: limit - mark.utf8.count)
    while end > startIndex, UTF8.isContinuation(utf8[end]) { end = utf8.index(before: end) }
    return String(self[..<end]) + mark
  }
}
