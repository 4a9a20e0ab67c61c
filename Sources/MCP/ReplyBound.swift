import JSON
import Text

/// Keeps every reply masked and under its bound, whatever a run printed.
package enum ReplyBound {
  /// Bytes of `structuredContent` as JSON.
  package static let limit = 8 << 10

  /// Adds the rows from `offset` on to a reply, as many as fit into `bytes`; the rest is behind `nextCursor`. One row always goes in,
  /// whatever its size, or the cursor would stay where it is.
  package static func add(_ rows: some Collection<JSONValue>, as name: String, from offset: Int, bytes: Int, to structured: inout JSONObject) {
    var left = bytes
    var shown: [JSONValue] = []
    for row in rows.dropFirst(offset) {
      left -= row.bytes.count + 1
      if left < 0, !shown.isEmpty { break }
      shown.append(row)
    }
    structured[name] = .array(shown)
    if offset + shown.count < rows.count {
      structured["cut"] = true
      structured["nextCursor"] = .string("\(offset + shown.count)")
    }
  }

  /// Masks secrets, then shortens the longest texts and lists until the reply fits; `cut` says that something was left out.
  package static func fit(_ reply: ToolReply, masking: Bool = true) -> ToolReply {
    var reply = reply
    var value = JSONValue.object(reply.structured)
    if masking, reply.structured["patch"] == nil {
      var masked = 0
      value = SecretMask.apply(to: value, count: &masked)
      reply.text = SecretMask.apply(to: reply.text, count: &masked)
      if masked > 0, case .object(var object) = value {
        object["masked"] = JSONValue(masked)
        value = .object(object)
      }
    }
    reply.text = TextCut.headAndTail(reply.text, bytes: 600)
    value = fit(value)
    reply.structured = value.object ?? [:]
    return reply
  }

  private static func fit(_ value: JSONValue) -> JSONValue {
    guard value.bytes.count >= limit else { return value }
    guard case .object(var object) = value else { return value }
    object["cut"] = true
    var cut = JSONValue.object(object)
    // Half the size of the largest text or list allowed, until all fits.
    var textLimit = 4096
    var listLimit = 128
    while cut.bytes.count >= limit, textLimit >= 16 {
      cut = shorten(cut, texts: textLimit, lists: listLimit)
      textLimit = textLimit * 3 / 4
      listLimit = max(1, listLimit * 3 / 4)
    }
    return cut
  }

  private static func shorten(_ value: JSONValue, texts: Int, lists: Int) -> JSONValue {
    switch value {
    case .string(let text): .string(TextCut.headAndTail(text, bytes: texts))
    case .array(let elements): .array(elements.prefix(lists).map { shorten($0, texts: texts, lists: lists) })
    case .object(let object):
      .object(JSONObject(object.members.map { ($0.key, exact.contains($0.key) ? $0.value : shorten($0.value, texts: texts, lists: lists)) }))
    default: value
    }
  }

  /// Members that are of no use when shortened.
  private static let exact: Set<String> = ["run", "session", "nextCursor", "state", "logPath"]
}
