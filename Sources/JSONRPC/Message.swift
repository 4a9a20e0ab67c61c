import Foundation

/// The id of a request, kept with its type. Strings are compared by their bytes: Swift would take canonically equivalent ones for the same.
public enum RequestID: Hashable, Sendable {
  case integer(Int64)
  case string([UInt8])

  /// nil for anything but a string or a whole number.
  public init?(_ value: JSONValue?) {
    switch value {
    case .integer(let number)?: self = .integer(number)
    case .string(let text)?: self = .string(Array(text.utf8))
    default: return nil
    }
  }

  public var json: JSONValue {
    switch self {
    case .integer(let number): .integer(number)
    case .string(let bytes): .string(String(decoding: bytes, as: UTF8.self))
    }
  }
}

/// A JSON-RPC error object.
public struct RPCError: Error, Sendable, Equatable {
  public let code: Int
  public let message: String
  public let data: JSONValue?

  public init(code: Int, message: String, data: JSONValue? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  public static func parseError(_ why: String) -> RPCError { RPCError(code: -32700, message: "Parse error: \(why)") }
  public static func invalidRequest(_ why: String) -> RPCError { RPCError(code: -32600, message: "Invalid request: \(why)") }
  public static func methodNotFound(_ method: String) -> RPCError { RPCError(code: -32601, message: "Method not found: \(method)") }
  public static func invalidParams(_ why: String) -> RPCError { RPCError(code: -32602, message: "Invalid params: \(why)") }
  public static func internalError(_ why: String) -> RPCError { RPCError(code: -32603, message: "Internal error: \(why)") }
}

public struct Request: Sendable {
  public let id: RequestID
  public let method: String
  public let params: JSONObject

  public init(id: RequestID, method: String, params: JSONObject) {
    self.id = id
    self.method = method
    self.params = params
  }
}

public struct Notification: Sendable {
  public let method: String
  public let params: JSONObject

  public init(method: String, params: JSONObject) {
    self.method = method
    self.params = params
  }
}

/// What one line on stdin was.
public enum Message: Sendable {
  case request(Request)
  case notification(Notification)
  /// An answer to something; we never ask, so it is dropped. (Codex sends errors without an id.)
  case response
  /// A JSON-RPC batch.
  case batch([Message])
  /// To be answered with this error.
  case invalid(RequestID?, RPCError)

  /// Reads one line.
  public init(line: [UInt8]) {
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
      let isResponse = object["result"] != nil || object["error"] != nil
      self = isResponse ? .response : .invalid(id, .invalidRequest("\"method\" is missing"))
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
        self = id == nil ? .response : .invalid(id, .invalidParams("\"params\" must be an object"))
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
public enum Outgoing {
  public static func result(_ id: RequestID, _ result: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "id": id.json, "result": .object(result)]
  }

  /// An unreadable id is left out.
  public static func error(_ id: RequestID?, _ error: RPCError) -> JSONValue {
    var message: JSONObject = ["jsonrpc": "2.0"]
    message["id"] = id?.json
    var object: JSONObject = ["code": JSONValue(error.code), "message": .string(error.message)]
    object["data"] = error.data
    message["error"] = .object(object)
    return .object(message)
  }

  public static func notification(_ method: String, _ params: JSONObject) -> JSONValue {
    ["jsonrpc": "2.0", "method": .string(method), "params": .object(params)]
  }
}
