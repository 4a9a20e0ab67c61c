import Foundation
import JSON
import PosixSupport

/// The configuration that OpenCode finds, document by document in the order in which it reads them: the user's, `OPENCODE_CONFIG`, the project's,
/// `.opencode` folders, `OPENCODE_CONFIG_CONTENT`.
struct Configuration {
  enum Entry {
    case document(path: String?, JSONObject)
    /// Whose `.md` files are agents.
    case directory(String)
    case file(String)
  }

  struct Unreadable: Error {
    let path: String
  }

  let build: Build
  let home: String
  let data: String
  private(set) var entries: [Entry] = []

  /// - Parameter user: what stands for the user's own file
  /// - Throws: `Unreadable` in 1.x; 2.x goes on without what it can't read
  init(build: Build, environment: [String: String], folder: String, user: JSONValue) throws {
    self.build = build
    home = environment["HOME"] ?? "/"
    data = (environment["XDG_DATA_HOME"] ?? home + "/.local/share") + "/opencode"
    let global = (environment["XDG_CONFIG_HOME"] ?? home + "/.config") + "/opencode"
    if let user = user.object, !user.isEmpty { entries.append(.document(path: global + "/opencode.json", user)) }
    try addFolder(global)
    if let path = environment["OPENCODE_CONFIG"], !path.isEmpty { try addFile(path) }
    let folders = Configuration.upwards(from: folder).filter { $0 + "/opencode.json" != global + "/opencode.json" }
    for folder in folders {
      for name in Configuration.names {
        guard try addFile(folder + "/" + name), build.isPreview else { continue }
        entries.append(.file(folder + "/" + name))
      }
    }
    for folder in folders where PrivateFiles.isFolder(folder + "/.opencode") { try addFolder(folder + "/.opencode") }
    if let text = environment["OPENCODE_CONFIG_CONTENT"], !text.isEmpty { try add(text, path: nil, named: "OPENCODE_CONFIG_CONTENT") }
  }

  private static let names = ["opencode.json", "opencode.jsonc"]

  /// The folder and those above it up to the repository's, outermost first.
  private static func upwards(from folder: String) -> [String] {
    var (folders, path) = ([folder], folder)
    while !PrivateFiles.exists(path + "/.git"), path != "/", !path.isEmpty {
      path = (path as NSString).deletingLastPathComponent
      folders.append(path)
    }
    return PrivateFiles.exists(path + "/.git") ? folders.reversed() : [folder]
  }

  private mutating func addFolder(_ path: String) throws {
    for name in Configuration.names { try addFile(path + "/" + name) }
    entries.append(.directory(path))
  }

  @discardableResult
  private mutating func addFile(_ path: String) throws -> Bool {
    guard let bytes = try? PrivateFiles.read(path) else { return false }
    return try add(String(decoding: bytes, as: UTF8.self), path: path, named: path)
  }

  @discardableResult
  private mutating func add(_ text: String, path: String?, named name: String) throws -> Bool {
    guard let object = (try? JSONValue(parsing: Array(text.utf8), as: .commented))?.object else {
      if build.isTwo { return false }
      throw Unreadable(path: name)
    }
    entries.append(.document(path: path, object))
    return true
  }

  // MARK: As a whole

  /// All documents as one, later ones over earlier ones: how 1.x reads them. Agents of `.md` files are in it.
  var merged: JSONValue {
    entries.reduce(.object([:])) { result, entry in
      switch entry {
      case .document(_, var document):
        // `mode` is what `agent` was called before.
        for (name, mode) in document["mode"]?.object?.members ?? [] {
          document["agent"] = Configuration.merged(document["agent"] ?? .object([:]), [name: Configuration.merged(mode, ["mode": "primary"])])
        }
        return Configuration.merged(result, .object(document))
      case .directory(let folder):
        return MarkdownAgent.all(in: folder).reduce(result) { Configuration.merged($0, ["agent": [$1.name: .object($1.legacy)]]) }
      case .file: return result
      }
    }
  }

  private static func merged(_ base: JSONValue, _ over: JSONValue) -> JSONValue {
    guard case .object(var result) = base, let added = over.object else { return over }
    for (key, value) in added.members { result[key] = result[key].map { merged($0, value) } ?? value }
    return .object(result)
  }

  // MARK: As 2.x lists them

  /// What `GET /api/config` answers.
  var listing: JSONValue {
    .array(
      entries.map { entry in
        switch entry {
        case .document(let path, let document):
          var listed: JSONObject = ["type": "document"]
          listed["path"] = path.map { .string($0) }
          listed["info"] = .object(Configuration.normalized(document))
          return .object(listed)
        case .directory(let path): return ["type": "directory", "path": .string(path)]
        case .file(let path): return ["type": "file", "path": .string(path)]
        }
      })
  }

  /// The documents in 2.x's own words, those of `.md` files where their folder stands.
  var documents: [JSONObject] {
    entries.flatMap { entry -> [JSONObject] in
      switch entry {
      case .document(_, let document): [Configuration.normalized(document)]
      case .directory(let folder): MarkdownAgent.all(in: folder).map { ["agents": [$0.name: .object($0.native)]] }
      case .file: []
      }
    }
  }

  /// A document with all that is 1.x's in it translated; 2.x does that for each document by itself.
  private static func normalized(_ document: JSONObject) -> JSONObject {
    var result = document
    for key in ["agent", "mode", "tools", "permission", "permissions", "agents", "provider"] { result[key] = nil }
    // Of two of one name the native one is kept, whole.
    var agents = JSONObject()
    for (name, agent) in document["agent"]?.object?.members ?? [] { agents[name] = .object(MarkdownAgent.translated(agent.object ?? [:])) }
    for (name, agent) in document["mode"]?.object?.members ?? [] {
      agents[name] = Configuration.merged(.object(MarkdownAgent.translated(agent.object ?? [:])), ["mode": "primary"])
    }
    agents.merge(document["agents"]?.object ?? [:])
    if !agents.isEmpty { result["agents"] = .object(agents) }
    let rules = MarkdownAgent.rules(document) + Rules.native(document["permissions"])
    if !rules.isEmpty || document["permissions"]?.array != nil { result["permissions"] = Rules.json(rules) }
    if let model = document["model"]?.string, let slash = model.firstIndex(of: "/") {
      result["model"] = ["providerID": .string(String(model[..<slash])), "model": .string(String(model[model.index(after: slash)...]))]
    }
    let providers = (document["provider"]?.object?.members ?? []).map { name, provider -> (key: String, value: JSONValue) in
      var own: JSONObject = [:]
      own["name"] = provider["name"]
      own["package"] = provider["npm"]?.string.map { .string("aisdk:" + $0) }
      own["settings"] = provider["options"]
      own["models"] = provider["models"]?.object.map { .object(JSONObject($0.members.map { (key: $0.key, value: model($0.value)) })) }
      return (name, .object(own))
    }
    if !providers.isEmpty {
      result["providers"] = .object(JSONObject(providers + (document["providers"]?.object?.members ?? [])))
    }
    return result
  }

  /// A provider's model of 1.x's in 2.x's words.
  private static func model(_ model: JSONValue) -> JSONValue {
    var own: JSONObject = [:]
    own["name"] = model["name"]
    own["capabilities"] = model["tool_call"].map { ["tools": $0, "input": [], "output": []] }
    if let cost = model["cost"] {
      var cache: JSONObject = [:]
      cache["read"] = cost["cache_read"]
      own["cost"] = [["input": cost["input"] ?? 0, "output": cost["output"] ?? 0, "cache": .object(cache)]]
    }
    own["limit"] = model["limit"]
    return .object(own)
  }
}
