import Foundation
import OpenCode
import PosixSupport
import ShellReading
import Text
import Workspace

/// What is known of a run once it has ended: written last, by its supervisor alone.
package struct RunReview: Codable, Sendable {
  /// Seconds since 1970.
  package var endedAt: Double
  /// nil: the end was not seen, or OpenCode never started.
  package var exit: ExitStatus?
  package var outcome: Outcome
  package var verification: VerificationReport
  package var usage: RunUsage
  package var changes: ChangesSummary
  /// `provider/model`, as OpenCode's store has it; nil: not asked or not known.
  package var model: String?

  /// It came to its own end, every declared check is proven, and there is nothing in it that somebody must look at.
  package var isWell: Bool {
    outcome.state == .completed && !outcome.attention.contains { $0.isAlarm } && verification.declared.allSatisfy(\.isProven)
  }
}

/// The changed files as far as a review shows them; all of them are in a file of their own.
package struct ChangesSummary: Codable, Sendable {
  package var root: String
  package var counts: ChangedFiles.Counts
  package var files: [ChangedFile]
  package var exact: Bool
  package var why: String?
  /// Files whose uncommitted work from before the run is gone: the first names, and how many.
  package var lostWork: [String]?
  package var lostWorkCount: Int?
  /// Ignored files and folders that are gone: the first names, and how many.
  package var ignoredGone: [String]?
  package var ignoredGoneCount: Int?
  /// nil: no repository.
  package var git: GitSummary?

  package static let shownRows = 20
  private static let shownNames = 10

  package init(_ changes: ChangedFiles) {
    root = changes.root
    counts = changes.counts
    files = Array(changes.files.prefix(ChangesSummary.shownRows))
    exact = changes.exact
    why = changes.why
    let lost = changes.lostWork
    if !lost.isEmpty { (lostWork, lostWorkCount) = (lost.prefix(ChangesSummary.shownNames).map(\.path), lost.count) }
    let gone = changes.ignoredGone
    if !gone.isEmpty { (ignoredGone, ignoredGoneCount) = (Array(gone.prefix(ChangesSummary.shownNames)), gone.count) }
    git = GitSummary(changes)
  }

  package var count: Int { counts.total }
}

/// What a run did to the repository itself.
package struct GitSummary: Codable, Sendable {
  package var headBefore: String?
  package var headAfter: String?
  /// Absent: HEAD is detached.
  package var branchBefore: String?
  package var branchAfter: String?
  /// Commits made meanwhile: the newest, and how many.
  package var commits: [ChangedFiles.Commit]
  package var commitCount: Int
  /// What was checked out before has lost its last commit. Absent: unknown.
  package var rewritten: Bool?
  /// Refs lost, rewritten or moved by a push.
  package var refs: [RefChange]
  package var refCount: Int

  /// nil when there is no repository.
  package init?(_ changes: ChangedFiles) {
    guard changes.basis == nil, [changes.headBefore, changes.headAfter, changes.branchBefore, changes.branchAfter].contains(where: { $0 != nil }) else {
      return nil
    }
    (headBefore, headAfter) = (changes.headBefore, changes.headAfter)
    (branchBefore, branchAfter) = (changes.branchBefore, changes.branchAfter)
    (commits, commitCount) = (Array(changes.commits.prefix(5)), changes.commitCount)
    rewritten = changes.rewritten
    (refs, refCount) = (Array(changes.refs.prefix(10)), changes.refs.count)
  }
}

extension ChangedFiles {
  /// For a run whose workspace nobody compared.
  package static func notRecorded(root: String, why: String) -> ChangedFiles {
    var changes = ChangedFiles(root: root)
    changes.doubt([why])
    return changes
  }
}

/// What a run used: its own steps and its subagents' sessions.
package struct RunUsage: Codable, Sendable, Equatable {
  package struct Subagent: Codable, Sendable, Equatable {
    package var session: String
    package var title: String?
    package var agent: String?
    package var tokens: TokenCounts?
    /// USD; nil: unknown.
    package var cost: Double?
  }

  package var tokens: TokenCounts
  /// USD; nil: unknown, because a model has no price or a session couldn't be read.
  package var cost: Double?
  package var steps: Int
  package var subagents: [Subagent] = []
  /// Where the figures are from.
  package var source: String
  /// What is missing from them.
  package var missing: String?

  /// - Parameter session: what OpenCode itself knows of the session and its subagents
  package init(_ digest: RunDigest, _ facts: SessionFacts = SessionFacts()) {
    let own = facts.ownUsage ?? digest.usage
    tokens = own.tokens + (facts.lastStep?.tokens ?? TokenCounts())
    steps = digest.steps
    subagents = facts.subagents
    source = facts.isEmpty ? "events" : "events and OpenCode's sessions"
    missing = facts.missing ?? RunUsage.missing(digest, facts)
    for subagent in subagents { tokens = tokens + (subagent.tokens ?? TokenCounts()) }
    // One part that isn't known, and the sum would be told as the whole.
    guard missing == nil, tokens.total > 0 || digest.sawNoStep, own.costIsKnown, facts.lastStep?.isUnpriced != true else { return }
    guard subagents.allSatisfy({ $0.cost != nil }) else { return }
    cost = subagents.reduce(own.cost + (facts.lastStep?.cost ?? 0)) { $0 + ($1.cost ?? 0) }
    if cost == 0, tokens.total == 0 { cost = nil }
  }

  private static func missing(_ digest: RunDigest, _ facts: SessionFacts) -> String? {
    if facts.ownUsage != nil { return nil }
    if digest.lastStepIsOpen, facts.lastStep == nil, !digest.sawNoStep { return "the usage of the last step, whose end is not in the log" }
    if let count = digest.unfinishedSteps { return "the usage of \(counted(count, "step")) whose end is not in the log" }
    if digest.usage.untoldSteps > 0 { return "the usage of \(digest.usage.untoldSteps) steps: the provider told none" }
    if digest.brokenLines > 0 { return "what broken lines of OpenCode's output said" }
    if !facts.asked, !digest.subagents.isEmpty { return "the subagents' usage: OpenCode wasn't asked" }
    return nil
  }
}

/// What only OpenCode's own store knows of a run: asked after its end.
package struct SessionFacts: Sendable {
  package var subagents: [RunUsage.Subagent] = []
  /// Shell commands that subagents ran.
  package var shellCommands: [ShellCall] = []
  /// When subagents changed files.
  package var edits: [Edit] = []
  /// When they called tools of which nobody tells whether they changed files.
  package var uncertain: [Edit] = []
  /// Commands may be missing.
  package var hidesCommands = false
  /// 2.x: commands or subagents went on beside what followed them.
  package var hadBackgroundWork = false
  /// The session's own, `provider/model`.
  package var model: String?
  /// Files that their tools named.
  package var namedFiles: [String] = []
  /// The usage of the step whose end OpenCode 2 leaves out.
  package var lastStep: StepUsage?
  package var outcome: SessionOutcome?
  /// 2.x: what the session's messages say of the end.
  package var end = SessionEnd.notAsked
  /// 2.x: the sum of the session's own messages in this run, instead of what the stream told.
  package var ownUsage: UsageSum?
  /// Of a run whose exit was not seen.
  package var lastWords = LastWords.notAsked
  /// What is missing from the usage, and why.
  package var missing: String?
  /// 2.x, for `attention`: what it had put in the background ended with it.
  package var backgroundEnded: [String] = []
  /// Sentences for `attention`: what else could not be had.
  package var remarks: [String] = []

  package struct ShellCall: Sendable {
    package let id: String
    package let command: String
    package let exitCode: Int?
    /// Where it started, if it said so.
    package var folder: String?
    /// Seconds since 1970.
    package var start: Double?
    package let at: Double
    /// The subagent's, as an event names it.
    package let session: String
  }

  package struct Edit: Sendable {
    /// Seconds since 1970.
    package let at: Double
    package let session: String
  }

  /// OpenCode was asked about subagents.
  package var asked = false

  package var isEmpty: Bool { subagents.isEmpty && lastStep == nil && outcome == nil && ownUsage == nil }
}

extension RunReview {
  /// Puts together what is known. Pure.
  /// - Parameters:
  ///   - remarks: for `attention`: what neither the exit nor the logs tell
  ///   - isOutside: as `VerificationTally.report` asks
  package static func make(
    _ end: RunEnd, at: Double, record: RunRecord, digest: RunDigest, changes: ChangedFiles, facts: SessionFacts = SessionFacts(),
    remarks: [Attention] = [], isOutside: (String) -> Bool = { _ in false }
  ) -> RunReview {
    let launch = RunLaunch(arguments: record.request.arguments, version: record.request.installation.version.description)
    let judged = Outcome.of(end: end, digest: digest, session: facts.outcome, lastWords: facts.lastWords, sessionEnd: facts.end, launch: launch, now: at)
    let usage = RunUsage(digest, facts)
    var remarks = remarks + (facts.remarks + (usage.missing.map { [$0] } ?? [])).map { .notTold($0) }
    if digest.generation == .v2 {
      if case .unknown(let why) = facts.end, end != .notSeen { remarks.append(.endUnknown(why)) }
      if let session = digest.session, facts.end.leavesClaim(end) { remarks.append(.mayGoOn(session: session)) }
    }
    remarks += facts.backgroundEnded.map { .backgroundEnded($0) }
    // Of the steps in the log the outcome tells it itself.
    if usage.cost == nil, usage.missing == nil, usage.tokens.total > 0, digest.usage.costIsKnown {
      remarks.append(.costUnknown(facts.lastStep?.isUnpriced == true || facts.ownUsage?.costIsKnown == false ? "the model" : "a subagent's model"))
    }
    remarks += attention(of: digest) + attention(of: changes, in: record.request.cwd)
    var exit: ExitStatus?
    switch end {
    case .exited(let code): exit = .exited(code)
    case .signaled(let number): exit = .signaled(number)
    case .spawnFailed, .notSeen, .neverStarted: break
    }
    let report = record.judged(
      digest.verification.report(
        known: isWhole(end, digest, facts, judged.state) ? .all : .notAll, changedNothing: changes.exact && changes.files.isEmpty, isOutside: isOutside))
    let outcome = Outcome(state: judged.state, reason: judged.reason, attention: judged.attention + remarks + (digest.sawNoStep ? [] : attention(of: report)))
    return RunReview(
      endedAt: at, exit: exit, outcome: outcome, verification: report, usage: usage, changes: ChangesSummary(changes), model: facts.model)
  }

  /// A tool that was cut short leaves no event, and a subagent's commands are only in OpenCode's store.
  private static func isWhole(_ end: RunEnd, _ digest: RunDigest, _ facts: SessionFacts, _ state: Outcome.State) -> Bool {
    if facts.hidesCommands || digest.brokenLines > 0 || (!digest.subagents.isEmpty && !facts.asked) { return false }
    switch end {
    case .neverStarted, .spawnFailed: return true
    case .signaled, .notSeen: return state == .completed
    case .exited(let code):
      // OpenCode 2's stream leaves the last step's end out, so there only its message tells that the step came to one.
      let hasEnded =
        switch facts.end {
        case .known(let last): last.finish != nil
        case .notAsked, .unknown: digest.hasFinalAnswer && (digest.generation == .v1 || code == 0)
        }
      let isOpen = digest.lastStepIsOpen && !digest.sawNoStep && !hasEnded
      return !isOpen && ExitStatus.exited(code).signalBehindShell == nil
    }
  }
}
