import JSON
import PosixSupport

/// What 2.x's own server lists of its configuration, in its order, as far as permissions need it. The rest is dropped at once: API keys stand in it.
/// Recording: `2.0-preview-20260807/sessions/config-documents`.
package struct ConfigDocuments: Sendable, Equatable {
  struct Agent: Sendable, Equatable {
    let name: String
    var isDisabled = false
    var mode: String?
    /// Its own rules; those of a spelling that isn't translated are left out.
    var rules: [PermissionRule] = []
    /// It has rules that aren't in `rules`.
    var hasOtherRules = false
  }

  struct Document: Sendable, Equatable {
    /// nil: it is `OPENCODE_CONFIG_CONTENT`, or comes from elsewhere than a file.
    var path: String?
    var defaultAgent: String?
    var rules: [PermissionRule] = []
    var agents: [Agent] = []
  }

  enum Entry: Sendable, Equatable {
    case document(Document)
    /// A folder whose `.md` files are agents.
    case files(AgentFiles)
  }

  var entries: [Entry]

  init(_ entries: [Entry]) { self.entries = entries }

  /// Reads the answer to `GET /api/config`, and the folders that it names.
  /// - Throws: `OpenCodeCommandError.unreadable`, without a word of the answer
  static func parse(_ output: [UInt8]) throws -> ConfigDocuments {
    let json = try? JSONValue(parsing: output)
    guard let list = json?.array ?? json?["data"]?.array else {
      throw OpenCodeCommandError.unreadable(command: "api", why: "not a list of configuration documents")
    }
    return ConfigDocuments(
      list.compactMap { entry in
        switch entry["type"]?.string {
        case "document": .document(Document(entry))
        case "directory": entry["path"]?.string.map { .files(AgentFiles(in: $0)) }
        default: nil
        }
      })
  }
}

extension ConfigDocuments.Document {
  fileprivate init(_ entry: JSONValue) {
    let info = entry["info"]
    self.init(
      path: entry["path"]?.string, defaultAgent: info?["default_agent"]?.string, rules: PermissionRules(native: info?["permissions"]).rules,
      agents: ["agent", "mode", "agents"].flatMap { ConfigDocuments.Agent.all(info?[$0]) })
  }
}

extension ConfigDocuments.Agent {
  /// An object's members, in either generation's words.
  static func all(_ agents: JSONValue?) -> [ConfigDocuments.Agent] {
    (agents?.object?.members ?? []).filter { $0.value.object != nil }.map { name, agent in
      ConfigDocuments.Agent(
        name: name, isDisabled: agent["disabled"]?.bool == true || agent["disable"]?.bool == true, mode: agent["mode"]?.string,
        rules: PermissionRules(native: agent["permissions"]).rules, hasOtherRules: agent["permission"] != nil || agent["tools"] != nil)
    }
  }
}

extension ConfigDocuments {
  /// The rules that result for an agent, as far as they concern what all agents but `explore` may do to begin with.
  /// - Throws: `RulesUnknown`
  func rules(of name: String) throws -> PermissionRules {
    var rules = [PermissionRule("*", "*", name == "explore" ? .deny : .allow)]
    var unread: String?
    for case .document(let document) in entries { rules += document.rules }
    func add(_ more: [PermissionRule]) {
      rules += more
      if more.contains(where: { $0.permission == "*" && $0.pattern == "*" }) { unread = nil }
    }
    for entry in entries {
      switch entry {
      case .document(let document):
        for agent in document.agents where agent.name == name {
          if agent.hasOtherRules { unread = document.path ?? BrokenConfigContent.variable }
          add(agent.rules)
        }
      case .files(let folder):
        if folder.files.contains(where: { $0.name == name && $0.hasRules }) { unread = "\(name).md" }
      }
    }
    if let unread { throw RulesUnknown(agent: name, place: unread) }
    return PermissionRules(rules)
  }
}

/// Rules of an agent that stand where only OpenCode itself reads them.
package struct RulesUnknown: Error, CustomStringConvertible, Sendable, Equatable {
  package let agent: String
  package let place: String

  package var description: String { "the rules of agent \"\(agent)\" in \(place) are not known" }
}

extension OpenCodeClient {
  /// 2.x: what the rules say of a run's shell.
  /// - Parameters:
  ///   - agent: the run's; nil: the configuration's own
  ///   - environment: the run's
  /// - Throws: `OpenCodeCommandError`, `RulesUnknown`
  package func shellRules(of agent: String?, environment: [String: String], deadline: Deadline = .after(10)) throws -> PermissionRules {
    let documents = try configuration(environment, deadline: deadline)
    let standard = ConfiguredAgents(documents, content: ConfigDocuments.Document()).standard
    return try documents.rules(of: agent ?? standard ?? "build")
  }

  /// 2.x: its configuration, document by document.
  /// - Throws: `OpenCodeCommandError`, without a word of the answer
  func configuration(_ environment: [String: String]? = nil, deadline: Deadline = .after(10)) throws -> ConfigDocuments {
    let result = try run(["api", "--standalone", "GET", "/api/config"], named: "api", environment: environment, isSecret: true, deadline: deadline)
    return try ConfigDocuments.parse(result.output)
  }
}
