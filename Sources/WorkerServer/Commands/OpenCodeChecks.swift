import CodexSetup
import Foundation
import OpenCode
import PosixSupport
import Runs

/// What `doctor` says of OpenCode itself.
enum OpenCodeChecks {
  static func parts(_ manager: RunManager) -> [DoctorCommand.Part] {
    let (environment, cache) = (manager.environment, manager.state.cache)
    return [DoctorCommand.Part("opencode") { checks(environment: environment, cache: cache, folder: FileManager.default.currentDirectoryPath) }]
  }

  private static func checks(environment: [String: String], cache: String, folder: String) -> [Check] {
    let installation: Installation
    do {
      installation = try OpenCodeFinder.find(environment: environment, workspace: folder, cache: PrivateFiles.isFolder(cache) ? cache : nil)
    } catch let error as OpenCodeNotFound {
      return [.problem("opencode", error.description, mend: error.remedy, detail: error.places)]
    } catch {
      return [.problem("opencode", "\(error)", mend: OpenCodeNotFound.install)]
    }
    var checks: [Check] = [
      .ok("opencode", "\(installation.version)", detail: "\(installation.path) (\(installation.foundBy))"), line(of: installation.version),
    ]
    if installation.version.generation == .v2 { checks.append(service(environment)) }
    let client = OpenCodeClient(installation, folder: folder, environment: environment)
    // What a person is told to run shouldn't start the service either.
    let alone = installation.version.generation == .v2 ? " --standalone" : ""
    let signIn = installation.version.commandLine.signIn(nil)
    var models: ModelList?
    do {
      let list = try client.models(deadline: .after(20))
      models = list
      if !list.isKnown {
        checks.append(.warning("models", "OpenCode listed none, which this version also does when it has some", mend: "opencode models\(alone)"))
      } else if list.models.isEmpty {
        checks.append(.problem("models", "OpenCode has no model", mend: signIn))
      } else {
        checks.append(.ok("models", "\(list.models.count) of \(Set(list.models.map(\.provider)).sorted().joined(separator: ", "))"))
      }
    } catch {
      checks.append(.problem("models", "\(error)", mend: "opencode models\(alone)"))
    }
    do {
      let providers = try client.signedIn(deadline: .after(15)).map { $0.id ?? $0.name }
      if providers.isEmpty {
        let others = models.map { !$0.models.isEmpty } ?? false
        checks.append(
          .warning(
            "signed in", others ? "to no provider; the models listed come from the configuration or need no key" : "to no provider",
            mend: signIn))
      } else {
        checks.append(.ok("signed in", providers.joined(separator: ", ")))
      }
    } catch {
      checks.append(.warning("signed in", "\(error)", mend: "opencode auth list\(alone)"))
    }
    return checks
  }

  /// OpenCode 2's background service, by the list of processes: asking OpenCode might start it.
  private static func service(_ environment: [String: String]) -> Check {
    func store(_ environment: [String: String]) -> String? {
      environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["HOME"].map { $0 + "/.local/share" }
    }
    let processes = ProcessTable.environments(ofCommandsWith: "serve", "--service").filter { store($0.environment) == store(environment) }
    let meaning = "it takes up each session whose run was killed, without the worker's rules; SIGINT is what lets a run release its session"
    let off = "`opencode service set disabled true` switches it off"
    guard let first = processes.map(\.pid).min() else {
      return .ok("opencode service", "not running, and the worker never starts it. When OpenCode's own interface does, \(meaning). \(off)")
    }
    return .ok("opencode service", "running (process \(first)); the worker's runs don't use it. When it next starts, \(meaning). \(off)")
  }

  private static func line(of version: OpenCodeVersion) -> Check {
    switch version.generation {
    case .v1 where version < OpenCodeVersion(1, 4, 0):
      .warning(
        "opencode generation", "1.x, old: auto-approval goes through the configuration, and errors often end with exit 0", mend: "opencode upgrade")
    case .v1: .ok("opencode generation", "1.x: permission presets are checked before a start (about 1.5 s)")
    case .v2:
      .ok(
        "opencode generation",
        "2.x: every run has a private server (--standalone); presets can't be checked before a start, and rules in OpenCode's own configuration files may stand beside them"
      )
    }
  }
}

/// What `doctor` says of runs.
enum RunChecks {
  static func parts(_ manager: RunManager) -> [DoctorCommand.Part] {
    let (state, environment) = (manager.state, manager.environment)
    return [DoctorCommand.Part("runs") { checks(state) }, DoctorCommand.Part(EndCall.variable) { endCall(state, environment) }]
  }

  /// The user's own program at the end of a run: whether it can be called, and how the last call went.
  private static func endCall(_ state: StateFolder, _ environment: [String: String]) -> [Check] {
    let name = EndCall.variable
    let last = state.runFolders().first { !$0.readers(of: .called).isEmpty || PrivateFiles.exists($0.path(of: .called)) }
    let failure = last.flatMap { run in EndCall.failure(of: run).map { "at the end of \(run.id): \($0)" } }
    guard let program = EndCall.program(environment) else {
      return failure.map { [.warning(name, $0, mend: "it isn't set here; it was where Codex was started")] } ?? []
    }
    if let problem = EndCall.problem(with: program) { return [.problem(name, problem, mend: "name an executable file by its absolute path, or unset it")] }
    return [failure.map { .warning(name, $0, mend: "run it by hand: opencode-worker report --json | \(program)") } ?? .ok(name, program)]
  }

  private static func checks(_ state: StateFolder) -> [Check] {
    let runs = state.runFolders()
    if let owner = PrivateFiles.foreignOwner(state.root) {
      return [.problem("runs", "\(state.root) belongs to another user (uid \(owner))", mend: "set OPENCODE_WORKER_STATE_DIR to a folder of your own")]
    }
    guard let latest = runs.first else { return [.ok("runs", "none yet")] }
    var checks: [Check] = []
    if let live = try? state.heldRun() {
      checks.append(check(live: live))
    }
    for run in state.unfinishedRuns() where (try? Fifo.isHeld(run.fifo)) == false {
      let alive = run.isProcessAlive ? "its supervisor died while OpenCode goes on" : "its supervisor died before its result was recorded"
      checks.append(.warning("run \(run.id)", "\(alive); the next look takes it over", mend: "opencode-worker report \(run.id)"))
    }
    if let review = Stored.load(RunReview.self, from: latest.review), review.outcome.state == .lost {
      checks.append(.warning("run \(latest.id)", "lost: \(review.outcome.reason ?? "its end was not seen")", mend: "opencode-worker report \(latest.id)"))
    }
    let size = DiskUse.bytes(below: state.runs) >> 20
    checks.append(.ok("runs", "\(runs.count) kept, \(size) MiB"))
    return checks
  }

  private static func check(live: RunFolder) -> Check {
    let watch = "opencode-worker watch \(live.id)"
    if let problem = live.stuck(now: Date().timeIntervalSince1970).first { return .warning("live run", "\(live.id): \(problem)", mend: watch) }
    guard let process = live.process else { return .ok("live run", "\(live.id), OpenCode isn't running yet; follow it with: \(watch)") }
    if process.isAlive { return .ok("live run", "\(live.id), OpenCode is process \(process.pid); follow it with: \(watch)") }
    return .warning("live run", "\(live.id): OpenCode (process \(process.pid)) has ended, its result isn't recorded yet", mend: watch)
  }
}
