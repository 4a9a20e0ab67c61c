import JSON
import JSONRPC

/// What the client has answered so far to the questions of one call, in the protocol of 2026-07-28: the newest answers in `inputResponses`,
/// earlier ones in the state that it hands back as it was.
struct InputAnswers: Sendable {
  private let responses: JSONObject
  private let earlier: JSONObject

  /// - Throws: `RPCError` when a member isn't of its shape
  init(_ params: JSONObject) throws {
    responses = try InputAnswers.object(params["inputResponses"], "inputResponses")
    guard let state = params["requestState"] else {
      earlier = [:]
      return
    }
    guard let text = state.string, let parsed = try? JSONValue(parsing: Array(text.utf8)) else {
      throw RPCError.invalidParams("\"requestState\" is not as it was given")
    }
    earlier = try InputAnswers.object(parsed, "requestState")
  }

  private static func object(_ value: JSONValue?, _ name: String) throws -> JSONObject {
    guard let value else { return [:] }
    guard let object = value.object else { throw RPCError.invalidParams("\"\(name)\" must be an object") }
    return object
  }

  /// - Throws: `InputRequired` when the client hasn't been asked yet
  func answer(to question: ClientQuestion) throws -> ClientAnswer {
    guard let answer = responses[question.key] ?? remembered(question) else { throw InputRequired(question: question) }
    return answer.object.map(ClientAnswer.result) ?? .refused("its answer is no object")
  }

  /// Roots only: a person's consent counts for the very call that it came with.
  private func remembered(_ question: ClientQuestion) -> JSONValue? { question.key == ClientQuestion.roots.key ? earlier[question.key] : nil }

  /// The result that asks the client.
  func asking(_ question: ClientQuestion) -> JSONObject {
    var requests = JSONObject()
    requests[question.key] = ["method": .string(question.method), "params": .object(question.params)]
    var result: JSONObject = ["resultType": "input_required", "inputRequests": .object(requests)]
    var known = JSONObject()
    known[ClientQuestion.roots.key] = responses[ClientQuestion.roots.key] ?? earlier[ClientQuestion.roots.key]
    if !known.isEmpty { result["requestState"] = .string(JSONValue.object(known).text) }
    return result
  }
}
