import Foundation
import JSON

/// The id of a request, kept with its type. Strings are compared by their bytes: Swift would take canonically equivalent ones for the same.
package enum RequestID: Hashable, Sendable {
  case integer(Int64)
  case string([UInt8])

  /// nil for anything but a string or a whole number, which may be written `1.0`.
  package init?(_ value: JSONValue?) {
    switch value {
    case .integer(let number)?: self = .integer(number)
    case .number(let number)?:
      guard let whole = Int64(exactly: number) else { return nil }
      self = .integer(whole)
    case .string(let text)?: self = .string(Array(text.utf8))
    default: return nil
    }
  }

  package var json: JSONValue {
    switch self {
    case .integer(let number): .integer(number)
    case .string(let bytes): .string(String(decoding: bytes, as: UTF8.self))
    }
  }
}

/// A JSON-RPC error object.
package struct RPCError: Error, Sendable, Equatable {
  package let code: Int
  package let message: String
  package let data: JSONValue?

  package init(code: Int, message: String, data: JSONValue? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  package static func parseError(_ why: String) -> RPCError { RPCError(code: -32700, message: "Parse error: \(why)") }
  package static func invalidRequest(_ why: String) -> RPCError { RPCError(code: -32600, message: "Invalid request: \(why)") }
  package static func methodNotFound(_ method: String) -> RPCError { RPCError(code: -32601, message: "Method not found: \(method)") }
  package static func invalidParams(_ why: String) -> RPCError { RPCError(code: -32602, message: "Invalid params: \(why)") }
  package static func internalError(_ why: String) -> RPCError { RPCError(code: -32603, message: "Internal error: \(why)") }
}

package struct Request: Sendable {
  package let id: RequestID
  package let method: String
  package let params: JSONObject

  package init(id: RequestID, method: String, params: JSONObject) {
    self.id = id
    self.method = method
    self.params = params
  }
}

package struct Notification: Sendable {
  package let method: String
  package let params: JSONObject

  package init(method: String, params: JSONObject) {
    self.method = method
    self.params = params
  }
}

/// The other side's answer to a request of ours.
package struct Response: Sendable {
  package let id: RequestID
  package let result: Result<JSONObject, RPCError>

  /// nil without a readable id: Codex sends such errors about output that it doesn't understand.
  init?(_ object: JSONObject) {
    guard let id = RequestID(object["id"]) else { return nil }
    self.id = id
    if let error = object["error"] {
      let message = error["message"]?.string ?? "an error without a message"
      result = .failure(RPCError(code: error["code"]?.int ?? 0, message: message, data: error["data"]))
    } else {
      result = .success(object["result"]?.object ?? [:])
    }
  }
}

/// What one line on stdin was.
package enum Message: Sendable {
  case request(Request)
  case notification(Notification)
  case response(Response)
  /// Nothing that could be answered or is of use.
  case ignored
  /// A JSON-RPC batch.
  case batch([Message])
  /// To be answered with this error.
  case invalid(RequestID?, RPCError)

  /// Reads one line.
  package init(line: [UInt8]) {
    do {
      self.init(try JSONValue(parsing: line))
    } catch {
      self = .invalid(nil, .parseError("\(error)"))
    }
  }

  private init(_ value: JSONValue) {
    if case .array(let elements) = value {
      self = elements.isEmpty ? .invalid(nil, .invalidRequest("an empty batch")) : .batch(elements.map(Message.init(element:)))
    } else {
      self.init(element: value)
    }
  }

  private init(element value: JSONValue) {
    guard let object = value.object else {
      self = .invalid(nil, .invalidRequest("a message is an object"))
      return
    }
    let id = RequestID(object["id"])
    guard object["jsonrpc"]?.string == "2.0" else {
      self = .invalid(id, .invalidRequest("\"jsonrpc\" must be \"2.0\""))
      return
    }
    guard let methodValue = object["method"] else {
      if object["result"] != nil || object["error"] != nil {
        self = Response(object).map(Message.response) ?? .ignored
      } else {
        self = .invalid(id, .invalidRequest("\"method\" is missing"))
      }
      return
    }
    guard let method = methodValue.string else {
      self = .invalid(id, .invalidRequest("\"method\" must be a string"))
      return
    }
    if object["id"] != nil, id == nil {
      self = .invalid(nil, .invalidRequest("\"id\" must be a string or a whole number"))
      return
    }
    var params = JSONObject()
    if let given = object["params"] {
      guard let members = given.object else {
        self = id == nil ? .ignored : .invalid(id, .invalidParams("\"params\" must be an object"))
        return
      }
      params = members
    }
    if let id {
      self = .request(Request(id: id, method: method, params: params))
    } else {
      self = .notification(Notification(method: method, params: params))
    }
  }
}

/// The messages that a server sends.
package enum Outgoing {
  package static func result(_ id: RequestID, _ result: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "id": id.json, "result": .object(result)]
  }

  /// An unreadable id is left out.
  package static func error(_ id: RequestID?, _ error: RPCError) -> JSONValue {
    var message: JSONObject = ["jsonrpc": "2.0"]
    message["id"] = id?.json
    var object: JSONObject = ["code": JSONValue(error.code), "message": .string(error.message)]
    object["data"] = error.data
    message["error"] = .object(object)
    return .object(message)
  }

  package static func request(_ id: RequestID, _ method: String, _ params: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "id": id.json, "method": .string(method), "params": .object(params)]
  }

  package static func notification(_ method: String, _ params: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "method": .string(method), "params": .object(params)]
  }
}
