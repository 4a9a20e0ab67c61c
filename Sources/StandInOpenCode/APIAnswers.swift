import Foundation
import JSON

/// `opencode api GET PATH`: what 2.x's server answers.
struct APIAnswers {
  let invocation: Invocation

  /// How many sessions or messages a page has unless `limit` says otherwise.
  private static let page = 50

  /// Who asks for what isn't there: the answer's words, and the status.
  private struct Refusal: Error {
    let status: String
    let body: JSONValue
  }

  /// nil: it was called wrongly.
  func answer(_ words: [String]) throws -> Int32? {
    guard words.count == 2, words[0].uppercased() == "GET", words[1].hasPrefix("/"), let target = URLComponents(string: words[1]) else { return nil }
    let query = (target.queryItems ?? []).reduce(into: [String: String]()) { $0[$1.name] = $1.value }
    do {
      let value = try body(target.path.split(separator: "/").map(String.init), query)
      try invocation.console.print(value)
      return 0
    } catch let refusal as Refusal {
      try invocation.console.print(refusal.body)
      guard invocation.build.tellsHTTPErrors else { return 0 }
      invocation.console.complain("HTTP \(refusal.status)\n")
      return 1
    }
  }

  private func body(_ path: [String], _ query: [String: String]) throws -> JSONValue {
    switch path {
    case ["api", "config"]: return try invocation.configuration(in: invocation.workingFolder).listing
    // They don't wait for the plugins that fill them.
    case ["api", "agent"], ["api", "provider"]: return []
    case ["api", "session"]:
      let sessions = invocation.store.list(parent: query["parentID"])
      return try page(sessions.map { (id: $0.id, value: .object(invocation.info($0))) }, query)
    case let path where path.count == 3 && path.starts(with: ["api", "session"]):
      return ["data": .object(invocation.info(try session(path[2])))]
    case let path where path.count == 4 && path.starts(with: ["api", "session"]) && path[3] == "message":
      let messages = try session(path[2]).messages.map { (id: $0["id"]?.string ?? "", value: $0) }
      let order = try cursor(query)?["order"]?.string ?? query["order"] ?? "desc"
      return try page(order == "asc" ? messages : messages.reversed(), query, order: order)
    default: throw Refusal(status: "404 Not Found", body: ["_tag": "NotFound", "message": .string("No route for /\(path.joined(separator: "/"))")])
    }
  }

  private func session(_ id: String) throws -> SessionStore.Session {
    guard let session = invocation.store.session(id) else {
      let body: JSONValue = ["_tag": "SessionNotFoundError", "sessionID": .string(id), "message": .string("Session not found: \(id)")]
      throw Refusal(status: "404 Not Found", body: body)
    }
    return session
  }

  // MARK: Pages

  /// A page of a list, and where the ones before and after it begin. The last page has a next one, which is empty.
  private func page(_ all: [(id: String, value: JSONValue)], _ query: [String: String], order: String = "desc") throws -> JSONValue {
    var rest = all[...]
    if let cursor = try cursor(query), let at = all.firstIndex(where: { $0.id == cursor["id"]?.string }) {
      rest = cursor["direction"] == "previous" ? all[..<at] : all[(at + 1)...]
    }
    let shown = rest.prefix(query["limit"].flatMap { Int($0) } ?? APIAnswers.page)
    var cursors = JSONObject()
    for (direction, end) in [("previous", shown.first), ("next", shown.last)] {
      cursors[direction] = end.map { end in
        let cursor: JSONValue = ["id": .string(end.id), "order": .string(order), "direction": .string(direction)]
        let text = Data(cursor.bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return .string(text)
      }
    }
    return ["data": .array(shown.map(\.value)), "cursor": .object(cursors)]
  }

  private func cursor(_ query: [String: String]) throws -> JSONValue? {
    guard let text = query["cursor"] else { return nil }
    func invalid(_ why: String) -> Refusal { Refusal(status: "400 Bad Request", body: ["_tag": "InvalidCursorError", "message": .string(why)]) }
    if query["order"] != nil { throw invalid("Cursor cannot be combined with order") }
    let padded = text.replacing("-", with: "+").replacing("_", with: "/") + String(repeating: "=", count: (4 - text.count % 4) % 4)
    guard let data = Data(base64Encoded: padded), let value = try? JSONValue(parsing: Array(data)) else {
      throw invalid("Invalid cursor")
    }
    return value
  }
}
