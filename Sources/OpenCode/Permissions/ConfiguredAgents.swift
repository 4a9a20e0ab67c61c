/// The agents that 2.x's configuration leaves: its own, and those that documents and files name, unless the last mention disables them.
struct ConfiguredAgents: Sendable, Equatable {
  private(set) var names: Set<String> = ConfiguredAgents.builtIn
  private(set) var disabled: Set<String> = []
  /// `default_agent`; the last document that has one counts.
  private(set) var defaultAgent: String?
  /// There are more in files than were looked at.
  private(set) var isCut = false

  /// Those that do the work. The others (`hidden`) are offered no tools, and `small_model` is kept under the name of one of them.
  static let builtIn: Set<String> = ["build", "plan", "general", "explore"]
  static let hidden: Set<String> = ["title", "summary", "compaction"]

  /// - Parameters:
  ///   - documents: as OpenCode lists them
  ///   - own: where the document stands that is ours; in its place counts `content`
  ///   - content: the user's own, under which ours was laid
  init(_ documents: ConfigDocuments = ConfigDocuments([]), own: Int? = nil, content: ConfigDocuments.Document) {
    let place = own ?? documents.entries.count
    for entry in documents.entries[..<place] { take(entry) }
    take(content)
    for entry in documents.entries[place...].dropFirst() { take(entry) }
  }

  private mutating func take(_ entry: ConfigDocuments.Entry) {
    switch entry {
    case .document(let document): take(document)
    case .files(let folder):
      for file in folder.files { take(file.name, isDisabled: file.isDisabled) }
      if folder.isCut { isCut = true }
    }
  }

  private mutating func take(_ document: ConfigDocuments.Document) {
    if let agent = document.defaultAgent { defaultAgent = agent }
    for agent in document.agents { take(agent.name, isDisabled: agent.isDisabled) }
  }

  private mutating func take(_ name: String, isDisabled: Bool) {
    if isDisabled {
      names.remove(name)
      disabled.insert(name)
    } else {
      names.insert(name)
      disabled.remove(name)
    }
  }

  /// Those that are offered tools.
  var workers: Set<String> { names.subtracting(ConfiguredAgents.hidden) }

  /// The agent of a run that names none: `default_agent`, else `build`; nil: OpenCode chooses among those that there are.
  var standard: String? {
    if let defaultAgent, names.contains(defaultAgent) { return defaultAgent }
    return names.contains("build") ? "build" : nil
  }
}
