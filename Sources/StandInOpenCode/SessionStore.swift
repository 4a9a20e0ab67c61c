import Foundation
import JSON
import PosixSupport

/// Sessions as JSON files in a folder, kept up while they run, so that other processes see them as they are.
struct SessionStore {
  let folder: String

  /// One session. Its messages are in the shape of the generation that wrote them.
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
    /// nil: it runs, or its process was killed.
    var outcome: String?
    var messages: [JSONValue] = []

    /// Adds a message, or puts it in the place of the one with its id.
    mutating func put(_ message: JSONValue) {
      let id = Session.id(of: message)
      if let index = messages.lastIndex(where: { Session.id(of: $0) == id }) {
        messages[index] = message
      } else {
        messages.append(message)
      }
    }

    private static func id(of message: JSONValue) -> String? { (message["info"]?["id"] ?? message["id"])?.string }
  }

  init(folder: String) throws {
    self.folder = folder + "/sessions"
    try PrivateFiles.createFolder(self.folder)
  }

  func save(_ session: Session) throws {
    var value: JSONObject = [
      "id": .string(session.id), "title": .string(session.title), "directory": .string(session.directory), "agent": .string(session.agent),
      "model": .string(session.model), "created": JSONValue(session.created), "updated": JSONValue(session.updated),
      "cost": .number(session.usage.cost), "tokens": session.usage.tokens(withTotal: false), "messages": .array(session.messages),
    ]
    value["parent"] = session.parent.map { .string($0) }
    value["outcome"] = session.outcome.map { .string($0) }
    try PrivateFiles.replace("\(folder)/\(session.id).json", with: JSONValue.object(value).bytes)
  }

  func session(_ id: String) -> Session? {
    guard !id.isEmpty, !id.contains("/"), let bytes = try? PrivateFiles.read("\(folder)/\(id).json"), let value = try? JSONValue(parsing: bytes) else {
      return nil
    }
    // A signal handler may have had the last word.
    let interrupted = (try? PrivateFiles.read(outcomeFile(id))).map { String(decoding: $0, as: UTF8.self) }
    return Session(
      id: id, parent: value["parent"]?.string, title: value["title"]?.string ?? "", directory: value["directory"]?.string ?? "",
      agent: value["agent"]?.string ?? "build", model: value["model"]?.string ?? "", created: value["created"]?.int ?? 0, updated: value["updated"]?.int ?? 0,
      usage: Usage(session: value), outcome: value["outcome"]?.string ?? interrupted.flatMap { $0.isEmpty ? nil : $0 }, messages: value["messages"]?.array ?? []
    )
  }

  /// Where an interrupted run's outcome is put by a signal handler.
  func outcomeFile(_ id: String) -> String { "\(folder)/\(id).outcome" }

  /// The one that was used last first.
  func all() -> [Session] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".json") }.compactMap { session(String($0.dropLast(5))) }.sorted { ($0.updated, $1.id) > ($1.updated, $0.id) }
  }

  /// Of all sessions or of those that another one started; the newest first. Ids of newer sessions are smaller.
  func list(parent: String? = nil) -> [Session] { all().filter { parent == nil || $0.parent == parent }.sorted { $0.id < $1.id } }

  /// Counts how often something happened, this time included, over all processes.
  func count(_ what: String) throws -> Int {
    let file = "\(folder)/count-\(what.map { $0.isLetter || $0.isNumber ? $0 : "-" }.reduce(into: "") { $0.append($1) })"
    var lock: FileLock?
    while lock == nil {
      lock = try FileLock.take(file + ".lock")
      if lock == nil { Thread.sleep(forTimeInterval: 0.01) }
    }
    defer { lock?.release() }
    let before = (try? PrivateFiles.read(file)).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    try PrivateFiles.replace(file, with: Array("\(before + 1)".utf8))
    return before + 1
  }
}
