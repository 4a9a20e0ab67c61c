import Foundation
import JSON
import PosixSupport

/// Sessions as JSON files in a folder, so that later runs and other subcommands find them.
struct SessionStore {
  let folder: String

  /// One session: `info` is the stored facts, `messages` are in the shape of the line that wrote them.
  struct Session {
    var id: String
    var parent: String?
    var title: String
    var directory: String
    var agent: String
    var model: String
    var created: Int
    var updated: Int
    var usage = Usage()
    var outcome = "succeeded"
    var messages: [JSONValue] = []
  }

  init(folder: String) throws {
    self.folder = folder + "/sessions"
    try PrivateFiles.createFolder(self.folder)
  }

  func save(_ session: Session) throws {
    let value: JSONValue = [
      "id": .string(session.id), "parent": session.parent.map { .string($0) } ?? .null, "title": .string(session.title),
      "directory": .string(session.directory),
      "agent": .string(session.agent), "model": .string(session.model), "created": JSONValue(session.created), "updated": JSONValue(session.updated),
      "cost": .number(session.usage.cost), "tokens": session.usage.tokens(withTotal: false), "outcome": .string(session.outcome),
      "messages": .array(session.messages),
    ]
    try PrivateFiles.replace("\(folder)/\(session.id).json", with: value.bytes)
  }

  func session(_ id: String) -> Session? {
    guard !id.isEmpty, !id.contains("/"), let bytes = try? PrivateFiles.read("\(folder)/\(id).json"), let value = try? JSONValue(parsing: bytes) else {
      return nil
    }
    return Session(
      id: id, parent: value["parent"]?.string, title: value["title"]?.string ?? "", directory: value["directory"]?.string ?? "",
      agent: value["agent"]?.string ?? "build", model: value["model"]?.string ?? "", created: value["created"]?.int ?? 0, updated: value["updated"]?.int ?? 0,
      usage: Usage(session: value), outcome: value["outcome"]?.string ?? "", messages: value["messages"]?.array ?? [])
  }

  /// Newest first.
  func all() -> [Session] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".json") }.compactMap { session(String($0.dropLast(5))) }.sorted { ($0.updated, $0.id) > ($1.updated, $1.id) }
  }
}
