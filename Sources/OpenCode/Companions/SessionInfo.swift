import Foundation

/// What OpenCode keeps of a session. Its figures are those of the session alone, without the ones below it.
/// Recordings: `1.18.34/subagent-checks.db`, `1.18.34/session-list-json`, `2.0-preview-20260807/api-session`.
package struct SessionInfo: Sendable, Equatable {
  package let id: String
  package var parent: String?
  package var title: String?
  /// The folder it belongs to: it can be continued only there.
  package var directory: String?
  package var agent: String?
  /// `provider/model`.
  package var model: String?
  package var variant: String?
  /// USD; 0 also when the model has no price.
  package var cost: Double?
  package var tokens: TokenCounts?
  /// Milliseconds since 1970.
  package var created: Int?
  /// 2.x: `succeeded` or `failed`, once known.
  package var outcome: String?

  package init(id: String) { self.id = id }
}

extension SessionInfo {
  /// From rows of the store's table `session`; the wanted session first, the others in the order of their creation.
  static func parseRows(_ output: [UInt8], root: String) throws -> [SessionInfo] {
    let rows: [Row]
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      rows = try decoder.decode([Row].self, from: Data(output))
    } catch {
      throw OpenCodeCommandError.unreadable(command: "db", why: "not a list of sessions")
    }
    let sorted = rows.map(\.info).sorted { ($0.created ?? 0, $0.id) < ($1.created ?? 0, $1.id) }
    guard let first = sorted.first(where: { $0.id == root }) else { return [] }
    return [first] + sorted.filter { $0.id != root }
  }

  /// From the reply to `GET /api/session/ID`; nil: there is no such session.
  static func parseReply(_ output: [UInt8]) throws -> SessionInfo? {
    struct Reply: Decodable {
      let data: ExportedInfo?
      let tag: String?
      let message: String?
      enum CodingKeys: String, CodingKey {
        case data, message
        case tag = "_tag"
      }
    }
    guard let reply = try? JSONDecoder().decode(Reply.self, from: Data(output)) else {
      throw OpenCodeCommandError.unreadable(command: "api", why: "not a session in JSON")
    }
    if let data = reply.data { return data.info }
    if reply.tag == "SessionNotFoundError" { return nil }
    throw OpenCodeCommandError.unreadable(command: "api", why: reply.message ?? reply.tag ?? "it holds no session")
  }

  private struct Row: Decodable {
    let id: String
    let parentId: String?
    let title: String?
    let directory: String?
    let agent: String?
    let model: String?
    let cost: Double?
    let tokensInput: Int?
    let tokensOutput: Int?
    let tokensReasoning: Int?
    let tokensCacheRead: Int?
    let tokensCacheWrite: Int?
    let timeCreated: Int?

    var info: SessionInfo {
      var info = SessionInfo(id: id)
      (info.parent, info.title, info.directory, info.agent) = (parentId, title, directory, agent)
      (info.cost, info.created) = (cost, timeCreated)
      // Stores of older versions have no such columns: then the figures are unknown.
      if let tokensInput {
        info.tokens = TokenCounts(
          input: tokensInput, output: tokensOutput ?? 0, reasoning: tokensReasoning ?? 0, cacheRead: tokensCacheRead ?? 0,
          cacheWrite: tokensCacheWrite ?? 0)
      }
      if let model, let named = try? JSONDecoder().decode(NamedModel.self, from: Data(model.utf8)) { (info.model, info.variant) = (named.full, named.named) }
      return info
    }
  }
}

// MARK: - Shapes that exports and replies share

struct NamedModel: Decodable {
  let id: String?
  let modelID: String?
  let providerID: String?
  let variant: String?

  var full: String? { (id ?? modelID).map { id in providerID.map { "\($0)/\(id)" } ?? id } }
  /// `default` is what OpenCode writes when none was chosen.
  var named: String? { variant == "default" ? nil : variant }
}

struct CountedTokens: Decodable {
  struct Cache: Decodable {
    let read: Int?
    let write: Int?
  }
  let input: Int?
  let output: Int?
  let reasoning: Int?
  let cache: Cache?

  var counts: TokenCounts {
    TokenCounts(input: input ?? 0, output: output ?? 0, reasoning: reasoning ?? 0, cacheRead: cache?.read ?? 0, cacheWrite: cache?.write ?? 0)
  }
}

struct Moments: Decodable {
  let created: Int?
  let completed: Int?
  let start: Int?
  let end: Int?
  let ran: Int?
}

/// `info` of an export in both generations, `data` of a reply in 2.x.
struct ExportedInfo: Decodable {
  struct Location: Decodable { let directory: String? }
  let id: String
  let parentID: String?
  let title: String?
  let directory: String?
  let location: Location?
  let agent: String?
  let model: NamedModel?
  let cost: Double?
  let tokens: CountedTokens?
  let time: Moments?
  let outcome: String?

  var info: SessionInfo {
    var info = SessionInfo(id: id)
    (info.parent, info.title, info.directory, info.agent) = (parentID, title, directory ?? location?.directory, agent)
    (info.model, info.variant, info.cost, info.tokens) = (model?.full, model?.named, cost, tokens?.counts)
    (info.created, info.outcome) = (time?.created, outcome)
    return info
  }
}
