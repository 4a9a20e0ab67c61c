import Foundation
import JSON

/// What the provider answered instead of an answer.
struct StepError {
  let build: Build
  let status: Int?
  let reason: String
  private let body: JSONValue
  /// It came inside a stream that began well.
  let isInStream: Bool

  /// nil: the turn is none.
  init?(_ turn: Turn, _ build: Build) {
    guard turn.status != nil || turn.error != nil else { return nil }
    self.build = build
    status = turn.status ?? turn.error?["status"]?.int
    isInStream = turn.error != nil
    body = turn.error ?? turn.body
    reason = (isInStream ? body["message"] : body["error"]?["message"])?.string ?? body.text
  }

  private var type: String? { isInStream ? body["type"]?.string : nil }

  /// The conversation was too long: 1.x says so, and shortens it.
  var isOverflow: Bool { !build.isTwo && body["error"]?["code"] == "context_length_exceeded" }

  /// OpenCode makes the request again.
  var isRetried: Bool {
    if let type { return ["overloaded_error", "rate_limit_error", "server_error", "provider.rate-limit", "provider.internal"].contains(type) }
    return status.map { [408, 409, 429].contains($0) || $0 >= 500 } ?? false
  }

  /// The error in the generation's own words.
  var shape: JSONValue { build.isTwo ? two : one }

  private var two: JSONValue {
    let known = type?.contains(".") ?? false || ["aborted", "unknown"].contains(type) ? type : nil
    let kind =
      switch status {
      case 401, 403: "provider.auth"
      case 402: "provider.quota"
      case 429: "provider.rate-limit"
      case .some(500...): "provider.internal"
      default: "unknown"
      }
    var error: JSONObject = ["type": .string(known ?? kind)]
    error["message"] = .string(isInStream ? reason : "Provider request failed with HTTP \(status ?? 0): \(body.text)")
    error["status"] = status.map { JSONValue($0) }
    return .object(error)
  }

  private var one: JSONValue {
    guard let status, !isInStream else { return ["name": "UnknownError", "data": ["message": .string(body.text)]] }
    let text = body.text
    if isOverflow { return ["name": "ContextOverflowError", "data": ["message": .string(reason), "responseBody": .string(text)]] }
    let headers: JSONValue = [
      "content-length": .string("\(text.utf8.count)"), "content-type": "application/json", "date": .string("\(Date())"), "server": "stand-in",
    ]
    return [
      "name": "APIError",
      "data": [
        "message": .string(reason), "statusCode": JSONValue(status), "isRetryable": false, "responseHeaders": headers, "responseBody": .string(text),
        "metadata": ["url": "http://127.0.0.1/v1/chat/completions"],
      ],
    ]
  }

  /// 1.x's lines on standard error.
  func log(session: SessionStore.Session, model: Model) -> [String] {
    let cause: String
    if isInStream {
      cause = (body.object?.members ?? []).map { "error.error.\($0.key)=\(StepError.word($0.value.string ?? $0.value.text))" }.joined(separator: " ")
    } else {
      cause = "error.error=\(JSONValue.string("AI_APICallError: \(reason)").text)"
    }
    return [
      "message=\"stream error\" providerID=\(Model.provider) modelID=\(model.id) session.id=\(session.id) small=false agent=\(session.agent) mode=primary "
        + cause
    ]
  }

  /// Quoted only where it has to be.
  private static func word(_ text: String) -> String { text.contains(" ") || text.contains("\"") ? JSONValue.string(text).text : text }
}
