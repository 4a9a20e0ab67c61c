import JSON

/// One MCP tool: what the client is told of it and what it does.
package protocol Tool: Sendable {
  var name: String { get }
  var description: String { get }
  var annotations: ToolAnnotations { get }
  var parameters: [Parameter] { get }
  /// The model should know it from the start, also in clients that hide tools until they are searched for.
  var isAlwaysLoaded: Bool { get }
  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply
}

extension Tool {
  package var isAlwaysLoaded: Bool { false }

  /// The tool's entry in `tools/list`.
  package var json: JSONValue {
    var properties = JSONObject()
    for parameter in parameters where !parameter.isHidden { properties[parameter.name] = parameter.schema }
    var schema: JSONObject = ["type": "object"]
    if !properties.isEmpty { schema["properties"] = .object(properties) }
    let required = parameters.filter(\.isRequired).map(\.name)
    if !required.isEmpty { schema["required"] = JSONValue(strings: required) }
    schema["additionalProperties"] = false
    var entry: JSONObject = [
      "name": .string(name), "description": .string(description), "inputSchema": .object(schema), "annotations": annotations.json,
    ]
    if isAlwaysLoaded { entry["_meta"] = [MetaKey.alwaysLoad: true] }
    return .object(entry)
  }

  /// Checks the arguments and calls the tool; whatever goes wrong becomes a reply, masked and within its bound.
  /// - Throws: `InputRequired` only: the call is to be repeated with an answer
  package func reply(to arguments: JSONObject, in context: CallContext) async throws -> ToolReply {
    let reply: ToolReply
    do {
      reply = try await call(try Arguments(arguments, for: self), in: context)
    } catch let failure as any ToolFailure {
      reply = failure.toolError.reply
    } catch let needed as InputRequired {
      throw needed
    } catch is CancellationError {
      reply = ToolReply(text: "Cancelled.", structured: ["cancelled": true], isError: true)
    } catch {
      reply = ToolError(code: "opencode_failed", message: "\(name) failed: \(error).", hint: "Run `opencode-worker doctor` in a terminal.").reply
    }
    return ReplyBound.fit(reply)
  }
}
