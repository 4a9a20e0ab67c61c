import Foundation
import PosixSupport

/// `uninstall`: takes back what `install` and `install --direct` added, and nothing else.
package enum UninstallCommand {
  package static let usage = """
    usage: opencode-worker uninstall [--dry-run]

    Removes the plugin from Codex, its folder and its marketplace entry, and the entry in $CODEX_HOME/config.toml, as far as
    `install` put them there. Runs and their logs stay in ~/.local/state/codex-opencode-worker.
    """

  /// - Returns: 0 done (also when there was nothing to do), 1 something is left, 2 wrong arguments
  package static func run(arguments: [String], environment: [String: String], output: @escaping (String) -> Void) -> Int32 {
    let options: SetupOptions
    do {
      options = try SetupOptions(arguments, allowed: ["--dry-run"])
    } catch {
      output("\(error)\n\n\(usage)")
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
      output("not uninstalled: \(error)")
      return ExitCode.failure
    }
    let removal = Removal(places: places, codex: CodexProgram(environment: environment), output: output)
    var status = ExitCode.success
    var isEmpty = true
    // Each part for itself: what hinders one must not keep the others.
    for part in [removal.plugin, removal.direct] {
      do {
        for step in try part() {
          isEmpty = false
          output(options.dryRun ? "would \(step.text)" : step.text)
          if !options.dryRun { try step.perform() }
        }
      } catch {
        output("left in place: \(error)")
        isEmpty = false
        status = ExitCode.failure
      }
    }
    if removal.codexKeptIt { status = ExitCode.failure }
    if isEmpty { output("nothing to take back: neither the plugin nor an entry of install's is there") }
    return status
  }
}

private final class Removal {
  let places: CodexPlaces
  let codex: CodexProgram?
  let output: (String) -> Void
  /// Codex's own copy of the plugin could not be removed; ours goes all the same.
  private(set) var codexKeptIt = false

  init(places: CodexPlaces, codex: CodexProgram?, output: @escaping (String) -> Void) {
    (self.places, self.codex, self.output) = (places, codex, output)
  }

  func plugin() throws -> [SetupStep] {
    var steps: [SetupStep] = []
    let file = try GuardedFile(reading: places.marketplace, modeWhenNew: 0o644)
    let removal = try file.bytes.map { bytes in try naming(places.marketplace) { try MarketplaceFile.removing(from: bytes) } } ?? nil
    let folder = PluginFolder(path: places.pluginFolder)
    // Codex finds the plugin by its marketplace entry: so it goes first.
    if let removal {
      let selector = "\(CodexSettings.name)@\(removal.name)"
      if let codex, codex.installedMarketplaces()?.contains(removal.name) ?? true {
        steps.append(
          SetupStep(text: "run codex plugin remove \(selector)") { [self] in
            let answer = codex.runForJSON(["plugin", "remove", selector])
            if answer.succeeded { return }
            codexKeptIt = true
            output("Codex did not remove its copy: \(answer.complaint)")
          })
      } else if codex == nil, configMentions(selector) {
        output("note: codex is not on PATH; to remove Codex's own copy run: codex plugin remove \(selector)")
      }
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
          if !folder.remove() { output("\(folder.path) stays: there are files in it that install has not written") }
          if removal?.isAsMade == true {
            rmdir(places.plugins)
            rmdir((places.plugins as NSString).deletingLastPathComponent)
          }
        })
    }
    return steps
  }

  func direct() throws -> [SetupStep] {
    let file = try GuardedFile(reading: places.config, modeWhenNew: 0o600)
    guard let all = file.bytes else { return [] }
    let (bytes, extras) = try naming(places.config) { try Removal.withoutExtras(all) }
    switch try naming(places.config, { try CodexConfig.removing(from: bytes) }) {
    case .nothingOfOurs:
      if !extras.isEmpty {
        return [SetupStep(text: "take \(extras.joined(separator: " and ")) out of \(places.config)") { try file.replace(with: bytes) }]
      }
      if try CodexConfig.presence(in: bytes) == .foreign {
        output("note: \(places.config) has an entry that install has not written; to remove it run: codex mcp remove \(CodexSettings.name)")
      }
      return []
    case .wholeFile: return [SetupStep(text: "remove \(places.config), which was made for the entry") { try file.remove() }]
    case .content(let new):
      let taken = (["[mcp_servers.\(CodexSettings.name)]"] + extras).joined(separator: " and ")
      return [SetupStep(text: "take \(taken) out of \(places.config)") { [self] in try write(new, to: file) }]
    }
  }

  /// The hooks and the namespace, which a plugin may have needed too.
  private static func withoutExtras(_ all: [UInt8]) throws -> (bytes: [UInt8], extras: [String]) {
    var (bytes, extras) = (all, [String]())
    if let without = try HookSettings.removing(from: bytes) {
      bytes = without
      extras.append("the hooks")
    }
    if let without = try DirectNamespace.removing(from: bytes) {
      bytes = without
      extras.append(DirectNamespace.key)
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

  private func configMentions(_ text: String) -> Bool {
    guard let bytes = try? PrivateFiles.read(places.config) else { return false }
    return String(decoding: bytes, as: UTF8.self).contains(text)
  }
}
