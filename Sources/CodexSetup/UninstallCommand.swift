import Foundation
import PosixSupport

/// `uninstall`: takes back what `install` and `install --direct` added, and nothing else.
package enum UninstallCommand {
  package static let usage = """
    usage: opencode-worker uninstall [--dry-run]

    Removes the plugin from each Codex to which `install --enable` gave it, its folder and its marketplace entry, and what `install` put
    into config.toml: the entry, the hooks, the approvals, the code-mode setting. It says what stays: above all the runs and their logs.
    """

  /// - Parameters:
  ///   - stateFolder: where the runs are, which stay
  ///   - output: for stdout
  ///   - problem: for stderr; nil: as `output`
  /// - Returns: 0 done (also when there was nothing to do), 1 something is left that should have gone, 2 wrong arguments
  package static func run(
    arguments: [String], environment: [String: String], stateFolder: String? = nil, output: @escaping (String) -> Void,
    problem: ((String) -> Void)? = nil
  ) -> Int32 {
    let problem = problem ?? output
    let options: SetupOptions
    do {
      options = try SetupOptions(arguments, allowed: ["--dry-run"])
    } catch {
      problem("opencode-worker: uninstall: \(error)\("\(error)".hasSuffix("?") ? "" : ".") `opencode-worker uninstall --help` says more.")
      return ExitCode.usage
    }
    if options.help {
      output(usage)
      return ExitCode.success
    }
    let places: CodexPlaces
    do {
      places = try CodexPlaces(environment: environment)
    } catch {
      problem("opencode-worker: uninstall: \(error)")
      return ExitCode.failure
    }
    let removal = Removal(places: places, environment: environment, output: output)
    var status = ExitCode.success
    var isEmpty = true
    // Each part for itself: what hinders one must not keep the others.
    let parts = removal.places.flatMap { place in [{ try removal.copies(place) }, { try removal.settings(place) }] } + [removal.plugin]
    for part in parts {
      do {
        for step in try part() {
          isEmpty = false
          output(options.dryRun ? "would \(step.text)" : step.text)
          if !options.dryRun { try step.perform() }
        }
      } catch {
        problem("opencode-worker: uninstall: left in place: \(error)")
        isEmpty = false
        status = ExitCode.failure
      }
    }
    if !options.dryRun { removal.lookAgain() }
    if removal.codexKeptIt { status = ExitCode.failure }
    if isEmpty { output("nothing to take back: neither the plugin nor an entry of install's is there") }
    for line in removal.staying(stateFolder) { output("stays: \(line)") }
    return status
  }
}

private final class Removal {
  /// The files of each Codex that may have something of ours: this one's first.
  let places: [CodexPlaces]
  private let environment: [String: String]
  private let output: (String) -> Void
  /// Before anything is removed.
  private let record: InstallRecord?
  private let marketplace: String?
  /// Codex's own copy of the plugin could not be removed; ours goes all the same.
  private(set) var codexKeptIt = false
  private var keptInFolder: [String] = []

  init(places own: CodexPlaces, environment: [String: String], output: @escaping (String) -> Void) {
    (self.environment, self.output) = (environment, output)
    let record = InstallRecord(inFolder: own.pluginFolder)
    self.record = record
    let listed = (try? PrivateFiles.read(own.marketplace)).flatMap { try? MarketplaceFile.removing(from: $0) }
    marketplace = listed?.name ?? record?.marketplace
    var homes = [own.codexHome]
    for home in record?.codexHomes ?? [] where PrivateFiles.isFolder(home) && !homes.contains(home) { homes.append(home) }
    places = homes.map { own.with(codexHome: $0) }
  }

  /// The marketplaces in which `install` lists the plugin.
  private var ours: [String] { [marketplace, CodexSettings.marketplaceName].compactMap { $0 } }

  private func codex(_ place: CodexPlaces) -> CodexProgram? {
    CodexProgram(environment: environment.merging(["CODEX_HOME": place.codexHome]) { $1 })
  }

  /// The command as a person types it, for that Codex.
  private func command(_ words: String, _ place: CodexPlaces) -> String {
    place.codexHome == places[0].codexHome ? words : "CODEX_HOME='\(place.codexHome)' \(words)"
  }

  /// Codex's own copies of the plugin, which live on without our folder: the marketplaces from which it has them.
  func copies(_ place: CodexPlaces) throws -> [SetupStep] {
    let codex = codex(place)
    var names = Set(place.pluginCopies)
    // What this Codex can't tell, an older one may still have.
    let listed = marketplace == nil ? nil : codex?.installedMarketplaces()
    names.formUnion(listed ?? (codex != nil && place.codexHome == places[0].codexHome ? marketplace.map { [$0] } ?? [] : []))
    var steps: [SetupStep] = []
    for name in names.sorted() {
      let remove = command("codex plugin remove \(CodexSettings.name)@\(name)", place)
      guard ours.contains(name) else {
        output("note: Codex has a plugin of this name from the marketplace \(name), which install has not added; to remove it run: \(remove)")
        continue
      }
      guard let codex else {
        output("note: codex is not on PATH; to remove Codex's own copy run: \(remove)")
        continue
      }
      steps.append(
        SetupStep(text: "run \(remove)") { [self] in
          let answer = codex.runForJSON(["plugin", "remove", "\(CodexSettings.name)@\(name)"])
          if answer.succeeded { return }
          codexKeptIt = true
          output("Codex did not remove its copy: \(answer.complaint)")
        })
    }
    return steps
  }

  func plugin() throws -> [SetupStep] {
    let places = places[0]
    var steps: [SetupStep] = []
    let file = try GuardedFile(reading: places.marketplace, modeWhenNew: 0o644)
    let removal = try file.bytes.map { bytes in try naming(places.marketplace) { try MarketplaceFile.removing(from: bytes) } } ?? nil
    let folder = PluginFolder(path: places.pluginFolder)
    if let removal {
      let leavesNothing = removal.isAsMade
      steps.append(
        SetupStep(text: leavesNothing ? "remove \(places.marketplace)" : "take the plugin out of \(places.marketplace)") { [self] in
          if leavesNothing {
            try file.remove()
          } else {
            try write(removal.bytes, to: file)
          }
        })
    }
    if !folder.leftovers.isEmpty {
      steps.append(SetupStep(text: "remove what a killed install left in \(places.plugins)") { Leftovers.remove(folder.leftovers) })
    }
    if folder.version != nil {
      steps.append(
        SetupStep(text: "remove \(folder.path)") { [self] in
          keptInFolder = folder.remove()
          if removal?.isAsMade == true {
            rmdir(places.plugins)
            rmdir((places.plugins as NSString).deletingLastPathComponent)
          }
        })
    }
    return steps
  }

  func settings(_ place: CodexPlaces) throws -> [SetupStep] {
    let file = try GuardedFile(reading: place.config, modeWhenNew: 0o600)
    guard let all = file.bytes else { return [] }
    // Codex rewrites the file when it removes its copy: it is read again when its turn comes.
    let (bytes, extras) = try naming(place.config) { try Removal.withoutExtras(all) }
    let removal = try naming(place.config) { try CodexConfig.removing(from: bytes) }
    var taken = extras
    switch removal {
    case .nothingOfOurs:
      if try CodexConfig.presence(in: bytes) == .foreign {
        let remove = command("codex mcp remove \(CodexSettings.name)", place)
        output("note: \(place.config) has an entry that install has not written; to remove it run: \(remove)")
      }
      if extras.isEmpty { return [] }
    case .wholeFile: return [SetupStep(text: "remove \(place.config), which was made for the entry") { try file.remove() }]
    case .content: taken = ["[mcp_servers.\(CodexSettings.name)]"] + extras
    }
    return [
      SetupStep(text: "take \(taken.joined(separator: " and ")) out of \(place.config)") { [self] in
        let file = try GuardedFile(reading: place.config, modeWhenNew: 0o600)
        guard let now = file.bytes else { return }
        let (rest, _) = try naming(place.config) { try Removal.withoutExtras(now) }
        switch try naming(place.config, { try CodexConfig.removing(from: rest) }) {
        case .nothingOfOurs: if rest != now { try file.replace(with: rest) }
        case .wholeFile: try file.remove()
        case .content(let new): try write(new, to: file)
        }
      }
    ]
  }

  /// The hooks, the approvals and the namespace, which a plugin may have needed too.
  private static func withoutExtras(_ all: [UInt8]) throws -> (bytes: [UInt8], extras: [String]) {
    var (bytes, extras) = (all, [String]())
    let removals: [(String, ([UInt8]) throws -> [UInt8]?)] = [
      ("the hooks", HookSettings.removing), ("the approvals", Approvals.removing), (DirectNamespace.key, DirectNamespace.removing),
    ]
    for (name, removing) in removals {
      guard let without = try removing(bytes) else { continue }
      bytes = without
      extras.append(name)
    }
    return (bytes, extras)
  }

  /// The backup goes when the file is again what it was; else it is renewed, because the file has been edited since.
  private func write(_ new: [UInt8], to file: GuardedFile) throws {
    if (try? PrivateFiles.read(file.backupPath)) == new {
      try file.replace(with: new)
      unlink(file.backupPath)
    } else {
      if let backup = try file.backUp() { output("backup: \(backup)") }
      try file.replace(with: new)
    }
  }

  // MARK: - What stays

  /// Asks each Codex whether it still has the server.
  func lookAgain() {
    for place in places {
      guard let server = codex(place)?.server(), let name = place.marketplace(ofCopyStarting: server), ours.contains(name) else { continue }
      codexKeptIt = true
      output("Codex still starts the server from its own copy; remove it with: " + command("codex plugin remove \(CodexSettings.name)@\(name)", place))
    }
  }

  /// What is left on purpose, or can't be known from here.
  func staying(_ stateFolder: String?) -> [String] {
    var lines: [String] = []
    if !keptInFolder.isEmpty { lines.append("\(places[0].pluginFolder), with files that install has not written: \(PluginFolder.list(keptInFolder))") }
    for file in places.map(\.config) + [places[0].marketplace] {
      let backup = "\(file).before-\(CodexSettings.name)"
      if PrivateFiles.exists(backup) { lines.append("\(backup), the file as it was before") }
    }
    // Another Codex of the same user, which nobody has told us to look after.
    let usual = places[0].with(codexHome: places[0].home + "/.codex")
    if !places.contains(where: { $0.codexHome == usual.codexHome }), usual.hasOurs {
      lines.append("what \(usual.codexHome) has of it; take it back with: CODEX_HOME='\(usual.codexHome)' opencode-worker uninstall")
    }
    if let stateFolder, PrivateFiles.isFolder(stateFolder) { lines.append("\(stateFolder), the runs and their logs; delete it to forget them") }
    return lines
  }
}
