import JSON
import PosixSupport

/// Something that only the client can answer, in the middle of a call.
package struct ClientQuestion: Sendable {
  /// Names the question when the call is repeated with its answer (2026-07-28): the same question has the same key.
  package let key: String
  package let method: String
  package let params: JSONObject

  /// The folders that the client's user works in.
  package static let roots = ClientQuestion(key: "roots", method: "roots/list", params: [:])

  /// Accept or decline, by a person. A question with another text has another key: an answer can't be taken for another question's.
  package static func consent(_ message: String, namesModes: Bool) -> ClientQuestion {
    var params: JSONObject = ["message": .string(message), "requestedSchema": ["type": "object", "properties": [:]]]
    if namesModes { params["mode"] = "form" }
    let hash = message.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    return ClientQuestion(key: "consent-" + String(hash, radix: 16), method: "elicitation/create", params: params)
  }
}

/// What became of a question.
package enum ClientAnswer: Sendable, Equatable {
  case result(JSONObject)
  /// The client's own words.
  case refused(String)
  /// Nothing came within this many seconds.
  case silent(Double)
}

/// Thrown in the protocol of 2026-07-28, where a server can't ask while it works on a call: the call is answered with the question, and
/// the client repeats it with the answer.
struct InputRequired: Error {
  let question: ClientQuestion
}

/// Asks the client. `nil` where it doesn't offer to answer.
package struct ClientChannel: Sendable {
  package var capabilities = ClientCapabilities()
  /// Seconds are the longest that is waited.
  let ask: @Sendable (ClientQuestion, Double) async throws -> ClientAnswer

  package init(capabilities: ClientCapabilities, ask: @escaping @Sendable (ClientQuestion, Double) async throws -> ClientAnswer) {
    self.capabilities = capabilities
    self.ask = ask
  }

  /// The client's roots.
  /// - Returns: nil when it has none to tell of, or doesn't answer
  package func roots() async throws -> [ClientRoot]? {
    guard capabilities.roots else { return nil }
    guard case .result(let result) = try await ask(.roots, 5), let roots = result["roots"]?.array, !roots.isEmpty else { return nil }
    return roots.compactMap { $0["uri"]?.string.map(ClientRoot.init) }
  }

  /// What a person says to `message`.
  /// - Returns: nil where the client doesn't offer to ask
  package func consent(_ message: String, seconds: Double) async throws -> Consent? {
    guard capabilities.forms else { return nil }
    switch try await ask(.consent(message, namesModes: capabilities.namesModes), seconds) {
    case .result(let result): return result["action"]?.string == "accept" ? .given : .notGiven("declined")
    case .refused(let why): return .notGiven("the client could not ask: \(why)")
    case .silent(let seconds): return .notGiven("nobody answered within \(Int(seconds)) s")
    }
  }

  package enum Consent: Sendable, Equatable {
    case given
    case notGiven(String)
  }
}

/// A folder of the client's, as a URL.
package struct ClientRoot: Sendable, Equatable {
  package let uri: String

  package init(_ uri: String) { self.uri = uri }

  /// nil for anything that isn't on this machine's disk.
  package var path: String? { FileURL.path(uri) }
}
