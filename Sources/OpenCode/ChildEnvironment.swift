import PosixSupport

/// The environment that OpenCode gets.
/// PWD counts more than the folder: recordings `1.18.34/stale-pwd`, `2.0-preview-20260807/unset-pwd`.
package enum ChildEnvironment {
  /// OpenCode's children carry this with the run's id, and no other variable of ours.
  package static let marker = "OPENCODE_WORKER_RUN"

  /// Without the worker's own variables; PATH completed by the login shell's when it is bare (see `LoginShell.isBare`), else
  /// as it is. May block while the login shell answers, once in a process's life.
  package static func cleaned(_ environment: [String: String]) -> [String: String] {
    var result = environment.filter { !$0.key.hasPrefix("OPENCODE_WORKER_") }
    result["PATH"] = LoginShell.completed(environment.filter { !$0.key.hasPrefix("OPENCODE_WORKER_") })
    return result
  }

  /// The environment for running `installation` in `folder`. PWD is set: OpenCode believes it over its real folder.
  /// - Parameters:
  ///   - run: the value of the marker; nil for companion commands
  ///   - isDarwin: whether it runs on macOS
  package static func make(
    _ environment: [String: String], for installation: Installation, folder: String, run: String? = nil, isDarwin: Bool = OwnProcess.isOnDarwin
  ) -> [String: String] {
    var result = cleaned(environment)
    // 2.x loads a native addon of its serializer there unless it is told not to; it works the same without (src).
    if isDarwin, installation.version.generation == .v2 { result["MSGPACKR_NATIVE_ACCELERATION_DISABLED"] = "true" }
    result["PWD"] = folder
    result[marker] = run
    if run != nil, installation.version.generation == .v2 {
      // From 2.0.17 on; earlier builds, whose command line refuses the options, pass these over.
      result["OPENCODE_PRINT_LOGS"] = "1"
      result["OPENCODE_LOG_LEVEL"] = "ERROR"
    }
    if installation.isWrapper, let slash = installation.path.lastIndex(of: "/"), slash > installation.path.startIndex {
      // Its interpreter (node) mostly lies beside it.
      let own = String(installation.path[..<slash])
      let entries = ProgramFinder.entries(of: result["PATH"])
      if !entries.contains(own) { result["PATH"] = (entries + [own]).joined(separator: ":") }
    }
    return result
  }
}
