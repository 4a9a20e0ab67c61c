/// A bounded fold over a run's shell commands and edits, recorded in any order.
package struct VerificationTally: Codable, Sendable, Equatable {
  /// One declared command's part in one shell command.
  private struct Sight: Codable, Sendable, Equatable {
    var verdict: ShellVerdict
    var exitCode: Int?
    var why: String?
    var place: LogPlace
    /// More follows it in its own shell command.
    var isFollowed = false
    /// Something that may change files came before it there.
    var isPreceded: Bool?
    /// Where `cd` says that it ran, when that isn't the workspace itself.
    var folders: [String]?

    /// The later one decides; of two at the same place the worse one.
    func yields(to other: Sight) -> Bool {
      (place.order, place.end, rank, exitCode ?? 0) < (other.place.order, other.place.end, other.rank, other.exitCode ?? 0)
    }
    private var rank: Int { verdict == .failed ? 2 : verdict == .unknown ? 1 : 0 }
  }
  private struct Seen: Codable, Sendable, Equatable {
    var times = 0
    var failures = 0
    var last: Sight?

    mutating func add(_ sight: Sight, times added: Int = 1) {
      times += added
      if sight.verdict == .failed { failures += added }
      if last.map({ $0.yields(to: sight) }) ?? true { last = sight }
    }
  }
  private struct Check: Codable, Sendable, Equatable {
    var command: String
    var exitCode: Int?
    var times: Int
    var place: LogPlace
  }
  /// Where the newest of something stand: the last of all, and of each step the two that ended last.
  private struct Marks: Codable, Sendable, Equatable {
    private static let stepLimit = 64
    private(set) var first: LogPlace?
    private var last: [LogPlace] = []
    private var steps: [Int: [LogPlace]] = [:]

    mutating func add(_ place: LogPlace) {
      if first.map({ (place.order, place.end) < ($0.order, $0.end) }) ?? true { first = place }
      last = Marks.two(last + [place]) { ($0.order, $0.end) < ($1.order, $1.end) }
      steps[place.step] = Marks.two(steps[place.step, default: []] + [place]) { $0.end < $1.end }
      if steps.count > Marks.stepLimit, let oldest = steps.keys.min() { steps[oldest] = nil }
    }

    /// Two, so that one of them isn't the place that is asked about.
    private static func two(_ places: [LogPlace], _ isBefore: (LogPlace, LogPlace) -> Bool) -> [LogPlace] {
      var once: [LogPlace] = []
      for place in places where !once.contains(place) { once.append(place) }
      return Array(once.sorted(by: isBefore).suffix(2))
    }

    func follow(_ place: LogPlace) -> Bool { near(place).contains { place.mayPrecede($0) } }

    func mayFollow(_ place: LogPlace) -> Bool { near(place).contains { place.mayPrecede($0) || place.meets($0) } }

    private func near(_ place: LogPlace) -> [LogPlace] { (last + steps[place.step, default: []]).filter { $0 != place } }
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
  private var edits = Marks()
  private var shells = Marks()
  /// Of `shells`, those that may have changed files as far as their names tell.
  private var loud: Marks? = Marks()
  /// A command may have left something running that changes files later.
  private var detached: Bool?

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
  ///   - place: where it stands
  ///   - id: of the part; the same id again replaces what was recorded
  package mutating func recordShell(
    command text: String, isCut: Bool = false, exitCode: Int?, startedIn folder: String? = nil, place: LogPlace, id: String
  ) {
    let command = ShellCommand(text, isCut: isCut)
    var sights: [Int: Sight] = [:]
    for (index, declared) in commands.enumerated() {
      guard var finding = declared.finding(in: command, exitCode: exitCode, startedIn: folder ?? workspace) else { continue }
      // Elsewhere, by where the tool started it, is elsewhere, also below; where only `cd` says so it is in the workspace.
      let isElsewhere = !isWorkspace(folder) && !(finding.folders ?? []).allSatisfy { $0 == workspace }
      if finding.verdict != .unknown, isElsewhere || finding.isInside(workspace ?? "") != true {
        finding = ShellFinding(verdict: .unknown, why: "it ran in \(finding.folders?.joined(separator: " or ") ?? "a folder that isn't known")")
      }
      sights[index] = Sight(
        verdict: finding.verdict, exitCode: finding.exitCode, why: finding.why?.shortened(toBytes: VerificationTally.textLimit), place: place,
        isFollowed: finding.isFollowed, isPreceded: finding.isPreceded,
        folders: finding.verdict == .unknown ? nil : finding.folders.flatMap { $0.allSatisfy { $0 == workspace || $0 == "." } ? nil : $0 })
    }
    var check: Check?
    if sights.isEmpty, let result = CheckCommands.result(of: command, exitCode: exitCode) {
      check = Check(command: text.shortened(toBytes: VerificationTally.textLimit), exitCode: result.exitCode, times: 1, place: place)
    }
    shells.add(place)
    if !command.isQuiet { loud?.add(place) }
    if command.mayDetach { detached = true }
    let id = id.shortened(toBytes: VerificationTally.textLimit)
    if let index = recent.firstIndex(where: { $0.id.utf8.elementsEqual(id.utf8) }) { recent.remove(at: index) }
    recent.append(Recent(id: id, sights: sights, check: check))
    if recent.count > VerificationTally.recentLimit { settle(recent.removeFirst()) }
  }

  /// Notes that a tool changed files.
  package mutating func recordEdit(_ place: LogPlace) {
    edits.add(place)
  }

  /// Notes that a tool ran which may have changed files, as a shell command may.
  package mutating func recordUncertain(_ place: LogPlace) {
    shells.add(place)
    loud?.add(place)
  }

  /// Notes that something was left running beside everything that followed.
  package mutating func recordDetached() { detached = true }

  private func isWorkspace(_ folder: String?) -> Bool {
    guard let folder, let workspace else { return true }
    return ShellFolder(folder) == ShellFolder(workspace)
  }

  private mutating func settle(_ old: Recent) {
    for (index, sight) in old.sights { settled[index, default: Seen()].add(sight) }
    if let check = old.check { checks = VerificationTally.adding(check, to: checks) }
  }

  private static func adding(_ check: Check, to checks: [Check]) -> [Check] {
    var checks = checks
    if let index = checks.firstIndex(where: { $0.command.utf8.elementsEqual(check.command.utf8) }) {
      checks[index].times += check.times
      if !isBefore(check, checks[index]) { (checks[index].exitCode, checks[index].place) = (check.exitCode, check.place) }
    } else {
      checks.append(check)
    }
    if checks.count > checkLimit, let oldest = checks.indices.min(by: { isBefore(checks[$0], checks[$1]) }) { checks.remove(at: oldest) }
    return checks
  }

  private static func isBefore(_ one: Check, _ other: Check) -> Bool { (one.place.order, one.place.end) < (other.place.order, other.place.end) }

  private static let notAllKnown = "not every shell command is known"

  /// Which of a run's shell commands are in its tally.
  package enum Known {
    case all
    /// Those of a run that is alive.
    case soFar
    /// Some may be missing: what was at work when the run ended leaves no event, a part of the log is lost, a subagent's couldn't be had. So "not run"
    /// can't be said, and what was seen last may not have been the last.
    case notAll
  }

  /// - Parameters:
  ///   - known: the commands that are in this
  ///   - changedNothing: the trees before and after the run are the same
  ///   - isOutside: whether a folder that lies in the workspace by its name, relative to it or absolute, doesn't by the links in it
  package func report(known: Known, changedNothing: Bool = false, isOutside: (String) -> Bool = { _ in false }) -> VerificationReport {
    var (seen, checks) = (settled, checks)
    for one in recent {
      for (index, sight) in one.sights { seen[index, default: Seen()].add(sight) }
      if let check = one.check { checks = VerificationTally.adding(check, to: checks) }
    }
    let declared = commands.enumerated().map { index, command in
      let command = command.text.shortened(toBytes: VerificationTally.textLimit)
      guard let own = seen[index], let last = own.last else {
        return VerificationReport.Declared(
          command: command, result: known == .all ? "not run" : "unknown", why: known == .all ? nil : VerificationTally.notAllKnown, times: 0,
          editedAfter: false)
      }
      var row = VerificationReport.Declared(
        command: command, result: last.verdict.rawValue, exitCode: last.exitCode, why: last.why, times: own.times, at: last.place.end,
        editedAfter: edits.follow(last.place))
      // Nothing came before it, and the tree is as it was: so it is as it was when the check began.
      // The tree is git's, which leaves out ignored files: what came since must be known to change none.
      let isQuiet =
        changedNothing && edits.first == nil && loud.map { $0.first == last.place && !$0.mayFollow(last.place) } == true && last.isPreceded == false
        && !last.isFollowed
      let isFollowed = last.isFollowed || shells.mayFollow(last.place) || edits.mayFollow(last.place)
      if !row.editedAfter, detached == true || (!isQuiet && isFollowed) { row.maybeEditedAfter = true }
      if let away = last.folders?.first(where: isOutside) {
        row.result = ShellVerdict.unknown.rawValue
        row.why = "it ran in \(away), which isn't in the workspace or is gone"
      } else if known == .notAll, last.verdict != .unknown {
        // The last one decides, and it may be among those.
        row.result = "unknown"
        row.why = "\(last.verdict.rawValue) when it was last seen; \(VerificationTally.notAllKnown)"
      } else if last.verdict == .passed, own.failures > 0 {
        row.failedBefore = true
      }
      return row
    }
    let undeclared = checks.sorted { ($0.place.order, $0.place.end, $0.command) < ($1.place.order, $1.place.end, $1.command) }
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
