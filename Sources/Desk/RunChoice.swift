import Runs

/// Which run a person means: nothing (the live one, else the latest), `latest`, or any beginning or end of an id that fits one run only.
package enum RunChoice {
  /// - Returns: nil: the live one, else the latest
  /// - Throws: `RunRefusal` (`no_such_run`)
  package static func id(_ word: String?, in state: StateFolder) throws -> String? {
    guard let word else { return nil }
    let ids = state.runFolders().map(\.id)
    if word == "latest" {
      guard let latest = ids.first else { throw RunRefusal(code: .noSuchRun, message: "No run is kept.", hint: "Start one with opencode_start.") }
      return latest
    }
    if ids.contains(word) { return word }
    let fitting = fitting(word, ids)
    if fitting.count == 1 { return fitting[0] }
    let shown = Words.line(word, 60)
    guard fitting.isEmpty else {
      throw RunRefusal(code: .noSuchRun, message: "\"\(shown)\" fits \(fitting.count) runs: \(list(fitting, in: state)).", hint: "Write more of the id.")
    }
    throw RunRefusal(
      code: .noSuchRun, message: "There is no run \"\(shown)\"." + (ids.isEmpty ? "" : " The last ones: \(list(ids, in: state))."),
      hint: "`opencode-worker runs` lists them.")
  }

  /// Whether a word names a run, or several.
  package static func fits(_ word: String, in state: StateFolder) -> Bool { word == "latest" || !fitting(word, state.runFolders().map(\.id)).isEmpty }

  private static func fitting(_ word: String, _ ids: [String]) -> [String] { word.isEmpty ? [] : ids.filter { $0.hasPrefix(word) || $0.hasSuffix(word) } }

  private static func list(_ ids: [String], in state: StateFolder) -> String {
    ids.prefix(3).map { id in "\(id) (\(Words.line(state.run(id).loadRecord()?.request.title ?? "?", 40)))" }.joined(separator: ", ")
  }
}
