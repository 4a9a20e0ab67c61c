import Foundation
import PosixSupport

/// What 2.x's own server tells of a session (recordings `sessions/*`).
extension OpenCodeClient {
  /// A session's messages, oldest first; nil: there is no such session.
  /// - Parameters:
  ///   - since: milliseconds since 1970: older ones are left out
  ///   - first: the words of the user's message before which there is none; nil: not known
  package func messages(of session: String, since: Int, first: String? = nil, deadline: Deadline) throws -> [SessionExport.Message]? {
    var (found, cursor, seen): ([SessionExport.Message], String?, Set<String>) = ([], nil, [])
    // Pages of 50: a session of 10,000 messages is none of ours.
    for _ in 0..<200 {
      guard let page = try messagePage(of: session, cursor: cursor, deadline: deadline) else { return nil }
      let new = page.messages.filter { seen.insert($0.id).inserted }
      found += new
      guard let next = page.cursor?.next, let oldest = new.last, (oldest.created ?? .max) >= since else { break }
      if let first, oldest.role == "user", oldest.text == first { break }
      guard !deadline.hasPassed else { throw OpenCodeCommandError.timedOut(command: "api", seconds: deadline.seconds) }
      cursor = next
    }
    return found.filter { ($0.created ?? .max) >= since }.reversed()
  }

  /// The newest 50 of a session's messages, the newest first; nil: there is no such session.
  package func newestMessages(of session: String, deadline: Deadline) throws -> [SessionExport.Message]? {
    try messagePage(of: session, cursor: nil, deadline: deadline)?.messages
  }

  private func messagePage(of session: String, cursor: String?, deadline: Deadline) throws -> MessagePage? {
    guard SessionID.isValid(session) else { return nil }
    let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_.~"))
    let query = cursor?.addingPercentEncoding(withAllowedCharacters: allowed).map { "?cursor=\($0)" } ?? ""
    let output = try api("/api/session/\(session)/message\(query)", deadline: deadline)
    if let page = try? JSONDecoder().decode(MessagePage.self, from: Data(output)) { return page }
    if try SessionInfo.parseReply(output) == nil { return nil }
    throw OpenCodeCommandError.unreadable(command: "api", why: "not a session's messages in JSON")
  }

  /// The sessions that one started, at most 200 and a page.
  package func children(of parent: String, deadline: Deadline) throws -> [SessionInfo] {
    guard SessionID.isValid(parent) else { return [] }
    struct Page: Decodable {
      let data: [ExportedInfo]
      let cursor: MessagePage.Cursor?
    }
    var (found, cursor, seen): ([SessionInfo], String?, Set<String>) = ([], nil, [])
    while found.count < 200 {
      let more = cursor.map { "&cursor=\($0)" } ?? ""
      let output = try api("/api/session?parentID=\(parent)\(more)", deadline: deadline)
      guard let page = try? JSONDecoder().decode(Page.self, from: Data(output)) else {
        throw OpenCodeCommandError.unreadable(command: "api", why: "not a list of sessions in JSON")
      }
      // Whatever the filter does: only its own children count.
      let new = page.data.map(\.info).filter { seen.insert($0.id).inserted }
      found += new.filter { $0.parent == parent }
      // The last page may have a cursor too, and a server that ignores it would say the same again.
      guard let next = page.cursor?.next, !new.isEmpty else { break }
      cursor = next
    }
    return found
  }
}
